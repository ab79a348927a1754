package generate

import (
	"slices"
	"strings"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// sets are those of the documents that were used last, for sources that were not
// given one: to prepare one takes longer than to use it.
var sets struct {
	sync.Mutex
	list []prepared
}

type prepared struct {
	doc *openapi.Document
	set *schema.Set
	err error
}

const maxSets = 8

func setOf(doc *openapi.Document) (*schema.Set, error) {
	sets.Lock()
	defer sets.Unlock()
	for _, p := range sets.list {
		if p.doc == doc {
			return p.set, p.err
		}
	}
	set, err := schema.New(doc)
	if len(sets.list) >= maxSets {
		sets.list = slices.Delete(sets.list, 0, 1)
	}
	sets.list = append(sets.list, prepared{doc, set, err})
	return set, err
}

// faults are what a value breaks of a schema. Of a document that cannot be judged
// by, no value is valid.
func (s *Source) faults(m *openapi.Schema, value any, dir openapi.Direction) []schema.Fault {
	if m.Node() == nil { // made here, to narrow a type
		if m.Allows(kindOf(value)) {
			return nil
		}
		return []schema.Fault{{Keyword: "type", Clause: "/type"}}
	}
	if s.Set == nil {
		set, err := setOf(s.Doc)
		if err != nil {
			return []schema.Fault{{Clause: m.Pointer, Message: err.Error()}}
		}
		s.Set = set
	}
	return s.Set.ValidateValue(m, dir, value)
}

// judge tells why the faults of a value are not what was meant; empty: they are.
func (r *recipe) judge(faults []schema.Fault) string {
	if r.side != Breaks {
		if len(faults) > 0 {
			return "it would break " + clauses(faults)
		}
		return ""
	}
	if len(faults) == 0 {
		return "it would break nothing"
	}
	hit, only := r.covers(faults)
	if !hit || !only {
		return "it would break " + clauses(faults)
	}
	return ""
}

// covers tells whether a fault is of what is claimed, and whether there are none
// of anything else. A union that no alternative keeps is broken by what breaks an
// alternative in nothing else.
func (r *recipe) covers(faults []schema.Fault) (hit, only bool) {
	only = true
	for _, f := range faults {
		switch {
		case matchesAny(r.claims, f.Clause):
			hit = true
		case slices.ContainsFunc(f.Branches, func(branch []schema.Fault) bool {
			h, o := r.covers(branch)
			return h && o
		}):
			hit = true
		case matchesAny(r.also, f.Clause):
		default:
			only = false
		}
	}
	return hit, only
}

// clause is the one that a variant is said to be of.
func (r *recipe) clause(faults []schema.Fault) string {
	if !r.actual {
		return r.claims[0]
	}
	for _, f := range faults {
		if matchesAny(r.claims, f.Clause) {
			return f.Clause
		}
	}
	return r.claims[0]
}

func clauses(faults []schema.Fault) string {
	var list []string
	for _, f := range faults {
		if !slices.Contains(list, f.Clause) {
			list = append(list, f.Clause)
		}
	}
	return strings.Join(list, ", ")
}
