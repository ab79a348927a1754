package lying

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// setStatus changes the status, and what a problem says of it.
func (a *answer) setStatus(status int) {
	a.status = status
	if m := object(a.value); a.typ == typeProblem && m != nil {
		m["status"] = status
	}
}

// lieAnswer breaks what an answer shows, and gives it its last form.
func (s *Server) lieAnswer(c *call, a *answer) *answer {
	if s.lie.class != "" && !a.drop && !a.hang {
		for _, lie := range []func(*call, *answer) *answer{s.lieStatus, s.lieHeader, s.lieValue, s.lieProblem} {
			a = lie(c, a)
		}
	}
	a.encode()
	if s.lie.class != "" {
		s.lieBytes(c, a)
	}
	c.encoding(a)
	if s.lie.class != "" {
		s.lieFraming(c, a)
	}
	return a
}

// lieStatus is for group A, and what depends on the status.
func (s *Server) lieStatus(c *call, a *answer) *answer {
	good, mode := a.status < 300, s.mode()
	switch {
	case c.lies("A1") && mode == strconv.Itoa(a.status):
		a.setStatus(map[string]int{"404": 418, "422": 402, "200": 203}[mode])
	case c.lies("A2") && good && c.troubled(mode):
		return internal()
	case c.lies("A5") && mode == "accept" && a.status == http.StatusNotAcceptable:
		a.setStatus(http.StatusBadRequest)
	case (c.lies("A6") || c.lies("A9")) && good:
		a.setStatus(digits(mode))
	case c.lies("A7") && good:
		a.setStatus(digits(mode))
		if a.status == http.StatusNotModified {
			a.value, a.typ = nil, ""
		}
	case c.lies("A8") && (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden):
		a.setStatus(digits(mode))
	case c.lies("A11") && good:
		a = &answer{status: digits(mode)}
		a.add("Location", c.target+"/")
	case c.lies("O9") && good:
		a.drop = true
	case c.lies("G3") && c.head && mode == "status":
		return problem(http.StatusNotFound, "not-found", "")
	}
	return a
}

// troubled says whether a valid request has what the server breaks over.
func (c *call) troubled(mode string) bool {
	switch mode {
	case "null":
		v, has := object(c.given)["description"]
		return has && v == nil
	case "depth":
		return number(c.query["depth"]) == 10
	case "transfer":
		return text(object(object(c.given)["method"])["kind"]) == "transfer"
	case "done":
		_, has := c.query["done"]
		return has
	}
	return false
}

// lieHeader is for groups B and N.
func (s *Server) lieHeader(c *call, a *answer) *answer {
	good, mode := a.status < 300, s.mode()
	switch {
	case (c.lies("B1") || c.lies("B9")) && good:
		a.set(mode, "")
	case c.lies("B2") && good:
		a.set(mode, map[string]string{"ETag": "abc", "X-Total-Count": "many", "Last-Modified": "2026-03-01T10:00:00Z"}[mode])
	case c.lies("B3") && a.status == http.StatusCreated:
		id := a.get("Location")[strings.LastIndex(a.get("Location"), "/")+1:]
		s.mu.Lock()
		a.set("Location", map[string]string{"prefix": "/comment/" + id, "other": "/payments/" + s.newID(), "short": "/tasks/" + id}[mode])
		s.mu.Unlock()
	case c.lies("B6") && a.status == http.StatusUnauthorized:
		a.set("WWW-Authenticate", "")
	case c.lies("B7") && a.status == http.StatusTooManyRequests:
		a.set("Retry-After", mode)
	case c.lies("B11") && good:
		switch mode {
		case "Content-Type":
			a.add(mode, a.typ)
		case "Date":
			a.add(mode, now().Format(http.TimeFormat))
		default:
			a.add(mode, a.get(mode))
		}
	case c.lies("G3") && c.head && good && mode == "header":
		a.set("ETag", "")
		a.set("Last-Modified", "")
	case c.lies("N3") && a.status == http.StatusNotModified && mode == "etag":
		a.set("ETag", "")
	case c.lies("N4") && good:
		a.set("Cache-Control", mode)
	}
	return a
}

