package checker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// generator writes documents that keep a schema, or nearly so.
type generator struct {
	*rand.Rand
}

func newGenerator(seed, stream uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, stream))}
}

// chance is true in so many percent of cases.
func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g generator, from []T) T { return from[g.IntN(len(from))] }

// value appends a value of a schema.
func (g generator) value(dst []byte, s *openapi3.Schema, depth int) []byte {
	switch {
	case s.Nullable && g.chance(15):
		return append(dst, "null"...)
	case len(s.Enum) > 0:
		b, _ := json.Marshal(pick(g, s.Enum))
		return append(dst, b...)
	case len(s.OneOf)+len(s.AnyOf)+len(s.AllOf) > 0 && depth < 12:
		return g.composed(dst, s, depth)
	}
	kind := openapi3.TypeString
	if types := s.Type.Slice(); len(types) > 0 {
		kind = pick(g, types)
	} else if len(s.Properties) > 0 || g.chance(50) {
		kind = pick(g, []string{"object", "array", "string", "integer", "number", "boolean"})
	}
	switch kind {
	case openapi3.TypeBoolean:
		return strconv.AppendBool(dst, g.chance(50))
	case openapi3.TypeInteger:
		return strconv.AppendInt(dst, g.integer(s), 10)
	case openapi3.TypeNumber:
		return g.number(dst, s)
	case openapi3.TypeArray:
		return g.array(dst, s, depth)
	case openapi3.TypeObject:
		return g.object(dst, s, depth)
	default:
		return g.quote(dst, g.text(s))
	}
}

// composed appends a value of one alternative and all parts, with the members of
// them all if they are objects.
func (g generator) composed(dst []byte, s *openapi3.Schema, depth int) []byte {
	own := *s
	own.OneOf, own.AnyOf, own.AllOf = nil, nil, nil
	var parts []*openapi3.Schema
	for _, union := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if len(union) > 0 {
			parts = append(parts, pick(g, union).Value)
		}
	}
	for _, ref := range s.AllOf {
		parts = append(parts, ref.Value)
	}
	if own.Type != nil || len(own.Properties) > 0 {
		parts = append(parts, &own)
	}
	texts := make([][]byte, 0, len(parts))
	for _, part := range parts {
		texts = append(texts, g.value(nil, part, depth+1))
	}
	if len(texts) == 1 || texts[0][0] != '{' {
		return append(dst, texts[0]...)
	}
	members := make(map[string]json.RawMessage)
	for _, text := range texts {
		_ = json.Unmarshal(text, &members) // not every part need be an object
	}
	if d := s.Discriminator; d != nil && g.chance(90) {
		for _, value := range slices.Sorted(maps.Keys(d.Mapping)) {
			if g.chance(50) {
				members[d.PropertyName], _ = json.Marshal(value)
			}
		}
	}
	all, _ := json.Marshal(members)
	return append(dst, all...)
}

func (g generator) integer(s *openapi3.Schema) int64 {
	least, most := int64(-1_000_000), int64(1_000_000)
	if s.Min != nil {
		least = int64(*s.Min)
		most = max(most, least+1)
	}
	if s.Max != nil {
		most = int64(*s.Max)
		least = min(least, most)
	}
	switch g.IntN(5) {
	case 0:
		return least
	case 1:
		return most
	default:
		n := least + g.Int64N(most-least+1)
		if s.MultipleOf != nil && *s.MultipleOf >= 1 {
			n -= n % int64(*s.MultipleOf)
		}
		return n
	}
}

func (g generator) number(dst []byte, s *openapi3.Schema) []byte {
	n := g.integer(s)
	if g.chance(40) {
		return strconv.AppendInt(dst, n, 10)
	}
	return fmt.Appendf(dst, "%d.%0*d", n, 1+g.IntN(3), g.IntN(10))
}

func (g generator) array(dst []byte, s *openapi3.Schema, depth int) []byte {
	least, most := int(s.MinItems), int(s.MinItems)+3
	if s.MaxItems != nil {
		most = min(most, int(*s.MaxItems))
		if g.chance(3) {
			least, most = int(*s.MaxItems), int(*s.MaxItems)
		}
	}
	if depth > 6 {
		most = least
	}
	item := &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeString}}
	if s.Items != nil {
		item = s.Items.Value
	}
	dst = append(dst, '[')
	for i := range least + g.IntN(most-least+1) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = g.value(dst, item, depth+1)
	}
	return append(dst, ']')
}

func (g generator) object(dst []byte, s *openapi3.Schema, depth int) []byte {
	names := slices.Sorted(maps.Keys(s.Properties))
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	often := pick(g, []int{0, 30, 70, 100})
	if depth > 6 {
		often = 0
	}
	dst = append(dst, '{')
	first := true
	member := func(name string, value *openapi3.Schema) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		quoted, _ := json.Marshal(name)
		dst = append(append(dst, quoted...), ':')
		dst = g.value(dst, value, depth+1)
	}
	for _, name := range names {
		if slices.Contains(s.Required, name) || g.chance(often) {
			member(name, s.Properties[name].Value)
		}
	}
	if s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has {
		return append(dst, '}')
	}
	other := &openapi3.Schema{Type: &openapi3.Types{"string", "integer"}}
	if s.AdditionalProperties.Schema != nil {
		other = s.AdditionalProperties.Schema.Value
	}
	for _, name := range s.Required {
		if s.Properties[name] == nil {
			member(name, other)
		}
	}
	if s.AdditionalProperties.Schema != nil || g.chance(3) {
		for i := range 1 + g.IntN(3) {
			member(fmt.Sprintf("x%d", i), other)
		}
	}
	return append(dst, '}')
}

