package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

const problemJSON = "application/problem+json" // RFC 9457 §3

// judgeResponse judges what is in a buffer: against the operation, or outside
// any operation against the Problem schema. It returns the first thing that
// breaks the contract. An answer that cannot be judged breaks it.
func (ct *Contract) judgeResponse(c echo.Context, op *operation, buf *answerBuffer) (violation *ResponseError) {
	defer func() {
		if v := recover(); v != nil {
			violation = &ResponseError{Status: buf.status, Reason: fmt.Sprintf("judging it failed: panic of type %T", v)}
		}
	}()
	if !enforced && buf.status != 0 {
		return nil
	}
	if op == nil {
		return ct.judgeOutside(c, buf)
	}
	broken := func(pointer, reason string) *ResponseError {
		return &ResponseError{Operation: op.id, Status: buf.status, Pointer: pointer, Reason: reason}
	}
	declared := op.response(buf.status)
	if declared == nil {
		return broken("", "the operation declares no such status")
	}
	if reason := ct.judgeHeaders(declared, buf.header()); reason != "" {
		return broken("", reason)
	}
	j := judgement{c: c, op: op, status: buf.status, counters: &ct.responses}
	if pointer, reason := ct.judgeContent(j, declared.content, buf); reason != "" {
		return broken(pointer, reason)
	}
	return nil
}

func (ct *Contract) judgeOutside(c echo.Context, buf *answerBuffer) *ResponseError {
	broken := &ResponseError{Status: buf.status}
	if buf.status < http.StatusBadRequest || buf.status > 599 {
		broken.Reason = "only problems are answered outside any operation"
		return broken
	}
	if ct.problem == nil {
		// What no schema describes does not leave.
		allow := buf.header()["Allow"]
		clear(buf.header())
		if allow != nil {
			buf.header()["Allow"] = allow
		}
		buf.store.body.Reset()
		return nil
	}
	broken.Pointer, broken.Reason = ct.judgeContent(judgement{c: c, status: buf.status, counters: &ct.responses}, ct.problem, buf)
	if broken.Reason == "" {
		return nil
	}
	return broken
}

// ofHTTP tells of headers that OpenAPI leaves to HTTP. The length that a handler
// says is not the one that is sent.
func ofHTTP(name string) bool {
	return name == "Content-Type" || name == "Content-Length" || name == "Date"
}

// isDate tells whether a handler that sets the Date does so as HTTP has it.
func isDate(values []string) bool {
	if len(values) == 0 {
		return true
	}
	_, err := http.ParseTime(values[0])
	return err == nil && len(values) == 1
}

// judgeHeaders tells what is wrong with headers; of several things, always the
// same one.
func (ct *Contract) judgeHeaders(declared *response, given http.Header) (reason string) {
	if !isDate(given["Date"]) {
		return "header Date: is no date"
	}
	good := true
	for name := range given {
		good = good && (ofHTTP(name) || declared.headers[name] != nil)
	}
	for name, h := range declared.headers {
		good = good && ct.judgeHeader(h, name, given[name]) == ""
	}
	if good {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !ofHTTP(name) && declared.headers[name] == nil {
			return fmt.Sprintf("the response declares no header %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared.headers)) {
		if reason := ct.judgeHeader(declared.headers[name], name, given[name]); reason != "" {
			return fmt.Sprintf("header %s: %s", name, reason)
		}
	}
	return ""
}

func (ct *Contract) judgeHeader(declared *header, name string, values []string) (reason string) {
	switch {
	case ofHTTP(name):
		return ""
	case len(values) == 0 && declared.required:
		return "is required"
	case len(values) == 0:
		return ""
	case len(values) > 1 && name == "Set-Cookie": // which cannot be a list (RFC 9110 §5.3)
		for i := range values {
			if reason := ct.judgeHeader(declared, name, values[i:i+1]); reason != "" {
				return reason
			}
		}
		return ""
	case len(values) > 1 && !declared.list:
		return "is repeated"
	}
	value := values[0]
	if declared.list {
		value = joined(values, true)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f || r == '\uFFFD' }) {
		return "has characters that no header has"
	}
	faults, ok := ct.judgeText(declared.form, []string{value}, true)
	switch {
	case !ok:
		return "is not " + typeName(declared.schema.kin)
	case len(faults) > 0:
		return "breaks the rule " + faults[0].Code
	default:
		return ""
	}
}

// judgeContent judges the content type and the body.
func (ct *Contract) judgeContent(j judgement, declared *content, buf *answerBuffer) (at, reason string) {
	given, body := buf.header()["Content-Type"], buf.body()
	if len(declared.names) == 0 || bodiless(buf.status) {
		if len(body) > 0 || len(given) > 0 {
			return "", "the response declares no body"
		}
		return "", ""
	}
	if len(given) != 1 {
		return "", "the response does not declare its content type"
	}
	m, read, err := declared.find(given[0])
	if err != nil {
		return "", "the response does not declare its content type"
	}
	// The HTTP server leaves a body out after HEAD, so there need not be one.
	empty := len(body) == 0 && j.op != nil && j.op.method == http.MethodHead
	if empty || m.schema == nil || read == asBytes {
		return "", ""
	}
	var value any
	var malformed []Fault
	if read == asText {
		value, malformed = text(body)
	} else {
		if ct.accepted(j, m.schema, body) {
			return "", ""
		}
		var found []strictjson.Fault
		value, found = strictjson.Decode(body)
		malformed = fromStrict(found)
	}
	if len(malformed) > 0 {
		what := "JSON document"
		if read == asText {
			what = "text"
		}
		return malformed[0].Pointer, "the body is not one " + what + ": " + malformed[0].Code
	}
	if faults := ct.judge(m.schema.kin, value); len(faults) > 0 {
		return faults[0].Pointer, "the body breaks the rule " + faults[0].Code
	}
	return "", ""
}
