package check

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// spelling is another way to write a path.
type spelling struct {
	what, path string
	// equal: RFC 3986 6.2.2 makes it the same path, so that to serve it is right.
	equal bool
}

// spellings of a path below the base.
func spellings(path string) []spelling {
	last := strings.LastIndexByte(path, '/')
	all := []spelling{
		{"a slash at the end", path + "/", false},
		{"a doubled slash", path[:last] + "/" + path[last:], false},
		{"a doubled slash at the beginning", "/" + path, false},
		{"a dot segment", path[:last] + "/." + path[last:], false},
		{"a segment that is taken back", path[:last] + "/conformance/.." + path[last:], false},
		{"a parameter of a segment", path + ";conformance=1", false},
		{"a suffix", path + ".json", false},
	}
	segments := strings.Split(path, "/")
	if first := segments[1]; first != "" {
		c := first[0]
		all = append(all, spelling{"an encoded letter", fmt.Sprintf("/%%%02X%s", c, path[2:]), true})
		if upper := strings.ToUpper(first); upper != first {
			all = append(all, spelling{"capitals", "/" + upper + path[1+len(first):], false})
		}
	}
	return all
}

// probeSpelling asks for a resource by other spellings of its path: G6. Each may
// be refused, led back to the right one, or taken for it (unless the document says
// otherwise); it must not be something else, and not need less of a credential.
func probeSpelling(ctx context.Context, s *Session) {
	op := s.probe.Op
	request := s.prepared(ctx, s.there(ctx, op, false), Own)
	right := s.SendRaw(ctx, op, request)
	if !OK(right) || right.Response.Unfinished {
		s.Skip("GET does not succeed")
	}
	path, query := pathOf(request)
	base := strings.TrimSuffix(s.Base.EscapedPath(), "/")
	relative := strings.TrimPrefix(path, base)
	if strings.Count(relative, "/") == 0 || len(relative) < 2 {
		s.Skip("the path is the root")
	}
	for _, other := range spellings(relative) {
		target := base + other.path + query
		if s.isOther(op, target) {
			continue // it is a path of the document as well
		}
		f := finding.Finding{Severity: finding.Should, Pointer: op.Pointer, Sent: "the path with " + other.what, Expected: "404, a redirect, or the same resource"}
		changed := copyOf(request)
		changed.Target = target
		ex := s.SendRaw(ctx, nil, changed)
		if served(ex) && !other.equal {
			switch {
			case s.strict(openapi.StrictPaths):
				f.Claim, f.Expected, f.Got = "Serves its path with "+other.what, "404 Not Found", ex.Response.StatusText()
				s.Report(f, 2)
			case !alikeAnswers(right.Response, ex.Response) && s.stable(ctx, op, request, right):
				f.Claim, f.Got = "Gives something else for its path with "+other.what, "another body with "+ex.Response.StatusText()
				s.Report(f, 0)
			}
		}
		if open(op) {
			continue
		}
		d := s.there(ctx, op, false)
		bare := s.prepared(ctx, d, Anonymous)
		_, bareQuery := pathOf(bare)
		bare.Target = base + other.path + bareQuery
		if ex := s.SendRaw(ctx, nil, bare); served(ex) && s.guards(ctx, op) {
			f.Severity, f.Pointer = finding.Must, securityPointer(op)
			f.Claim, f.Expected, f.Got = "Serves its path with "+other.what+" without a credential", "401, 404 or a redirect", ex.Response.StatusText()
			s.Report(f, 2)
		}
	}
}

// isOther tells whether a target is one of another path of the document.
func (r *Runner) isOther(op *openapi.Operation, target string) bool {
	for _, t := range r.routesOf(target) {
		if t.template != op.Path {
			return true
		}
	}
	return false
}

// stable tells whether a request is still answered as it was.
func (s *Session) stable(ctx context.Context, op *openapi.Operation, request *wire.Request, was *wire.Exchange) bool {
	again := s.SendRaw(ctx, op, request)
	return again.Response != nil && alikeAnswers(was.Response, again.Response)
}

