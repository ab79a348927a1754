package schema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/message"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// broken is what is said of a keyword that is judged here.
type broken struct{ keyword, message string }

// KeywordPath implements [jsonschema.ErrorKind].
func (b *broken) KeywordPath() []string { return []string{b.keyword} }

// LocalizedString implements [jsonschema.ErrorKind].
func (b *broken) LocalizedString(*message.Printer) string { return b.message }

// extend makes the library judge by the keywords that it was not shown. It
// changes compiled schemas, which all that refer to them share.
func (s *Set) extend(dir openapi.Direction, m *openapi.Schema) {
	c := s.compiled[dir][m.Pointer]
	if m.Never || !s.extends(m) {
		return
	}
	c.Bool = nil // the library takes a schema of nothing that it knows for true
	c.Extensions = append(c.Extensions, &values{m})
	if m.Discriminator != nil && len(m.OneOf)+len(m.AnyOf) > 0 {
		union := *c
		union.Extensions = nil
		clearUnion(&union)
		u := &discriminated{m: m, union: &union, names: map[string]*jsonschema.Schema{}}
		for name, t := range m.Discriminator.Mapping {
			u.names[name] = s.compiled[dir][t.Pointer]
		}
		c.Extensions = append(c.Extensions, u)
		c.OneOf, c.AnyOf = nil, nil
	}
	if m.Nullable && s.doc.V30() {
		whole := *c
		*c = emptied(c)
		c.Extensions = []jsonschema.SchemaExt{&nullable{m, &whole}}
	}
}

func (*Set) extends(m *openapi.Schema) bool {
	return len(m.Types) > 0 || m.Nullable || m.Enum != nil || m.Const != nil ||
		m.Format != "" || m.ContentEncoding != "" || m.Discriminator != nil
}

// emptied gives a schema that demands nothing, in the same place.
func emptied(c *jsonschema.Schema) jsonschema.Schema {
	e := *c
	e.Ref, e.Not, e.If, e.Then, e.Else = nil, nil, nil, nil, nil
	e.AllOf, e.AnyOf, e.OneOf = nil, nil, nil
	e.MaxProperties, e.MinProperties, e.Required, e.PropertyNames = nil, nil, nil, nil
	e.Properties, e.PatternProperties, e.AdditionalProperties = nil, nil, nil
	e.DependentRequired, e.DependentSchemas, e.UnevaluatedProperties = nil, nil, nil
	e.MinItems, e.MaxItems, e.UniqueItems, e.Contains = nil, nil, false, nil
	e.MinContains, e.MaxContains, e.PrefixItems, e.Items2020, e.UnevaluatedItems = nil, nil, nil, nil, nil
	e.MinLength, e.MaxLength, e.Pattern = nil, nil, nil
	e.Maximum, e.Minimum, e.ExclusiveMaximum, e.ExclusiveMinimum, e.MultipleOf = nil, nil, nil, nil, nil
	e.Extensions = nil
	return e
}

// clearUnion leaves nothing but the union.
func clearUnion(c *jsonschema.Schema) {
	one, anyOf := c.OneOf, c.AnyOf
	*c = emptied(c)
	c.OneOf, c.AnyOf = one, anyOf
}

// nullable lets null pass, whatever else is demanded but enum: that must have null
// in it (OpenAPI 3.0.3, 4.7.24.1, and the clarification of nullable). That allOf
// and the like do not apply to null is what documents mean that say nullable
// beside them.
type nullable struct {
	m     *openapi.Schema
	whole *jsonschema.Schema
}

// Validate implements [jsonschema.SchemaExt].
func (n *nullable) Validate(ctx *jsonschema.ValidatorContext, v any) {
	if v != nil {
		if err := ctx.Validate(n.whole, v, nil); err != nil {
			ctx.AddErr(err)
		}
		return
	}
	if n.m.Enum != nil && !member(n.m.Enum, nil) {
		ctx.AddError(&broken{"enum", "null is none of the allowed values"})
	}
}

// values judges by the keywords of a value alone.
type values struct{ m *openapi.Schema }

// Validate implements [jsonschema.SchemaExt].
func (x *values) Validate(ctx *jsonschema.ValidatorContext, v any) {
	m := x.m
	if !typed(m, v) {
		ctx.AddError(&broken{"type", fmt.Sprintf("it is %s, and must be %s", typeOf(v), alternatives(m))})
	}
	if m.Enum != nil && !member(m.Enum, v) {
		ctx.AddError(&broken{"enum", "it is none of the allowed values"})
	}
	if m.Const != nil && !equal(*m.Const, v) {
		ctx.AddError(&broken{"const", "it is not the one allowed value"})
	}
	if err := checkFormat(m.Format, v); err != nil {
		ctx.AddError(&broken{"format", fmt.Sprintf("it is no %s: %v", m.Format, err)})
	}
	if m.ContentEncoding == "base64" {
		if err := checkFormat("base64", v); err != nil {
			ctx.AddError(&broken{"contentEncoding", fmt.Sprintf("it is no base64: %v", err)})
		}
	}
}

func alternatives(m *openapi.Schema) string {
	types := m.Types
	if m.Nullable {
		types = append(append([]string(nil), types...), "null")
	}
	return strings.Join(types, " or ")
}

// typed says whether the type is allowed. 1.0 is an integer (JSON Schema
// 2020-12 Validation, 6.1.1).
func typed(m *openapi.Schema, v any) bool {
	return m.Allows(typeOf(v))
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if r, ok := new(big.Rat).SetString(string(v)); ok && r.IsInt() {
			return "integer"
		}
	}
	return "number"
}

// member says whether the value is one of the list.
func member(list []any, v any) bool {
	for _, x := range list {
		if equal(x, v) {
			return true
		}
	}
	return false
}

// Equal says whether two JSON values are the same to JSON Schema: 1 and 1.0 are,
// the order of properties does not matter (2020-12 Core, 4.2.2).
func Equal(a, b any) bool { return equal(plain(a), plain(b)) }

func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		if !ok {
			return false
		}
		x, okX := new(big.Rat).SetString(string(a))
		y, okY := new(big.Rat).SetString(string(b))
		return okX && okY && x.Cmp(y) == 0
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, x := range a {
			if y, ok := b[k]; !ok || !equal(x, y) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// discriminated judges a union by the alternative that the value itself names.
type discriminated struct {
	m     *openapi.Schema
	union *jsonschema.Schema // without the rest
	names map[string]*jsonschema.Schema
}

// Validate implements [jsonschema.SchemaExt].
func (d *discriminated) Validate(ctx *jsonschema.ValidatorContext, v any) {
	obj, ok := v.(map[string]any)
	if ok {
		property := d.m.Discriminator.Property
		name, isString := obj[property].(string)
		switch branch := d.names[name]; {
		case !isString:
			ctx.AddError(&broken{"discriminator", fmt.Sprintf("it has no string %q, which would say which of the alternatives it is", property)})
		case branch == nil:
			ctx.AddError(&broken{"discriminator", fmt.Sprintf("%q is the name of none of the alternatives", name)})
		default:
			if err := ctx.Validate(branch, v, nil); err != nil {
				ctx.AddErr(err) // it says which it is: the others do not matter
				return
			}
		}
	}
	if err := ctx.Validate(d.union, v, nil); err != nil {
		ctx.AddErr(err)
	}
}
