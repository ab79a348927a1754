package checker

import (
	"bytes"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// object has what is asked of an object.
type object struct {
	properties    names
	required      nameSet
	additional    *node // nil if there must be none, or if nothing is known of them
	minProperties int
	maxProperties int // negative if there is none
}

// nameSet is a set of places in a list of names.
type nameSet [4]uint64

// maxNames is how many names a schema may have: no document has more.
const maxNames = 4 * 64

// add tells whether a place was not in the set.
func (n *nameSet) add(place uint) bool {
	word, bit := &n[place/64%4], uint64(1)<<(place%64)
	added := *word&bit == 0
	*word |= bit
	return added
}

func (n *nameSet) has(all *nameSet) bool {
	for i := range n {
		if n[i]&all[i] != all[i] {
			return false
		}
	}
	return true
}

func (o *object) check(s *state) bool {
	if !s.enter() {
		return false
	}
	var seen nameSet
	doc, count, base := s.doc, 0, s.names
	for i := skipSpace(doc, s.pos+1); ; i++ {
		if count == 0 && i < len(doc) && doc[i] == '}' {
			s.pos = i
			break
		}
		if count == strictjson.MaxMembers || !o.member(s, skipSpace(doc, i), base, &seen) {
			return false
		}
		count++
		i = skipSpace(doc, s.pos)
		if i == len(doc) || doc[i] != ',' && doc[i] != '}' {
			return false
		}
		if doc[i] == '}' {
			s.pos = i
			break
		}
	}
	s.pos++
	s.depth--
	s.names = base
	return seen.has(&o.required) && count >= o.minProperties && (o.maxProperties < 0 || count <= o.maxProperties)
}

// member reads a name and its value. base is where the undeclared names of the
// object begin.
func (o *object) member(s *state, at, base int, seen *nameSet) bool {
	doc := s.doc
	if at >= len(doc) || doc[at] != '"' {
		return false
	}
	start := at + 1
	length := bytes.IndexByte(doc[start:], '"')
	if length < 0 {
		return false
	}
	value := o.additional
	if p := o.properties.find(doc[start : start+length]); p != nil {
		if !seen.add(p.place) {
			return false
		}
		value = p.node
	} else if !s.undeclare(at, base) {
		return false
	}
	i := start + length + 1
	if i < len(doc) && doc[i] != ':' {
		i = skipSpace(doc, i)
	}
	if i >= len(doc) || doc[i] != ':' || value == nil {
		return false
	}
	s.pos = skipSpace(doc, i+1)
	return value.check(s)
}

// undeclare notes the undeclared name whose quote is at a place, and tells
// whether it is one that can be noted and that the object did not have before.
func (s *state) undeclare(quote, base int) bool {
	r := readString(s.doc, quote)
	if r.end < 0 || r.escaped || s.names == len(s.undeclared) {
		return false
	}
	start, end := quote+1, r.end-1
	for _, other := range s.undeclared[base:s.names] {
		if bytes.Equal(s.doc[other.start:other.end], s.doc[start:end]) {
			return false
		}
	}
	s.undeclared[s.names].start, s.undeclared[s.names].end = start, end
	s.names++
	return true
}
