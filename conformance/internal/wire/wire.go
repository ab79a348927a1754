// Package wire sends requests as the bytes that they are, and keeps answers as
// the bytes that came: what a client library would repair, refuse or hide is
// what is tested.
//
// It speaks HTTP/1.1 (RFC 9112) on connections of its own. A connection is kept
// only after an exchange in which nothing was odd, so that one test cannot spoil
// the next, and a kept connection that the server had closed in the meantime is
// replaced without a word: that is no fault of the server (RFC 9112 9.3.1).
//
// What is shown to people goes through a [Masker]; [Curl] writes a request as a
// command of a shell which sends the same bytes.
package wire

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// Errors of exchanges. Each is wrapped with what happened.
var (
	// ErrConnect: no connection came about; the request was not sent.
	ErrConnect = errors.New("cannot connect")
	// ErrClosed: the connection ended before the first byte of an answer.
	ErrClosed = errors.New("the connection ended without an answer")
	// ErrTruncated: the connection ended within the answer.
	ErrTruncated = errors.New("the connection ended within the answer")
	// ErrMalformed: what came is not an answer in HTTP/1.1.
	ErrMalformed = errors.New("the answer is not HTTP")
	// ErrTimeout: the answer was not complete in time.
	ErrTimeout = errors.New("the answer did not come in time")
	// ErrTooLarge: the answer has more than [MaxHead] or [MaxBody].
	ErrTooLarge = errors.New("the answer is too large")
)

// Bounds of an answer, in bytes.
const (
	MaxHead = 1 << 20
	MaxBody = 16 << 20
)

// Field is a header line.
type Field struct{ Name, Value string }

// Request is a request to be sent as it is: nothing is added but Host,
// Content-Length (unless Header has it or Transfer-Encoding) and User-Agent.
type Request struct {
	Method string
	Target string // path and query, as on the request line; the path of the base URL is not put before it
	Header []Field
	Body   []byte
	// Raw replaces all of the above on the wire, if it is not nil; the others
	// then only describe it. Method still says whether an answer has a body.
	Raw []byte
	// CloseWrite ends the sending side of the connection after the request.
	CloseWrite bool
	// WantThrottled takes 429 and 503 as answers, where they would be waited out
	// otherwise.
	WantThrottled bool
	// Stream is for answers that may have no end: what came until the time-out
	// is the answer, with Unfinished set.
	Stream bool
	// Timeout replaces the client's, if it is not 0.
	Timeout time.Duration
	// Invented are credentials in this request that nobody owns: a [Masker] shows
	// them.
	Invented []string
}

// Get gives a header's values, joined by ", ".
func (r *Request) Get(name string) string { return get(r.Header, name) }

// Response is an answer.
type Response struct {
	Status  int
	Proto   string
	Header  []Field // lines as they came, in order
	Body    []byte  // after transfer coding, before content coding
	Head    []byte  // the status line and header, as they came
	Extra   []byte  // what came after the end of the answer, or as a body where there may be none
	Trailer []Field // lines after a chunked body
	// Interim are the statuses of the 1xx answers that came before.
	Interim []int
	// Unfinished: the body went on when time was up (only with Request.Stream).
	Unfinished bool
}

// Get gives a header's values, joined by ", ".
func (r *Response) Get(name string) string { return get(r.Header, name) }

// Values gives the values of a header's lines, in order.
func (r *Response) Values(name string) []string { return values(r.Header, name) }

func get(header []Field, name string) string { return strings.Join(values(header, name), ", ") }

func values(header []Field, name string) []string {
	var all []string
	for _, f := range header {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// Exchange is a request and what became of it.
type Exchange struct {
	Request  *Request
	Response *Response     // nil: none came, or not a whole one
	Err      error         // why Response is nil; one of this package's errors, or the context's
	Partial  *Response     // with Err: as much of an answer as came, for people to look at; or nil
	Took     time.Duration // from the first byte of the request to the last one of the answer
	At       time.Time     // when the request was begun
	// Retried: the request was sent again, since a kept connection was closed
	// before any of an answer. The server may have seen it twice.
	Retried bool
	// Throttled is how often a 429 or 503 was waited out before.
	Throttled int
}

// StatusText gives the status and its name, as in messages: "404 Not Found".
func (r *Response) StatusText() string {
	text := http.StatusText(r.Status)
	if text == "" {
		text = "(unknown)"
	}
	return itoa(r.Status) + " " + text
}
