package check

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// mediaProbes are those of group C that need requests of their own: which types
// are given. Which are taken is tried by cases of package generate, and that an answer
// is of a declared type the judge of answers sees.
func mediaProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		if response := given(op); response != nil {
			if names(op, http.StatusNotAcceptable) {
				p := probeOf("C3", op, probeUnacceptable)
				p.Writes, p.Clauses = !safe(op.Method), []string{op.StatusPointer("406")}
				all = append(all, p)
			}
			p := probeOf("C4", op, probeRanked)
			p.Writes = !safe(op.Method)
			for _, m := range response.Content {
				p.Clauses = append(p.Clauses, m.Pointer)
			}
			all = append(all, p)
		}
	}
	return all
}

// given is the success of an operation that has a body; nil if there is none.
func given(op *openapi.Operation) *openapi.Response {
	for _, key := range []string{"200", "201", "202", "203", "2XX"} {
		if response := op.Responses[key]; response != nil && len(response.Content) > 0 {
			return response
		}
	}
	return nil
}

// baseType is a media type without its parameters, in lower case.
func baseType(mediaType string) string {
	base, _, _ := strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

// within tells whether a media type is one of those that a range names (RFC 9110
// 12.5.1).
func within(mediaType, mediaRange string) bool {
	mediaType, mediaRange = baseType(mediaType), baseType(mediaRange)
	major, found := strings.CutSuffix(mediaRange, "/*")
	return mediaType == mediaRange || found && (major == "*" || strings.HasPrefix(mediaType, major+"/"))
}

// accepting gives a request with an Accept, to a resource that is there.
func (s *Session) accepting(ctx context.Context, op *openapi.Operation, accept string) *wire.Exchange {
	d := s.there(ctx, op, !safe(op.Method))
	return s.Send(ctx, d, Changed(func(r *wire.Request) { setField(r, "Accept", accept) }))
}

// probeUnacceptable excludes every type that there is, where the document says that
// this is refused: C3.
func probeUnacceptable(ctx context.Context, s *Session) {
	op := s.probe.Op
	response := given(op)
	var none []string
	for _, m := range response.Content {
		none = append(none, baseType(m.Type)+";q=0")
	}
	for _, accept := range []string{"application/x-conformance", "image/png, video/*;q=0.5", strings.Join(none, ", ")} {
		if slices.ContainsFunc(response.Content, func(m *openapi.MediaType) bool {
			return within("application/x-conformance", m.Type) || within("image/png", m.Type)
		}) {
			s.Skip("it may give any type")
		}
		ex := s.accepting(ctx, op, accept)
		if Status(ex) == http.StatusNotAcceptable {
			s.Coverage.Mark(op.StatusPointer("406"), Judged)
		}
		if !OK(ex) || len(ex.Response.Body) == 0 {
			continue
		}
		s.Coverage.Mark(op.StatusPointer("406"), Judged)
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: op.StatusPointer("406"), RFC: "RFC 9110 15.5.7",
			Claim: "Answers in a type that Accept excludes, though it declares 406", Sent: "Accept: " + accept,
			Expected: "406 Not Acceptable", Got: ex.Response.StatusText() + " in " + ex.Response.Get("Content-Type"),
		}, 1)
	}
}

// ranking is an Accept, and the type that it ranks highest.
type ranking struct {
	accept, best string
	alone        bool // it accepts nothing but best
}

// rankings are made of the types of an answer. Those of a change are few, for each
// makes one.
func rankings(content []*openapi.MediaType, change bool) []ranking {
	first := baseType(content[0].Type)
	major, _, _ := strings.Cut(first, "/")
	all := []ranking{{"application/x-conformance;q=0.9, " + first + ";q=0.1", first, true}}
	if change {
		return all
	}
	if len(content) == 1 {
		all = append(all, ranking{"*/*", first, true}, ranking{major + "/*", first, true}, ranking{strings.ToUpper(first), first, true})
	}
	for _, a := range content {
		for _, b := range content {
			one, other := baseType(a.Type), baseType(b.Type)
			if one == other {
				continue
			}
			all = append(all, ranking{one, one, true},
				ranking{other + ";q=0.1, " + one, one, false},
				ranking{one + ";q=0.8, " + other + ";q=0.2", one, false},
				ranking{"*/*;q=0.1, " + one + ";q=0.7", one, false},
				ranking{other + ";q=0, */*;q=0.1", one, len(content) == 2})
			if of, _, _ := strings.Cut(one, "/"); !strings.HasPrefix(other, of+"/") {
				all = append(all, ranking{of + "/*", one, len(content) == 2}, ranking{of + "/*;q=0.9, " + other + ";q=0.2", one, false})
			}
		}
	}
	return all
}

// probeRanked ranks the types that there are: C4.
func probeRanked(ctx context.Context, s *Session) {
	op := s.probe.Op
	response := given(op)
	if slices.ContainsFunc(response.Content, func(m *openapi.MediaType) bool { return strings.Contains(m.Type, "*") }) {
		s.Skip("it may give any type")
	}
	if status := s.baseline(ctx, op).status; !OKStatus(status) && status != http.StatusNotAcceptable {
		s.Skip("a valid request does not succeed")
	}
	for _, rank := range rankings(response.Content, !safe(op.Method)) {
		if ctx.Err() != nil {
			return
		}
		ex := s.accepting(ctx, op, rank.accept)
		f := finding.Finding{
			Severity: finding.Should, Pointer: response.Pointer, RFC: "RFC 9110 12.5.1", Sent: "Accept: " + rank.accept, Expected: rank.best, Got: describe(ex),
		}
		got := ""
		if ex.Response != nil {
			got = baseType(ex.Response.Get("Content-Type"))
		}
		switch {
		case Status(ex) == http.StatusNotAcceptable:
			f.Severity, f.Claim = finding.Must, "Refuses an Accept that it can satisfy"
			s.Report(f, 1)
		case !OK(ex) || got == "" || !slices.ContainsFunc(response.Content, func(m *openapi.MediaType) bool { return baseType(m.Type) == got }):
			// of which the judge of answers knows
		case got != rank.best:
			f.Claim, f.Got = "Chooses a type that Accept ranks lower", ex.Response.StatusText()+" in "+got
			if rank.alone {
				f.Severity, f.Claim = finding.Must, "Chooses a type that Accept excludes"
			}
			s.Report(f, 1)
		}
		for _, m := range response.Content {
			if baseType(m.Type) == got {
				s.Coverage.Mark(m.Pointer, Judged)
			}
		}
	}
}