var formatTexts = map[string][]string{
	"date":      {"2022-08-01", "1980-12-30", "2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01"},
	"date-time": {"2022-08-01T21:38:51.000000Z", "2024-02-29T23:59:59.999999Z", "1985-04-12T23:20:50.123456Z"},
	"uuid":      {"018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
	"uri":       {"https://cryptoexchange.com/problems/invalid_request", "https://example.com/a?b=c#d", "otpauth://totp/x:y?secret=ABC", "urn:a:b", "https://[::1]:8/%20"},
	"idn-email": {"johny.smith@example.com", "jörg@exämple.de", "a+b@x-y.co.uk", "o'neil@example.com", "用户@例え.jp", "J_S-1@EXAMPLE.museum"},
	"email":     {"johny.smith@example.com", "a+b@x-y.co.uk", "o'neil@example.com", "J_S-1@EXAMPLE.museum"},
	"byte":      {"", "aGVsbG8=", "YQ=="},
}

// text gives a text that keeps a schema, if luck will have it.
func (g generator) text(s *openapi3.Schema) string {
	least, most := int(s.MinLength), int(s.MinLength)+12
	if s.MaxLength != nil {
		most = int(*s.MaxLength)
	}
	if texts := formatTexts[s.Format]; texts != nil && g.IntN(400) > 0 {
		return pick(g, texts)
	}
	if s.Pattern != "" {
		for range 4 {
			if text := g.matching(s.Pattern, most); utf8.RuneCountInString(text) >= least {
				return text
			}
		}
	}
	length := least
	switch g.IntN(12) {
	case 0: // the shortest
	case 1:
		length = most
	default:
		length += g.IntN(min(most-least, 16) + 1)
	}
	return g.characters(length)
}

var alphabets = [][]rune{
	[]rune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
	[]rune("abc DEF 0123 -_.,'/()&<>\"\\"),
	[]rune("äöüßéñçøłšđ"),
	[]rune("日本語한국어עבריתไทย\u0301\u200b\u2028\ufeff\ufffd\ufffe"),
	[]rune("😀😎🏴𝒳𐍈👨‍👩‍👧\U0010ffff\U00010000"),
}

// characters gives so many characters.
func (g generator) characters(length int) string {
	alphabet := alphabets[0]
	if g.chance(30) {
		alphabet = pick(g, alphabets)
	}
	mixed := g.chance(10)
	var b strings.Builder
	for range length {
		if mixed {
			alphabet = pick(g, alphabets)
		}
		b.WriteRune(pick(g, alphabet))
	}
	return b.String()
}

// matching gives a text that matches a pattern, of about so many characters.
func (g generator) matching(pattern string, most int) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	budget := most
	if g.chance(80) {
		budget = min(most, 8+g.IntN(16))
	}
	g.match(&b, re, &budget)
	return b.String()
}

func (g generator) match(b *strings.Builder, re *syntax.Regexp, budget *int) {
	var least, most int
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
		*budget -= len(re.Rune)
		return
	case syntax.OpCharClass:
		at := 2 * g.IntN(len(re.Rune)/2)
		low, high := re.Rune[at], re.Rune[at+1]
		r := low + g.Int32N(high-low+1)
		if like, _ := utf8.DecodeRuneInString(g.characters(1)); high > 0x2fff && like >= low && like <= high {
			r = like
		}
		b.WriteRune(r)
		*budget--
		return
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString(g.characters(1))
		*budget--
		return
	case syntax.OpAlternate:
		g.match(b, pick(g, re.Sub), budget)
		return
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			g.match(b, sub, budget)
		}
		return
	case syntax.OpStar:
		most = max(*budget-2, 0)
	case syntax.OpPlus:
		least, most = 1, max(*budget, 1)
	case syntax.OpQuest:
		most = 1
	case syntax.OpRepeat:
		least, most = re.Min, re.Max
		if most < 0 {
			most = max(*budget, least)
		}
	default:
		return
	}
	times := most
	if g.chance(80) {
		times = least + g.IntN(min(most-least, 20)+1)
	}
	for i := 0; i < times && (i < least || *budget > 0); i++ {
		g.match(b, re.Sub[0], budget)
	}
}

// quote appends a text as JSON, with escapes where they must be and, at times,
// elsewhere.
func (g generator) quote(dst []byte, text string) []byte {
	escapes := 0
	if g.chance(4) {
		escapes = 20
	}
	dst = append(dst, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ' || escapes > 0 && g.chance(escapes):
			dst = g.escape(dst, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// escape appends a character as \uXXXX.
func (g generator) escape(dst []byte, r rune) []byte {
	format := pick(g, []string{`\u%04x`, `\u%04X`})
	if r > 0xffff {
		r -= 0x10000
		return fmt.Appendf(fmt.Appendf(dst, format, 0xd800+r>>10), format, 0xdc00+r&0x3ff)
	}
	return fmt.Appendf(dst, format, r)
}

// body makes a document of a schema, or takes an example.
func (g generator) body(s *subject) []byte {
	if len(s.examples) > 0 && g.chance(10) {
		return bytes.Clone(pick(g, s.examples))
	}
	return g.value(nil, s.schema, 0)
}
