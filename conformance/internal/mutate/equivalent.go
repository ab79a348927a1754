package mutate

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// lengths of formats, in code points: the least and the most that a string of the
// format can have; -1: no bound that is known.
var formatLengths = map[string][2]int64{
	"uuid":      {36, 36}, // RFC 9562 4
	"date":      {10, 10}, // RFC 3339 5.6
	"date-time": {20, -1}, // RFC 3339 5.6: 2006-01-02T15:04:05Z
	"time":      {9, -1},  // RFC 3339 5.6: 15:04:05Z
	"ipv4":      {7, 15},  // RFC 2673 3.2
	"ipv6":      {2, 45},  // RFC 4291 2.2
	"email":     {3, 254}, // RFC 5321 4.1.2: a@b; 4.5.3.1.3: a path of 256 octets has < and >
	"idn-email": {3, 254}, // RFC 6531 3.3, of as many octets
}

// prove looks for a proof that a flip of a clause of requests changes nothing: that
// no value is allowed by one of the documents and forbidden by the other.
//
// Each operator changes the verdict about a known set of values only: moving
// maxLength from 5 to 6 that about strings of six code points. If another keyword
// of the same schema, which is not flipped, forbids each of them, both documents
// say the same.
func (p *planner) prove(f *Flip) {
	if f.Direction != openapi.Request {
		return
	}
	s := p.schemaOf(f.Pointer)
	if s == nil {
		return
	}
	switch f.Keyword {
	case "minLength", "maxLength":
		f.Equivalent = proveLength(f, s)
	case "minimum", "maximum":
		f.Equivalent = proveBound(f, s)
	case "required", "enum":
		f.Equivalent = p.proveTagged(f)
	case "format":
		f.Equivalent = proveFormat(f, s)
	case "pattern":
		f.Equivalent = provePattern(f, s)
	}
}

// moved is the value whose verdict moving a bound by one changes: the greater of
// the old and the new minLength but one, the greater maxLength.
func moved(f *Flip, was int64) int64 {
	up := strings.HasSuffix(f.Operator, "+1")
	most := strings.HasPrefix(f.Keyword, "max")
	switch {
	case most && up:
		return was + 1
	case most:
		return was
	case up:
		return was
	default:
		return was - 1
	}
}

func proveLength(f *Flip, s *openapi.Schema) string {
	bound := s.MinLength
	if f.Keyword == "maxLength" {
		bound = s.MaxLength
	}
	if bound == nil {
		return ""
	}
	n := moved(f, *bound)
	only := fmt.Sprintf("Only strings of exactly %d code points are judged otherwise", n)
	if s.Pattern != "" {
		if has, sure := hasLength(s.Pattern, int(n)); sure && !has {
			return fmt.Sprintf("%s; the pattern %s matches none of that length.", only, s.Pattern)
		}
	}
	if r, ok := formatLengths[s.Format]; ok && (n < r[0] || r[1] >= 0 && n > r[1]) {
		return fmt.Sprintf("%s; no %s has that length.", only, s.Format)
	}
	if other := s.MaxLength; f.Keyword == "minLength" && other != nil && n > *other {
		return fmt.Sprintf("%s; maxLength forbids them.", only)
	}
	if other := s.MinLength; f.Keyword == "maxLength" && other != nil && n < *other {
		return fmt.Sprintf("%s; minLength forbids them.", only)
	}
	if len(s.Enum) > 0 && !enumHas(s, func(v any) bool {
		text, ok := v.(string)
		return ok && int64(utf8.RuneCountInString(text)) == n
	}) {
		return fmt.Sprintf("%s; enum lists none of that length.", only)
	}
	return ""
}

func enumHas(s *openapi.Schema, test func(any) bool) bool {
	for _, v := range s.Enum {
		if test(v) {
			return true
		}
	}
	return false
}

// ranges of formats of integers (OpenAPI 3.0.3, 4.4).
var formatRanges = map[string][2]string{
	"int32": {"-2147483648", "2147483647"},
	"int64": {"-9223372036854775808", "9223372036854775807"},
}

