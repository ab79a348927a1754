// Package checker tells quickly that a JSON document keeps a schema.
//
// It compiles a schema of kin-openapi (OpenAPI 3.0) into a checker that reads
// the bytes of a document once, without decoding them. A checker has two
// answers: valid, and don't know. The authority stays with kin-openapi, which
// judges whatever a checker does not know:
//
//	if !c.Valid(body) {
//		// strictjson.Decode, then schema.VisitJSON: only they find fault
//	}
//
// # Why it is sound
//
// Valid is true only where [strictjson.Decode] accepts the bytes and
// kin-openapi, with the same string formats and no direction, accepts the value
// that it makes of them. That holds because
//
//   - every byte is read by the rules of the strict reader: its grammar, UTF-8,
//     surrogates, NUL, names given twice, depth, members and numbers;
//   - each kind of value passes those keywords of the schema that kin-openapi
//     looks at for that kind, and no keyword is passed over: what this package
//     has no code for makes that kind of value, or the whole schema, unknown;
//   - nothing is concluded from an answer that is not valid. So oneOf needs
//     alternatives that cannot both hold, by the kinds of value they take or by a
//     discriminator; not is unknown.
//
// The proof of it is the campaign in this package's tests: whatever a checker
// says is valid is put to both of them, over the schemas of the contract and
// over some that are made for it.
//
// # What it knows
//
// Types, nullable, enum of scalars, lengths in code points (which is what
// kin-openapi counts), patterns, formats, bounds, multipleOf, items and
// properties with their numbers, required, additionalProperties, allOf, anyOf,
// oneOf and discriminator, in schemas that may refer to themselves.
//
// Patterns run on an automaton that is built from Go's own program for them,
// where that is small enough, and on package regexp elsewhere. A few formats have
// a short way over bytes for their most ordinary texts (see quick); all other
// texts go to the format's callback.
//
// # What it does not know
//
//   - not, uniqueItems, enum with arrays or objects, keywords of OpenAPI 3.1
//   - names with escapes; more than 32 undeclared names in one document at a time
//   - numbers with an exponent or more than 15 digits, negative zero, and whole
//     numbers that are written with a fraction
//   - oneOf whose alternatives are told apart by anything but kinds of value or
//     a discriminator's mapping
//   - schemas that are a part of themselves, and documents that must be read over
//     and over for the parts of a schema (see state.again)
//
// The global formats of kin-openapi are those at the time of the first Valid, and its
// patterns are taken to be compiled by package regexp, as they are by default.
package checker

import (
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// Formats are the callbacks that kin-openapi is given with
// WithStringFormatValidators. They must be safe for concurrent use.
type Formats map[string]func(string) error

// Checker checks documents against one schema. It is safe for concurrent use.
type Checker struct {
	root func() *node
}

// Compile makes the checker of a schema. It never fails: what it does not
// understand, the checker does not know. The schema must not change afterwards,
// for it is read when the checker is first asked: few of those that are made for a
// whole contract are needed soon.
func Compile(s *openapi3.Schema, f Formats) *Checker {
	return &Checker{root: sync.OnceValue(func() *node {
		c := compiler{formats: f, nodes: make(map[*openapi3.Schema]*node)}
		root := c.schema(s)
		c.breakCycles()
		return root
	})}
}

// Valid tells that document is one JSON document that keeps the schema. If it is
// false, nothing is known.
func (c *Checker) Valid(document []byte) bool {
	s := state{doc: document}
	s.pos = skipSpace(document, 0)
	return c.root().check(&s) && skipSpace(document, s.pos) == len(document)
}

// maxUndeclared is how many undeclared names are remembered, to find those that
// are given twice.
const maxUndeclared = 32

// state is where a checker is in a document.
type state struct {
	doc   []byte
	pos   int // of the value to be checked; after a check that is true, behind it
	depth int
	// again is how many bytes were read more than once, for the parts of a schema.
	// Its bound keeps schemas with parts in parts from reading exponentially often.
	again int
	// undeclared has the names of the objects around pos that are not in their
	// schemas.
	undeclared [maxUndeclared]struct{ start, end int }
	names      int
}

// afford tells whether a document may be read once more, from start to pos.
func (s *state) afford(start int) bool {
	const most = 8 // times
	s.again += s.pos - start + 1
	return s.again <= most*(len(s.doc)+most)
}

// enter goes one array or object deeper, if that is not too deep.
func (s *state) enter() bool {
	s.depth++
	return s.depth <= strictjson.MaxDepth
}

func skipSpace(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\n' || doc[i] == '\t' || doc[i] == '\r') {
		i++
	}
	return i
}
