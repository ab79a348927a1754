// Package wire sends requests as the bytes that they are, and keeps answers as
// the bytes that came: what a client library would repair, refuse or hide is
// what is tested.
package wire

import (
	"net/http"
	"time"
)

// Field is a header line.
type Field struct{ Name, Value string }

// Request is a request to be sent as it is: nothing is added but Host,
// Content-Length (unless Header has it or Transfer-Encoding) and User-Agent.
type Request struct {
	Method string
	Target string // path and query, as on the request line
	Header []Field
	Body   []byte
	// Raw replaces all of the above on the wire, if it is not nil; the others
	// then only describe it.
	Raw []byte
}

// Response is an answer.
type Response struct {
	Status int
	Proto  string
	Header []Field // lines as they came, in order
	Body   []byte  // after transfer coding, before content coding
	Head   []byte  // the status line and header, as they came
	Extra  []byte  // what came after the end of the answer, or as a body where there may be none
}

// Get gives a header's values, joined by ", ".
func (r *Response) Get(name string) string {
	h := http.Header{}
	for _, f := range r.Header {
		h.Add(f.Name, f.Value)
	}
	return join(h.Values(name))
}

func join(values []string) string {
	s := ""
	for i, v := range values {
		if i > 0 {
			s += ", "
		}
		s += v
	}
	return s
}

// Exchange is a request and what became of it.
type Exchange struct {
	Request  *Request
	Response *Response // nil: none came
	Err      error     // why
	Took     time.Duration
}