// edit applies f to what is at the pointer, * being each item; f says whether it
// stays.
func edit(v any, path []string, f func(any) (any, bool)) any {
	if len(path) == 0 {
		out, _ := f(v)
		return out
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = edit(v[i], path[1:], f)
		}
	case map[string]any:
		e, has := v[path[0]]
		if len(path) > 1 {
			v[path[0]] = edit(e, path[1:], f)
			return v
		}
		out, stays := f(e)
		if stays && (has || path[0] == "secret") {
			v[path[0]] = out
		} else {
			delete(v, path[0])
		}
	}
	return v
}

// lieValue is for group D: values of successes.
func (s *Server) lieValue(c *call, a *answer) *answer {
	if s.lie.class[0] != 'D' || !c.lies(s.lie.class) || a.status >= 300 || a.value == nil {
		return a
	}
	if s.lie.class == "D11" {
		a.value, a.typ = nil, ""
		return a
	}
	if s.lie.class == "D12" {
		return a
	}
	pointer := s.mode()
	var path []string
	if pointer != "" {
		path = strings.Split(pointer[1:], "/")
	}
	if s.lie.class == "D10" {
		s.mu.Lock()
		defer s.mu.Unlock()
		owners := path[:len(path)-1]
		a.value = edit(a.value, owners, func(v any) (any, bool) {
			if r := s.records[key("payment", "", text(object(v)["id"]))]; r != nil {
				object(v)["secret"] = r.fields["secret"]
			}
			return v, true
		})
		return a
	}
	a.value = edit(a.value, path, func(v any) (any, bool) { return s.broken(s.lie.class, pointer, v) })
	return a
}

// broken gives what a value is made by a class of group D, and whether it stays.
func (s *Server) broken(class, pointer string, v any) (any, bool) {
	switch class {
	case "D1":
		return nil, false
	case "D2":
		if _, is := v.(bool); is {
			return 1, true
		}
		return 7, true
	case "D3":
		if m := object(v); m != nil {
			m["internal_note"] = "for us alone"
		}
		return v, true
	case "D4":
		return nil, true
	case "D5":
		return map[string]string{"/due": "2026-02-30", "/author": "nemo(at)example.org", "/at": "2026-03-01 10:00:00",
			"/created_at": "2026-02-30T10:00:00Z", "/items/*/updated_at": "2026-03-01T25:00:00Z"}[pointer], true
	case "D6":
		if v == "done" && pointer == "/state" {
			return v, true
		}
		if pointer == "/status" {
			return "OK", true
		}
		return "unheard", true
	case "D7":
		return map[string]int{"/weight": 110, "/total": -1, "/stars": -1, "/depth": 11}[pointer], true
	case "D8":
		return []any{"zz", "zz"}, true
	case "D9":
		m := object(v)
		m["kind"] = map[string]string{"card": "transfer", "transfer": "card"}[text(m["kind"])]
		return m, true
	}
	return coarse(pointer, v), true
}

// coarse is D13: what writers of JSON get wrong.
func coarse(pointer string, v any) any {
	switch pointer {
	case "/tags", "/items":
		if len(array(v)) == 0 {
			return nil
		}
	case "/serial":
		if n, ok := v.(json.Number); ok {
			return rounded(n)
		}
	case "/amount":
		if n, ok := v.(json.Number); ok {
			return string(n)
		}
	}
	return v
}

// rounded is an integer that went through a float64.
func rounded(n json.Number) json.Number {
	f, err := n.Float64()
	if err != nil {
		return n
	}
	return json.Number(strconv.FormatFloat(f, 'f', 0, 64))
}

// lieProblem is for group L and C8: errors.
func (s *Server) lieProblem(c *call, a *answer) *answer {
	if s.lie.class == "L5" && strconv.Itoa(a.status) == s.lie.place {
		return s.plainError(a)
	}
	if s.lies("L6", "path") && c.op == nil && a.status == http.StatusNotFound {
		return s.page(a, c.target+"?"+unescape(c.r.URL.RawQuery))
	}
	m := object(a.value)
	if a.status < 400 || m == nil {
		return a
	}
	mode := s.mode()
	switch {
	case c.lies("C8"):
		a.typ = mode
	case c.lies("L1"):
		switch mode {
		case "title":
			delete(m, "title")
		case "status":
			m["status"] = strconv.Itoa(a.status)
		case "extra":
			m["trace"] = "4bf92f3577b34da6"
		case "errors":
			m["errors"] = map[string]any{"first": m["errors"]}
		}
	case c.lies("L2") && mode == "type":
		m["type"] = "a type with spaces"
	case c.lies("L2"):
		m["status"] = map[bool]int{true: 409, false: 400}[a.status == 400]
	case c.lies("L3"):
		misname(array(m["errors"]), mode)
	case c.lies("L4"):
		m["detail"] = map[string]string{
			"stack": "goroutine 17 [running]:\nmain.(*server).task(0xc000012345)\n\t/srv/app/server.go:42 +0x1b",
			"sql":   `ERROR: null value in column "author" violates not-null constraint (SQLSTATE 23502): INSERT INTO comments (id, text) VALUES ($1, $2)`,
			"path":  "open /var/lib/app/projects.db: permission denied",
		}[mode]
	case c.lies("L6") && c.op.id == "search":
		return s.page(a, unescape(c.r.URL.RawQuery))
	case c.lies("L6"):
		return s.page(a, string(c.raw))
	}
	return a
}

