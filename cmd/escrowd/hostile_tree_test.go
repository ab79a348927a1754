package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// node is a JSON value that may be wrong in ways that Go's own cannot be: with a
// property twice, and with scalars that are written in any way.
type node struct {
	kind   kind
	raw    string // of a scalar, verbatim
	names  []string
	kids   []*node
	schema *openapi3.Schema // what it is to be; nil if unknown
}

type kind int

const (
	scalarNode kind = iota
	arrayNode
	objectNode
)

func scalar(raw string) *node { return &node{raw: raw} }

// quoted writes a string as JSON does.
func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(raw)
}

// enough is how much of a value is written: several times what the service takes.
const enough = 1 << 20

func (n *node) write(b *strings.Builder) {
	if b.Len() > enough {
		return
	}
	switch n.kind {
	case arrayNode:
		for i, kid := range n.kids {
			b.WriteByte("[,"[min(i, 1)])
			kid.write(b)
		}
		b.WriteString("[]"[min(len(n.kids), 1):])
	case objectNode:
		for i, kid := range n.kids {
			b.WriteByte("{,"[min(i, 1)])
			b.WriteString(n.names[i])
			b.WriteByte(':')
			kid.write(b)
		}
		b.WriteString("{}"[min(len(n.kids), 1):])
	default:
		b.WriteString(n.raw)
	}
}

// all lists a value and everything in it.
func (n *node) all() []*node {
	list := []*node{n}
	for _, kid := range n.kids {
		list = append(list, kid.all()...)
	}
	return list
}

// some picks one of all that a condition is true for; nil if there is none.
func (n *node) some(rng *rand.Rand, fits func(*node) bool) *node {
	list := slices.DeleteFunc(n.all(), func(n *node) bool { return !fits(n) })
	if len(list) == 0 {
		return nil
	}
	return pick(rng, list)
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// property gives a property of an object; nil if there is none.
func (n *node) property(name string) *node {
	if i := slices.Index(n.names, quoted(name)); i >= 0 {
		return n.kids[i]
	}
	return nil
}

func (n *node) add(name string, kid *node) {
	n.names, n.kids = append(n.names, name), append(n.kids, kid)
}

// generate makes a value that a schema allows, as far as its examples do.
func generate(rng *rand.Rand, s *openapi3.Schema) *node {
	switch {
	case len(s.OneOf) > 0:
		return generate(rng, pick(rng, s.OneOf).Value)
	case s.Type.Is("object"):
		n := &node{kind: objectNode, schema: s}
		names := make([]string, 0, len(s.Properties))
		for name := range s.Properties {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if slices.Contains(s.Required, name) || rng.IntN(2) == 0 {
				n.add(quoted(name), generate(rng, s.Properties[name].Value))
			}
		}
		return n
	case s.Type.Is("array"):
		n := &node{kind: arrayNode, schema: s}
		for range rng.IntN(3) {
			n.kids = append(n.kids, generate(rng, s.Items.Value))
		}
		return n
	case len(s.Enum) > 0:
		return fromValue(pick(rng, s.Enum), s)
	default:
		return fromValue(s.Example, s)
	}
}

// fromValue makes a node of an example, and says of each part of it what it is
// to be.
func fromValue(value any, s *openapi3.Schema) *node {
	switch v := value.(type) {
	case map[string]any:
		return fromObject(v, branch(s, v))
	case []any:
		n := &node{kind: arrayNode, schema: s}
		for _, item := range v {
			var items *openapi3.Schema
			if s != nil && s.Items != nil {
				items = s.Items.Value
			}
			n.kids = append(n.kids, fromValue(item, items))
		}
		return n
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			raw = []byte("null")
		}
		return &node{raw: string(raw), schema: s}
	}
}

func fromObject(v map[string]any, s *openapi3.Schema) *node {
	n := &node{kind: objectNode, schema: s}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		var property *openapi3.Schema
		if s != nil && s.Properties[name] != nil {
			property = s.Properties[name].Value
		}
		n.add(quoted(name), fromValue(v[name], property))
	}
	return n
}

// branch finds which of several schemas an object is of, by its type.
func branch(s *openapi3.Schema, v map[string]any) *openapi3.Schema {
	if s == nil {
		return nil
	}
	for _, one := range s.OneOf {
		if p := one.Value.Properties["type"]; p != nil && len(p.Value.Enum) == 1 && p.Value.Enum[0] == v["type"] {
			return one.Value
		}
	}
	return s
}

