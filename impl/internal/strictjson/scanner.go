package strictjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scan reads a document that is UTF-8. It is ok only where the other reader
// finds no fault.
func scan(text string) (value any, ok bool) {
	s := scanner{text: text}
	value, ok = s.value(0)
	s.space()
	return value, ok && s.pos == len(text)
}

type scanner struct {
	text string
	pos  int
}

// space skips white space.
func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next skips white space and one byte, which it tells; 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.pos == len(s.text) {
		return 0
	}
	s.pos++
	return s.text[s.pos-1]
}

// value reads a value with so many arrays and objects around it.
func (s *scanner) value(depth int) (value any, ok bool) {
	switch c := s.next(); c {
	case '"':
		return s.str()
	case '{':
		return s.object(depth + 1)
	case '[':
		return s.array(depth + 1)
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return nil, s.word("null")
	default:
		if c == '-' || c-'0' <= 9 {
			s.pos--
			return s.number()
		}
		return nil, false
	}
}

// word reads a word, whose first letter has been read.
func (s *scanner) word(w string) bool {
	s.pos--
	if !strings.HasPrefix(s.text[s.pos:], w) {
		return false
	}
	s.pos += len(w)
	return true
}

func (s *scanner) object(depth int) (any, bool) {
	if depth > MaxDepth {
		return nil, false
	}
	object := make(map[string]any)
	c := s.next()
	if c == '}' {
		return object, true
	}
	for range MaxMembers {
		if c != '"' {
			return nil, false
		}
		name, ok := s.str()
		if !ok || s.next() != ':' {
			return nil, false
		}
		value, ok := s.value(depth)
		if !ok {
			return nil, false
		}
		before := len(object)
		object[name] = value
		if len(object) == before {
			return nil, false // the name is repeated
		}
		switch s.next() {
		case '}':
			return object, true
		case ',':
			c = s.next()
		default:
			return nil, false
		}
	}
	return nil, false
}

func (s *scanner) array(depth int) (any, bool) {
	if depth > MaxDepth {
		return nil, false
	}
	s.space()
	if s.at(']') {
		s.pos++
		return []any{}, true
	}
	array := make([]any, 0, 4)
	for range MaxMembers {
		value, ok := s.value(depth)
		if !ok {
			return nil, false
		}
		array = append(array, value)
		switch s.next() {
		case ']':
			return array, true
		case ',':
		default:
			return nil, false
		}
	}
	return nil, false
}

// number reads a number, in the only way in which RFC 8259 writes one.
func (s *scanner) number() (any, bool) {
	start := s.pos
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return nil, false
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return nil, false
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		if !s.digits() {
			return nil, false
		}
	}
	n, ok := canonical(s.text[start:s.pos])
	return n, ok
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos]-'0' <= 9 {
		s.pos++
	}
	return s.pos > start
}

// str reads the rest of a string, after its opening quotation mark.
func (s *scanner) str() (string, bool) {
	start := s.pos
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start : s.pos-1], true
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// escapes are the characters that are escaped by one letter.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads the rest of a string, from its first escape.
func (s *scanner) escaped(start int) (string, bool) {
	b := append(make([]byte, 0, 2*(s.pos-start)+32), s.text[start:s.pos]...)
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.pos++
		switch {
		case c == '"':
			return string(b), true
		case c < ' ':
			return "", false
		case c != '\\':
			b = append(b, c)
		case s.at('u'):
			r, ok := s.unicode()
			if !ok {
				return "", false
			}
			b = utf8.AppendRune(b, r)
		case s.pos < len(s.text) && escapes[s.text[s.pos]] != 0:
			b = append(b, escapes[s.text[s.pos]])
			s.pos++
		default:
			return "", false
		}
	}
	return "", false
}

// unicode reads one character that is escaped by its number, or by those of two
// surrogates.
func (s *scanner) unicode() (rune, bool) {
	r, ok := s.hex()
	if !ok || r == 0 {
		return 0, false
	}
	if !utf16.IsSurrogate(r) {
		return r, true
	}
	if !s.at('\\') {
		return 0, false
	}
	s.pos++
	low, ok := s.hex()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

// hex reads a u and four hexadecimal digits.
func (s *scanner) hex() (rune, bool) {
	if len(s.text)-s.pos < 5 || s.text[s.pos] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s.text[s.pos+1 : s.pos+5]) {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c-'a' <= 5:
			r = r<<4 | rune(c-'a'+10)
		case c-'A' <= 5:
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	s.pos += 5
	return r, true
}
