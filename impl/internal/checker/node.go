package checker

import (
	"bytes"
	"math/bits"
)

// kinds is a set of kinds of JSON values.
type kinds uint8

const (
	kindNull kinds = 1 << iota
	kindBoolean
	kindNumber
	kindString
	kindArray
	kindObject

	kindsAll     = kindNull | kindsButNull
	kindsButNull = kindBoolean | kindNumber | kindString | kindArray | kindObject
)

// kindCount is how many kinds there are.
const kindCount = 6

// index is the place of a single kind in a list of kinds.
func (k kinds) index() int { return bits.TrailingZeros8(uint8(k)) }

// kindOf tells the kind of a value by its first byte; no kind if none starts so.
func kindOf(doc []byte, at int) kinds {
	if at >= len(doc) {
		return 0
	}
	switch doc[at] {
	case 'n':
		return kindNull
	case 't', 'f':
		return kindBoolean
	case '"':
		return kindString
	case '[':
		return kindArray
	case '{':
		return kindObject
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return kindNumber
	default:
		return 0
	}
}

// node is a compiled schema. One that is zero knows nothing.
type node struct {
	// takes has the kinds that the schema's own keywords may accept. Null is among
	// them if the schema is nullable: then nothing else is asked.
	takes kinds
	// plain has the kinds of which the schema's own keywords accept every value.
	plain   kinds
	boolean *boolean
	number  *number
	text    *text
	array   *array
	object  *object
	parts   []part // oneOf, anyOf and the schemas of allOf; empty for most
}

// part is a thing of its own that a value must keep too: a union or a schema. It
// is no interface, so that the state need not be on the heap.
type part struct {
	union *union
	node  *node // if it is no union
}

func (p part) check(s *state) bool {
	if p.union != nil {
		return p.union.check(s)
	}
	return p.node.check(s)
}

// nodes has those nodes that see the value itself.
func (p part) nodes() []*node {
	if p.union != nil {
		return p.union.nodes()
	}
	return []*node{p.node}
}

// check reads the value at the state's place.
func (n *node) check(s *state) bool {
	kind := kindOf(s.doc, s.pos)
	if len(n.parts) > 0 {
		return n.checkParts(s, kind)
	}
	return n.own(s, kind)
}

// own reads a value by the schema's own keywords.
func (n *node) own(s *state, kind kinds) bool {
	if n.takes&kind == 0 {
		return false
	}
	switch kind {
	case kindString:
		return n.text.check(s)
	case kindNumber:
		return n.number.check(s)
	case kindNull:
		return s.literal("null")
	case kindBoolean:
		return n.boolean.check(s)
	case kindArray:
		return n.array.check(s)
	default:
		return n.object.check(s)
	}
}

// checkParts reads a value once for each part, then for the schema's own
// keywords. Those do not see null, if it passes the parts.
func (n *node) checkParts(s *state, kind kinds) bool {
	if kind == kindNull && n.takes&kindNull != 0 {
		return s.literal("null")
	}
	start := s.pos
	for i, p := range n.parts {
		if i > 0 && !s.afford(start) {
			return false
		}
		s.pos = start
		if !p.check(s) {
			return false
		}
	}
	if kind == kindNull || n.plain&kind != 0 {
		return true
	}
	if !s.afford(start) {
		return false
	}
	s.pos = start
	return n.own(s, kind)
}

// boolean has what is asked of a boolean.
type boolean struct {
	yes, no bool // whether true and false are accepted
}

func (b *boolean) check(s *state) bool {
	if s.doc[s.pos] == 't' {
		return b.yes && s.literal("true")
	}
	return b.no && s.literal("false")
}

func (s *state) literal(word string) bool {
	if !bytes.HasPrefix(s.doc[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}
