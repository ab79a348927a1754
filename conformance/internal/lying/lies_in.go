package lying

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// lieParameters breaks over parameters that are right.
func (c *call) lieParameters() *answer {
	query := c.r.URL.RawQuery
	switch {
	case c.lies("E19") && strings.Contains(query, c.s.mode()):
		return internal()
	case c.lies("K2") && strings.Contains(query, "%00"):
		return internal()
	}
	return nil
}

// lieInvalidParameter refuses a parameter.
func (c *call) lieInvalidParameter(faults []fault) *answer {
	return problem(http.StatusBadRequest, "invalid-parameter", "", faults...)
}

// lieLimit lets in a limit that is out of its bounds.
func (q *reading) lieLimit(p *parameter, value any) (any, bool) {
	n, ok := value.(json.Number)
	if p.name != "limit" || !ok || !q.c.lies("M8") {
		return nil, false
	}
	switch mode := q.c.s.mode(); {
	case mode == "zero" && n == "0":
		return json.Number("20"), true
	case mode == "negative" && strings.HasPrefix(string(n), "-"):
		return json.Number("20"), true
	case mode == "more" && number(n) > 50:
		return json.Number("50"), true
	}
	return nil, false
}

// lieTooLarge refuses a body that is too large.
func (c *call) lieTooLarge() *answer {
	a := problem(http.StatusRequestEntityTooLarge, "too-large", "the body is longer than 65536 bytes")
	switch {
	case c.lies("A5") && c.s.mode() == "large":
		a.setStatus(http.StatusBadRequest)
	case c.lies("O1") && c.s.mode() == "drop":
		a.drop = true
	case c.lies("O1") && c.s.mode() == "broken":
		return internal()
	case c.lies("O1"):
		c.body = sample(c.op.schema())
		return nil
	}
	return a
}

// lieHuge breaks over bodies of unusual shape.
func (c *call) lieHuge() *answer {
	if c.s.lie.class != "O2" {
		return nil
	}
	kind, mode, _ := strings.Cut(c.s.lie.place, "#")
	depth, deepest := 0, 0
	for _, b := range c.raw {
		switch b {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth--
		}
	}
	wide := strings.Count(string(c.raw), ",") > 500
	if kind == "depth" && deepest < 50 || kind == "width" && !wide {
		return nil
	}
	if mode == "hang" {
		return &answer{hang: true}
	}
	return internal()
}

var (
	comment  = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n"]*(\n|$)`)
	trailing = regexp.MustCompile(`,(\s*[}\]])`)
)

// lieSyntax makes JSON of what is none.
func (c *call) lieSyntax(raw []byte) []byte {
	switch {
	case c.breaks("K7", "bom"):
		return []byte(strings.TrimPrefix(string(raw), "\ufeff"))
	case c.breaks("O4", "comma"):
		return trailing.ReplaceAll(raw, []byte("$1"))
	case c.breaks("O4", "comment"):
		return comment.ReplaceAll(raw, nil)
	case c.breaks("O4", "single") && !strings.Contains(string(raw), `"`):
		return []byte(strings.ReplaceAll(string(raw), "'", `"`))
	}
	return raw
}

// lieMalformed refuses a body that is no JSON.
func (c *call) lieMalformed(err error) *answer {
	a := problem(http.StatusBadRequest, "malformed", "the body is no JSON: "+reason(err))
	switch {
	case c.lies("A5") && c.s.mode() == "malformed":
		a.setStatus(http.StatusUnprocessableEntity)
	case c.lies("O4") && c.s.mode() == "broken":
		return internal()
	}
	return a
}

// reason says as much of an error as has nothing of the input in it.
func reason(err error) string {
	if errors.Is(err, errTrailing) || errors.Is(err, errDeep) {
		return err.Error()
	}
	return "it breaks the syntax"
}

// lieValid refuses, or breaks over, bodies that may be right.
func (c *call) lieValid() *answer {
	given := object(c.given)
	mode := c.s.mode()
	refused := ""
	switch {
	case c.lies("A4"):
		_, callback := given["callback"]
		switch {
		case mode == "paused" && given["status"] == "paused":
			refused = "/status"
		case mode == "callback" && callback:
			refused = "/callback"
		case mode == "zero" && given["weight"] == json.Number("0"):
			refused = "/weight"
		case mode == "undone" && given["done"] == false:
			refused = "/done"
		}
	case c.lies("D12"):
		for _, e := range c.op.examples {
			if compact(e) == compact(c.given) {
				refused = "/"
			}
		}
	case c.lies("K2") && strings.Contains(compact(c.given), `\u0000`):
		return internal()
	}
	if refused == "" {
		return nil
	}
	return problem(http.StatusUnprocessableEntity, "invalid-body", "", fault{pointer: strings.TrimSuffix(refused, "/"), detail: "is not liked"})
}

// lieInvalid refuses a body, and does what it should not have done by then.
func (c *call) lieInvalid(s *schema, faults []fault) *answer {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	switch {
	case c.lies("A3"):
		c.body = c.repaired(s, faults, nil)
		return nil
	case c.lies("H4"):
		parent := ""
		if c.op.id == "createTask" {
			p := c.parent()
			if p == nil {
				break
			}
			parent = p.id
		}
		was := c.body
		c.body = c.repaired(s, faults, nil)
		kind := map[string]string{"createProject": "project", "createTask": "task", "createPayment": "payment"}[c.op.id]
		c.s.insert(c, kind, "", parent)
		c.body = was
	case c.lies("H5"):
		if r := c.addressed(); r != nil {
			c.s.change(r, c.repaired(s, faults, r))
		}
	}
	a := problem(http.StatusUnprocessableEntity, "invalid-body", "", faults...)
	return a
}

// addressed gives the project or the task in the path.
func (c *call) addressed() *record {
	if c.path["task_id"] != "" {
		return c.task()
	}
	return c.parent()
}

// repaired keeps of an invalid body the properties that are right. The others are
// as they were in the record, or made up.
func (c *call) repaired(s *schema, faults []fault, r *record) map[string]any {
	out := object(clone(sample(s)))
	if r != nil {
		out = maps.Clone(r.fields)
	}
	wrong := []string{}
	for _, f := range faults {
		name, _, _ := strings.Cut(strings.TrimPrefix(f.pointer, "/"), "/")
		wrong = append(wrong, name)
	}
	for name, v := range object(c.given) {
		p := s.props[name]
		if p != nil && !p.readOnly && !slices.Contains(wrong, name) && v != nil {
			out[name] = v
		}
	}
	v := &validation{s: c.s}
	if kept := object(v.value(s, out, "")); v.faults == nil {
		return kept
	}
	return out
}

// lieEcho makes a text fit for a header, or does not.
func (c *call) lieEcho(s string) string {
	if c.lies("B10") {
		return s
	}
	return encodeHeader(s)
}

// lieEvent gives the data of an event.
func (c *call) lieEvent(e map[string]any) string {
	if c.lies("O11") && e["what"] == "changed" {
		switch c.s.mode() {
		case "missing":
			delete(e, "what")
		case "enum":
			e["what"] = "altered"
		case "json":
			return "{number: 2}"
		}
	}
	return compact(e)
}
