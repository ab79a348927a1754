package contract

import (
	"fmt"
	"strings"
)

// Kind is what is wrong with a request, before its operation is reached.
type Kind int

// The kinds, in the order in which a request is checked.
const (
	// NotFound: no operation has this path.
	NotFound Kind = iota + 1
	// MethodNotAllowed: the path has no operation with this method.
	MethodNotAllowed
	// BodyTooLarge: the body has more bytes than are read.
	BodyTooLarge
	// UnsupportedMediaType: the body's type, charset or coding is not declared.
	UnsupportedMediaType
	// NotAcceptable: the operation's answer is of no type that is accepted.
	NotAcceptable
	// Timeout: the body did not arrive in time.
	Timeout
	// Overloaded: too many large bodies are being read.
	Overloaded
	// MalformedBody: the body is not one well-formed JSON document.
	MalformedBody
	// Invalid: the request breaks the contract.
	Invalid
)

// Fault is one thing that is wrong with a request: in its body, where Pointer
// says where, or in the parameter that In and Name name. Neither code nor
// detail ever holds a value of the request; place and name are what the caller
// called it, made UTF-8 without NUL.
type Fault struct {
	Pointer string // RFC 6901; of the body if In is empty
	In      string // path, query, header or cookie; empty for the body
	Name    string // of the parameter
	Code    string // stable
	Detail  string // what is wrong and how to mend it
}

// RequestError refuses a request.
type RequestError struct {
	Kind   Kind
	Detail string   // in words, if there is more to say than Kind does
	Faults []Fault  // that were found, up to MaxFaults
	Allow  []string // with MethodNotAllowed, the methods that the path has
}

// Error says what is wrong, without values of the request.
func (e *RequestError) Error() string {
	return fmt.Sprintf("request refused: kind %d, %d faults", e.Kind, len(e.Faults))
}

// ResponseError says how an answer broke the contract. It holds no value of the
// answer, so that it can be logged.
type ResponseError struct {
	Operation string // operationId; empty outside any operation
	Status    int
	Reason    string
	Pointer   string // RFC 6901, in the body
}

// Error names the operation, the status, the place and the broken rule.
func (e *ResponseError) Error() string {
	return fmt.Sprintf("response breaks the contract: operation %q, status %d, at %q: %s", e.Operation, e.Status, e.Pointer, e.Reason)
}

// readable makes of a name that a caller chose one that can be answered.
func readable(name string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), "\x00", "\uFFFD")
}
