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
	ex := s.Send(ctx, d)
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