// guards tells whether an operation is refused without a credential.
func (s *Session) guards(ctx context.Context, op *openapi.Operation) bool {
	return !served(s.Send(ctx, s.there(ctx, op, false), As(Anonymous)))
}

// oddIDs are values for a path parameter, escaped, that name nothing. id is one
// that does name something, escaped.
func oddIDs(id string) []spelling {
	all := []spelling{
		{what: "an encoded slash", path: "%2F"}, {what: "an encoded slash after an id", path: id + "%2F"},
		{what: "an id and another after an encoded slash", path: id + "%2F" + id}, {what: "encoded dots and slashes", path: "..%2F..%2F" + id},
		{what: "an encoded NUL", path: "%00"}, {what: "an encoded NUL after an id", path: id + "%00"},
		{what: "an invalid percent-encoding", path: "%ZZ"}, {what: "an unfinished percent-encoding", path: id + "%2"},
		{what: "Unicode beyond the basic plane", path: "%F0%9F%94%91"}, {what: "a change of writing direction before an id", path: "%E2%80%AE" + id},
		{what: "invalid UTF-8", path: "%FF%FE"}, {what: "an overlong encoding", path: id + "%C0%80"},
		{what: "an encoded question mark after an id", path: id + "%3Fa=1"}, {what: "an encoded number sign after an id", path: id + "%23a"},
	}
	if id != "" && id[0] != '%' {
		all = append(all, spelling{what: "an id that is encoded twice", path: fmt.Sprintf("%%25%02X%s", id[0], id[1:])})
	}
	return all
}

// probeEncodedPath puts what must be encoded into the parameters of a path: G7.
func probeEncodedPath(ctx context.Context, s *Session) {
	op := s.probe.Op
	s.encodedSlash(ctx, op)
	for _, p := range op.Parameters {
		if p.In != "path" {
			continue
		}
		d := s.draftFor(ctx, op).Clone()
		id := url.PathEscape(fmt.Sprint(d.Path[p.Name]))
		unknown := d.Clone()
		unknown.Path[p.Name] = s.fresh(op, p.Name)
		selective := !served(s.Send(ctx, unknown)) && !s.namedByClients(op, p.Name)
		for _, odd := range oddIDs(id) {
			d.RawPath = map[string]string{p.Name: odd.path}
			request := s.prepared(ctx, d, Own)
			ex := s.hostile(ctx, op, request, attack{what: odd.what + " as " + p.Name, kind: "what no " + p.Name + " is"})
			if served(ex) && selective {
				s.Report(finding.Finding{
					Severity: finding.Must, Pointer: p.Pointer, RFC: "RFC 3986 2.2", Claim: "Serves what no " + p.Name + " is",
					Sent: odd.what + " as " + p.Name, Expected: "404 or 400", Got: ex.Response.StatusText(),
				}, 1)
			}
		}
	}
}

// failsElsewhere tells whether a path, read as one with dots and slashes that are not
// encoded, leads out of the document, to what fails with a 5xx: which is then not the
// operation's.
func (s *Session) failsElsewhere(ctx context.Context, request *wire.Request) bool {
	written, query := pathOf(request)
	read, err := url.PathUnescape(written)
	if err != nil || !strings.Contains(read, "/../") {
		return false
	}
	other := copyOf(request)
	other.Target = (&url.URL{Path: path.Clean(read)}).EscapedPath() + query
	return len(s.routesOf(other.Target)) == 0 && failed(s.do(ctx, other))
}

