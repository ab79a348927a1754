package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// kin-openapi judges numbers as float64, which for numbers of more than 15
// digits may be equal to a bound that they are beyond. What it has accepted of
// those is compared exactly here.

// exactDigits is how many decimal digits every float64 tells apart.
const exactDigits = 15

// long tells whether a number has more digits than a float64 may tell apart.
func long(n json.Number) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(string(n)), "e")
	return len(strings.Trim(mantissa, "-0.")) > exactDigits
}

// hasLong tells whether there is such a number in a value.
func hasLong(value any) bool {
	switch v := value.(type) {
	case json.Number:
		return len(v) > exactDigits && long(v)
	case []any:
		return slices.ContainsFunc(v, hasLong)
	case map[string]any:
		for _, member := range v {
			if hasLong(member) {
				return true
			}
		}
	}
	return false
}

// exact tells whether the long numbers of a value that kin-openapi accepts keep
// the schema.
func (ct *Contract) exact(s *openapi3.Schema, value any) bool {
	if !hasLong(value) {
		return true
	}
	for _, p := range s.AllOf {
		if !ct.exact(p.Value, value) {
			return false
		}
	}
	// kin-openapi accepts the alternative that applies; of several, any will do.
	for _, alternatives := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if len(alternatives) > 0 && !slices.ContainsFunc(applicable(s, alternatives, value), func(p *openapi3.SchemaRef) bool { return ct.keeps(p.Value, value) }) {
			return false
		}
	}
	switch v := value.(type) {
	case json.Number:
		return len(inexact(s, v)) == 0
	case []any:
		return s.Items == nil || !slices.ContainsFunc(v, func(item any) bool { return !ct.exact(s.Items.Value, item) })
	case map[string]any:
		for name, member := range v {
			if p := property(s, name); p != nil && !ct.exact(p, member) {
				return false
			}
		}
	}
	return true
}

// applicable has those of several alternatives that a discriminator leaves.
func applicable(s *openapi3.Schema, alternatives openapi3.SchemaRefs, value any) openapi3.SchemaRefs {
	object, ok := value.(map[string]any)
	if !ok || s.Discriminator == nil {
		return alternatives
	}
	kind, _ := object[s.Discriminator.PropertyName].(string)
	ref := s.Discriminator.Mapping[kind].Ref
	return slices.DeleteFunc(slices.Clone(alternatives), func(p *openapi3.SchemaRef) bool { return p.Ref != ref })
}

// inexact finds the rules that a number breaks although the float64 next to it
// does not.
func inexact(s *openapi3.Schema, n json.Number) []*openapi3.SchemaError {
	exact, ok := new(big.Rat).SetString(string(n))
	if !ok || !long(n) {
		return nil
	}
	var broken []*openapi3.SchemaError
	breaks := func(field string) {
		broken = append(broken, &openapi3.SchemaError{Schema: s, SchemaField: field})
	}
	if s.Min != nil {
		switch order := exact.Cmp(decimal(*s.Min)); {
		case order < 0:
			breaks("minimum")
		case order == 0 && isTrue(s.ExclusiveMin):
			breaks("exclusiveMinimum")
		}
	}
	if s.Max != nil {
		switch order := exact.Cmp(decimal(*s.Max)); {
		case order > 0:
			breaks("maximum")
		case order == 0 && isTrue(s.ExclusiveMax):
			breaks("exclusiveMaximum")
		}
	}
	if s.MultipleOf != nil && !new(big.Rat).Quo(exact, decimal(*s.MultipleOf)).IsInt() {
		breaks("multipleOf")
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(v any) bool { r, ok := new(big.Rat).SetString(values([]any{v})); return ok && exact.Cmp(r) == 0 }) {
		breaks("enum")
	}
	if s.Type.Includes(openapi3.TypeInteger) && !s.Type.Includes(openapi3.TypeNumber) && (!exact.IsInt() || !exact.Num().IsInt64()) {
		breaks("format")
	}
	return broken
}

func isTrue(b openapi3.ExclusiveBound) bool { return b.Bool != nil && *b.Bool }

// bounds are the ends of the words that bounds are written after, and longBound
// finds there those that are written with more digits than a float64 always has.
var (
	bounds    = [][]byte{[]byte("imum"), []byte("multipleOf")}
	longBound = regexp.MustCompile(`^["']?\s*:\s*["']?([-+]?[0-9][0-9a-zA-Z_.+-]{15,})`)
)

// inexactBound refuses bounds in a document that kin-openapi knows only roughly,
// save the greatest int64.
func inexactBound(document []byte) error {
	for _, word := range bounds {
		for at := 0; ; {
			next := bytes.Index(document[at:], word)
			if next < 0 {
				break
			}
			at += next + len(word)
			found := longBound.FindSubmatch(document[at:])
			if found == nil {
				continue
			}
			literal := string(found[1])
			f, err := strconv.ParseFloat(literal, 64)
			if literal != "9223372036854775807" && (err != nil || !isExactly(literal, f)) {
				return fmt.Errorf("line %d: the bound %s has more digits than are judged", 1+bytes.Count(document[:at], []byte("\n")), literal)
			}
		}
	}
	return nil
}

// isExactly tells whether a literal is a float64, which is near it.
func isExactly(literal string, f float64) bool {
	written, ok := new(big.Rat).SetString(literal)
	return ok && written.Cmp(new(big.Rat).SetFloat64(f)) == 0
}

// decimal is the number that was written in the document where it became a
// float64. A whole 2^63 was the greatest int64: see inexactBound.
func decimal(f float64) *big.Rat {
	if f == 1<<63 {
		return new(big.Rat).SetInt64(math.MaxInt64)
	}
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return r
}

// property is the schema of an object's property; nil if there is none.
func property(s *openapi3.Schema, name string) *openapi3.Schema {
	if p := s.Properties[name]; p != nil {
		return p.Value
	}
	if p := s.AdditionalProperties.Schema; p != nil {
		return p.Value
	}
	return nil
}
