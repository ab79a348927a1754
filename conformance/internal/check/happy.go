package check

import (
	"context"
	"fmt"
	"net/http"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// happyProbes use every operation as it is meant to be used: with all that a
// request may have, with what it must have, and with what the example has.
func happyProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		for name, mode := range map[string]generate.Mode{"full": generate.Full, "typical": generate.Typical, "minimal": generate.Minimal} {
			all = append(all, Probe{
				Name: "happy " + op.ID + " " + name, Class: "A4", Op: op,
				Writes: op.Method != http.MethodGet && op.Method != http.MethodHead,
				Run:    func(ctx context.Context, s *Session) { s.happy(ctx, op, mode) },
			})
		}
	}
	return inOrder(all)
}

func (s *Session) happy(ctx context.Context, op *openapi.Operation, mode generate.Mode) {
	there := s.Draft(ctx, op, op.Method != http.MethodGet)
	d := s.Source.Draft(op, mode)
	s.fixtures.persona.fill(d)
	for name, value := range there.Path {
		d.Path[name] = value
	}
	if len(prefixes(op.Path)) > 0 { // what is changed, or ends, is nobody else's
		s.fixtures.persona.prove(d)
	}
	ex := s.Send(ctx, d)
	if OK(ex) {
		s.given(op, d)
	}
	switch status := Status(ex); status {
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusNotAcceptable, http.StatusNotImplemented:
		if !succeeds(op) {
			return // the document has no success for it: this may be all that it does
		}
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: op.Pointer, Got: describe(ex),
			Claim: fmt.Sprintf("refuses a valid request with %d", status), Sent: "a valid request",
			Expected: "what the document says of it",
		}, 1)
	}
}

// given judges what names a resource in a request that was served, by the schemas of
// the parameters: it is what the server itself calls it.
func (s *Session) given(op *openapi.Operation, d *generate.Draft) {
	for _, p := range op.Parameters {
		if p.In != "path" || p.Schema == nil {
			continue
		}
		value, ok := generate.Read(p, d.Path[p.Name])
		if !ok {
			continue
		}
		for _, f := range s.schemas.ValidateValue(p.Schema, openapi.Request, value) {
			s.Report(finding.Finding{
				Class: generate.ClassOf(f.Keyword), Severity: finding.Must, Pointer: f.Clause,
				Claim: fmt.Sprintf("names a resource by what breaks %s of the path parameter %s, and serves it", f.Keyword, p.Name),
				Sent:  "a request for a resource by the name that the server gave it", Expected: "a name that keeps the document", Got: f.Message,
			}, 1)
		}
	}
}
