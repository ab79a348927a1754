package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// damage changes the text of a JSON document; nil: it cannot be done to this one.
type damage struct {
	class, label, why string
	side              Side
	change            func(text []byte) []byte
}

// malformed are bodies that are no JSON, or JSON that not everyone reads alike.
func (s *Source) malformed(m *openapi.MediaType) []*proto {
	var list []*proto
	for _, x := range damages {
		side := x.side
		if x.class == "E18" {
			side = s.sideBy(openapi.StrictDuplicates)
		}
		v := Variant{Clause: m.Pointer, Keyword: "mediaType", Side: side, Class: x.class, Label: x.label, Why: x.why}
		p := simple("body", "", v, nil)
		p.build = func(s *Source, base *Draft) (*Draft, Variant, *Drop) {
			d := base.Clone()
			withBody(s, d)
			why := "the body cannot be written"
			text, err := MarshalJSON(d.Body)
			if err == nil {
				d.RawBody = x.change(text)
				why = "the body has nothing that it can be done to"
			}
			if d.RawBody == nil || err != nil {
				return nil, Variant{}, &Drop{Clause: v.Clause, Keyword: v.Keyword, Side: v.Side, Label: v.Label, Why: why}
			}
			made := v
			made.Raw = d.RawBody
			return d, made, nil
		}
		list = append(list, p)
	}
	return append(list, s.nul(m))
}

// nul sends U+0000 where the document allows it, or, if it does so nowhere, in
// the first string.
func (s *Source) nul(m *openapi.MediaType) *proto {
	v := Variant{Clause: m.Pointer, Keyword: "mediaType", Side: Either, Class: "K2", Label: "nul", Why: "a string with the character U+0000"}
	return &proto{in: "body", variant: v, build: func(s *Source, base *Draft) (*Draft, Variant, *Drop) {
		d := base.Clone()
		withBody(s, d)
		var first any
		for _, at := range leaves(d.Body, "") {
			old, _ := get(d.Body, at)
			text, ok := old.(string)
			if !ok {
				continue
			}
			changed, _ := put(d.Body, at, text+"\x00")
			if first == nil {
				first = changed
			}
			if m.Schema != nil && len(s.faults(m.Schema, changed, openapi.Request)) == 0 {
				first = changed
				break
			}
		}
		if first == nil {
			return nil, Variant{}, &Drop{Clause: v.Clause, Keyword: v.Keyword, Side: v.Side, Label: v.Label, Why: "the body has no string"}
		}
		d.Body = first
		return d, v, nil
	}}
}

// leaves are the places of a value that hold no others.
func leaves(v any, at string) []string {
	var list []string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedNames(v) {
			list = append(list, leaves(v[name], pointer(at, name))...)
		}
	case []any:
		for i, w := range v {
			list = append(list, leaves(w, indexed(at, i))...)
		}
	default:
		list = append(list, at)
	}
	return list
}

