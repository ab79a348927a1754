package check

import (
	"context"
	"net/http"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// exampleProbes take the document at its word: what it shows as an example of a
// request must not be refused as malformed, and what it shows as an example of
// anything must keep its schema.
func exampleProbes(r *Runner) []Probe {
	all := []Probe{{Name: "D12 document", Class: "D12", Run: func(_ context.Context, s *Session) { s.documented() }}}
	for _, op := range r.Document.Operations {
		if op.Body == nil {
			continue
		}
		for _, content := range op.Body.Content {
			for _, example := range content.Examples {
				if !saysJSON(bare(content.Type)) {
					continue
				}
				p := writing(probeOf("D12", op, func(ctx context.Context, s *Session) { s.example(ctx, op, content, example) }))
				p.Name += " " + content.Type + " " + example.Name
				all = append(all, p)
			}
		}
	}
	return all
}

// documented judges the examples of bodies by their schemas. No request is needed.
func (s *Session) documented() {
	seen := map[string]bool{}
	judge := func(content []*openapi.MediaType, dir openapi.Direction) {
		for _, c := range content {
			for _, example := range c.Examples {
				if c.Schema == nil || !saysJSON(bare(c.Type)) || seen[example.Pointer] {
					continue
				}
				seen[example.Pointer] = true
				faults := s.schemas.ValidateValue(c.Schema, dir, example.Value)
				if schema.Valid(faults) {
					continue
				}
				fault := telling(faults)[0]
				s.Report(finding.Finding{
					Class: "D12", Severity: finding.Should, Pointer: example.Pointer,
					Claim:    "The contract’s own example breaks its schema.",
					Expected: fault.Message, Got: quoted(fault.At) + " " + fault.Keyword,
				}, 1)
			}
		}
	}
	for _, op := range s.Document.Operations {
		if op.Body != nil {
			judge(op.Body.Content, openapi.Request)
		}
		for _, key := range keys(op) {
			judge(op.Responses[key].Content, openapi.Answer)
		}
	}
}

// example sends one of a request. Its values may be taken, or name what is not
// there: only that it is refused for its form counts.
func (s *Session) example(ctx context.Context, op *openapi.Operation, content *openapi.MediaType, example *openapi.Example) {
	if !schema.Valid(s.schemas.ValidateValue(content.Schema, openapi.Request, example.Value)) {
		s.Skip("the example breaks its schema")
	}
	s.ensure(ctx, op)
	if _, ok := s.Alternative(op, Own); !ok {
		s.Skip("there is no credential for " + op.ID)
	}
	d := s.exemplary(ctx, op, content, example)
	refuses := s.formal(ctx, d)
	ex := s.Send(ctx, d)
	sig := signatureOf(ex)
	f := finding.Finding{
		Class: "D12", Severity: finding.Must, Pointer: example.Pointer,
		Claim: "Refuses the contract’s own example of a request", Sent: "the example " + example.Name,
		Expected: "no refusal of its form", Got: describe(ex),
	}
	switch {
	case slices.Contains([]int{http.StatusUnsupportedMediaType, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge}, sig.status):
	case sig.status == http.StatusBadRequest && slices.Contains(refuses, sig):
	case sig.status == http.StatusUnprocessableEntity && slices.Contains(refuses, sig) && sig.code != "":
	case sig.status == http.StatusUnprocessableEntity && slices.Contains(refuses, sig):
		f.Severity = finding.Should // what it means cannot be told from what it looks like
	default:
		return
	}
	s.Report(f, 1)
}

// formal gives how bodies are refused that break any schema. What valid requests
// are answered with is no help here: they may be made of the example.
func (s *Session) formal(ctx context.Context, d *generate.Draft) []signature {
	var all []signature
	for _, wrong := range []string{`[[["conformance"]]]`, `{"conformance-unknown":{"a":[1]}}`} {
		broken := d.Clone()
		broken.RawBody = []byte(wrong)
		if sig := signatureOf(s.Send(ctx, broken)); refusal(sig) {
			all = append(all, sig)
		}
	}
	return all
}

// exemplary is a request with an example, for a resource that is there, or that it
// creates.
func (s *Session) exemplary(ctx context.Context, op *openapi.Operation, content *openapi.MediaType, example *openapi.Example) *generate.Draft {
	var d *generate.Draft
	if conditional(op) && trailing.FindString(op.Path) != "" && s.maker(op.Path) != nil {
		t := s.mustMake(ctx, op.Path, Own)
		d = s.plain(op, t.values)
		s.condition(ctx, d, t)
	} else {
		d = s.creating(ctx, op)
	}
	d.HasBody, d.Body, d.RawBody, d.ContentType = true, example.Value, nil, content.Type
	return d
}
