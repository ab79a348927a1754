// Package generate makes values and requests out of a document alone: those that
// keep it, and those that break exactly one clause of it.
//
// Everything is made from a seed: the same seed gives the same values in the same
// order, whatever the number of workers. Values that must differ from run to run
// (e-mail addresses, ids) get that from [Source.Unique], and from nothing else.
package generate

import "cryptoexchange.com/escrow/conformance/internal/openapi"

// Side says what a variant does to its clause.
type Side int

// Sides.
const (
	// Keeps: the value is valid, and lies on the near side of the clause's bound
	// where it has one.
	Keeps Side = iota
	// Breaks: the value is invalid, and breaks this clause and no other.
	Breaks
)

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
}

// Source makes values. It is safe for concurrent use if each goroutine has its own.
type Source struct {
	Doc    *openapi.Document
	Seed   uint64
	Unique func() string // lower-case letters and digits, never twice
}
