package checker

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// text has what is asked of a string.
type text struct {
	free      bool // nothing is asked
	minLength int
	maxLength int      // negative if there is none
	enum      []string // nil if there is none
	pattern   matcher  // nil if there is none
	quick     func([]byte) bool
	format    func(string) error // nil if there is none
}

func (t *text) check(s *state) bool {
	r := readString(s.doc, s.pos)
	if r.end < 0 {
		return false
	}
	start := s.pos + 1
	s.pos = r.end
	if t.free {
		return true
	}
	if r.length < t.minLength || t.maxLength >= 0 && r.length > t.maxLength {
		return false
	}
	if t.enum == nil && t.pattern == nil && t.format == nil {
		return true
	}
	content := s.doc[start : r.end-1]
	if r.escaped {
		content = unescape(content)
	}
	if t.enum != nil && !t.isOneOf(content) {
		return false
	}
	if t.pattern != nil && !t.pattern.Match(content) {
		return false
	}
	return t.format == nil || t.quick != nil && t.quick(content) || t.format(string(content)) == nil
}

// isOneOf finds a text among those of the enum, and makes no string of it.
func (t *text) isOneOf(content []byte) bool {
	for _, value := range t.enum {
		if value == string(content) {
			return true
		}
	}
	return false
}

// reading is what there is to know of a string in a document.
type reading struct {
	end     int // behind the closing quote; negative if it is no string
	length  int // in code points
	escaped bool
}

var noString = reading{end: -1}

// readString reads the string whose opening quote is at a place.
func readString(doc []byte, quote int) reading {
	start := quote + 1
	i, more, escaped := start, 0, false // more: bytes that are no code points of their own
	for {
		i = skipPlain(doc, i)
		if i >= len(doc) {
			return noString
		}
		size := 0
		switch c := doc[i]; {
		case c == '"':
			return reading{end: i + 1, length: i - start - more, escaped: escaped}
		case c == '\\':
			escaped = true
			_, size = readEscape(doc[i:])
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRune(doc[i:]); r == utf8.RuneError && size == 1 {
				return noString
			}
		}
		if size == 0 {
			return noString
		}
		i += size
		more += size - 1
	}
}

// skipPlain skips what is neither a quote, a backslash, a control character nor
// beyond ASCII: eight bytes at a time, then one.
func skipPlain(doc []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(doc) {
		w := binary.LittleEndian.Uint64(doc[i:])
		quote, slash := w^('"'*ones), w^('\\'*ones)
		// The lowest bit that is set is right; those above may be of a borrow.
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w | w) & tops
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
	}
	for i < len(doc) {
		if c := doc[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
		i++
	}
	return i
}

// readEscape reads an escape: its character and its size in bytes, which is zero
// for what no string may have.
func readEscape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return 0, 0
	}
	r = readHex(b)
	if r > 0 && !utf16.IsSurrogate(r) {
		return r, 6
	}
	if r > 0 && len(b) > 6 {
		if r = utf16.DecodeRune(r, readHex(b[6:])); r != utf8.RuneError {
			return r, 12
		}
	}
	return 0, 0
}

// readHex reads the number of \uXXXX; it is negative if b does not start so.
func readHex(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	r := rune(0)
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape makes the text of a string that readString has read.
func unescape(content []byte) []byte {
	plain := make([]byte, 0, len(content))
	for i := 0; i < len(content); {
		if content[i] != '\\' {
			plain = append(plain, content[i])
			i++
			continue
		}
		r, size := readEscape(content[i:])
		plain = utf8.AppendRune(plain, r)
		i += max(size, 1)
	}
	return plain
}