// misname names another part of the request than the one that is wrong.
func misname(errors []any, mode string) {
	for _, e := range errors {
		m := object(e)
		switch mode {
		case "pointer":
			m["pointer"] = map[bool]string{true: "/status", false: "/name"}[m["pointer"] == "/name"]
		case "slash":
			m["pointer"] = strings.TrimPrefix(text(m["pointer"]), "/")
		case "parameter":
			m["parameter"] = map[bool]string{true: "sort", false: "limit"}[m["parameter"] == "limit"]
		}
	}
}

// plainError is what a framework answers by itself.
func (*Server) plainError(a *answer) *answer {
	b := &answer{status: a.status, typ: "text/plain; charset=utf-8", header: a.header,
		body: []byte(strconv.Itoa(a.status) + " " + strings.ToLower(http.StatusText(a.status)) + "\n")}
	return b
}

// page shows an input in HTML as it is.
func (*Server) page(a *answer, input string) *answer {
	return &answer{status: a.status, typ: "text/html; charset=utf-8", header: a.header,
		body: []byte("<!doctype html><title>Error</title><p>Wrong: " + input + "</p>\n")}
}

// lieBytes is for group C: how a body is written.
func (s *Server) lieBytes(c *call, a *answer) {
	if a.status >= 300 || len(a.body) == 0 {
		return
	}
	switch mode := s.mode(); {
	case c.lies("C1") && mode == "":
		a.bare = true
	case c.lies("C1"):
		a.typ = mode
	case c.lies("C5"):
		switch mode {
		case "charset":
			a.typ = "application/json; charset=utf-16"
		case "bytes":
			a.body = bytes.Replace(a.body, []byte(`"text":"`), []byte("\"text\":\"\xff"), 1)
		case "bom":
			a.body = append([]byte("\xef\xbb\xbf"), a.body...)
		}
	case c.lies("C6"):
		switch mode {
		case "cut":
			a.body = a.body[:len(a.body)-1]
		case "quotes":
			a.body = bytes.ReplaceAll(a.body, []byte(`"`), []byte(`'`))
		case "comma":
			a.body = append(a.body[:len(a.body)-1:len(a.body)-1], ",}"...)
		}
	}
}

// lieFraming is for B8, and what else only the wire shows.
func (s *Server) lieFraming(c *call, a *answer) {
	switch mode := s.mode(); {
	case c.lies("B8") && a.status == http.StatusNoContent:
		a.anyway, a.body = true, []byte(`{"deleted":true}`)
	case c.lies("B8") && a.status == http.StatusOK && mode == "body":
		a.anyway = true
	case c.lies("B8") && a.status == http.StatusOK && mode == "long":
		a.length = 16
	case c.lies("B8") && a.status == http.StatusOK && mode == "short":
		a.length = -4
	case c.lies("N3") && a.status == http.StatusNotModified && mode == "body":
		a.anyway, a.body = true, []byte(`{"unchanged":true}`)
	case c.lies("G3") && c.head && mode == "length":
		a.body = nil
	}
}

// lieHTTP2 is O12: what is different over HTTP/2.
func (s *Server) lieHTTP2(r *http.Request, a *answer) {
	if s.lie.class != "O12" || r.URL.Path != "/status" || a.status != http.StatusOK {
		return
	}
	switch s.mode() {
	case "version":
		a.body = bytes.Replace(a.body, []byte("1.4.2"), []byte("1.4.3"), 1)
	case "header":
		a.set("Access-Control-Allow-Origin", "")
	case "status":
		a.status = http.StatusNonAuthoritativeInfo
	}
}
