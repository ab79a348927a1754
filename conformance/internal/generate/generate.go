// Package generate makes values and requests out of a document alone: those that
// keep it, and those that break exactly one clause of it.
//
// Everything is made from a seed: the same seed gives the same values in the same
// order, whatever the number of workers. Values that must differ from run to run
// (e-mail addresses, ids) get that from [Source.Unique], and from nothing else.
//
// # How a variant is made
//
// A recipe (recipe.go, and one file for each kind of value) names a clause, a place
// in the value, and a change to be made there. It is applied to a valid value in
// which the place exists: optional properties on the way to it are present, and
// the alternatives of unions are those that lead to it. What comes out is judged
// by package schema: what was to keep the document must have no fault, and what
// was to break one clause must have exactly that one fault. Everything else is
// dropped, so no recipe has to be clever about keywords that depend on each other.
//
// # Text
//
// Parameters are text, in which much is lost: the number 1 and the string "1" are
// the same. A case of a parameter is therefore written, read back as a server
// would read it ([Source.Encode], decode.go), and judged after that.
package generate

import (
	"math/rand/v2"
	"strconv"
	"sync/atomic"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// Side says what a variant does to its clause.
type Side int

// Sides.
const (
	// Keeps: the value is valid, and lies on the near side of the clause's bound
	// where it has one.
	Keeps Side = iota
	// Breaks: the value is invalid, and breaks this clause and no other.
	Breaks
	// Either: the document does not say whether it is valid. The answer must be
	// one that is documented, and not 5xx.
	Either
)

// String implements [fmt.Stringer].
func (s Side) String() string { return [...]string{"keeps", "breaks", "either"}[s] }

// Variant is a value made for one clause.
type Variant struct {
	Clause  string // pointer of the keyword, as in openapi.Clause
	Keyword string
	Side    Side
	// Class of the catalogue that is seen if the server answers wrongly, e.g. E1.
	Class string
	// At is where in the value the clause was aimed at: RFC 6901, "" the whole.
	At string
	// Value is decoded JSON, with json.Number for numbers; Raw, if not nil, is the
	// JSON text to be sent instead, for what no decoded value can say.
	Value any
	Raw   []byte
	Why   string // what is special, for people: "256 code points, one more than maxLength"
	// Label tells variants of one clause, place and side apart, in lower-case words
	// joined by hyphens. It is empty where there is but one.
	Label string
	// Spare marks a variant that is worth sending only where the others of its clause
	// and place leave open whether the clause is kept.
	Spare bool
}

// Mode says how much of a value is there.
type Mode int

// Modes.
const (
	// Full: every optional property is there.
	Full Mode = iota
	// Typical: what the example has; where there is none, every optional property.
	Typical
	// Minimal: what is required, and nothing else.
	Minimal
)

// Source makes values. It is safe for concurrent use if each goroutine has its own.
type Source struct {
	Doc    *openapi.Document
	Seed   uint64
	Unique func() string // lower-case letters and digits, never twice; nil: numbers from 1
	// Set judges what is made. Nil: one is prepared for the document, which takes
	// much longer than to share one.
	Set *schema.Set

	// Stop tells that no more cases are wanted: those that are made then are not all.
	// Nil: never.
	Stop func() bool

	made atomic.Uint64
}

// unique gives a string that was not given before.
func (s *Source) unique() string {
	if s.Unique != nil {
		return s.Unique()
	}
	return "u" + strconv.FormatUint(s.made.Add(1), 36)
}

// random gives a generator that depends on the seed and the words alone.
func (s *Source) random(words ...string) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, hash(words...))) //nolint:gosec // test data is to be foreseeable
}

// hash is FNV-1a of some words.
func hash(words ...string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, w := range words {
		for i := range len(w) {
			h = (h ^ uint64(w[i])) * prime
		}
		h *= prime // a NUL between words
	}
	return h
}
