package checker_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// token is a piece of a document. Of text that is no JSON it is whatever it is.
type token struct {
	start, end int
	kind       byte // its first byte; 'N' for a name; '0' for numbers
	parent     int  // the token that opens what it is in; -1 at the top
	last       int  // of a value, its last token; else itself
}

// tokens finds the tokens of a document.
func tokens(doc []byte, dst []token) []token {
	dst = dst[:0]
	parent := -1
	for i := 0; i < len(doc); {
		t := token{start: i, end: i + 1, kind: doc[i], parent: parent, last: len(dst)}
		switch c := doc[i]; {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			i++
			continue
		case c == '"':
			for t.end < len(doc) && doc[t.end] != '"' {
				if doc[t.end] == '\\' {
					t.end++
				}
				t.end++
			}
			t.end = min(t.end+1, len(doc))
		case c == '-' || c >= '0' && c <= '9':
			t.kind = '0'
			for t.end < len(doc) && strings.IndexByte("0123456789.eE+-", doc[t.end]) >= 0 {
				t.end++
			}
		case c >= 'a' && c <= 'z':
			for t.end < len(doc) && doc[t.end] >= 'a' && doc[t.end] <= 'z' {
				t.end++
			}
		case c == ':' && len(dst) > 0 && dst[len(dst)-1].kind == '"':
			dst[len(dst)-1].kind = 'N'
		case c == '{' || c == '[':
			parent = len(dst)
		case (c == '}' || c == ']') && parent >= 0:
			dst[parent].last = len(dst)
			t.parent = dst[parent].parent
			parent = t.parent
		}
		dst = append(dst, t)
		i = t.end
	}
	return dst
}

// mutator breaks documents, or changes them in ways that break nothing.
type mutator struct {
	generator
	tokens []token
	other  []byte // another document of the same schema
}

// mutate appends a changed copy of a document.
func (m *mutator) mutate(dst, doc []byte) []byte {
	times := 1
	for m.chance(25) && times < 4 {
		times++
	}
	from := len(dst)
	dst = append(dst, doc...)
	for range times {
		current := bytes.Clone(dst[from:])
		dst = m.once(dst[:from], current)
	}
	return dst
}

func (m *mutator) once(dst, doc []byte) []byte {
	if len(doc) == 0 || m.chance(12) {
		return m.bytes(dst, doc)
	}
	m.tokens = tokens(doc, m.tokens)
	if len(m.tokens) == 0 {
		return m.bytes(dst, doc)
	}
	switch n := m.IntN(100); {
	case n < 12:
		return m.space(dst, doc)
	case n < 55:
		return m.inText(dst, doc)
	case n < 68:
		return m.inNumber(dst, doc)
	case n < 92:
		return m.members(dst, doc)
	default:
		return m.whole(dst, doc)
	}
}

// splice appends a document with a piece replaced.
func splice(dst, doc []byte, start, end int, piece string) []byte {
	return append(append(append(dst, doc[:start]...), piece...), doc[end:]...)
}

// find gives a token of one of the kinds, if there is one.
func (m *mutator) find(kindsOf string) (token, bool) {
	offset := m.IntN(len(m.tokens))
	for i := range m.tokens {
		t := m.tokens[(i+offset)%len(m.tokens)]
		if strings.IndexByte(kindsOf, t.kind) >= 0 {
			return t, true
		}
	}
	return token{}, false
}

// bytes changes bytes without a look at what they are.
func (m *mutator) bytes(dst, doc []byte) []byte {
	if len(doc) == 0 {
		return append(dst, byte(m.IntN(256)))
	}
	i := m.IntN(len(doc))
	j := min(len(doc), i+1+m.IntN(8))
	switch m.IntN(7) {
	case 0:
		dst = append(dst, doc...)
		dst[len(dst)-len(doc)+i] ^= 1 << m.IntN(8)
		return dst
	case 1:
		return splice(dst, doc, i, i, string([]byte{byte(m.IntN(256))}))
	case 2:
		return splice(dst, doc, i, j, "")
	case 3:
		return splice(dst, doc, i, i, string(doc[i:j]))
	case 4:
		return append(dst, doc[:i]...)
	case 5:
		return splice(dst, doc, i, i+1, pick(m.generator, []string{"\"", "{", "}", "[", "]", ",", ":", "\\", "0", "-", "\x00", "\xff", " "}))
	default:
		return splice(dst, doc, i, i+1, string([]byte{byte(m.IntN(128))}))
	}
}

var spaces = []string{" ", "\n", "\t", "\r", "  ", "\r\n\t ", " \n \n"}

var noSpaces = []string{"\v", "\f", "\u00a0", "\u2028", "\ufeff", "\x00", "/**/", "//\n", "#\n"}

// space puts white space between tokens, or what is none.
func (m *mutator) space(dst, doc []byte) []byte {
	t := pick(m.generator, m.tokens)
	piece := pick(m.generator, spaces)
	if m.chance(10) {
		piece = pick(m.generator, noSpaces)
	}
	return splice(dst, doc, t.start, t.start, piece)
}

