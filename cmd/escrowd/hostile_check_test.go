package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"cryptoexchange.com/escrow/gen/spec"
)

// reply is an answer as it came over the wire.
type reply struct {
	method string // that it answers, as far as is known
	status int
	header http.Header
	body   []byte
	closes bool // says that it is the last of its connection
}

// route is an operation of the contract as a caller sees it.
type route struct {
	id, method, template string
	segments             []string // of the template; one in braces takes any value
	item                 *openapi3.PathItem
	operation            *openapi3.Operation
	doc                  *openapi3.T
}

// judge holds answers to the contract from outside. Nothing of it is the
// server's: it finds operations by itself, and has kin-openapi's own validation
// of responses, which the server does not use.
type judge struct {
	base     string // path of the server in the document
	routes   []*route
	problem  *openapi3.Schema
	schemas  []openapi3.SchemaValidationOption
	filtered *openapi3filter.Options
}

func newJudge(tb testing.TB) *judge {
	tb.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.YAML)
	if err != nil {
		tb.Fatal(err)
	}
	base, err := url.Parse(doc.Servers[0].URL)
	if err != nil {
		tb.Fatal(err)
	}
	j := &judge{base: base.Path, problem: doc.Components.Schemas["Problem"].Value, schemas: formatOptions()}
	j.filtered = &openapi3filter.Options{IncludeResponseStatus: true, SchemaValidationOptions: j.schemas}
	closed := make(map[*openapi3.Schema]bool)
	closeSchema(doc.Components.Schemas["Problem"], closed)
	for template, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			j.routes = append(j.routes, &route{
				id: op.OperationID, method: method, template: template, segments: strings.Split(template, "/")[1:],
				item: item, operation: op, doc: doc,
			})
			for _, response := range op.Responses.Map() {
				for _, media := range response.Value.Content {
					closeSchema(media.Schema, closed)
				}
			}
		}
	}
	slices.SortFunc(j.routes, func(a, b *route) int { return strings.Compare(a.id, b.id) })
	return j
}

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// formatOptions make kin-openapi check the formats that it leaves alone.
func formatOptions() []openapi3.SchemaValidationOption {
	return []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
		"uuid": openapi3.NewRegexpFormatValidator(uuidPattern.String()),
		"uri":  openapi3.NewRegexpFormatValidator(`^[a-z][a-z0-9+.-]*:.`),
	})}
}

// closeSchema refuses, in objects that list their properties, all others:
// nothing leaves that is not declared.
func closeSchema(ref *openapi3.SchemaRef, done map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || done[ref.Value] {
		return
	}
	s := ref.Value
	done[s] = true
	if len(s.Properties) > 0 && s.AdditionalProperties.Schema == nil {
		s.AdditionalProperties.Has = new(bool)
	}
	for _, p := range s.Properties {
		closeSchema(p, done)
	}
	for _, branch := range slices.Concat(s.OneOf, s.AnyOf) {
		closeSchema(branch, done)
	}
	closeSchema(s.Items, done)
}

// find gives the operations that a request may be for. There may be two, for
// who asks for a path with escapes may mean it as it is written or as it reads;
// and none.
func (j *judge) find(method, target string) (list []*route) {
	path, _, _ := strings.Cut(target, "?")
	if u, err := url.Parse(target); err == nil && u.IsAbs() {
		path = u.EscapedPath()
	}
	forms := []string{path}
	if decoded, err := url.PathUnescape(path); err == nil && decoded != path {
		forms = append(forms, decoded)
	}
	for _, r := range j.routes {
		if r.method != method && (method != http.MethodHead || r.method != http.MethodGet) {
			continue
		}
		if slices.ContainsFunc(forms, func(form string) bool {
			path, under := strings.CutPrefix(form, j.base+"/") // what is elsewhere is no operation
			return under && r.matches(path)
		}) {
			list = append(list, r)
		}
	}
	return list
}

func (r *route) matches(path string) bool {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	return len(segments) == len(r.segments) && !slices.ContainsFunc(r.segments, func(want string) bool {
		got := segments[0]
		segments = segments[1:]
		return got != want && (want[0] != '{' || got == "")
	})
}

// errServer is an answer that puts the blame on the server.
var errServer = errors.New("the server failed")

// check holds an answer to the contract. target is what the request line had; if
// it is empty nobody knows what was asked for, and any operation will do.
func (j *judge) check(a *reply, target string) error {
	if a.status >= http.StatusInternalServerError {
		return fmt.Errorf("%w: %d %.200s", errServer, a.status, a.body)
	}
	routes := j.find(a.method, target)
	if target == "" {
		routes = j.routes
	}
	outside := j.outside(a, target)
	if outside == nil && (len(routes) == 0 || a.unread()) {
		return nil
	}
	first := outside
	for i, r := range routes {
		err := j.within(a, r)
		if err == nil {
			return nil
		}
		if i == 0 {
			first = err
		}
	}
	// A path with escapes may be no operation's, and what nobody knows even less.
	if outside == nil && (target == "" || strings.Contains(target, "%")) {
		return nil
	}
	return first
}

