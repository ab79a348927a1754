package checker

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// union is a oneOf or an anyOf.
type union struct {
	// tag is the discriminator's property; empty if there is none.
	tag string
	// tagged has the alternative of each value of the tag, where the discriminator
	// maps them.
	tagged map[string]*node
	// byKind has, for each kind of value, alternatives of which one that holds is
	// enough.
	byKind [kindCount][]*node
}

// parts compiles what a value must keep besides the schema's own keywords.
func (c *compiler) parts(n *node, s *openapi3.Schema) {
	if len(s.OneOf) > 0 {
		n.parts = append(n.parts, part{union: c.union(s, s.OneOf, true)})
	}
	if len(s.AnyOf) > 0 {
		n.parts = append(n.parts, part{union: c.union(s, s.AnyOf, false)})
	}
	for _, ref := range s.AllOf {
		n.parts = append(n.parts, part{node: c.ref(ref)})
	}
}

func (c *compiler) union(s *openapi3.Schema, alternatives openapi3.SchemaRefs, one bool) *union {
	u := &union{}
	for _, ref := range alternatives {
		if ref == nil || ref.Value == nil {
			return u // which is an error of kin-openapi, unless it finds another one before
		}
	}
	for kind := kindNull; kind <= kindObject; kind <<= 1 {
		var may []*node
		for _, ref := range alternatives {
			if kindsOf(ref, nil)&kind != 0 {
				may = append(may, c.schema(ref.Value))
			}
		}
		// Of one alternative, more than one may not hold.
		if !one || len(may) == 1 {
			u.byKind[kind.index()] = may
		}
	}
	if s.Discriminator != nil {
		u.tag = s.Discriminator.PropertyName
		u.tagged = c.tagged(s.Discriminator, alternatives, one)
		if len(s.Discriminator.Mapping) > 0 {
			u.byKind[kindObject.index()] = nil
		}
		if u.tag == "" || !isPlain(u.tag) {
			return &union{}
		}
	}
	return u
}

// tagged finds the alternative of each value of a discriminator: the one with the
// reference that it maps the value to.
func (c *compiler) tagged(d *openapi3.Discriminator, alternatives openapi3.SchemaRefs, one bool) map[string]*node {
	tagged := make(map[string]*node, len(d.Mapping))
	for value, mapped := range d.Mapping {
		reference := mapped.Ref
		if reference != "" && !strings.Contains(reference, "/") {
			reference = "#/components/schemas/" + reference
		}
		var found []*node
		for _, ref := range alternatives {
			if reference != "" && ref.Ref == reference {
				found = append(found, c.schema(ref.Value))
			}
		}
		if len(found) == 1 || len(found) > 1 && !one {
			tagged[value] = found[0]
		}
	}
	return tagged
}

func (u *union) check(s *state) bool {
	kind := kindOf(s.doc, s.pos)
	if kind == 0 {
		return false
	}
	if kind == kindObject && u.tag != "" {
		start := s.pos
		value := s.findTag(u.tag)
		if !s.afford(start) || value == nil {
			return false
		}
		s.pos = start
		if n := u.tagged[string(value)]; n != nil {
			return n.check(s)
		}
	}
	start, depth, names := s.pos, s.depth, s.names
	for _, n := range u.byKind[kind.index()] {
		if n.check(s) {
			return true
		}
		if !s.afford(start) {
			return false
		}
		s.pos, s.depth, s.names = start, depth, names
	}
	return false
}

// findTag finds the value of a property in the object at the state's place, if
// it is a string without escapes. It is the only one of its name, or the object
// fails later.
func (s *state) findTag(name string) []byte {
	for {
		quote := skipSpace(s.doc, s.pos+1) // behind the brace or the comma
		if kindOf(s.doc, quote) != kindString {
			return nil
		}
		r := readString(s.doc, quote)
		if r.end < 0 || r.escaped {
			return nil
		}
		colon := skipSpace(s.doc, r.end)
		if colon >= len(s.doc) || s.doc[colon] != ':' {
			return nil
		}
		s.pos = skipSpace(s.doc, colon+1)
		start := s.pos
		if !anything.check(s) {
			return nil
		}
		if string(s.doc[quote+1:r.end-1]) == name {
			return tagValue(s.doc[start:s.pos])
		}
		s.pos = skipSpace(s.doc, s.pos)
		if s.pos >= len(s.doc) || s.doc[s.pos] != ',' {
			return nil
		}
	}
}

func tagValue(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' || bytes.IndexByte(value, '\\') >= 0 {
		return nil
	}
	return value[1 : len(value)-1]
}

// kindsOf has all kinds of values that kin-openapi may accept for a schema, and
// perhaps more. within has the schemas of which it is a part.
func kindsOf(ref *openapi3.SchemaRef, within []*openapi3.Schema) kinds {
	if ref == nil || ref.Value == nil || ref.Value.Always != nil || len(within) > maxParts || slices.Contains(within, ref.Value) {
		return kindsAll
	}
	s := ref.Value
	within = append(within, s)
	parts, hasParts := kindsAll, false
	for _, union := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		var may kinds
		for _, ref := range union {
			may |= kindsOf(ref, within)
		}
		if len(union) > 0 {
			parts, hasParts = parts&may, true
		}
	}
	for _, ref := range s.AllOf {
		parts, hasParts = parts&kindsOf(ref, within), true
	}
	k := parts & typesOf(s)
	if s.Nullable || s.Type.IncludesNull() {
		k |= kindNull
	}
	if hasParts {
		k |= parts & kindNull
	}
	return k
}

// maxParts is how deep schemas are looked into for the kinds that they accept.
const maxParts = 8

// breakCycles makes those nodes unknown that are a part of themselves.
// kin-openapi takes such a part for kept.
func (c *compiler) breakCycles() {
	const visiting, done = 1, 2
	seen := make(map[*node]int, len(c.order))
	var visit func(n *node)
	visit = func(n *node) {
		if seen[n] == visiting {
			*n = node{}
		}
		if seen[n] != 0 {
			return
		}
		seen[n] = visiting
		for _, p := range n.parts {
			for _, other := range p.nodes() {
				visit(other)
			}
		}
		seen[n] = done
	}
	for _, n := range c.order {
		visit(n)
	}
}

// nodes has the alternatives.
func (u *union) nodes() []*node {
	var nodes []*node
	for _, alternatives := range u.byKind {
		nodes = append(nodes, alternatives...)
	}
	for _, value := range slices.Sorted(maps.Keys(u.tagged)) {
		nodes = append(nodes, u.tagged[value])
	}
	return nodes
}
