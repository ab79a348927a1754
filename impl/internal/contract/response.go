package contract

import (
	"bytes"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

const problemJSON = "application/problem+json" // RFC 9457 §3

// judgeResponse judges what is in a buffer: against the operation, or outside
// any operation against the Problem schema. It returns the first thing that
// breaks the contract.
func (ct *Contract) judgeResponse(op *operation, buf *buffer) *ResponseError {
	if op == nil {
		return ct.judgeOutside(buf)
	}
	broken := func(pointer, reason string) *ResponseError {
		return &ResponseError{Operation: op.id, Status: buf.status, Pointer: pointer, Reason: reason}
	}
	declared, known := op.responses[buf.status]
	if !known {
		return broken("", "the operation declares no such status")
	}
	if reason := ct.judgeHeaders(declared, buf.header); reason != "" {
		return broken("", reason)
	}
	if pointer, reason := ct.judgeContent(declared.schemas, buf); reason != "" {
		return broken(pointer, reason)
	}
	return nil
}

func (ct *Contract) judgeOutside(buf *buffer) *ResponseError {
	broken := &ResponseError{Status: buf.status}
	if buf.status < http.StatusBadRequest {
		broken.Reason = "only problems are answered outside any operation"
		return broken
	}
	broken.Pointer, broken.Reason = ct.judgeContent(map[string]*openapi3.Schema{problemJSON: ct.problem}, buf)
	if broken.Reason == "" {
		return nil
	}
	return broken
}

// ofHTTP are headers that OpenAPI leaves to HTTP.
var ofHTTP = map[string]bool{"Content-Type": true, "Content-Length": true, "Date": true}

func (ct *Contract) judgeHeaders(declared *response, header http.Header) (reason string) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if ofHTTP[name] {
			continue
		}
		if _, known := declared.headers[name]; !known {
			return fmt.Sprintf("the response declares no header %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared.headers)) {
		if reason := ct.judgeHeader(declared.headers[name], header[name]); reason != "" {
			return fmt.Sprintf("header %s: %s", name, reason)
		}
	}
	return ""
}

func (ct *Contract) judgeHeader(declared *openapi3.Header, values []string) (reason string) {
	switch {
	case len(values) == 0 && declared.Required:
		return "is required"
	case len(values) == 0:
		return ""
	case len(values) > 1:
		return "is repeated"
	}
	value, ok := scalar(declared.Schema.Value, values[0])
	if !ok {
		return "is not " + typeName(declared.Schema.Value)
	}
	if faults := ct.judge(declared.Schema.Value, value); len(faults) > 0 {
		return "breaks the rule " + faults[0].Code
	}
	return ""
}

// judgeContent judges the content type and the body.
func (ct *Contract) judgeContent(declared map[string]*openapi3.Schema, buf *buffer) (at, reason string) {
	if len(declared) == 0 {
		if buf.body.Len() > 0 || buf.header.Get("Content-Type") != "" {
			return "", "the response declares no body"
		}
		return "", ""
	}
	mediaType, _, err := mime.ParseMediaType(buf.header.Get("Content-Type"))
	schema := declared[mediaType]
	if err != nil || schema == nil || len(buf.header["Content-Type"]) > 1 {
		return "", "the response does not declare its content type"
	}
	// The encoder ends every document with a line feed.
	value, malformed := decode(bytes.TrimSuffix(buf.body.Bytes(), []byte("\n")))
	if malformed != nil {
		return malformed.Faults[0].Pointer, "the body is not one JSON document: " + malformed.Faults[0].Code
	}
	if faults := ct.judge(schema, value); len(faults) > 0 {
		return faults[0].Pointer, "the body breaks the rule " + faults[0].Code
	}
	return "", ""
}