// Pieces that a string must not have, and some that look so and are fine.
var pieces = []string{
	`\ud800`, `\udc00`, `\ud83d\ude00`, `\ud83dx`, `\ud83d\u0041`, `\ude00\ud83d`, `\uD83D\uDE00`, `\ud83d\ud83d\ude00`, `\u0000`, "\x00",
	"\x01", "\n", "\x1f", "\x7f", "\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x98", "\x80",
	"\ufeff", "\u2028", "\ufffd", "\uffff", `\u00e9`, `\u00E9`, `\n`, `\t`, `\"`, `\\`, `\/`, `\b`, `\f`, `\r`, `\x41`, `\u12`, `\u 123`, `\U0041`, `\`,
	"😀", "é", "e\u0301", "日", " ", "  ", "'", "/", "&", `\u0020`, `\u0041`, `\u007f`, `\u001f`,
}

var digits, letters = "0123456789", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// inText changes a string or, rarely, a name.
func (m *mutator) inText(dst, doc []byte) []byte {
	kind := "\""
	if m.chance(12) {
		kind = "N"
	}
	t, found := m.find(kind)
	if !found || t.end-t.start < 2 {
		return m.members(dst, doc)
	}
	at := t.start + 1
	if length := t.end - t.start - 2; length > 0 {
		at += m.IntN(length)
	}
	for at > t.start+1 && !utf8.RuneStart(doc[at]) {
		at--
	}
	r, size := utf8.DecodeRune(doc[at:])
	if at == t.end-1 {
		size = 0 // the closing quote
	}
	switch n := m.IntN(20); {
	case n < 6: // another character of its kind
		like := m.characters(1)
		switch {
		case strings.ContainsRune(digits, r):
			like = digits[m.IntN(len(digits)):][:1]
		case strings.ContainsRune(letters, r):
			like = letters[m.IntN(len(letters)):][:1]
		}
		return splice(dst, doc, at, at+size, like)
	case n < 9:
		return splice(dst, doc, at, at+size, string(m.escape(nil, r)))
	case n < 12:
		return splice(dst, doc, at, at, pick(m.generator, pieces))
	case n < 13:
		return splice(dst, doc, at, at+size, pick(m.generator, pieces))
	case n < 15: // longer
		return splice(dst, doc, at, at, strings.Repeat(m.characters(1), 1+m.IntN(3)))
	case n < 16: // much longer
		return splice(dst, doc, at, at, strings.Repeat(pick(m.generator, []string{"a", "0", "é", "😀", `\u0041`}), pick(m.generator, []int{10, 20, 50, 100, 255, 1000})))
	case n < 18:
		return splice(dst, doc, at, at+size, "")
	case n < 19:
		return splice(dst, doc, t.start+1, t.end-1, "")
	default:
		return splice(dst, doc, t.start+1, t.end-1, m.swapCase(string(doc[t.start+1:t.end-1])))
	}
}

func (m *mutator) swapCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

var numbers = []string{
	"0", "1", "-1", "2", "5", "10", "11", "-0", "0.0", "-0.0", "1.0", "1.5", "0.1", "1e0", "1e2", "1E+2", "10e-1", "1.50", "2.0000000000000001", "0.30000000000000004",
	"01", "-01", "00", "+1", "1.", ".5", "-", "1e", "0x1", "1_000", "NaN", "Infinity", "-Infinity", "1e400", "1e-400", "5e-324",
	"2147483647", "2147483648", "-2147483648", "-2147483649", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
	"9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "999999999999", "999999999999.5", "1000000000000", "100000000000000000000000",
	"123456789012345", "12345678901234.5", "123456789012345.6", "0.123456789012345", "0.00000000000001", "4503599627370497.5", "900719925474099.25",
	"0000000000000000001", "1000000000000000000000000000000000000000000000000000000000000000000000", "0.5", "12.34", "399", "400", "599", "600", "3600", "3601",
}

// inNumber changes a number.
func (m *mutator) inNumber(dst, doc []byte) []byte {
	t, found := m.find("0")
	if !found {
		return m.inText(dst, doc)
	}
	number := string(doc[t.start:t.end])
	switch n, err := strconv.ParseInt(number, 10, 64); {
	case err != nil || m.chance(40):
		number = pick(m.generator, numbers)
	case m.chance(50):
		number = strconv.FormatInt(n+pick(m.generator, []int64{1, -1, 2, 10}), 10)
	case m.chance(30):
		number += pick(m.generator, []string{".0", "e0", ".5", "0", ".00", "e1"})
	default:
		number = strconv.FormatInt(m.Int64N(max(n, 1)), 10)
	}
	return splice(dst, doc, t.start, t.end, number)
}

var values = []string{`null`, `true`, `false`, `0`, `1`, `""`, `"a"`, `{}`, `[]`, `[null]`, `{"a":1}`, `nul`, `True`, `"\u0000"`, `[1,2,3]`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`}