// hostileNumbers are at the bounds of what programs take for a number, and past
// them.
var hostileNumbers = []string{
	"0", "-0", "-1", "1.0", "1.5", "0.1e1", "1e2", "1E+2", "1e-2", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
	"18446744073709551616", "2147483648", "999999999999", "1000000000000", "999999999999999", "1000000000000000", "1e400", "-1e400", "1e-400", "1e999999999",
	"0.30000000000000004", "123456789012345678901234567890", "00", "01", "-", "+1", ".5", "5.", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "1e", "١٢٣",
}

// hostileStrings are values, not yet written as JSON.
var hostileStrings = []string{
	"", " ", "\t", "\n", "x ", " x", "\x00", "a\x00b", "\r\nX-Injected: 1", "null", "true", "undefined", "-1", "1e3", "__proto__", "%00", "%s%s%n", "../../etc/passwd", "/", "\\",
	"' OR '1'='1", "\"; DROP TABLE customers; --", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://x}", "$(id)", "`id`", "javascript:alert(1)",
	"\u202Egnp.exe", "\u200B", "\uFEFF", "\u2028", "e\u0301", "\u0041\u030A", "\u212A", "\u0130", "ı", "ﬃ", "ß", "Ω", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\U0010FFFF", "\uFFFE", "\u0085", "日本語", "עברית", "नमस्ते",
	"a@b", "a@b.c", "@example.com", "a@@example.com", "a@example", "\"a b\"@example.com", "a@[127.0.0.1]", "a@exa mple.com", "a@-example.com", "a@example.com.", "é@ü.example",
	"a@xn--a.example", "A <a@example.com>", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@example.com", "ä@xn--mnchen-3ya.example",
	"DE89 3704 0044 0532 0130 00", "GB00WEST12345698765432", "021000022", "DEUTDEFF\x00", "0x0000000000000000000000000000000000000000", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
	"US", "us", "XX", "ZZ", "en", "x-private", "i-klingon", "2022-02-30", "2022-08-01T21:38:51Z", "00000000-0000-0000-0000-000000000000", "cex_live_AAAAAAAAAAAAAAAAAAAAAAAAAA",
}

// verbatimStrings are written as they are here, for no encoder writes them.
var verbatimStrings = []string{
	`"\ud800"`, `"\udc00\ud800"`, `"\ud83d"`, `"\u0000"`, `"\u12"`, `"\x41"`, `"\`, `"`, `'a'`, "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
	"\"a\nb\"", "\"\x01\"", "\"\x7f\"", `"\u0061@example.com"`, `"\/"`, `"\ufeff"`, `"a" "b"`, `tru`, `True`, `nul`, `/*x*/1`, "1 // x", `[1,]`, `{"a":1,}`, `{a:1}`, `{"a"}`, `{1:2}`, ",", ":", "]", "}", "",
}

// hostileLengths are those of long strings: at the bounds of the contract, and
// far past them.
var hostileLengths = []int{5, 7, 8, 9, 14, 15, 20, 21, 34, 35, 36, 40, 41, 42, 43, 100, 101, 140, 141, 200, 201, 254, 255, 256, 257, 1000, 5000, 70_000}

// hostileScalar makes one of any kind.
func hostileScalar(rng *rand.Rand) *node {
	switch rng.IntN(8) {
	case 0:
		return scalar(pick(rng, []string{"null", "true", "false", "{}", "[]", "[null]", `{"a":null}`, `[[]]`, `{"":""}`}))
	case 1, 2:
		return scalar(pick(rng, hostileNumbers))
	case 3:
		return scalar(pick(rng, verbatimStrings))
	case 4:
		return scalar(quoted(strings.Repeat(pick(rng, []string{"a", "é", "🜁", " ", "0", "\u0301", "\\", "\""}), pick(rng, hostileLengths))))
	default:
		return scalar(quoted(pick(rng, hostileStrings)))
	}
}

