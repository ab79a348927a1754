package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"

	"cryptoexchange.com/escrow/gen"
)

// Code is the kind of a [Problem]. Each code is an error, for [errors.Is]:
//
//	if errors.Is(err, client.ErrEmailAlreadyInUse) { ... }
//
// Later versions of the service may have codes that are not among the constants.
//
//nolint:errname // it is a code first
type Code string

// Error gives the code.
func (c Code) Error() string { return string(c) }

// Error is what every call that fails returns. [errors.As] and [errors.Is] look inside
// of it, at Err.
type Error struct {
	// Operation is the operationId, such as createCustomer; or method and path, of a
	// request of the generated client.
	Operation string
	// Attempts is how often the request was sent, 0 if it could not be.
	Attempts int
	// IdempotencyKey is the one that was sent. With it, the call can be repeated
	// safely. It is empty if the operation takes none.
	IdempotencyKey string
	// Sent tells whether any attempt got as far as a connection: if no answer came,
	// the service may have done nevertheless what it was asked to.
	Sent bool
	// Err is the reason: a *[Problem], an *[UnexpectedError], or that of the context
	// or the network.
	Err error
}

// Error gives the operation and the reason.
func (e *Error) Error() string {
	if e.Attempts > 1 {
		return fmt.Sprintf("%s: %v (after %d attempts)", e.Operation, e.Err, e.Attempts)
	}
	return fmt.Sprintf("%s: %v", e.Operation, e.Err)
}

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// Problem is a refusal by the service (RFC 9457).
//
//nolint:errname // the contract's name, and the standard's
type Problem struct {
	// Type is Code as a URI, whose page says how to mend it.
	Type string
	// Title is the status in words.
	Title string
	// Status is the HTTP status.
	Status int
	// Detail says, to people, what is wrong and how to mend it.
	Detail string
	// Code is what to decide by. It is empty if something between you and the service
	// refused.
	Code Code
	// RequestID names the request in the service's logs. Tell it to support.
	RequestID string
	// Faults are what is wrong, at most 20 of them.
	Faults []Fault
	// FaultCount is how many were found.
	FaultCount int
	// CustomerID is, with [ErrEmailAlreadyInUse], your customer who has the address; 0
	// if they are not yours.
	CustomerID int64
	// RetryAfter is how long to wait before trying again; 0 if nothing is said of it.
	RetryAfter time.Duration
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	// Pointer is where in the body (RFC 6901), such as /address/country; empty for the
	// body as a whole, or if In is set.
	Pointer string
	// In is path, query or header, and Name names the parameter, if it is one.
	In, Name string
	// Code is the kind of fault, such as required or unknown_country.
	Code string
	// Detail says, to people, what is wrong and how to mend it.
	Detail string
}

// String gives the place and the detail.
func (f Fault) String() string {
	switch {
	case f.In != "":
		return f.In + " " + f.Name + ": " + f.Detail
	case f.Pointer != "":
		return f.Pointer + ": " + f.Detail
	default:
		return f.Detail
	}
}

// Error gives everything that helps to mend it, on one line.
func (p *Problem) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "status %d", p.Status)
	if p.Code != "" {
		text.WriteString(" " + string(p.Code))
	}
	text.WriteString(": " + p.Detail)
	for _, f := range p.Faults {
		text.WriteString(" " + f.String())
	}
	if p.RequestID != "" {
		text.WriteString(" (request " + p.RequestID + ")")
	}
	return oneLine(text.String())
}

// Is tells whether target is this problem's [Code].
func (p *Problem) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == p.Code && code != ""
}

// UnexpectedError is an answer that is none of the service's: a proxy's page, say, or
// one that was cut short.
type UnexpectedError struct {
	// Status is the HTTP status.
	Status int
	// MediaType is the answer's, in small letters and without parameters; empty if it
	// has none that can be read.
	MediaType string
	// CutShort tells whether it ended before its end: the service may have answered,
	// and done what it was asked to.
	CutShort bool
	// Reason says what else is wrong, if it is not the media type or the status.
	Reason string
	// RetryAfter is how long to wait before trying again; 0 if nothing is said of it.
	RetryAfter time.Duration
	// Err is what the reader of the answer said, or nil.
	Err error
}

// Error says what came, and nothing that it said.
func (e *UnexpectedError) Error() string {
	media := e.MediaType
	if media == "" {
		media = "no media type"
	}
	text := fmt.Sprintf("status %d with %s", e.Status, media)
	if e.CutShort {
		text += ", cut short"
	}
	if e.Reason != "" {
		text += ", " + e.Reason
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if !e.CutShort {
		text += ": not an answer of the service; is this the URL of the API? Is there a proxy in between?"
	}
	return oneLine(text)
}

// Unwrap gives what the reader of the answer said.
func (e *UnexpectedError) Unwrap() error { return e.Err }

// interruptedError is the end of a context, with what was known until then.
type interruptedError struct{ context, last error }

func (e *interruptedError) Error() string {
	return fmt.Sprintf("%v while waiting to try again after: %v", e.context, e.last)
}

func (e *interruptedError) Unwrap() []error { return []error{e.context, e.last} }

// failure puts around an error what is known of the call.
func (o *outcome) failure(operation string, err error) *Error {
	return &Error{Operation: operation, Attempts: o.attempts, IdempotencyKey: o.key, Sent: o.sent, Err: err}
}

// Media types of the contract.
const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
)

// mediaType gives the answer's media type, empty if it has none.
func mediaType(r *http.Response) string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || len(media) > 100 || !strings.Contains(media, "/") {
		return ""
	}
	return media
}

// unexpected makes an error of an answer.
func (o *outcome) unexpected(reason string, err error) *UnexpectedError {
	return &UnexpectedError{Status: o.response.StatusCode, MediaType: mediaType(o.response), Reason: reason, RetryAfter: o.retryAfter, Err: err}
}

// withoutValues gives where an answer is wrong, and what was wanted there. What a
// decoder says may have the value itself, such as somebody's date of birth.
func withoutValues(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		kind, _, _ := strings.Cut(wrong.Value, " ")
		return fmt.Errorf("%s at %s, want %s", kind, wrong.Field, wrong.Type)
	}
	return errors.New("a value cannot be read")
}

// cutShort makes an error of the beginning of an answer.
func (o *outcome) cutShort(err error) *UnexpectedError {
	e := o.unexpected("", err)
	e.CutShort = true
	return e
}

// problem reads an answer that says it is a problem.
func (o *outcome) problem() error {
	var read gen.Problem
	if err := json.Unmarshal(o.body, &read); err != nil {
		return o.unexpected("not what the contract says", withoutValues(err))
	}
	p := &Problem{
		Type: read.Type, Title: read.Title, Status: o.response.StatusCode, Detail: read.Detail, Code: Code(read.Code),
		RetryAfter: o.retryAfter, FaultCount: int(value(read.ErrorCount)), CustomerID: value(read.CustomerID),
	}
	if read.RequestID != (gen.Problem{}).RequestID {
		p.RequestID = read.RequestID.String()
	}
	for _, f := range value(read.Errors) {
		p.Faults = append(p.Faults, Fault{Pointer: value(f.Pointer), In: string(value(f.In)), Name: value(f.Name), Code: f.Code, Detail: f.Detail})
	}
	p.FaultCount = max(p.FaultCount, len(p.Faults))
	return p
}

// value gives what is pointed to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// maxLine is how much of what a server said is put on a line, in bytes.
const maxLine = 4096

// oneLine keeps a text from being taken for several lines of a log, or for commands of
// a terminal.
func oneLine(text string) string {
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine], "") + "..."
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