// members changes members of objects and arrays, or whole values.
func (m *mutator) members(dst, doc []byte) []byte {
	switch m.IntN(10) {
	case 0, 1: // another value
		if t, found := m.find("\"0tfn[{"); found {
			return splice(dst, doc, t.start, m.end(t), pick(m.generator, values))
		}
	case 2: // null
		if t, found := m.find("\"0tf[{"); found {
			return splice(dst, doc, t.start, m.end(t), "null")
		}
	case 3: // a value from elsewhere
		if t, found := m.find("\"0tf[{"); found {
			if u, found := m.find("\"0tfn[{"); found {
				return splice(dst, doc, t.start, m.end(t), string(doc[u.start:m.end(u)]))
			}
		}
	case 4: // a value of another document
		if t, found := m.find("\"0tf[{"); found {
			theirs := tokens(m.other, nil)
			if len(theirs) > 0 {
				u := pick(m.generator, theirs)
				return splice(dst, doc, t.start, m.end(t), string(m.other[u.start:theirs[u.last].end]))
			}
		}
	case 5: // one more member
		if t, found := m.find("{"); found {
			name := pick(m.generator, []string{`"x"`, `"extra"`, `""`, `"é"`, `"\u0078"`, `"__proto__"`, `"type"`, `"id"`, `"a"`})
			piece := name + ":" + pick(m.generator, values)
			if m.end(t)-t.start > 2 {
				piece += ","
			}
			return splice(dst, doc, t.end, t.end, piece)
		}
	case 6:
		return m.deep(dst, doc)
	}
	return m.list(dst, doc)
}

// end is where the value ends that begins with a token.
func (m *mutator) end(t token) int {
	if t.last < len(m.tokens) && m.tokens[t.last].end > t.start {
		return m.tokens[t.last].end
	}
	return t.end
}

// deep puts a value into arrays or objects, as deep as may be and deeper.
func (m *mutator) deep(dst, doc []byte) []byte {
	t, found := m.find("\"0tf[{")
	if !found {
		return m.space(dst, doc)
	}
	times := pick(m.generator, []int{1, 2, 29, 30, 31, 32, 33, 40})
	before, behind := "[", "]"
	if m.chance(30) {
		before, behind = `{"a":`, "}"
	}
	end := m.end(t)
	dst = append(append(dst, doc[:t.start]...), strings.Repeat(before, times)...)
	dst = append(append(dst, doc[t.start:end]...), strings.Repeat(behind, times)...)
	return append(dst, doc[end:]...)
}

// list removes, repeats or exchanges members of one object or array.
func (m *mutator) list(dst, doc []byte) []byte {
	comma, found := m.find(",")
	if !found {
		return m.space(dst, doc)
	}
	// The members on both sides of the comma.
	left, right := 0, len(doc)
	for _, t := range m.tokens {
		if t.parent != comma.parent {
			continue
		}
		switch {
		case t.end <= comma.start && t.kind == ',':
			left = t.end
		case t.start >= comma.end && t.kind == ',' && right == len(doc):
			right = t.start
		}
	}
	if comma.parent >= 0 {
		opening := m.tokens[comma.parent]
		left = max(left, opening.end)
		if opening.last != comma.parent {
			right = min(right, m.tokens[opening.last].start)
		}
	}
	a, b := string(doc[left:comma.start]), string(doc[comma.end:right])
	switch m.IntN(8) {
	case 0, 1, 2:
		return splice(dst, doc, left, right, b+","+a)
	case 3, 4:
		return splice(dst, doc, left, comma.end, "")
	case 5:
		return splice(dst, doc, left, left, a+",")
	case 6:
		return splice(dst, doc, left, left, b+",")
	default:
		if len(a) > 40 {
			return splice(dst, doc, comma.start, comma.end, ",,")
		}
		return splice(dst, doc, left, left, strings.Repeat(a+",", pick(m.generator, []int{3, 10, 20, 254, 255, 256})))
	}
}

// whole changes a document at its ends.
func (m *mutator) whole(dst, doc []byte) []byte {
	switch m.IntN(6) {
	case 0:
		return append(append(dst, pick(m.generator, []string{"\ufeff", " ", "\n", "[", "x", "\xff\xfe"})...), doc...)
	case 1:
		return append(append(append(dst, doc...), '\n'), doc...)
	case 2:
		return append(append(dst, doc...), pick(m.generator, []string{"x", "{}", "]", "}", ",", "0", "\x00", "\u00a0", "null"})...)
	case 3:
		return append(append(append(dst, ' '), doc...), pick(m.generator, spaces)...)
	case 4:
		return append(append(dst, doc[:len(doc)/2]...), m.other[len(m.other)/2:]...)
	default:
		return append(append(dst, doc...), slices.Repeat([]byte("\n"), 1+m.IntN(3))...)
	}
}