// encodedSlash writes a slash of the path that follows a parameter as %2F, where
// it is a part of the parameter's value.
func (s *Session) encodedSlash(ctx context.Context, op *openapi.Operation) {
	parts := strings.Split(op.Path, "/")
	for i := 1; i < len(parts)-1; i++ {
		if !strings.HasPrefix(parts[i], "{") {
			continue
		}
		request := s.prepared(ctx, s.draftFor(ctx, op), Own)
		path, query := pathOf(request)
		base := strings.TrimSuffix(s.Base.EscapedPath(), "/")
		segments := strings.Split(strings.TrimPrefix(path, base), "/")
		if len(segments) != len(parts) {
			return
		}
		request.Target = base + strings.Join(segments[:i+1], "/") + "%2F" + strings.Join(segments[i+1:], "/") + query
		if hasMethod(s.opsAt(request.Target), op.Method) && s.greedy(ctx, op, request) {
			continue
		}
		ex := s.hostile(ctx, op, request, attack{what: "an encoded slash after " + parts[i]})
		if served(ex) {
			s.Report(finding.Finding{
				Severity: finding.Must, Pointer: op.Pointer, RFC: "RFC 3986 2.2", Claim: "Takes an encoded slash after " + parts[i] + " for one that parts its path",
				Sent: request.Method + " with %2F in place of the slash after " + parts[i], Expected: "404 or 400", Got: ex.Response.StatusText(),
			}, 1)
		}
	}
}

// greedy tells whether another operation, of which the target is an instance,
// serves any value.
func (s *Session) greedy(ctx context.Context, op *openapi.Operation, request *wire.Request) bool {
	for _, other := range s.opsAt(request.Target) {
		if other.Method == op.Method && other != op {
			d := s.there(ctx, other, false).Clone()
			for _, p := range other.Parameters {
				if p.In == "path" {
					d.Path[p.Name] = s.fresh(other, p.Name)
				}
			}
			if served(s.Send(ctx, d)) {
				return true
			}
		}
	}
	return false
}

// overriding are headers that some frameworks take for the method.
var overriding = []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}

// probeOverride asks GET to be something else: G8. A safe request must not change
// anything (RFC 9110 9.2.1), whatever a header says.
func probeOverride(ctx context.Context, s *Session) {
	op := s.probe.Op
	deletes := s.at(http.MethodDelete, op.Path) != nil
	d := s.there(ctx, op, deletes)
	plain := s.Send(ctx, d)
	if !OK(plain) {
		s.Skip("GET does not succeed")
	}
	try := func(what string, option Option, alone bool) {
		ex := s.Send(ctx, d, option)
		f := finding.Finding{
			Severity: finding.Should, Pointer: op.Pointer, RFC: "RFC 9110 9.2.1",
			Sent: "GET with " + what, Expected: plain.Response.StatusText(), Got: describe(ex),
		}
		if deletes {
			if again := s.Send(ctx, d); Status(again) == http.StatusNotFound || Status(again) == http.StatusGone {
				f.Severity, f.Claim, f.Got = finding.Must, "Deletes at a GET with "+what, "it is gone: "+again.Response.StatusText()
				s.Report(f, 0)
				d = s.there(ctx, op, true)
				return
			}
		}
		if alone && s.strict(openapi.StrictMethod) && !busy(ex) && Status(ex) != Status(plain) {
			f.Claim = "Treats a GET with " + what + " as another method"
			s.Report(f, 2)
		}
	}
	for _, name := range overriding {
		try(name+": DELETE", WithHeader(name, http.MethodDelete), true)
	}
	try("_method=DELETE", Changed(func(r *wire.Request) { withQuery(r, "_method", http.MethodDelete) }), false)
}

// probePostOverride asks POST to be something else, where the document says that
// this changes nothing.
func probePostOverride(ctx context.Context, s *Session) {
	op := s.probe.Op
	usual := s.baseline(ctx, op)
	if !OKStatus(usual.status) {
		s.Skip("POST does not succeed")
	}
	for _, name := range overriding {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			ex := s.Send(ctx, s.there(ctx, op, true), WithHeader(name, method))
			if busy(ex) || failed(ex) || OK(ex) && declares(op, Status(ex)) {
				continue
			}
			if OK(s.Send(ctx, s.there(ctx, op, true))) {
				s.Report(finding.Finding{
					Severity: finding.Should, Pointer: op.Pointer, Claim: fmt.Sprintf("Treats a POST with %s: %s as another method", name, method),
					Sent: "POST with " + name + ": " + method, Expected: itoa(usual.status), Got: describe(ex),
				}, 1)
			}
		}
	}
}
