package lying

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// field is a header line.
type field struct{ name, value string }

// answer is what a handler gives, and what faults are made in.
type answer struct {
	status int
	header []field
	value  any    // of the body, if it is JSON
	body   []byte // the body, if value is nil
	typ    string // its media type; empty: no body

	// What only the wire shows.
	anyway bool // a body is sent though there may be none
	length int  // what Content-Length says more or less than there is
	drop   bool // the connection is closed without an answer
	hang   bool // there is no answer until the client goes away
	bare   bool // no Content-Type
}

func (a *answer) add(name, value string) { a.header = append(a.header, field{name, value}) }

func (a *answer) get(name string) string {
	for _, f := range a.header {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// set replaces a header's lines; an empty value removes them.
func (a *answer) set(name, value string) {
	kept := a.header[:0:0]
	for _, f := range a.header {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	if value != "" {
		kept = append(kept, field{name, value})
	}
	a.header = kept
}

// encode makes the body of the value.
func (a *answer) encode() {
	if a.value == nil {
		return
	}
	b, err := json.Marshal(a.value)
	if err != nil {
		a.status, b = http.StatusInternalServerError, []byte(`{}`)
	}
	a.body, a.value = b, nil
}

const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"
)

// ok is a success with a value.
func ok(status int, value any) *answer {
	return &answer{status: status, value: value, typ: typeJSON}
}

// empty is a success without a body.
func empty() *answer { return &answer{status: http.StatusNoContent} }

// kinds of problems, and what they are called.
var titles = map[string]string{
	"malformed": "The request is malformed", "invalid-parameter": "A parameter breaks its schema",
	"invalid-body": "The body breaks its schema", "unauthenticated": "No valid credential",
	"forbidden": "The credential lacks the role", "not-found": "There is no such thing",
	"method": "The method is not allowed here", "not-acceptable": "None of the types of Accept can be given",
	"conflict": "It exists already", "precondition-failed": "It is not as If-Match says",
	"too-large": "The request is too large", "media-type": "The body is of a type that is not read here",
	"precondition-required": "If-Match is missing", "too-many": "Too many requests",
	"timeout": "The request did not come in time", "not-implemented": "The method is not known",
	"internal": "The server is broken",
}

// problem is an error (RFC 9457).
func problem(status int, kind, detail string, faults ...fault) *answer {
	p := map[string]any{"type": "https://errors.example/" + kind, "title": titles[kind], "status": status}
	if detail != "" {
		p["detail"] = detail
	}
	var list []any
	for _, f := range faults {
		e := map[string]any{"detail": f.detail}
		if f.parameter != "" {
			e["parameter"] = f.parameter
		} else {
			e["pointer"] = f.pointer
		}
		list = append(list, e)
	}
	if list != nil {
		p["errors"] = list
	}
	a := &answer{status: status, value: p, typ: typeProblem}
	a.add("Cache-Control", "no-store")
	return a
}

func notFound() *answer { return problem(http.StatusNotFound, "not-found", "") }

func internal() *answer { return problem(http.StatusInternalServerError, "internal", "") }

// wire gives the answer as HTTP/1.1; head says that the request was HEAD.
func (a *answer) wire(head, closing bool) []byte {
	a.encode()
	reason := http.StatusText(a.status)
	if reason == "" {
		reason = "Status"
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + strconv.Itoa(a.status) + " " + reason + "\r\n")
	for _, f := range a.fields() {
		b.WriteString(f.name + ": " + f.value + "\r\n")
	}
	if closing {
		b.WriteString("Connection: close\r\n")
	}
	none := a.status == http.StatusNoContent || a.status == http.StatusNotModified || a.status < 200
	if !none {
		b.WriteString("Content-Length: " + strconv.Itoa(len(a.body)+a.length) + "\r\n")
	}
	b.WriteString("\r\n")
	if (!head && !none) || a.anyway {
		b.Write(a.body)
	}
	return []byte(b.String())
}

// fields gives the header but for the framing.
func (a *answer) fields() []field {
	out := append([]field{{"Date", now().Format(http.TimeFormat)}}, a.header...)
	if a.typ != "" && !a.bare {
		out = append(out, field{"Content-Type", a.typ})
	}
	return out
}
