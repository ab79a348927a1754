package check

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// What probes have in common that send what no well-behaved client sends.

// probeOf makes a probe of a class for an operation.
func probeOf(class string, op *openapi.Operation, run func(ctx context.Context, s *Session)) Probe {
	return Probe{Name: class + " " + op.ID, Class: class, Op: op, Run: run}
}

// writing marks a probe as one that may change something.
func writing(p Probe) Probe {
	p.Writes = true
	return p
}

// safe tells whether a method asks for no change (RFC 9110 9.2.1).
func safe(method string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, method)
}

// prepared gives a draft as the request that would be sent, so that a probe can
// change its bytes. It skips the probe if that cannot be written.
func (s *Session) prepared(ctx context.Context, d *generate.Draft, i Identity) *wire.Request {
	if i == Own {
		s.ensure(ctx, d.Op)
	}
	request, err := s.encode(d)
	if err != nil {
		s.Skip(err.Error())
	}
	s.authorize(request, d.Op, &sending{identity: i})
	return request
}

// there gives a valid request to a resource that is there, as Draft does. Where
// resources are created by a PUT to their own path (RFC 9110 9.3.4), one is made; the
// request of that PUT itself is for a path where there is nothing yet.
func (s *Session) there(ctx context.Context, op *openapi.Operation, fresh bool) *generate.Draft {
	templates := prefixes(op.Path)
	if len(templates) == 0 {
		return s.Draft(ctx, op, fresh)
	}
	resource := templates[len(templates)-1]
	maker := s.replacer(resource)
	if maker == nil || s.maker(resource) != maker || !fresh && s.fixtures.get(resource) != nil {
		return s.Draft(ctx, op, fresh)
	}
	d := s.NewDraft(op)
	if op == maker {
		d.Path[parameter(resource)] = s.fresh(op, parameter(resource))
		return d
	}
	made := s.mustMake(ctx, resource, Own)
	for name, value := range made.values {
		if pathHas(op, name) {
			d.Path[name] = value
		}
	}
	if !fresh {
		s.fixtures.mu.Lock()
		s.fixtures.add(resource, made.values)
		s.fixtures.mu.Unlock()
	}
	return d
}

// attack is a request that no well-behaved client sends.
type attack struct {
	what string // is sent, as in "a credential of 16 KiB": no random data
	// kind says what this and others like it are, so that they are one finding: "a
	// malformed credential"; empty: what.
	kind string
	// mayHangUp: a server that closes the connection without an answer is within
	// its rights.
	mayHangUp bool
}

// hostile sends such a request. However a server refuses it, with statuses of
// HTTP that no document lists (431, 414, 400), is well; that it fails or falls
// silent is not, and is a finding of the probe's class. An answer that the
// operation does declare is judged as any.
func (s *Session) hostile(ctx context.Context, op *openapi.Operation, request *wire.Request, a attack) *wire.Exchange {
	ex := s.do(ctx, request)
	s.recorder.add(ex)
	s.count(op, ex)
	if ctx.Err() != nil {
		return ex
	}
	kind := cmp.Or(a.kind, a.what)
	f := finding.Finding{
		Severity: finding.Must, RFC: "RFC 9110 15.6", Sent: a.what,
		Expected: "a refusal (4xx)", Steps: []wire.Exchange{*ex},
	}
	if op != nil {
		f.Operation, f.Pointer = op.ID, op.Pointer
	}
	switch {
	case ex.Response == nil && errors.Is(ex.Err, wire.ErrTimeout):
		f.Claim, f.Got = "Does not answer when it is sent "+kind, ex.Err.Error()
		f.Cause = f.Claim // what reads it is the same for all operations
		s.Report(f, 1)
	case ex.Response == nil && a.mayHangUp && !errors.Is(ex.Err, wire.ErrConnect):
	case ex.Response == nil:
		f.Claim, f.Got = "Ends the connection without an answer when it is sent "+kind, ex.Err.Error()
		f.Cause = f.Claim
		s.Report(f, 1)
	case failed(ex) && op != nil && (s.failsElsewhere(ctx, request) || s.failsAnyway(ctx, op)):
	case failed(ex):
		f.Claim, f.Got = "Fails with a server error when it is sent "+kind, ex.Response.StatusText()
		f.Cause = f.Claim
		s.Report(f, 1)
	case op != nil && names(op, ex.Response.Status):
		for _, f := range s.judge(op, ex) {
			f.Steps = append(f.Steps, *ex)
			s.recorder.found(f)
		}
		s.fixtures.harvest(op, ex)
	default:
		s.fixtures.harvest(op, ex)
	}
	return ex
}

// failsAnyway tells whether an operation fails with a 5xx at a valid request, too:
// then what else is sent is not to blame.
func (s *Session) failsAnyway(ctx context.Context, op *openapi.Operation) bool {
	return failed(s.Send(ctx, s.draftFor(ctx, op)))
}

// failed tells whether a server failed of itself: a 5xx that neither says that it
// does not know something (501, 505) nor asks to come again (503 with Retry-After).
func failed(ex *wire.Exchange) bool {
	if ex.Response == nil {
		return false
	}
	switch status := ex.Response.Status; status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	case http.StatusServiceUnavailable:
		return ex.Response.Get("Retry-After") == ""
	default:
		return status >= 500
	}
}

// served tells whether a server did what it was asked for.
func served(ex *wire.Exchange) bool { return OK(ex) || Status(ex) == http.StatusNotModified }

// busy tells whether an answer says nothing of the request but that there are too
// many.
func busy(ex *wire.Exchange) bool {
	status := Status(ex)
	return status == 0 || status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// pathOf gives the path of a request's target, and its query with the mark.
func pathOf(request *wire.Request) (path, query string) {
	path, query, found := strings.Cut(request.Target, "?")
	if found {
		query = "?" + query
	}
	return path, query
}

// withQuery adds a parameter to a request's query. The value is escaped.
func withQuery(request *wire.Request, name, value string) {
	mark := "?"
	if strings.Contains(request.Target, "?") {
		mark = "&"
	}
	request.Target += mark + url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

// setField replaces a header, or adds it.
func setField(request *wire.Request, name, value string) {
	dropField(request, name)
	request.Header = append(request.Header, wire.Field{Name: name, Value: value})
}

// dropField removes a header.
func dropField(request *wire.Request, name string) {
	request.Header = slices.DeleteFunc(slices.Clone(request.Header), func(f wire.Field) bool { return strings.EqualFold(f.Name, name) })
}

// copyOf gives a request that can be changed without changing this one.
func copyOf(request *wire.Request) *wire.Request {
	c := *request
	c.Header, c.Body = slices.Clone(request.Header), slices.Clone(request.Body)
	return &c
}

// opsAt are the operations that a target can be of: more than those of one template
// where templates overlap, as /items/search and /items/{id} do.
func (r *Runner) opsAt(target string) []*openapi.Operation {
	var all []*openapi.Operation
	for _, t := range r.routesOf(target) {
		all = append(all, t.ops...)
	}
	return all
}

// hasMethod tells whether one of the operations has the method.
func hasMethod(ops []*openapi.Operation, method string) bool {
	return slices.ContainsFunc(ops, func(op *openapi.Operation) bool { return op.Method == method })
}
