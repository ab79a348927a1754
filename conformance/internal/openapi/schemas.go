package openapi

import (
	"encoding/json"
	"math/big"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// beside are keywords that say nothing of values: a reference that has no others
// beside it is the schema that it refers to.
var beside = map[string]bool{
	"$ref": true, "description": true, "title": true, "summary": true, "$comment": true,
	"externalDocs": true, "deprecated": true, "example": true, "examples": true,
}

// schema reads a schema, or what a reference refers to, once.
func (l *loader) schema(p place) (*Schema, error) {
	if s, ok := l.doc.places[p.ptr]; ok {
		return s, nil
	}
	if p.node.Kind == yaml.ScalarNode && p.node.ShortTag() == "!!bool" && !l.doc.V30() {
		s := &Schema{Pointer: p.ptr, node: p.node, Never: p.node.Value != "true"}
		l.doc.places[p.ptr] = s
		return s, nil
	}
	if err := l.mapping(p, "a schema"); err != nil {
		return nil, err
	}
	ref, ok := p.get("$ref")
	if ok && (l.doc.V30() || alone(p)) {
		t, err := l.referred(p, ref)
		if err == nil {
			l.doc.places[p.ptr] = t
		}
		return t, err
	}
	s := &Schema{Pointer: p.ptr, node: p.node}
	l.doc.places[p.ptr] = s
	if ok {
		t, err := l.referred(p, ref)
		if err != nil {
			return nil, err
		}
		s.AllOf = append(s.AllOf, t)
	}
	for _, f := range p.fields() {
		if err := l.keyword(s, f); err != nil {
			return nil, err
		}
	}
	return s, l.finish(s, p)
}

func alone(p place) bool {
	for _, f := range p.fields() {
		if !beside[f.key] && !strings.HasPrefix(f.key, "x-") {
			return false
		}
	}
	return true
}

func (l *loader) referred(p, ref place) (*Schema, error) {
	if l.following[p.ptr] {
		return nil, l.errorf(ref.node, "the reference %q leads to itself", ref.node.Value)
	}
	l.following[p.ptr] = true
	defer delete(l.following, p.ptr)
	t, err := l.target(ref.node, ref.node.Value)
	if err != nil {
		return nil, err
	}
	return l.schema(t)
}

// keyword reads one keyword of a schema.
func (l *loader) keyword(s *Schema, f field) error {
	switch {
	case strings.HasPrefix(f.key, "x-"):
		if s.Extensions == nil {
			s.Extensions = map[string]any{}
		}
		s.Extensions[f.key] = Decode(f.node)
		return nil
	case l.annotation(s, f):
		return nil
	}
	if done, err := l.bound(s, f); done || err != nil {
		return err
	}
	if done, err := l.lists(s, f); done || err != nil {
		return err
	}
	return l.applicator(s, f)
}

// annotation reads the keywords of one plain value.
func (*loader) annotation(s *Schema, f field) bool {
	truth := f.node.Value == "true"
	switch f.key {
	case "nullable":
		s.Nullable = truth
	case "format":
		s.Format = f.node.Value
	case "pattern":
		s.Pattern = f.node.Value
	case "contentEncoding":
		s.ContentEncoding = f.node.Value
	case "contentMediaType":
		s.ContentMediaType = f.node.Value
	case "uniqueItems":
		s.UniqueItems = truth
	case "readOnly":
		s.ReadOnly = truth
	case "writeOnly":
		s.WriteOnly = truth
	case "deprecated":
		s.Deprecated = truth
	case "const":
		v := Decode(f.node)
		s.Const = &v
	case "default":
		v := Decode(f.node)
		s.Default = &v
	case "example":
		s.Examples = append(s.Examples, Decode(f.node))
	default:
		return false
	}
	return true
}

// bound reads the keywords of one number.
func (l *loader) bound(s *Schema, f field) (bool, error) {
	counts := map[string]**int64{
		"minLength": &s.MinLength, "maxLength": &s.MaxLength,
		"minItems": &s.MinItems, "maxItems": &s.MaxItems,
		"minContains": &s.MinContains, "maxContains": &s.MaxContains,
		"minProperties": &s.MinProperties, "maxProperties": &s.MaxProperties,
	}
	if to, ok := counts[f.key]; ok {
		r, ok := l.number(f.place)
		if !ok || !r.IsInt() || r.Sign() < 0 || !r.Num().IsInt64() {
			return true, l.errorf(f.node, "%s must be a whole number, not below 0", f.key)
		}
		n := r.Num().Int64()
		*to = &n
		return true, nil
	}
	switch f.key {
	case "minimum", "maximum", "multipleOf":
	case "exclusiveMinimum", "exclusiveMaximum":
		if f.node.ShortTag() == "!!bool" {
			if f.node.Value == "true" {
				s.ExclusiveMinimum = s.ExclusiveMinimum || f.key == "exclusiveMinimum"
				s.ExclusiveMaximum = s.ExclusiveMaximum || f.key == "exclusiveMaximum"
			}
			return true, nil
		}
	default:
		return false, nil
	}
	r, ok := l.number(f.place)
	if !ok || f.key == "multipleOf" && r.Sign() <= 0 {
		return true, l.errorf(f.node, "%s must be a number", f.key)
	}
	text, _ := decimal(f.node.Value)
	if f.key == "multipleOf" {
		s.MultipleOf = text
		return true, nil
	}
	tighten(s, f.key, text, r)
	return true, nil
}

// tighten sets a bound, if there is none that is as tight already: OpenAPI 3.1 has
// minimum and exclusiveMinimum beside each other.
func tighten(s *Schema, key, text string, r *big.Rat) {
	bound, keyword, exclusive, sign := &s.Minimum, &s.MinimumKeyword, &s.ExclusiveMinimum, 1
	if strings.HasSuffix(strings.ToLower(key), "maximum") {
		bound, keyword, exclusive, sign = &s.Maximum, &s.MaximumKeyword, &s.ExclusiveMaximum, -1
	}
	strict := strings.HasPrefix(key, "exclusive")
	if *bound != "" {
		have, _ := new(big.Rat).SetString(*bound)
		c := r.Cmp(have) * sign
		if c < 0 || c == 0 && !strict {
			return
		}
	}
	if *keyword != "" || strict { // of 3.0, exclusive may have been read before
		*exclusive = strict
	}
	*bound, *keyword = text, key
}

// number reads a number exactly. Exponents that would fill the memory are none.
func (*loader) number(p place) (*big.Rat, bool) {
	n, ok := Decode(p.node).(json.Number)
	if !ok {
		return nil, false
	}
	if i := strings.IndexAny(string(n), "eE"); i >= 0 && len(n)-i > 5 {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

// lists reads the keywords of lists of strings or values.
func (l *loader) lists(s *Schema, f field) (bool, error) {
	switch f.key {
	case "type":
		if f.node.Kind == yaml.ScalarNode {
			s.Types = []string{f.node.Value}
		} else {
			s.Types = texts(f.place)
		}
		for _, t := range s.Types {
			if !jsonTypes[t] {
				return true, l.errorf(f.node, "%q is no type of JSON", t)
			}
		}
	case "required":
		if err := l.sequence(f.place, "required"); err != nil {
			return true, err
		}
		s.Required = texts(f.place)
	case "enum":
		if err := l.sequence(f.place, "enum"); err != nil {
			return true, err
		}
		s.Enum = []any{}
		for _, item := range f.items() {
			s.Enum = append(s.Enum, Decode(item.node))
		}
	case "examples":
		for _, item := range f.items() {
			s.Examples = append(s.Examples, Decode(item.node))
		}
	case "dependentRequired":
		s.DependentRequired = map[string][]string{}
		for _, g := range f.fields() {
			s.DependentRequired[g.key] = texts(g.place)
		}
	default:
		return false, nil
	}
	return true, nil
}

var jsonTypes = map[string]bool{
	"null": true, "boolean": true, "integer": true, "number": true,
	"string": true, "array": true, "object": true,
}

func texts(p place) []string {
	var list []string
	for _, item := range p.items() {
		list = append(list, item.node.Value)
	}
	return list
}

// applicator reads the keywords that hold schemas.
func (l *loader) applicator(s *Schema, f field) (err error) {
	one := map[string]**Schema{
		"items": &s.Items, "contains": &s.Contains, "not": &s.Not,
		"propertyNames": &s.PropertyNames, "if": &s.If, "then": &s.Then, "else": &s.Else,
		"unevaluatedProperties": &s.UnevaluatedProperties, "unevaluatedItems": &s.UnevaluatedItems,
	}
	if to, ok := one[f.key]; ok {
		*to, err = l.schema(f.place)
		return err
	}
	switch f.key {
	case "allOf":
		return l.alternatives(&s.AllOf, f)
	case "oneOf":
		return l.alternatives(&s.OneOf, f)
	case "anyOf":
		return l.alternatives(&s.AnyOf, f)
	case "prefixItems":
		return l.alternatives(&s.PrefixItems, f)
	case "properties":
		return l.properties(&s.Properties, f)
	case "patternProperties":
		return l.properties(&s.PatternProperties, f)
	case "dependentSchemas":
		return l.properties(&s.DependentSchemas, f)
	case "additionalProperties":
		if f.node.ShortTag() == "!!bool" {
			s.Closed = f.node.Value != "true"
			s.Open = !s.Closed
			return nil
		}
		s.Additional, err = l.schema(f.place)
		s.Open = len(f.node.Content) == 0
	}
	return err
}

func (l *loader) alternatives(to *[]*Schema, f field) error {
	if err := l.sequence(f.place, f.key); err != nil {
		return err
	}
	for _, item := range f.items() {
		t, err := l.schema(item)
		if err != nil {
			return err
		}
		*to = append(*to, t)
	}
	return nil
}

func (l *loader) properties(to *[]*Property, f field) error {
	if err := l.mapping(f.place, f.key); err != nil {
		return err
	}
	for _, g := range f.fields() {
		t, err := l.schema(g.place)
		if err != nil {
			return err
		}
		*to = append(*to, &Property{Name: g.key, Schema: t})
	}
	return nil
}

// finish does what needs more than one keyword.
func (l *loader) finish(s *Schema, p place) error {
	if len(s.Types) > 1 {
		var types []string
		for _, t := range s.Types {
			if t == "null" {
				s.Nullable = true
				continue
			}
			types = append(types, t)
		}
		s.Types = types
	}
	if d, ok := p.get("discriminator"); ok {
		return l.discriminator(s, p, d)
	}
	return nil
}

func (l *loader) discriminator(s *Schema, p, d place) error {
	s.Discriminator = &Discriminator{Property: d.text("propertyName"), Mapping: map[string]*Schema{}}
	named := map[*Schema]bool{}
	if mapping, ok := d.get("mapping"); ok {
		for _, f := range mapping.fields() {
			ref := f.node.Value
			if !strings.ContainsAny(ref, "#/.") { // the name of a component
				ref = "#" + Join("/components/schemas", ref)
			}
			t, err := l.target(f.node, ref)
			if err != nil {
				return err
			}
			if s.Discriminator.Mapping[f.key], err = l.schema(t); err != nil {
				return err
			}
			named[s.Discriminator.Mapping[f.key]] = true
		}
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		list, ok := p.get(keyword)
		if !ok {
			continue
		}
		for _, item := range list.items() {
			ptr, err := fragment(item.text("$ref"))
			tokens := Split(ptr)
			t := l.doc.places[item.ptr]
			if err != nil || len(tokens) == 0 || named[t] {
				continue
			}
			s.Discriminator.Mapping[tokens[len(tokens)-1]] = t
		}
	}
	for name := range s.Discriminator.Mapping {
		s.Discriminator.Names = append(s.Discriminator.Names, name)
	}
	sort.Strings(s.Discriminator.Names)
	return nil
}

// Places gives the pointer of every place where a schema is written, or referred
// to, that the operations use, with the schema that is meant.
func (d *Document) Places() map[string]*Schema {
	places := make(map[string]*Schema, len(d.places))
	for ptr, s := range d.places {
		places[ptr] = s
	}
	return places
}