// atBound makes a scalar at a bound of its schema, or just past it; nil if the
// schema has none.
func atBound(rng *rand.Rand, s *openapi3.Schema) *node {
	var bounds []*node
	text := func(length uint64) *node {
		return scalar(quoted(strings.Repeat(pick(rng, []string{"a", "7", "é", "🜁"}), int(length))))
	}
	if s.MaxLength != nil {
		bounds = append(bounds, text(*s.MaxLength), text(*s.MaxLength+1))
	}
	if s.MinLength > 0 {
		bounds = append(bounds, text(s.MinLength), text(s.MinLength-1))
	}
	for _, bound := range []*float64{s.Min, s.Max} {
		if bound != nil {
			bounds = append(bounds, scalar(fmt.Sprintf("%.0f", *bound-1)), scalar(fmt.Sprintf("%.0f", *bound)), scalar(fmt.Sprintf("%.0f", *bound+1)))
		}
	}
	for _, v := range s.Enum {
		text := fmt.Sprint(v)
		bounds = append(bounds, scalar(quoted(strings.ToUpper(text))), scalar(quoted(text+" ")))
	}
	if len(bounds) == 0 {
		return nil
	}
	return pick(rng, bounds)
}

// nested wraps something in many arrays or objects.
func nested(n *node, depth int, object bool) {
	var b strings.Builder
	n.write(&b)
	inner := b.String()
	if object {
		inner = strings.Repeat(`{"a":`, depth) + inner + strings.Repeat("}", depth)
	} else {
		inner = strings.Repeat("[", depth) + inner + strings.Repeat("]", depth)
	}
	*n = *scalar(inner)
}

// unknownNames are those of properties that no object has; some look as if it
// did.
var unknownNames = []string{
	`"nickname"`, `""`, `"__proto__"`, `"constructor"`, `"$ref"`, `"Email"`, `"EMAIL"`, `"email "`, `"e\u006dail"`, `"email\u0000"`, `"id"`, `"status"`, `"partner_id"`, `"is_admin"`, `"é"`, `"\ud800"`,
	`"a/b~c"`, `"a.b"`, `"` + strings.Repeat("n", 5000) + `"`, "\"\xff\"", `'a'`, `1`, `null`,
}

// breakTree breaks a value at a place by chance.
func breakTree(rng *rand.Rand, root *node) {
	n := root.some(rng, func(*node) bool { return true })
	switch rng.IntN(12) {
	case 0, 1, 2:
		schema := n.schema
		*n = *hostileScalar(rng)
		n.schema = schema
	case 3, 4:
		if n = root.some(rng, func(n *node) bool { return n.kind == scalarNode && n.schema != nil }); n != nil {
			if bound := atBound(rng, n.schema); bound != nil {
				n.raw = bound.raw
			}
		}
	case 5:
		nested(n, pick(rng, []int{1, 2, 10, 31, 32, 33, 64, 65, 100, 101, 500, 5000}), rng.IntN(2) == 0)
	case 6:
		*n = *scalar("null")
	case 7:
		repeatItems(rng, root)
	default:
		breakObject(rng, root)
	}
}

// repeatItems makes an array large.
func repeatItems(rng *rand.Rand, root *node) {
	if len(root.all()) > 1000 {
		return // twice is too much
	}
	n := root.some(rng, func(n *node) bool { return n.kind == arrayNode })
	if n == nil {
		n = root.some(rng, func(*node) bool { return true })
		*n = node{kind: arrayNode, kids: []*node{hostileScalar(rng)}}
	}
	if len(n.kids) == 0 {
		n.kids = append(n.kids, scalar("{}"))
	}
	want := pick(rng, []int{2, 10, 11, 12, 100, 1000})
	if n.kids[0].kind == scalarNode && len(n.kids[0].raw) < 10 && rng.IntN(4) == 0 {
		want = 30_000
	}
	for len(n.kids) < want {
		n.kids = append(n.kids, n.kids[0])
	}
}

// breakObject adds, drops, doubles and renames properties.
func breakObject(rng *rand.Rand, root *node) {
	n := root.some(rng, func(n *node) bool { return n.kind == objectNode })
	if n == nil {
		return
	}
	if len(n.kids) == 0 {
		n.add(pick(rng, unknownNames), hostileScalar(rng))
		return
	}
	i := rng.IntN(len(n.kids))
	switch rng.IntN(5) {
	case 0:
		n.names, n.kids = slices.Delete(n.names, i, i+1), slices.Delete(n.kids, i, i+1)
	case 1:
		n.add(n.names[i], n.kids[i])
	case 2:
		n.add(n.names[i], hostileScalar(rng))
	case 3:
		n.names[i] = pick(rng, unknownNames)
	default:
		n.add(pick(rng, unknownNames), hostileScalar(rng))
	}
}
