package checker

import (
	"maps"
	"math"
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// compiler makes nodes of schemas, one of each.
type compiler struct {
	formats Formats
	nodes   map[*openapi3.Schema]*node
	order   []*node // as they were made
}

// anything takes every value, as kin-openapi does where there is no schema.
var anything = free()

func free() *node {
	n := &node{takes: kindsAll, plain: kindsAll}
	n.boolean = &boolean{yes: true, no: true}
	n.number = &number{min: math.Inf(-1), max: math.Inf(1), above: math.NaN(), below: math.NaN()}
	n.text = &text{free: true}
	n.array = &array{maxItems: -1, items: n}
	n.object = &object{properties: makeNames(nil), additional: n, maxProperties: -1}
	return n
}

// ref compiles the schema of a reference, which is nil if it was not found.
func (c *compiler) ref(r *openapi3.SchemaRef) *node {
	if r == nil {
		return &node{}
	}
	return c.schema(r.Value)
}

func (c *compiler) schema(s *openapi3.Schema) *node {
	if s == nil {
		return &node{}
	}
	if n := c.nodes[s]; n != nil {
		return n
	}
	n := new(node)
	c.nodes[s] = n
	c.order = append(c.order, n)
	if s.Nullable || s.Type.IncludesNull() {
		n.takes = kindNull
	}
	if s.Not != nil || s.Always != nil {
		return n
	}
	n.takes |= typesOf(s)
	n.boolean = compileBoolean(n, s)
	n.number = compileNumber(n, s)
	n.text = c.text(n, s)
	n.array = c.array(n, s)
	n.object = c.object(n, s)
	c.parts(n, s)
	return n
}

// typesOf has the kinds that a schema's type permits. Null is not one of them:
// kin-openapi asks for it before.
func typesOf(s *openapi3.Schema) kinds {
	var k kinds
	for name, kind := range map[string]kinds{
		openapi3.TypeBoolean: kindBoolean,
		openapi3.TypeInteger: kindNumber,
		openapi3.TypeNumber:  kindNumber,
		openapi3.TypeString:  kindString,
		openapi3.TypeArray:   kindArray,
		openapi3.TypeObject:  kindObject,
	} {
		if s.Type.Permits(name) {
			k |= kind
		}
	}
	return k
}

// settle notes whether the keywords of one kind are understood, and whether they
// ask for nothing.
func (n *node) settle(kind kinds, understood, plain bool) {
	if !understood {
		n.takes &^= kind
	}
	if plain {
		n.plain |= n.takes & kind
	}
}

// enumOf has those values of an enum that are of one kind. It is nil if there is
// no enum.
func enumOf[T any](s *openapi3.Schema, convert func(any) (T, bool)) []T {
	if len(s.Enum) == 0 {
		return nil
	}
	values := []T{}
	for _, v := range s.Enum {
		if t, ok := convert(v); ok {
			values = append(values, t)
		}
	}
	return values
}

func compileBoolean(n *node, s *openapi3.Schema) *boolean {
	values := enumOf(s, func(v any) (bool, bool) { b, ok := v.(bool); return b, ok })
	b := &boolean{yes: values == nil || slices.Contains(values, true), no: values == nil || slices.Contains(values, false)}
	n.settle(kindBoolean, true, b.yes && b.no)
	return b
}

func compileNumber(n *node, s *openapi3.Schema) *number {
	m := &number{min: math.Inf(-1), max: math.Inf(1), above: math.NaN(), below: math.NaN()}
	m.integer = s.Type.Permits(openapi3.TypeInteger) && !s.Type.Permits(openapi3.TypeNumber)
	understood := true
	if s.Min != nil {
		m.min = *s.Min
	}
	if s.Max != nil {
		m.max = *s.Max
	}
	if bound := exclusive(s.ExclusiveMin, s.Min); bound != nil {
		m.above = *bound
		understood = understood && !math.IsNaN(*bound)
	}
	if bound := exclusive(s.ExclusiveMax, s.Max); bound != nil {
		m.below = *bound
		understood = understood && !math.IsNaN(*bound)
	}
	if s.MultipleOf != nil {
		m.multipleOf = *s.MultipleOf
		understood = understood && m.multipleOf > 0 && !math.IsInf(m.multipleOf, 0)
	}
	m.enum = enumOf(s, func(v any) (float64, bool) { f, ok := v.(float64); return f, ok })
	if f, ok := openapi3.SchemaIntegerFormats[s.Format]; ok && m.integer {
		m.integerFormat = f.Validate
	}
	if f, ok := openapi3.SchemaNumberFormats[s.Format]; ok && !m.integer {
		m.numberFormat = f.Validate
	}
	n.settle(kindNumber, understood, false)
	return m
}

// exclusive gives the bound that kin-openapi takes for an exclusive one: a number
// of OpenAPI 3.1, or that of OpenAPI 3.0 which is made exclusive.
func exclusive(b openapi3.ExclusiveBound, bound *float64) *float64 {
	if b.Value != nil {
		return b.Value
	}
	if b.IsTrue() {
		return bound
	}
	return nil
}

func (c *compiler) text(n *node, s *openapi3.Schema) *text {
	t := new(text)
	var understood bool
	t.minLength, t.maxLength, understood = limits(s.MinLength, s.MaxLength)
	t.enum = enumOf(s, func(v any) (string, bool) { text, ok := v.(string); return text, ok })
	if s.Pattern != "" {
		p, err := compilePattern(s.Pattern)
		t.pattern, understood = p, understood && err == nil
	}
	if callback, ok := c.formats[s.Format]; ok {
		t.format, t.quick = callback, quickFor(s.Format, callback)
	} else if global, ok := openapi3.SchemaStringFormats[s.Format]; ok {
		t.format, t.quick = global.Validate, quickFor(s.Format, global.Validate)
	}
	t.free = t.minLength == 0 && t.maxLength < 0 && t.enum == nil && t.pattern == nil && t.format == nil
	n.settle(kindString, understood, t.free)
	return t
}

// limits are those of a length; a negative one is none. Those that are too large
// for kin-openapi, for which they become negative, are not understood.
func limits(least uint64, most *uint64) (low, high int, understood bool) {
	if least > math.MaxInt32 || most != nil && *most > math.MaxInt32 {
		return 0, -1, false
	}
	if most == nil {
		return int(least), -1, true
	}
	return int(least), int(*most), true
}

var rewriteCodePoints = regexp.MustCompile(`\\u([0-9A-F]{4})`)

// compilePattern compiles a pattern as kin-openapi does.
func compilePattern(pattern string) (matcher, error) {
	pattern = rewriteCodePoints.ReplaceAllString(pattern, `\x{$1}`)
	if a := newAutomaton(pattern); a != nil {
		return a, nil
	}
	return regexp.Compile(pattern)
}

func (c *compiler) array(n *node, s *openapi3.Schema) *array {
	a := &array{items: anything}
	var understood bool
	a.minItems, a.maxItems, understood = limits(s.MinItems, s.MaxItems)
	if s.Items != nil {
		a.items = c.ref(s.Items)
	}
	understood = understood && !s.UniqueItems && len(s.PrefixItems) == 0 && len(s.Enum) == 0
	n.settle(kindArray, understood, a.minItems == 0 && a.maxItems < 0 && s.Items == nil)
	return a
}

func (c *compiler) object(n *node, s *openapi3.Schema) *object {
	o := &object{additional: anything}
	var understood bool
	o.minProperties, o.maxProperties, understood = limits(s.MinProps, s.MaxProps)
	if s.AdditionalProperties.Schema != nil {
		o.additional = c.ref(s.AdditionalProperties.Schema)
	}
	if allowed := s.AdditionalProperties.Has; allowed != nil && !*allowed {
		o.additional = nil
	}
	understood = understood && len(s.Enum) == 0
	declared := make(map[string]*node, len(s.Properties))
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		declared[name] = c.ref(s.Properties[name])
	}
	for _, name := range s.Required {
		if _, ok := declared[name]; !ok {
			declared[name] = o.additional
		}
	}
	var properties []property
	for place, name := range slices.Sorted(maps.Keys(declared)) {
		properties = append(properties, property{name: name, place: uint(place), node: declared[name]})
		understood = understood && isPlain(name) && len(properties) <= maxNames
		if slices.Contains(s.Required, name) {
			o.required.add(uint(place))
		}
	}
	o.properties = makeNames(properties)
	open := o.additional == anything && len(properties) == 0 && o.minProperties == 0 && o.maxProperties < 0
	n.settle(kindObject, understood, open)
	return o
}
