package check

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// judge says what is wrong with an answer, by what the document and HTTP say of
// any answer: what was meant by the request does not matter here, only what can be
// seen of it. If op is nil, the document has no such operation, and HTTP alone is
// the measure.
//
// Every mistake is named once, by the class that says it best: a body that is no
// JSON is not judged by its schema as well. What an answer was seen to keep or to
// break is noted in the coverage.
//
// # What is not held against a server
//
//   - What HTTP itself answers before an operation is reached (408, 414, 431, …;
//     and 400 to what is no HTTP request), if the operation does not declare it.
//   - 501 to what it does not know, and 503 that says when to come again.
//   - Headers that the document does not have.
//   - Further members of a problem document (RFC 9457 3.2).
func (r *Runner) judge(op *openapi.Operation, ex *wire.Exchange) []finding.Finding {
	v := &verdict{r: r, op: r.addressed(op, ex.Request), ex: ex, answer: ex.Response}
	if ex.Request.Method == http.MethodHead && (Status(ex) == http.StatusMethodNotAllowed || Status(ex) == http.StatusNotImplemented) {
		v.op = nil // HEAD is not there: that is no answer of GET
	}
	if v.answer == nil {
		v.unanswered()
		return v.found
	}
	v.head = ex.Request.Method == http.MethodHead
	if v.answer.Status < 100 || v.answer.Status > 599 {
		v.add(finding.Finding{
			Class: "A9", Severity: finding.Must, RFC: "RFC 9110 15",
			Claim:    "The status is none that HTTP has.",
			Expected: "a status from 100 to 599", Got: itoa(v.answer.Status),
		})
		return v.found
	}
	v.serverError()
	v.methodStatus()
	v.contract()
	v.framing()
	v.headers()
	if !v.has("B8") || len(v.answer.Extra) == 0 { // else it is not known what the body is
		v.body()
	}
	v.seal()
	return v.found
}

// verdict is about one exchange.
type verdict struct {
	r      *Runner
	op     *openapi.Operation // nil: the document has nothing to say
	ex     *wire.Exchange
	answer *wire.Response
	head   bool // HEAD: there is no body to be judged
	// response is what is declared for the status; nil: nothing, or it does not
	// count since HTTP answered in place of the operation.
	response *openapi.Response

	// other says that the body is one of another schema, as a cause; empty: it is not.
	other   string
	missing map[string]int // required properties that are missing, by place and schema

	found []finding.Finding
	marks map[string]bool // clauses that were seen to be kept or broken
}

// add takes a finding, once.
func (v *verdict) add(f finding.Finding) {
	if v.op != nil && f.Operation == "" {
		f.Operation = v.op.ID
	}
	if slices.ContainsFunc(v.found, func(g finding.Finding) bool {
		return g.Class == f.Class && g.Pointer == f.Pointer && g.RFC == f.RFC && g.Claim == f.Claim
	}) {
		return
	}
	v.found = append(v.found, f)
}

// has tells whether one of the classes was found.
func (v *verdict) has(classes ...string) bool {
	return slices.ContainsFunc(v.found, func(f finding.Finding) bool { return slices.Contains(classes, f.Class) })
}

// mark notes that a clause was seen to be kept or broken.
func (v *verdict) mark(pointer string) {
	if v.marks == nil {
		v.marks = map[string]bool{}
	}
	v.marks[pointer] = true
}

// seal writes down the coverage, at once: judging is done often.
func (v *verdict) seal() {
	c := v.r.Coverage
	c.mu.Lock()
	defer c.mu.Unlock()
	for pointer := range v.marks {
		c.marks[pointer] |= Observed | Judged
	}
}

// where names what was asked for without random data: the operation, or method
// and template.
func (v *verdict) where() string {
	if v.op != nil {
		return v.op.ID
	}
	if routes := v.r.routesOf(v.ex.Request.Target); len(routes) > 0 {
		return v.ex.Request.Method + " " + routes[0].template
	}
	return "a path that the contract does not have"
}

// addressed gives op if the request really is one for it: probes send others in
// its name, with another method or to another spelling of its path.
func (r *Runner) addressed(op *openapi.Operation, request *wire.Request) *openapi.Operation {
	if op == nil {
		return nil
	}
	if request.Method != op.Method && (request.Method != http.MethodHead || op.Method != http.MethodGet) {
		return nil
	}
	if request.Target != "" && !slices.ContainsFunc(r.routesOf(request.Target), func(t *route) bool { return t.template == op.Path }) {
		return nil
	}
	return op
}

