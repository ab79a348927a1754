package check

import (
	"slices"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Mark is what was done about a clause.
type Mark int

// Marks, of which a clause may have several.
const (
	// SentValid: a request was sent that keeps it, on its near side where it has a
	// bound, and its answer judged.
	SentValid Mark = 1 << iota
	// SentInvalid: a request was sent that breaks it and nothing else, and its
	// answer judged.
	SentInvalid
	// Observed: an answer was seen to which it applies.
	Observed
	// Judged: the server was seen to keep or to break it, by a check that can fail.
	Judged
)

// Coverage is what was done about each clause of the document.
type Coverage struct {
	Clauses []openapi.Clause

	mu      sync.Mutex
	marks   map[string]Mark        // by pointer; guarded by mu, as are the others
	reasons map[string]string      // why a clause is not judged
	seen    map[string]map[int]int // statuses by operation
}

func newCoverage(doc *openapi.Document) *Coverage {
	return &Coverage{Clauses: doc.Clauses(), marks: map[string]Mark{}, reasons: map[string]string{}, seen: map[string]map[int]int{}}
}

// Mark notes what was done about a clause.
func (c *Coverage) Mark(pointer string, m Mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marks[pointer] |= m
}

// Side notes that a variant was sent and its answer judged.
func (c *Coverage) Side(pointer string, side generate.Side) {
	m := SentValid
	if side == generate.Breaks {
		m = SentInvalid | Judged
	}
	c.Mark(pointer, m)
}

// Because notes why a clause cannot be judged.
func (c *Coverage) Because(pointer, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reasons[pointer] = reason
}

// Of gives what was done about a clause, and why it is not judged.
func (c *Coverage) Of(pointer string) (Mark, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.marks[pointer], c.reasons[pointer]
}

// Statuses gives how often each status was seen of an operation, by its ID.
func (c *Coverage) Statuses(id string) map[int]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[int]int, len(c.seen[id]))
	for status, n := range c.seen[id] {
		all[status] = n
	}
	return all
}

// count notes the status of an answer.
func (r *Runner) count(op *openapi.Operation, ex *wire.Exchange) {
	r.mu.Lock()
	r.requests++
	r.mu.Unlock()
	if op == nil || ex.Response == nil {
		return
	}
	c := r.Coverage
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[op.ID] == nil {
		c.seen[op.ID] = map[int]int{}
	}
	c.seen[op.ID][ex.Response.Status]++
}

// Why says why a clause is not judged, as far as the run can tell.
func (r *Runner) Why(clause openapi.Clause) string {
	for _, op := range slices.Concat(clause.Requests, clause.Answers) {
		if _, ok := r.Alternative(op, Own); !ok {
			return "no credential for " + op.ID
		}
	}
	if reason := r.skippedFor(clause.Pointer); reason != "" {
		return reason
	}
	marks, _ := r.Coverage.Of(clause.Pointer)
	switch {
	case marks&Observed != 0:
		return "it was seen, but nothing that it could be held to"
	case len(clause.Answers) > 0 && len(clause.Requests) == 0:
		return "no answer was seen to which it applies"
	case marks&(SentValid|SentInvalid) != 0:
		return "what was sent was answered in a way that tells nothing"
	default:
		return "no request was made for it"
	}
}

// skippedFor is why a probe that would have judged a clause could not; empty: none
// was skipped. It reads what was skipped where it is: a document can have thousands
// of clauses and of probes, too many for a copy of the one for each of the other.
func (r *Runner) skippedFor(pointer string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.ran {
		if reason := r.skipped[r.ran[i].Name]; reason != "" && slices.Contains(r.ran[i].Clauses, pointer) {
			return reason
		}
	}
	return ""
}
