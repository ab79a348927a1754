package lying

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// pair is an element of the query, its value as it came.
type pair struct{ name, raw string }

// pairs takes the query apart; ok says whether it is encoded as it should be.
func pairs(query string) (list []pair, ok bool) {
	for _, e := range strings.Split(query, "&") {
		if e == "" {
			continue
		}
		n, raw, _ := strings.Cut(e, "=")
		name, err := url.QueryUnescape(n)
		if err != nil || !utf8.ValidString(name) {
			return nil, false
		}
		if v, err := url.QueryUnescape(raw); err != nil || !utf8.ValidString(v) {
			return nil, false
		}
		list = append(list, pair{name, raw})
	}
	return list, true
}

// unescape is for what pairs has let pass.
func unescape(raw string) string {
	v, err := url.QueryUnescape(raw)
	if err != nil {
		return ""
	}
	return v
}

// reading reads the parameters of one request.
type reading struct {
	c      *call
	faults []fault
	used   map[int]bool
	list   []pair
}

func (q *reading) wrong(name, detail string) {
	q.faults = append(q.faults, fault{parameter: name, detail: detail})
}

// parameters reads and judges what is in query, header and cookies. What is in the
// path was read by the router, and is judged by whether there is such a thing.
func (c *call) parameters() *answer {
	if a := c.lieParameters(); a != nil {
		return a
	}
	list, ok := pairs(c.r.URL.RawQuery)
	if !ok {
		return problem(http.StatusBadRequest, "malformed", "the query is not encoded as it should be")
	}
	q := &reading{c: c, list: list, used: map[int]bool{}}
	c.query, c.header = map[string]any{}, map[string]any{}
	for _, p := range c.op.params {
		switch p.in {
		case "query":
			q.query(p)
		case "header":
			q.text(p, c.r.Header.Values(p.name))
		case "cookie":
			var values []string
			for _, k := range c.r.CookiesNamed(p.name) {
				values = append(values, k.Value)
			}
			q.text(p, values)
		}
	}
	for i, e := range list {
		if !q.used[i] && !c.lies("E20") {
			q.wrong(e.name, "is not known")
		}
	}
	if q.faults != nil {
		return c.lieInvalidParameter(q.faults)
	}
	return nil
}

// text reads a header or a cookie.
func (q *reading) text(p *parameter, values []string) {
	if len(values) == 0 {
		if p.required && !q.c.breaks("E17", p.name) {
			q.wrong(p.name, "is missing")
		}
		return
	}
	value := values[0]
	if len(values) > 1 {
		if strings.HasPrefix(p.name, "If-") {
			value = strings.Join(values, ", ")
		} else {
			q.wrong(p.name, "is given twice")
		}
	}
	q.judge(p, value, q.c.header)
}

func (q *reading) judge(p *parameter, value any, into map[string]any) {
	if n, ok := q.lieLimit(p, value); ok {
		into[p.name] = n
		return
	}
	v := &validation{s: q.c.s}
	kept := v.value(p.schema, value, "")
	for _, f := range v.faults {
		q.wrong(p.name, f.detail)
	}
	into[p.name] = kept
}

// query reads a parameter of the query by its style.
func (q *reading) query(p *parameter) {
	if p.style == "deepObject" {
		q.deep(p)
		return
	}
	var raws []string
	for i, e := range q.list {
		if e.name == p.name {
			q.used[i] = true
			raws = append(raws, e.raw)
		}
	}
	if len(raws) == 0 {
		if p.schema.hasDefault {
			v := &validation{s: q.c.s}
			q.c.query[p.name] = v.defaultOf(p.schema)
		}
		return
	}
	lying := q.c.lies("E16") && q.c.s.mode() == p.name
	if p.schema.kind == "array" {
		if len(raws) > 1 && !p.explode {
			q.wrong(p.name, "is given twice")
			return
		}
		items := []any{}
		for _, r := range split(p, raws) {
			items = append(items, typed(p.schema.items, unescape(r)))
		}
		if lying {
			items = items[:1]
		}
		q.judge(p, items, q.c.query)
		return
	}
	if len(raws) > 1 && !q.c.breaks("E18", p.name) {
		q.wrong(p.name, "is given twice")
		return
	}
	q.judge(p, typed(p.schema, unescape(raws[len(raws)-1])), q.c.query)
}

// split takes an array apart, whose items may have the separator encoded where it
// is one of a URI's own (RFC 6570 3.2.8); | has to be encoded, and is one always.
func split(p *parameter, raws []string) []string {
	if p.explode {
		return raws
	}
	if p.style == "pipeDelimited" {
		return strings.Split(strings.NewReplacer("%7C", "|", "%7c", "|").Replace(raws[0]), "|")
	}
	return strings.Split(raws[0], ",")
}

// deep reads name[key]=value.
func (q *reading) deep(p *parameter) {
	m := map[string]any{}
	for i, e := range q.list {
		key, ok := strings.CutPrefix(e.name, p.name+"[")
		if !ok || !strings.HasSuffix(key, "]") {
			continue
		}
		q.used[i] = true
		key = strings.TrimSuffix(key, "]")
		if _, twice := m[key]; twice {
			q.wrong(p.name, key+" is given twice")
		}
		s := p.schema.props[key]
		if s == nil {
			s = p.schema
		}
		m[key] = typed(s, unescape(e.raw))
	}
	if len(m) == 0 {
		return
	}
	q.judge(p, m, q.c.query)
	if q.c.lies("E16") && q.c.s.mode() == p.name && len(m) > 1 {
		delete(m, "to")
		delete(m, "max")
		q.c.query[p.name] = m
	}
}

// typed reads a text as a value of the schema's type, or leaves it a text, which
// the schema then refuses.
func typed(s *schema, t string) any {
	switch s.kind {
	case "integer", "number":
		if numeral.MatchString(t) {
			return json.Number(t)
		}
	case "boolean":
		if t == "true" || t == "false" {
			return t == "true"
		}
	}
	return t
}