// damages are what is done to JSON documents. RFC 8259 says what each breaks.
var damages = []damage{
	{"O4", "truncated", "JSON without its last byte", Breaks, func(t []byte) []byte {
		if t[0] != '{' && t[0] != '[' && t[0] != '"' {
			return nil // less of a number may be a number
		}
		return t[:len(t)-1]
	}},
	{"O4", "half", "half of a JSON document", Breaks, func(t []byte) []byte {
		if len(t) < 6 || t[0] != '{' && t[0] != '[' && t[0] != '"' {
			return nil
		}
		return t[:len(t)/2]
	}},
	{"O4", "trailing-comma", "a comma after the last member", Breaks, atEnd(",")},
	{"O4", "leading-comma", "a comma before the first member", Breaks, atBegin(",")},
	{"O4", "single-quotes", "strings in single quotes", Breaks, func(t []byte) []byte {
		if !bytes.ContainsRune(t, '"') {
			return nil
		}
		return bytes.ReplaceAll(t, []byte(`"`), []byte("'"))
	}},
	{"O4", "unquoted-name", "a name without quotes", Breaks, member1(`conformance:1`)},
	{"O4", "nan", "the value NaN", Breaks, replaceValue("NaN")},
	{"O4", "infinity", "the value Infinity", Breaks, replaceValue("Infinity")},
	{"O4", "undefined", "the value undefined", Breaks, replaceValue("undefined")},
	{"O4", "capital-true", "the value True", Breaks, replaceValue("True")},
	{"O4", "leading-zero", "a number with a leading zero", Breaks, replaceValue("01")},
	{"O4", "hexadecimal", "a hexadecimal number", Breaks, replaceValue("0x1F")},
	{"O4", "plus-sign", "a number with a plus sign", Breaks, replaceValue("+1")},
	{"O4", "no-value", "a name without a value", Breaks, withoutValue},
	{"O4", "unclosed-string", "a string that does not end", Breaks, replaceValue(`"conformance`)},
	{"O4", "raw-newline", "a newline in a string, not escaped", Breaks, replaceValue("\"con\nformance\"")},
	{"O4", "bad-escape", "an escape that there is not", Breaks, replaceValue(`"\x41"`)},
	{"O4", "comment", "a comment", Breaks, atBegin("/* c */")},
	{"O4", "no-colon", "a name and a value without a colon", Breaks, func(t []byte) []byte { return replaceFirst(t, `":`, `" `) }},
	{"O4", "word", "a word that is no JSON", Breaks, always("conformance")},
	{"O4", "brace", "an opening brace alone", Breaks, always("{")},
	{"O4", "xml", "XML", Breaks, always("<conformance/>")},
	{"K7", "garbage", "JSON, and then a word", Breaks, suffix(" conformance")},
	{"K7", "brace-more", "JSON, and then a closing brace", Breaks, suffix("}")},
	{"K7", "two-documents", "two JSON documents", Breaks, func(t []byte) []byte { return append(bytes.Clone(t), t...) }},
	{"K7", "two-lines", "two JSON documents, each in its line", Breaks, func(t []byte) []byte {
		return bytes.Join([][]byte{t, t}, []byte("\n"))
	}},
	{"K7", "trailing-nul", "JSON, and then a NUL byte", Breaks, suffix("\x00")},
	{"K7", "bom", "a byte order mark before the JSON, which may be ignored (RFC 8259, 8.1)", Either, prefix("\xEF\xBB\xBF")},
	{"K7", "white-space", "white space around the JSON, which is allowed (RFC 8259, 2)", Keeps, func(t []byte) []byte {
		return []byte(" \t\r\n" + string(t) + "\r\n\t ")
	}},
	{"K3", "invalid-utf-8", "a byte in a string that is not of UTF-8", Breaks, inString("\xFF")},
	{"K3", "overlong", "an overlong form of UTF-8 in a string", Breaks, inString("\xC0\xAF")},
	{"K3", "cut-utf-8", "a character in a string that is not complete", Breaks, inString("\xE2\x82")},
	{"K3", "surrogate-utf-8", "a surrogate in a string, in UTF-8", Breaks, inString("\xED\xA0\x80")},
	{"K3", "lone-surrogate", "half of a surrogate pair in a string, escaped", Breaks, inString(`\ud800`)},
	{"K3", "low-surrogate", "the second half of a surrogate pair in a string, escaped", Breaks, inString(`\udc00`)},
	{"K3", "utf-16", "JSON in UTF-16", Breaks, toUTF16},
	{"K3", "escaped", "the same strings with every character escaped", Keeps, escaped},
	{"E18", "duplicate-name", "an object with a name twice", Either, duplicated},
}

func suffix(text string) func([]byte) []byte {
	return func(t []byte) []byte { return append(bytes.Clone(t), text...) }
}

func prefix(text string) func([]byte) []byte {
	return func(t []byte) []byte { return append([]byte(text), t...) }
}

func always(text string) func([]byte) []byte {
	return func([]byte) []byte { return []byte(text) }
}

// atEnd puts a text before the end of the outermost object or array.
func atEnd(text string) func([]byte) []byte {
	return func(t []byte) []byte {
		if len(t) < 3 || t[len(t)-1] != '}' && t[len(t)-1] != ']' {
			return nil
		}
		return []byte(string(t[:len(t)-1]) + text + string(t[len(t)-1:]))
	}
}