func proveBound(f *Flip, s *openapi.Schema) string {
	text := s.Minimum
	if f.Keyword == "maximum" {
		text = s.Maximum
	}
	was, ok := decimal(text)
	if !ok || len(s.Types) != 1 || s.Types[0] != "integer" || !was.IsInt() || !was.Num().IsInt64() {
		return ""
	}
	n := big.NewRat(moved(f, was.Num().Int64()), 1)
	only := fmt.Sprintf("Only the integer %s is judged otherwise", n.RatString())
	if r, known := formatRanges[s.Format]; known {
		low, _ := decimal(r[0])
		high, _ := decimal(r[1])
		if n.Cmp(low) < 0 || n.Cmp(high) > 0 {
			return fmt.Sprintf("%s; no %s is that.", only, s.Format)
		}
	}
	if len(s.Enum) > 0 && !enumHas(s, func(v any) bool {
		x, ok := v.(json.Number)
		if !ok {
			return false
		}
		r, ok := decimal(x.String())
		return ok && r.Cmp(n) == 0
	}) {
		return only + "; enum does not list it."
	}
	return ""
}

// proveTagged shows that a schema's demands of the property by which a discriminator
// tells it from others are those of the discriminator, too: it is there, and has
// one of the names (OpenAPI 3.0.3, 4.7.25).
func (p *planner) proveTagged(f *Flip) string {
	var owner, name string
	switch f.Operator {
	case "required removed":
		owner = above(above(f.Pointer))
		if s := p.places[owner]; s != nil {
			name = s.Required[index(f.Pointer)]
		}
	case "enum value added":
		property := above(f.Pointer)
		owner, name = above(above(property)), last(property)
	}
	s := p.places[owner]
	if s == nil || name == "" {
		return ""
	}
	tagged := false
	for _, t := range p.places {
		for _, u := range t.Subschemas() {
			if u != s {
				continue
			}
			d := t.Discriminator
			if d == nil || d.Property != name || !slices.Contains(t.OneOf, s) || d.Mapping[addedValue(f, s, name)] != nil {
				return ""
			}
			tagged = true
		}
	}
	for _, op := range p.doc.Operations {
		if op.Body != nil && slices.ContainsFunc(op.Body.Content, func(m *openapi.MediaType) bool { return m.Schema == s }) {
			return ""
		}
	}
	if !tagged {
		return ""
	}
	return "The schema is nothing but an alternative that the discriminator " + name + " chooses, which refuses an object without one of its names there."
}

// addedValue is the value that a flip adds to the enum of a property.
func addedValue(f *Flip, s *openapi.Schema, name string) string {
	property := s.Property(name)
	if f.Operator != "enum value added" || property == nil || len(property.Enum) == 0 {
		return ""
	}
	text, _ := otherValue(property.Enum[len(property.Enum)-1]).(string)
	return text
}

func proveFormat(f *Flip, s *openapi.Schema) string {
	switch {
	case f.Operator == "format removed" && s.Format == "password":
		return "password says how a field is shown, and is kept by every string (OpenAPI 3.0.3, 4.4)."
	case f.Operator == "format removed" && formatRanges[s.Format][0] != "" && bounded(s, s.Format):
		return "Only integers beyond " + s.Format + " are judged otherwise; minimum and maximum forbid them."
	case f.Operator == "format changed" && s.Format == "int64" && bounded(s, "int32"):
		return "Only integers beyond int32 are judged otherwise; minimum and maximum forbid them."
	}
	return ""
}

// bounded tells whether minimum and maximum lie within a format.
func bounded(s *openapi.Schema, format string) bool {
	low, ok := decimal(s.Minimum)
	high, ok2 := decimal(s.Maximum)
	least, _ := decimal(formatRanges[format][0])
	most, _ := decimal(formatRanges[format][1])
	return ok && ok2 && low.Cmp(least) >= 0 && high.Cmp(most) <= 0
}

// provePattern shows that a pattern that was removed said nothing, or that one was
// changed into one that matches the same strings of an enum.
func provePattern(f *Flip, s *openapi.Schema) string {
	if f.Operator != "pattern removed" || len(s.Enum) == 0 {
		return ""
	}
	re, err := schema.CompilePattern(s.Pattern)
	if err != nil {
		return ""
	}
	for _, v := range s.Enum {
		if text, ok := v.(string); ok && !re.MatchString(text) {
			return ""
		}
	}
	return "Only values that the pattern does not match are judged otherwise; all " + strconv.Itoa(len(s.Enum)) + " of enum are matched by it."
}