// unanswered judges that no answer came, or not a whole one.
func (v *verdict) unanswered() {
	if unusual(v.ex.Request) || v.ex.Err == nil {
		return
	}
	f := finding.Finding{Got: v.ex.Err.Error(), Severity: finding.Must}
	switch err := v.ex.Err; {
	case errors.Is(err, wire.ErrClosed):
		f.Class, f.RFC = "O9", "RFC 9110 3.4"
		f.Claim = "The connection ends without an answer to " + v.where() + "."
		f.Expected = "an answer, if only an error"
	case errors.Is(err, wire.ErrTruncated), errors.Is(err, wire.ErrMalformed) && v.begun(), errors.Is(err, wire.ErrTimeout) && v.awaited():
		f.Class, f.RFC = "B8", "RFC 9112 6.3"
		f.Claim = "The body does not end where the header says."
		f.Expected = "as many bytes as Content-Length says, or whole chunks"
	case errors.Is(err, wire.ErrMalformed):
		f.Class, f.RFC = "O9", "RFC 9112 4"
		f.Claim = "What is sent is not an answer in HTTP/1.1."
		f.Expected = "a status line, a header and a body"
	case errors.Is(err, wire.ErrTimeout) && !v.streams():
		f.Class, f.Severity = "O9", finding.Should
		f.RFC = "RFC 9110 3.4"
		f.Claim = "No complete answer to " + v.where() + " comes in time."
		f.Expected = "an answer, if only an error"
	default:
		return // it could not be reached, or nobody waits any more
	}
	v.add(f)
}

// begun tells whether the head of an answer came.
func (v *verdict) begun() bool { return v.ex.Partial != nil && v.ex.Partial.Status != 0 }

// awaited tells whether some of a body came whose end the header promises.
func (v *verdict) awaited() bool {
	return v.begun() && len(v.ex.Partial.Body) > 0 && v.ex.Partial.Get("Content-Length") != ""
}

// streams tells whether an operation may answer with what has no end.
func (v *verdict) streams() bool {
	if v.ex.Request.Stream {
		return true
	}
	if v.op == nil {
		return false
	}
	for _, response := range v.op.Responses {
		for _, content := range response.Content {
			if content.Type == "text/event-stream" {
				return true
			}
		}
	}
	return false
}

// serverError judges 5xx.
func (v *verdict) serverError() {
	status := v.answer.Status
	switch {
	case status < 500,
		status == http.StatusNotImplemented, // RFC 9110 15.6.2: of what it does not recognize
		status == http.StatusHTTPVersionNotSupported && unusual(v.ex.Request),
		status == http.StatusServiceUnavailable && retryable(v.answer),
		v.op == nil && len(v.r.routesOf(v.ex.Request.Target)) == 0 && !v.r.strict(openapi.StrictPaths): // what else a server has is its own business
		return
	}
	pointer := ""
	if v.op != nil {
		pointer = openapi.Join(v.op.Pointer, "responses")
		if names(v.op, status) {
			pointer = v.op.StatusPointer(itoa(status))
		}
	}
	v.add(finding.Finding{
		Class: "A2", Severity: finding.Must, Pointer: pointer, RFC: "RFC 9110 15.6",
		Claim:    fmt.Sprintf("%s fails with %d.", v.where(), status),
		Expected: "an answer that tells the client what is wrong with the request, if anything is",
		Got:      v.answer.StatusText(),
	})
}

