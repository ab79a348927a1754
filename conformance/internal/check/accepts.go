package check

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// acceptProbes look for operations that refuse every valid request, and say the
// same of it as of a request that is none: with the same status, and the same
// code or type of problem. Whoever judges cases by how they differ from a valid
// request sees nothing of this.
//
// Others do not recognise a credential where the document says that it is good.
//
// A server may have rules that its document does not tell, and call what breaks
// them malformed: that is why it is advice.
func acceptProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		if !safe(op.Method) && len(op.Security) == 1 && len(op.Security[0]) > 0 {
			p := probeOf("F7", op, recognised)
			p.Name, p.Clauses, p.Writes = "recognised "+op.ID, securityClauses(op), true
			all = append(all, p)
		}
		if op.Body != nil || len(op.Parameters) > 0 {
			all = append(all, Probe{
				Name: "accepts " + op.ID, Class: "A4", Op: op, Writes: !safe(op.Method),
				Run: func(ctx context.Context, s *Session) { s.accepts(ctx, op) },
			})
		}
	}
	return all
}

// recognised sends a valid credential, and none: F7. That both are answered with
// the same refusal, by its code or type of problem, while another operation takes
// the credential, shows that it is not recognised where the document says it is.
// Operations that change nothing, or have several alternatives, are tried by
// [probeCombined].
func recognised(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.draftFor(ctx, op)
	none := signatureOf(s.Send(ctx, d, As(Anonymous)))
	if none.status != http.StatusUnauthorized || none.code == "" {
		s.Skip("what it answers without a credential cannot be told from other refusals")
	}
	ex := s.Send(ctx, d)
	clause := openapi.Join(op.SecurityPointer, "0")
	if signatureOf(ex) != none {
		s.Coverage.Mark(clause, SentValid|Judged)
		return
	}
	for _, other := range s.Document.Operations {
		if other == op || len(other.Security) != 1 || !maps.EqualFunc(other.Security[0], op.Security[0], slices.Equal) || other.Method == http.MethodDelete {
			continue
		}
		if there := s.Send(ctx, s.NewDraft(other)); Status(there) == 0 || Status(there) == http.StatusUnauthorized || busy(there) {
			continue
		}
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: clause, Claim: "Refuses a valid credential as if there were none", Sent: "a valid request with a credential that " + other.ID + " takes",
			Expected: "any answer but " + describe(ex), Got: describe(ex), Steps: []wire.Exchange{*ex},
		}, 0)
		return
	}
}

func (s *Session) accepts(ctx context.Context, op *openapi.Operation) {
	var valid signature
	var got *wire.Exchange
	for i, mode := range []generate.Mode{generate.Typical, generate.Full, generate.Minimal} {
		there := s.Draft(ctx, op, op.Method != http.MethodGet)
		d := s.Source.Draft(op, mode)
		s.fixtures.persona.fill(d)
		for name, value := range there.Path {
			d.Path[name] = value
		}
		got = s.Send(ctx, d)
		sig := signatureOf(got)
		if !refusal(sig) || sig.code == "" || i > 0 && sig != valid {
			return // it is served, or refused for what no schema tells
		}
		valid = sig
	}
	for _, ex := range s.malformed(ctx, op) {
		if signatureOf(ex) != valid {
			continue
		}
		s.Report(finding.Finding{
			Severity: finding.Advice, Pointer: op.Pointer, Claim: "refuses all valid requests as it refuses malformed ones",
			Sent:     "valid requests with all that there may be, with what there must be, and as the example is",
			Expected: "that it takes one of them, or that the document says what it lacks", Got: describe(got),
			Steps: []wire.Exchange{*ex, *got},
		}, 0)
		return
	}
}