// unread tells a refusal of what the server could not read: it belongs to no
// operation, whatever was meant.
func (a *reply) unread() bool { return a.status == http.StatusBadRequest && a.closes }

// within holds an answer to an operation.
func (j *judge) within(a *reply, r *route) error {
	declared := r.operation.Responses.Status(a.status)
	if declared == nil {
		return fmt.Errorf("%s declares no status %d: %.200s", r.id, a.status, a.body)
	}
	if err := a.headers(declared.Value); err != nil {
		return fmt.Errorf("%s %d: %w", r.id, a.status, err)
	}
	if a.method == http.MethodHead {
		return nil // there is no more of it
	}
	if len(declared.Value.Content) > 0 && !json.Valid(a.body) { // kin-openapi would look at the beginning only
		return fmt.Errorf("%s %d: not one JSON document: %.200s", r.id, a.status, a.body)
	}
	if len(declared.Value.Content) == 0 && (len(a.body) > 0 || a.header.Get("Content-Type") != "") {
		return fmt.Errorf("%s %d declares no body", r.id, a.status)
	}
	request, err := http.NewRequestWithContext(context.Background(), r.method, "/", nil)
	if err != nil {
		return err
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: request, Route: &routers.Route{Spec: r.doc, Path: r.template, PathItem: r.item, Method: r.method, Operation: r.operation},
		},
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Options: j.filtered,
	}
	if err := openapi3filter.ValidateResponse(request.Context(), input); err != nil {
		return fmt.Errorf("%s: %w", r.id, err)
	}
	if a.status >= http.StatusBadRequest {
		return a.isProblem()
	}
	return nil
}

// ofHTTP are headers of the protocol, which no operation declares.
var ofHTTP = []string{"Connection", "Content-Length", "Content-Type", "Date"}

// headers refuses what is not declared, and what comes twice.
func (a *reply) headers(declared *openapi3.Response) error {
	for name, values := range a.header {
		known := slices.Contains(ofHTTP, name)
		for d := range declared.Headers {
			known = known || http.CanonicalHeaderKey(d) == name
		}
		if !known || len(values) > 1 {
			return fmt.Errorf("header %s (declared: %v) comes %d times", name, known, len(values))
		}
	}
	return nil
}

// outside holds an answer to what the service says of requests that are for no
// operation. Of the pages and the health checks, which are no part of the
// contract, only errors are looked at.
func (j *judge) outside(a *reply, target string) error {
	isProblem := strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json")
	if !strings.HasPrefix(target, j.base+"/") && a.status < http.StatusBadRequest && !isProblem {
		return nil
	}
	switch a.status {
	case http.StatusBadRequest, http.StatusNotFound:
	case http.StatusMethodNotAllowed:
		if a.header.Get("Allow") == "" {
			return errors.New("405 without Allow")
		}
	default:
		return fmt.Errorf("%d %.200s outside any operation", a.status, a.body)
	}
	if a.header.Get("X-Request-Id") == "" || a.header.Get("Content-Type") != "application/problem+json" {
		return fmt.Errorf("%d with headers %v", a.status, a.header)
	}
	if a.method == http.MethodHead {
		return nil
	}
	var value any
	if err := json.Unmarshal(a.body, &value); err != nil {
		return err
	}
	if err := j.problem.VisitJSON(value, j.schemas...); err != nil {
		return err
	}
	return a.isProblem()
}

// isProblem checks what the schema of a problem cannot say: that it agrees with
// the rest of the answer, and with itself.
func (a *reply) isProblem() error {
	var p struct {
		Type       string            `json:"type"`
		Status     int               `json:"status"`
		Code       string            `json:"code"`
		RequestID  string            `json:"request_id"`
		ErrorCount int               `json:"error_count"`
		Errors     []json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		return err
	}
	switch id := a.header.Get("X-Request-Id"); {
	case p.Status != a.status:
		return fmt.Errorf("status %d in the problem, %d of the answer", p.Status, a.status)
	case p.RequestID != id || !uuidPattern.MatchString(id):
		return fmt.Errorf("request_id %q in the problem, %q in the header", p.RequestID, id)
	case !strings.HasSuffix(p.Type, "/problems/"+p.Code):
		return fmt.Errorf("type %q of a problem with the code %q", p.Type, p.Code)
	case len(p.Errors) != min(p.ErrorCount, 20):
		return fmt.Errorf("error_count %d, and %d errors", p.ErrorCount, len(p.Errors))
	case a.header.Get("Content-Type") != "application/problem+json":
		return fmt.Errorf("a problem as %q", a.header.Get("Content-Type"))
	}
	return nil
}