// methodStatus judges statuses that HTTP ties to methods.
func (v *verdict) methodStatus() {
	method, request := v.ex.Request.Method, v.ex.Request
	f := finding.Finding{Class: "A7", Severity: finding.Must, Got: v.answer.StatusText()}
	safe := method == http.MethodGet || method == http.MethodHead
	switch status := v.answer.Status; {
	case status == http.StatusCreated && (safe || method == http.MethodDelete || method == http.MethodPatch && !v.declares(status)):
		f.RFC, f.Claim = "RFC 9110 15.3.2", fmt.Sprintf("%s is answered with 201, as if it had created something.", method)
		f.Expected = "200 or 204"
		if v.declares(status) {
			f.Severity = finding.Should
		}
	case status == http.StatusNotModified && !safe:
		f.RFC, f.Claim = "RFC 9110 15.4.5", fmt.Sprintf("%s is answered with 304, which is for GET and HEAD.", method)
		f.Expected = "412, if a precondition is false"
	case status == http.StatusNotModified && request.Get("If-None-Match") == "" && request.Get("If-Modified-Since") == "" && !unusual(request):
		f.RFC, f.Claim = "RFC 9110 15.4.5", "A request without a condition is answered with 304."
		f.Expected = "200 with the representation"
	case status == http.StatusPartialContent && request.Get("Range") == "" && !unusual(request):
		f.RFC, f.Claim = "RFC 9110 15.3.7", "A request without Range is answered with 206."
		f.Expected = "200 with the whole representation"
	default:
		return
	}
	if v.op != nil {
		f.Pointer = openapi.Join(v.op.Pointer, "responses")
	}
	v.add(f)
}

func (v *verdict) declares(status int) bool {
	return v.op != nil && declares(v.op, status)
}

// ofHTTP are statuses that are answered before an operation is reached, by the
// server's HTTP or by who stands before it.
var ofHTTP = []int{
	http.StatusRequestTimeout, http.StatusLengthRequired, http.StatusRequestURITooLong,
	http.StatusExpectationFailed, http.StatusMisdirectedRequest, http.StatusUpgradeRequired,
	http.StatusRequestHeaderFieldsTooLarge, http.StatusHTTPVersionNotSupported,
}

// contract finds what is declared for the status, or judges that nothing is.
func (v *verdict) contract() {
	if v.op == nil {
		return
	}
	status := v.answer.Status
	response := declared(v.op, status)
	switch {
	case response != nil && !names(v.op, status) && slices.Contains(ofHTTP, status):
		return
	case (status == http.StatusRequestTimeout || status == http.StatusRequestEntityTooLarge) && names(v.op, status):
		v.response = response // which says what it answers to those who are late or send too much
		v.mark(v.op.StatusPointer(response.Key))
		return
	case unusual(v.ex.Request) && (status == http.StatusBadRequest || status == http.StatusNotImplemented ||
		status == http.StatusRequestEntityTooLarge || slices.Contains(ofHTTP, status)):
		return
	case response != nil:
		v.response = response
		v.mark(v.op.StatusPointer(response.Key))
		return
	case slices.Contains(ofHTTP, status), v.has("A2", "A7"):
		return
	}
	v.undeclared(status)
}

// undeclared judges a status that the operation does not have.
func (v *verdict) undeclared(status int) {
	f := finding.Finding{
		Class: "A1", Severity: finding.Must, Pointer: openapi.Join(v.op.Pointer, "responses"),
		Claim:    fmt.Sprintf("%s answers with %d, which it does not declare.", v.op.ID, status),
		Expected: "one of " + strings.Join(keys(v.op), ", "),
		Got:      v.answer.StatusText(),
	}
	if slices.Contains(generic, status) {
		f.Cause = fmt.Sprintf("Answers with %d, which operations do not declare.", status)
	}
	switch {
	case slices.Contains(successes, status) && succeeds(v.op):
		f.Class = "A6"
	case status == http.StatusNotModified:
		f.Severity = finding.Advice // the client has asked for it
	case status/100 == 3:
		f.Class = "A11"
		if location := v.answer.Get("Location"); location != "" {
			f.Got += " to another URL"
		}
	case slices.Contains(ofFrameworks, status) || status == http.StatusServiceUnavailable || status == http.StatusNotImplemented:
		f.Severity = finding.Should
	}
	v.add(f)
}

// successes are the statuses that are easily taken for each other.
var successes = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}

// ofFrameworks are errors that a framework gives for any operation; to leave them out
// of a document is an omission of its author more than a mistake of the server.
var ofFrameworks = []int{
	http.StatusNotAcceptable, http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType, http.StatusTooManyRequests,
}

// keys are those of an operation's responses, in order.
func keys(op *openapi.Operation) []string {
	var all []string
	for key := range op.Responses {
		all = append(all, key)
	}
	sort.Strings(all)
	return all
}

// judging is what judge keeps from answer to answer.
type judging struct {
	once       sync.Once
	routes     []*route
	headers    map[string]bool // in lower case, of all answers
	properties map[string]bool // of all schemas
	policies   map[string]bool // of openapi.ExtStrict
}
