package checker

import "cryptoexchange.com/escrow/impl/internal/strictjson"

// array has what is asked of an array.
type array struct {
	minItems int
	maxItems int // negative if there is none
	items    *node
}

func (a *array) check(s *state) bool {
	if !s.enter() {
		return false
	}
	doc, count := s.doc, 0
	for i := skipSpace(doc, s.pos+1); ; i++ {
		if count == 0 && i < len(doc) && doc[i] == ']' {
			s.pos = i
			break
		}
		if count == strictjson.MaxMembers {
			return false
		}
		s.pos = skipSpace(doc, i)
		if !a.items.check(s) {
			return false
		}
		count++
		i = skipSpace(doc, s.pos)
		if i == len(doc) || doc[i] != ',' && doc[i] != ']' {
			return false
		}
		if doc[i] == ']' {
			s.pos = i
			break
		}
	}
	s.pos++
	s.depth--
	return count >= a.minItems && (a.maxItems < 0 || count <= a.maxItems)
}