func atBegin(text string) func([]byte) []byte {
	return func(t []byte) []byte {
		if len(t) < 2 || t[0] != '{' && t[0] != '[' {
			return nil
		}
		return []byte(string(t[:1]) + text + string(t[1:]))
	}
}

// member1 puts a member first.
func member1(text string) func([]byte) []byte {
	return func(t []byte) []byte {
		if len(t) < 2 || t[0] != '{' {
			return nil
		}
		separator := ","
		if t[1] == '}' {
			separator = ""
		}
		return []byte("{" + text + separator + string(t[1:]))
	}
}

func replaceFirst(t []byte, old, text string) []byte {
	if !bytes.Contains(t, []byte(old)) {
		return nil
	}
	return bytes.Replace(t, []byte(old), []byte(text), 1)
}

// replaceValue puts a text for the value of the first member or item.
func replaceValue(text string) func([]byte) []byte {
	return func(t []byte) []byte {
		begin, end := firstValue(t)
		if end == 0 {
			return nil
		}
		return []byte(string(t[:begin]) + text + string(t[end:]))
	}
}

// withoutValue leaves out the value of the first member. Without its first item an
// array is as well formed as before.
func withoutValue(t []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimLeft(t, " \t\r\n"), []byte("{")) {
		return nil
	}
	return replaceValue("")(t)
}

// firstValue is where the value of the first member or item is.
func firstValue(t []byte) (begin, end int) {
	d := json.NewDecoder(bytes.NewReader(t))
	token, err := d.Token()
	if err != nil {
		return 0, 0
	}
	switch token {
	case json.Delim('{'):
		if !d.More() {
			return 0, 0
		}
		if _, err := d.Token(); err != nil {
			return 0, 0
		}
		begin = int(d.InputOffset()) + 1 // what is written here has no space around the colon
	case json.Delim('['):
		if !d.More() {
			return 0, 0
		}
		begin = int(d.InputOffset())
	default:
		return 0, len(t)
	}
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		return 0, 0
	}
	return begin, int(d.InputOffset())
}

// inString puts bytes at the end of the first string that is a value.
func inString(text string) func([]byte) []byte {
	return func(t []byte) []byte {
		for i := 0; i < len(t); i++ {
			if t[i] != '"' {
				continue
			}
			end := i + 1
			for end < len(t) && t[end] != '"' {
				if t[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(t) {
				return nil
			}
			if end+1 == len(t) || t[end+1] != ':' {
				return []byte(string(t[:end]) + text + string(t[end:]))
			}
			i = end
		}
		return nil
	}
}

func toUTF16(t []byte) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(string(t))) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// escaped writes every character of strings and names as \uXXXX, which is the same
// (RFC 8259, 7).
func escaped(t []byte) []byte {
	var v any
	d := json.NewDecoder(bytes.NewReader(t))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil
	}
	var b strings.Builder
	writeEscaped(&b, v)
	return []byte(b.String())
}

func writeEscaped(b *strings.Builder, v any) {
	text := func(t string) {
		b.WriteByte('"')
		for _, u := range utf16.Encode([]rune(t)) {
			fmt.Fprintf(b, `\u%04x`, u)
		}
		b.WriteByte('"')
	}
	switch v := v.(type) {
	case string:
		text(v)
	case map[string]any:
		b.WriteByte('{')
		for i, name := range sortedNames(v) {
			if i > 0 {
				b.WriteByte(',')
			}
			text(name)
			b.WriteByte(':')
			writeEscaped(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, w := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeEscaped(b, w)
		}
		b.WriteByte(']')
	default:
		b.Write(mustJSON(v))
	}
}

// duplicated gives the first member of an object twice.
func duplicated(t []byte) []byte {
	begin, end := firstValue(t)
	if end == 0 || t[0] != '{' {
		return nil
	}
	return []byte("{" + string(t[1:begin]) + string(t[begin:end]) + "," + string(t[1:]))
}
