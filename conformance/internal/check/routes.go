package check

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// routeProbes are those of group G, methods and routes. Probes about a path are
// named after one of its operations, GET if it has that.
func routeProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		late := probeOf("G2", op, probeImplemented)
		late.Late, late.Writes = true, !safe(op.Method)
		all = append(all, late)
		if op.Method == http.MethodGet {
			all = append(all, probeOf("G3", op, probeHead), probeOf("G6", op, probeSpelling), probeOf("G8", op, probeOverride))
			if r.at(http.MethodDelete, op.Path) != nil {
				all[len(all)-1].Writes = true
			}
		}
		if len(prefixes(op.Path)) > 0 {
			p := probeOf("G7", op, probeEncodedPath)
			p.Late, p.Writes = true, !safe(op.Method) // some servers end at what is no percent-encoding
			all = append(all, p)
		}
		if op.Method == http.MethodPost && r.strict(openapi.StrictMethod) {
			all = append(all, writing(probeOf("G8", op, probePostOverride)))
		}
		if r.spokesman(op.Path) == op {
			all = append(all, writing(probeOf("G1", op, probeMethods)), probeOf("G4", op, probeOptions))
		}
	}
	return append(all, Probe{Name: "G5 undeclared paths", Class: "G5", Run: probeStrangers})
}

// spokesman is the operation that stands for a path.
func (r *Runner) spokesman(path string) *openapi.Operation {
	if op := r.at(http.MethodGet, path); op != nil {
		return op
	}
	i := slices.IndexFunc(r.Document.Operations, func(op *openapi.Operation) bool { return op.Path == path })
	return r.Document.Operations[i]
}

// onPath gives a request for the path of an operation with another method, and
// with no query, body or header but credentials.
func (s *Session) onPath(ctx context.Context, op *openapi.Operation, method string, fresh bool) *wire.Request {
	d := s.there(ctx, op, fresh).Clone()
	d.Query, d.Header, d.Cookie, d.RawQuery, d.ExtraQuery = map[string]any{}, map[string]any{}, map[string]any{}, nil, nil
	d.HasBody, d.Body, d.RawBody, d.ContentType = false, nil, nil, ""
	request := s.prepared(ctx, d, Own)
	request.Method = method
	return request
}

// probeMethods tries the methods that a path does not have: G1. That they are
// refused with 405 may come after 401, 403 and 404 (of the resource, or of one of
// many resources of a router that knows no 405).
func probeMethods(ctx context.Context, s *Session) {
	op := s.probe.Op
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace, "CONFORM"} {
		changes := method == http.MethodPut || method == http.MethodPatch || method == http.MethodDelete
		request := s.onPath(ctx, op, method, changes && len(prefixes(op.Path)) > 0)
		there := s.opsAt(request.Target)
		if hasMethod(there, method) || len(there) == 0 {
			continue
		}
		// 401 and 403: who may ask, or from which site, can be looked at before the method.
		tolerated := []int{
			http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusTooManyRequests, http.StatusServiceUnavailable,
			http.StatusUnauthorized, http.StatusForbidden,
		}
		if method == http.MethodTrace || method == "CONFORM" {
			tolerated = append(tolerated, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound)
		}
		if len(prefixes(op.Path)) > 0 || slices.ContainsFunc(there, func(o *openapi.Operation) bool { return !open(o) }) {
			tolerated = append(tolerated, http.StatusNotFound)
		}
		ex := s.SendRaw(ctx, nil, request)
		status := Status(ex)
		if status == 0 || status >= 500 || status/100 == 3 || slices.Contains(tolerated, status) {
			continue // of 5xx the judge of answers knows
		}
		f := finding.Finding{
			Severity: finding.Should, Pointer: openapi.Join("", "paths", op.Path), RFC: "RFC 9110 15.5.6", Operation: op.ID,
			Claim: fmt.Sprintf("Answers %s, which %s does not have, otherwise than with 405", method, op.Path),
			Sent:  method + " without a body", Expected: "405 Method Not Allowed", Got: ex.Response.StatusText(),
			Cause: fmt.Sprintf("Answers methods that a path does not have with %d rather than with 405", status),
		}
		if OK(ex) {
			f.Severity, f.Cause = finding.Must, "" // what it serves there is that operation's
			f.Claim = fmt.Sprintf("Serves %s on %s, which the document does not have", method, op.Path)
		}
		s.Report(f, 1)
	}
}