const (
	controlID      = "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081"
	controlProblem = `{"type":"https://x.example/problems/customer_not_found","title":"Not Found","status":404,"detail":"None.","code":"customer_not_found","request_id":"` + controlID + `"}`
)

// TestJudge checks that what breaks the contract is told from what keeps it:
// else a campaign that finds nothing says nothing.
func TestJudge(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	const customer, session, nowhere = "/partner/customer/7", "/customer/session", "/nowhere"
	tests := []struct {
		name, method, path string
		status             int
		body               string
		headers            []string
		want               string // in the error; empty for none
	}{
		{"good", "GET", customer, 404, controlProblem, nil, ""},
		{"good to HEAD", "HEAD", customer, 404, "", nil, ""},
		{"good without a body", "DELETE", session, 204, "", []string{"Content-Type", "", "Set-Cookie", "cex_session=; Path=/"}, ""},
		{"good outside", "GET", nowhere, 404, controlProblem, nil, ""},
		{"undeclared status", "GET", customer, 410, strings.ReplaceAll(controlProblem, "404", "410"), nil, "declares no status 410"},
		{"undeclared status to HEAD", "HEAD", customer, 410, "", nil, "declares no status 410"},
		{"500", "GET", customer, 500, strings.ReplaceAll(controlProblem, "404", "500"), nil, "the server failed"},
		{"503", "GET", nowhere, 503, "", nil, "the server failed"},
		{"property that is not declared", "GET", customer, 404, strings.Replace(controlProblem, "{", `{"stack":"x",`, 1), nil, "doesn't match schema"},
		{"the same outside", "GET", nowhere, 404, strings.Replace(controlProblem, "{", `{"stack":"x",`, 1), nil, "stack"},
		{"property that lacks", "GET", customer, 404, strings.Replace(controlProblem, `"title":"Not Found",`, "", 1), nil, "doesn't match schema"},
		{"success with another's body", "GET", customer, 200, `{}`, []string{"Content-Type", "application/json"}, "doesn't match schema"},
		{"no JSON", "GET", customer, 404, "404 page not found", nil, "not one JSON document"},
		{"content type", "GET", customer, 404, controlProblem, []string{"Content-Type", "text/plain"}, "Content-Type"},
		{"content type outside", "GET", nowhere, 404, controlProblem, []string{"Content-Type", "text/html"}, "with headers"},
		{"header that is not declared", "GET", customer, 404, controlProblem, []string{"Server", "x"}, "header Server"},
		{"header that lacks", "GET", customer, 404, controlProblem, []string{"Cache-Control", ""}, "missing"},
		{"header with another value", "GET", customer, 404, controlProblem, []string{"Cache-Control", "public"}, "doesn't match schema"},
		{"no X-Request-Id", "GET", customer, 404, controlProblem, []string{"X-Request-Id", ""}, "missing"},
		{"another X-Request-Id", "GET", customer, 404, controlProblem, []string{"X-Request-Id", strings.ReplaceAll(controlID, "8", "9")}, "request_id"},
		{"another status in it", "GET", customer, 404, strings.ReplaceAll(controlProblem, "404", "405"), nil, "in the problem"},
		{"another type", "GET", customer, 404, strings.Replace(controlProblem, "/customer_not_found", "/not_found", 1), nil, "code"},
		{"count", "GET", customer, 404, strings.Replace(controlProblem, "{", `{"error_count":2,`, 1), nil, "error_count"},
		{"body where none is declared", "DELETE", session, 204, "{}", []string{"Set-Cookie", "cex_session=; Path=/"}, "declares no body"},
		{"405 without Allow", "PUT", customer, 405, strings.ReplaceAll(controlProblem, "404", "405"), nil, "without Allow"},
		{"success outside", "GET", nowhere, 200, "hello", nil, "outside any operation"},
		{"unknown request, unknown answer", "", "", 418, controlProblem, nil, "declares no status"},
	}
	for _, tt := range tests {
		a := &reply{method: tt.method, status: tt.status, body: []byte(tt.body), header: http.Header{
			"Content-Type": {"application/problem+json"}, "X-Request-Id": {controlID}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"},
		}}
		for i := 0; i < len(tt.headers); i += 2 {
			if a.header.Set(tt.headers[i], tt.headers[i+1]); tt.headers[i+1] == "" {
				a.header.Del(tt.headers[i])
			}
		}
		target := tt.path
		if target != "" {
			target = j.base + target
		}
		err := j.check(a, target)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

// TestJudgeFind checks that a path is an operation's under the base path alone.
func TestJudgeFind(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	for target, want := range map[string]int{j.base + "/customer/me": 1, "/customer/me": 0, j.base: 0, j.base + "customer/me": 0} {
		if got := j.find(http.MethodGet, target); len(got) != want {
			t.Errorf("%s is for %d operations, want %d", target, len(got), want)
		}
	}
}
