// Package schema judges values by the schemas of a document, more strictly than
// servers do: formats are parsed, numbers compared exactly, patterns read as
// ECMA 262, and every fault is reported, with the place in the document of the
// keyword that it breaks.
//
// The judge is a JSON Schema library, for which the document's schemas are written
// anew in JSON Schema 2020-12, at the same pointers: what OpenAPI 3.0 says
// otherwise (nullable, exclusive bounds), and what depends on the direction
// (readOnly, writeOnly). type, enum, const, format and discriminator are judged
// here, as an extension of it: the library stops at the first of them that is
// broken, and knows of no discriminator.
package schema

import (
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// Fault is one way in which a value breaks its schema.
type Fault struct {
	// At is where in the value, RFC 6901: of a property that is missing, its
	// object; of one that must not be there, the property itself.
	At string
	// Clause is the pointer of the keyword in the document, as in
	// [openapi.Clause]. Empty: it is no JSON (Keyword is json then).
	Clause   string
	Keyword  string
	Message  string
	Property string // the name that is missing, or must not be there
	// Advice marks what the document only advises against: a readOnly property
	// in a request, a writeOnly one in an answer. The value is valid nevertheless.
	Advice bool
	// Branches are the faults by each alternative of a union that none keeps.
	Branches [][]Fault
}

// String implements [fmt.Stringer].
func (f Fault) String() string { return fmt.Sprintf("%q: %s (%s)", f.At, f.Message, f.Clause) }

// Set has the schemas of a document, ready to judge by. It is safe for concurrent
// use.
type Set struct {
	doc    *openapi.Document
	places map[string]*openapi.Schema
	// compiled by direction and pointer.
	compiled [2]map[string]*jsonschema.Schema
	patterns map[string]Pattern
	tops     []string       // places that lie in no other, in order
	topOf    map[string]int // the one that a place lies in
	directed bool           // there are readOnly or writeOnly properties
	unjudged []Fault
}

// base is where the library is told that the schemas are, by direction. Each that
// lies in no other is a resource of its own, named by its index: the library
// copies what it knows of a resource for each schema that it finds in one, which
// takes minutes for a large document.
var base = [2]string{"https://document.invalid/request/", "https://document.invalid/answer/"}

// ErrUnknownSchema is the message of a fault of a schema that is none of the
// document's.
var ErrUnknownSchema = errors.New("the schema is none of this document")

// New prepares the schemas that the document's operations use. Errors name the
// file and line of what cannot be understood. A pattern that cannot is no error:
// see [Set.Unjudged].
func New(doc *openapi.Document) (*Set, error) {
	s := &Set{doc: doc, places: doc.Places(), patterns: map[string]Pattern{}, topOf: map[string]int{}}
	pointers := make([]string, 0, len(s.places))
	for ptr, m := range s.places {
		pointers = append(pointers, ptr)
		s.directed = s.directed || m.ReadOnly || m.WriteOnly
	}
	sort.Strings(pointers)
	for _, ptr := range pointers {
		s.place(ptr)
		if m := s.places[ptr]; m.Pointer == ptr {
			s.pattern(m)
		}
	}
	for _, dir := range []openapi.Direction{openapi.Request, openapi.Answer} {
		if err := s.compile(dir, pointers); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// pattern reads the patterns of a schema. One that cannot be read is taken to be
// kept by every text, and noted.
func (s *Set) pattern(m *openapi.Schema) {
	add := func(pattern string, tokens ...string) {
		p, err := CompilePattern(pattern)
		if err != nil {
			s.unjudged = append(s.unjudged, Fault{
				Clause: openapi.Join(m.Pointer, tokens...), Keyword: tokens[0], Message: err.Error(),
			})
			p.source = pattern
		}
		s.patterns[pattern] = p
	}
	if m.Pattern != "" {
		add(m.Pattern, "pattern")
	}
	for _, p := range m.PatternProperties {
		add(p.Name, "patternProperties", p.Name)
	}
}

// Unjudged gives the clauses that cannot be judged, and why: patterns that are no
// regular expressions, or need what the engine does not have. No value is ever
// said to break them.
func (s *Set) Unjudged() []Fault { return s.unjudged }

func (s *Set) compile(dir openapi.Direction, pointers []string) error {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	c.UseRegexpEngine(func(pattern string) (jsonschema.Regexp, error) {
		if p, ok := s.patterns[pattern]; ok {
			return p, nil
		}
		return CompilePattern(pattern)
	})
	root := s.convert(dir)
	for i, top := range s.tops {
		if err := c.AddResource(base[dir]+strconv.Itoa(i), at(root, top)); err != nil {
			return fmt.Errorf("%s: %w", s.doc.Name, err)
		}
	}
	s.compiled[dir] = make(map[string]*jsonschema.Schema, len(pointers))
	for _, ptr := range pointers {
		compiled, err := c.Compile(s.location(dir, ptr))
		if err != nil {
			return fmt.Errorf("%s:%d: the schema cannot be understood: %w", s.doc.Name, s.doc.Position(ptr).Line, err)
		}
		s.compiled[dir][ptr] = compiled
	}
	for _, ptr := range pointers {
		if m := s.places[ptr]; m.Pointer == ptr {
			s.extend(dir, m)
		}
	}
	return nil
}

// nowhere refuses to load what is not in the document.
type nowhere struct{}

func (nowhere) Load(loc string) (any, error) {
	return nil, fmt.Errorf("%s is not in the document", loc)
}

// place finds the schema that a place lies in. Those above it come before.
func (s *Set) place(ptr string) {
	for above := ptr; above != ""; {
		above = above[:strings.LastIndexByte(above, '/')]
		if i, ok := s.topOf[above]; ok {
			s.topOf[ptr] = i
			return
		}
	}
	s.topOf[ptr] = len(s.tops)
	s.tops = append(s.tops, ptr)
}

// location is the URL of a place, in the library's way of writing it.
func (s *Set) location(dir openapi.Direction, ptr string) string {
	i := s.topOf[ptr]
	tokens := strings.Split(ptr[len(s.tops[i]):], "/")
	for i, t := range tokens {
		tokens[i] = url.PathEscape(t)
	}
	return base[dir] + strconv.Itoa(i) + "#" + strings.Join(tokens, "/")
}

// pointer is the pointer of a URL of the library's.
func (s *Set) pointer(location string) string {
	resource, f, _ := strings.Cut(location, "#")
	i, err := strconv.Atoi(resource[strings.LastIndexByte(resource, '/')+1:])
	if err != nil || i >= len(s.tops) {
		return location
	}
	if p, err := url.PathUnescape(f); err == nil {
		f = p
	}
	return s.tops[i] + f
}

// Validate judges the bytes of a JSON value: first that they are JSON, and
// nothing doubtful ([StrictJSON]), then by the schema. It gives all faults, in the
// order of where they are; none if the value is valid.
func (s *Set) Validate(m *openapi.Schema, dir openapi.Direction, raw []byte) []Fault {
	value, err := Parse(raw)
	if err != nil {
		return []Fault{{Keyword: "json", Message: err.Error()}}
	}
	return s.ValidateValue(m, dir, value)
}

// ValidateValue judges a decoded JSON value. A nil schema allows any.
func (s *Set) ValidateValue(m *openapi.Schema, dir openapi.Direction, value any) []Fault {
	if m == nil {
		return nil
	}
	value = plain(value)
	faults := s.check(m, dir, value)
	if s.directed {
		faults = append(faults, s.advice(m, dir, value)...)
	}
	sort.SliceStable(faults, func(i, j int) bool {
		if faults[i].At != faults[j].At {
			return faults[i].At < faults[j].At
		}
		return faults[i].Clause < faults[j].Clause
	})
	return faults
}

func (s *Set) check(m *openapi.Schema, dir openapi.Direction, value any) []Fault {
	compiled := s.compiled[dir][m.Pointer]
	if compiled == nil {
		if _, ok := s.places[m.Pointer]; !ok && m.Node() != nil {
			return nil // a media type without a schema: any value
		}
		return []Fault{{Clause: m.Pointer, Message: ErrUnknownSchema.Error()}}
	}
	err := compiled.Validate(value)
	if err == nil {
		return nil
	}
	var failure *jsonschema.ValidationError
	if !errors.As(err, &failure) {
		return []Fault{{Clause: m.Pointer, Message: err.Error()}}
	}
	return s.faults(failure, nil)
}

// valid says whether a value keeps a schema.
func (s *Set) valid(m *openapi.Schema, dir openapi.Direction, value any) bool {
	compiled := s.compiled[dir][m.Pointer]
	return compiled == nil || compiled.Validate(value) == nil
}

// Broken says whether the clause is among the faults, or among those of
// alternatives of unions, if deep.
func Broken(faults []Fault, clause string, deep bool) bool {
	for _, f := range faults {
		if f.Clause == clause {
			return true
		}
		if !deep {
			continue
		}
		for _, b := range f.Branches {
			if Broken(b, clause, true) {
				return true
			}
		}
	}
	return false
}

// Valid says whether there is no fault but advice.
func Valid(faults []Fault) bool {
	for _, f := range faults {
		if !f.Advice {
			return false
		}
	}
	return true
}