// probeImplemented looks for operations that a server does not have: G2. It runs
// when all that is not late has: what has ever succeeded is there.
func probeImplemented(ctx context.Context, s *Session) {
	op := s.probe.Op
	missing := func(status int) bool {
		return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
	}
	neutral := []int{0, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	for status := range s.Coverage.Statuses(op.ID) {
		if !missing(status) && !slices.Contains(neutral, status) {
			return
		}
	}
	ex := s.Send(ctx, s.draftFor(ctx, op))
	status := Status(ex)
	if !missing(status) {
		return
	}
	if status == http.StatusNotFound && (declares(op, status) && len(prefixes(op.Path)) == 0 || !s.thereAbove(ctx, op, ex)) {
		s.Skip("it answers 404, which may be about the resource")
	}
	s.Report(finding.Finding{
		Severity: finding.Must, Pointer: op.Pointer, Claim: "Does not implement an operation that is declared",
		Sent: "a valid request", Expected: "any answer but " + itoa(status), Got: ex.Response.StatusText(),
	}, 0)
}

// thereAbove tells whether what an operation is about can be seen to be there:
// what its path, or the longest part of it that can be read, names.
func (s *Session) thereAbove(ctx context.Context, op *openapi.Operation, ex *wire.Exchange) bool {
	if len(prefixes(op.Path)) == 0 {
		return true // it is about nothing that could be missing
	}
	path, _ := pathOf(ex.Request)
	template := op.Path
	for {
		if read := s.at(http.MethodGet, template); read != nil && read != op {
			request := s.onPath(ctx, read, http.MethodGet, false)
			_, query := pathOf(request)
			request.Target = path + query
			return OK(s.SendRaw(ctx, read, request))
		}
		if strings.HasSuffix(template, "}") || !strings.Contains(template, "/") {
			return false // its parent says nothing about it
		}
		template, path = template[:strings.LastIndexByte(template, '/')], path[:strings.LastIndexByte(path, '/')]
	}
}

// passing are headers that differ from answer to answer, or are about the
// connection, or may be left out where there is no body (RFC 9110 9.3.2).
var passing = []string{
	"date", "age", "set-cookie", "server-timing", "connection", "keep-alive", "transfer-encoding", "trailer", "expires",
	"x-request-id", "request-id", "x-correlation-id", "x-trace-id", "traceparent", "x-runtime", "x-response-time",
}

func isPassing(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(passing, name) || strings.Contains(name, "ratelimit") || strings.Contains(name, "rate-limit")
}

// probeHead compares HEAD with GET: G3. The resource may change meanwhile: HEAD
// counts only between two equal GETs.
func probeHead(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.there(ctx, op, false)
	head := s.at(http.MethodHead, op.Path)
	for range 3 {
		before := s.Send(ctx, d)
		if !OK(before) || before.Response.Unfinished {
			s.Skip("GET does not succeed")
		}
		request := s.prepared(ctx, d, Own)
		request.Method = http.MethodHead
		judgedAs := op
		if head != nil {
			judgedAs = head
		}
		between := s.SendRaw(ctx, judgedAs, request)
		after := s.Send(ctx, d)
		if between.Response == nil || !OK(after) || !alikeAnswers(before.Response, after.Response) {
			continue
		}
		s.compareHead(before.Response, after.Response, between.Response)
		return
	}
	s.Skip("what GET gives changes all the time")
}

// alikeAnswers tells whether two answers are the same as far as it matters.
func alikeAnswers(a, b *wire.Response) bool {
	return a.Status == b.Status && sameJSON(a.Body, b.Body)
}

// compareHead judges HEAD by the two GETs around it.
func (s *Session) compareHead(before, after, head *wire.Response) {
	op := s.probe.Op
	f := finding.Finding{Severity: finding.Should, Pointer: op.Pointer, RFC: "RFC 9110 9.3.2", Sent: "HEAD, between two equal answers to GET"}
	switch head.Status {
	case before.Status:
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return
	default:
		f.Claim, f.Expected, f.Got = "Answers HEAD with another status than GET", before.StatusText(), head.StatusText()
		f.Cause = fmt.Sprintf("%s: %d", f.Claim, head.Status)
		s.Report(f, 3)
		return
	}
	for _, field := range before.Header {
		was, is, got := before.Get(field.Name), after.Get(field.Name), head.Get(field.Name)
		length := strings.EqualFold(field.Name, "Content-Length")
		if isPassing(field.Name) || was != is || got == was || length && got == "" {
			continue
		}
		f.Claim = "HEAD has another value of " + http.CanonicalHeaderKey(field.Name) + " than GET"
		f.Expected, f.Got, f.Severity = field.Name+": "+was, field.Name+": "+got, finding.Must
		if got == "" {
			f.Claim, f.Got, f.Severity = "HEAD leaves out "+http.CanonicalHeaderKey(field.Name)+", which GET has", "no "+field.Name, finding.Should
		}
		if length {
			f.RFC = "RFC 9110 8.6"
		}
		s.Report(f, 3)
	}
}

// probeOptions asks what a path can do: G4. To refuse to say so is well.
func probeOptions(ctx context.Context, s *Session) {
	op := s.probe.Op
	request := s.onPath(ctx, op, http.MethodOptions, false)
	there := s.opsAt(request.Target)
	if hasMethod(there, http.MethodOptions) || len(there) == 0 {
		s.Skip("OPTIONS is an operation of the document")
	}
	ex := s.hostile(ctx, nil, request, attack{what: "OPTIONS on " + op.Path})
	if !OK(ex) {
		return
	}
	f := finding.Finding{
		Severity: finding.Should, Pointer: openapi.Join("", "paths", op.Path), RFC: "RFC 9110 9.3.7", Operation: op.ID, Sent: "OPTIONS",
	}
	var want []string
	for _, o := range there {
		want = append(want, o.Method)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	f.Expected = "Allow: " + strings.Join(want, ", ")
	text := ex.Response.Get("Allow")
	if text == "" {
		if ex.Response.Get("Access-Control-Allow-Methods") == "" && len(ex.Response.Body) == 0 {
			f.Claim, f.Got = "Answers OPTIONS on "+op.Path+" without saying what it can do", "no Allow"
			s.Report(f, 1)
		}
		return
	}
	var got []string
	for name := range strings.SplitSeq(text, ",") {
		got = append(got, strings.TrimSpace(name))
	}
	f.Got = "Allow: " + text
	for _, t := range s.routesOf(request.Target) {
		if sameMethods(got, t.methods()) {
			return
		}
	}
	if !sameMethods(got, want) {
		f.Severity, f.Claim = finding.Must, "Allow in the answer to OPTIONS on "+op.Path+" is not what the document has"
		s.Report(f, 1)
	}
}

// strangers are paths that a document seldom has and a server should not serve:
// what is left from development, and what was meant for others.
var strangers = []string{
	"/debug", "/debug/pprof/", "/debug/vars", "/_debug", "/metrics", "/actuator", "/actuator/env", "/env", "/config", "/internal",
	"/admin", "/_admin", "/console", "/test", "/phpinfo.php", "/server-status", "/.env", "/.git/HEAD", "/.git/config", "/backup",
	"/dump", "/trace", "/graphql", "/shell", "/v0", "/private", "/_status", "/health", "/healthz", "/ping", "/info", "/version", "/docs", "/openapi.json", "/swagger.json",
}

// revealing are those that are a mistake wherever they are.
var revealing = []string{"/debug/pprof/", "/debug/vars", "/actuator/env", "/.env", "/.git/HEAD", "/.git/config", "/server-status", "/phpinfo.php"}

// siblings are names that undeclared neighbours of a declared path have.
var siblings = []string{"export", "all", "debug", "internal", "admin", "count", "search", "raw", "backup", "stats"}

// probeStrangers asks for paths that the document does not have: G5. A server that
// answers anything with its start page says nothing by that.
func probeStrangers(ctx context.Context, s *Session) {
	nowhere := s.SendRaw(ctx, nil, s.credentialed(http.MethodGet, s.path("/conformance-"+s.unique())))
	if served(nowhere) {
		if s.strict(openapi.StrictPaths) {
			s.Report(finding.Finding{
				Severity: finding.Should, Claim: "Serves any path, though the document has but some", Pointer: "/paths",
				Sent: "GET of a path that was made up", Expected: "404 Not Found", Got: nowhere.Response.StatusText(),
			}, 1)
		}
		s.Skip("the server answers any path with " + itoa(Status(nowhere)))
	}
	paths := slices.Clone(strangers)
	for _, op := range s.Document.Operations {
		if parts := strings.Split(op.Path, "/"); len(prefixes(op.Path)) == 0 {
			paths = append(paths, strings.Join(parts[:len(parts)-1], "/"))
			for _, name := range siblings {
				paths = append(paths, op.Path+"/"+name)
			}
		}
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		if path == "" || len(s.routesOf(s.path(path))) > 0 {
			continue
		}
		severity := finding.Should
		if !s.strict(openapi.StrictPaths) {
			if severity = finding.Advice; !slices.Contains(revealing, path) {
				continue // what else a server has is its own business
			}
		}
		for _, request := range []*wire.Request{{Method: http.MethodGet, Target: s.path(path)}, s.credentialed(http.MethodGet, s.path(path))} {
			ex := s.SendRaw(ctx, nil, request)
			if !served(ex) {
				continue
			}
			s.Report(finding.Finding{
				Severity: severity, Pointer: "/paths", Claim: "Serves " + path + ", which the document does not have",
				Sent: "GET " + path, Expected: "404 Not Found", Got: ex.Response.StatusText(),
			}, 1)
			break
		}
	}
}

// credentialed gives a request with every credential that fits into one.
func (s *Session) credentialed(method, target string) *wire.Request {
	request := &wire.Request{Method: method, Target: target}
	own, taken := s.Credentials(Own), map[string]bool{}
	for _, op := range s.Document.Operations {
		schemes, _ := s.Alternative(op, Own)
		for _, id := range schemes {
			in, name := carrier(s.Document.Schemes[id])
			if !taken[in+name] && own[id] != "" {
				taken[in+name] = true
				Authorize(request, s.Document.Schemes[id], own[id])
			}
		}
	}
	return request
}
