package check

import (
	"maps"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Handover is what a run has come to know of a server, for another run against
// the same one: credentials that it obtained, who it plays, and resources that
// are there. It has nothing of what was found, or learned of how the server refuses.
type Handover struct {
	values   map[string]string
	acquired map[string]bool
	persona  map[string]any
	known    map[string][]map[string]any
	creators map[string]string // IDs of operations
}

// Handover gives what the run knows by now.
func (r *Runner) Handover() *Handover {
	h := &Handover{values: r.own.snapshot(), known: map[string][]map[string]any{}, creators: map[string]string{}}
	r.own.mu.Lock()
	h.acquired = maps.Clone(r.own.acquired)
	r.own.mu.Unlock()
	p := r.fixtures.persona
	p.mu.Lock()
	h.persona = maps.Clone(p.values)
	p.mu.Unlock()
	r.fixtures.mu.Lock()
	defer r.fixtures.mu.Unlock()
	for resource, known := range r.fixtures.known {
		h.known[resource] = slices.Clone(known)
	}
	for resource, op := range r.fixtures.creators {
		h.creators[resource] = op.ID
	}
	return h
}

// Judge says what is wrong with an answer, whoever asked for it. It does not count
// as a finding of the run.
func (r *Runner) Judge(op *openapi.Operation, ex *wire.Exchange) []finding.Finding {
	found := r.judge(op, ex)
	for i := range found {
		r.complete(&found[i])
	}
	return found
}

// take begins with what another run knew. Credentials that were given stay.
func (r *Runner) take(h *Handover) {
	if h == nil {
		return
	}
	r.own.acquired, r.own.hopeless = map[string]bool{}, map[string]bool{}
	for scheme, value := range h.values {
		if r.own.values[scheme] == "" {
			r.own.values[scheme], r.own.acquired[scheme] = value, h.acquired[scheme]
		}
	}
	if h.persona != nil {
		r.fixtures.persona.values = maps.Clone(h.persona)
	}
	for resource, known := range h.known {
		r.fixtures.known[resource] = slices.Clone(known)
	}
	for resource, id := range h.creators {
		for _, op := range r.Document.Operations {
			if op.ID == id {
				r.fixtures.creators[resource] = op
			}
		}
	}
}

// count notes an answer, and tells who listens.
func (s *Session) count(op *openapi.Operation, ex *wire.Exchange) {
	s.Runner.count(op, ex)
	if s.Exchanged != nil && s.probe != nil {
		s.Exchanged(s.probe, op, ex)
	}
}
