package contract

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// deriver makes, of the schemas of a document, those by which one direction is
// judged. They say what kin-openapi would have to be told otherwise, or what the
// document leaves to its reader:
//
//   - properties that are not of this direction (readOnly in requests, writeOnly
//     in responses) accept no value, and are not required
//   - an integer without a format is an int64: nobody has longer ones
//   - a discriminator maps every alternative: by its name, if the document does not
//   - in responses, objects have no properties but those that are declared
//
// It refuses what it could not enforce.
type deriver struct {
	responses bool
	formats   map[string]func(string) error
	made      map[derivation]*openapi3.Schema
	err       error // the first; names the place
}

// derivation is what a schema was derived from, and how.
type derivation struct {
	from *openapi3.Schema
	as   role
}

// role is how a schema applies to a value.
type role int

const (
	whole role = iota // alone
	part              // with others (allOf, or beside properties); sees the properties of all
	loose             // and so does everything in it, for it is negated
)

// of derives the schema of a reference.
func (d *deriver) of(ref *openapi3.SchemaRef, as role, place string) *openapi3.SchemaRef {
	if ref == nil || ref.Value == nil {
		return nil
	}
	return &openapi3.SchemaRef{Ref: ref.Ref, Value: d.schema(ref.Value, as, nil, place)}
}

// schema derives a schema. hidden are names that it must not require, because of
// what it is a part of.
func (d *deriver) schema(from *openapi3.Schema, as role, hidden []string, place string) *openapi3.Schema {
	key := derivation{from, as}
	hidden = slices.DeleteFunc(slices.Clone(hidden), func(name string) bool { return !requires(from, name, nil) })
	if len(hidden) == 0 {
		if s := d.made[key]; s != nil {
			return s
		}
	}
	s := *from
	if len(hidden) == 0 {
		d.made[key] = &s
	}
	d.leaf(&s, place)
	hidden = append(hidden, d.hidden(from, nil)...)
	s.Required = slices.DeleteFunc(slices.Clone(s.Required), func(name string) bool { return slices.Contains(hidden, name) })
	inner := whole
	if as == loose {
		inner = loose
	}
	s.Properties = make(openapi3.Schemas, len(from.Properties))
	for name, p := range from.Properties {
		if p.Value != nil && d.isHidden(p.Value) {
			s.Properties[name] = &openapi3.SchemaRef{Value: &openapi3.Schema{Always: new(bool), ReadOnly: p.Value.ReadOnly, WriteOnly: p.Value.WriteOnly}}
			continue
		}
		s.Properties[name] = d.of(p, inner, place+"."+name)
	}
	s.Items = d.of(from.Items, inner, place+"[]")
	s.AdditionalProperties.Schema = d.of(from.AdditionalProperties.Schema, inner, place+".*")
	s.Not = d.of(from.Not, loose, place+" (not)")
	branches := d.close(&s, from, as)
	s.AllOf = d.parts(from.AllOf, max(as, part), hidden, place+" (allOf)")
	s.OneOf = d.parts(from.OneOf, branches, hidden, place+" (oneOf)")
	s.AnyOf = d.parts(from.AnyOf, branches, hidden, place+" (anyOf)")
	d.discriminator(&s, place)
	return &s
}

func (d *deriver) parts(refs openapi3.SchemaRefs, as role, hidden []string, place string) openapi3.SchemaRefs {
	made := make(openapi3.SchemaRefs, len(refs))
	for i, ref := range refs {
		made[i] = &openapi3.SchemaRef{Ref: ref.Ref, Value: d.schema(ref.Value, as, hidden, fmt.Sprintf("%s[%d]", place, i))}
	}
	return made
}

// isHidden tells whether a property is of the other direction.
func (d *deriver) isHidden(s *openapi3.Schema) bool {
	return s.ReadOnly && !d.responses || s.WriteOnly && d.responses
}

// hidden has the names of properties that are of the other direction, in a
// schema or what it is made of.
func (d *deriver) hidden(s *openapi3.Schema, names []string) []string {
	for name, p := range s.Properties {
		if p.Value != nil && d.isHidden(p.Value) {
			names = append(names, name)
		}
	}
	for _, p := range s.AllOf {
		names = d.hidden(p.Value, names)
	}
	return names
}

// requires tells whether a schema, or one that applies to the same value, asks
// for a property.
func requires(s *openapi3.Schema, name string, seen []*openapi3.Schema) bool {
	if slices.Contains(seen, s) {
		return false
	}
	seen = append(seen, s)
	return slices.Contains(s.Required, name) || slices.ContainsFunc(slices.Concat(s.AllOf, s.OneOf, s.AnyOf), func(p *openapi3.SchemaRef) bool {
		return requires(p.Value, name, seen)
	})
}

// close makes an object that lists properties, and does not say otherwise, have
// no others. What applies to a value together is closed together, by the
// properties of all parts. It returns how the alternatives apply.
func (d *deriver) close(s, from *openapi3.Schema, as role) role {
	composed := len(from.AllOf) > 0 || len(from.Properties) > 0
	alternatives := max(as, part)
	if as == whole && !composed {
		alternatives = whole
	}
	explicit := from.AdditionalProperties.Has != nil || from.AdditionalProperties.Schema != nil
	if !d.responses || as != whole || !composed || explicit {
		return alternatives
	}
	names := make(map[string]bool)
	if !declared(from, names, nil) || len(names) == 0 {
		return alternatives
	}
	for name := range names {
		if s.Properties[name] == nil {
			s.Properties[name] = &openapi3.SchemaRef{Value: anything}
		}
	}
	s.AdditionalProperties.Has = new(bool)
	return alternatives
}

// anything accepts every value.
var anything = &openapi3.Schema{Nullable: true}

// declared gathers the properties of all that applies to the same value. It is
// false if that permits others.
func declared(s *openapi3.Schema, names map[string]bool, seen []*openapi3.Schema) bool {
	if slices.Contains(seen, s) {
		return true
	}
	seen = append(seen, s)
	if s.AdditionalProperties.Schema != nil || s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has {
		return false
	}
	for name := range s.Properties {
		names[name] = true
	}
	for _, p := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf) {
		if !declared(p.Value, names, seen) {
			return false
		}
	}
	return true
}

// leaf prepares what a schema says of single values.
func (d *deriver) leaf(s *openapi3.Schema, place string) {
	integer := s.Type.Includes(openapi3.TypeInteger) && !s.Type.Includes(openapi3.TypeNumber)
	switch {
	case integer && s.Format == "":
		s.Format = "int64"
	case integer && s.Format != "int32" && s.Format != "int64":
		d.refuse(place, "integers have no format "+s.Format)
	case s.Type.Is(openapi3.TypeNumber) && s.Format == "float":
		s.Min = new(max(least(s.Min), -math.MaxFloat32))
		s.Max = new(min(most(s.Max), math.MaxFloat32))
	case s.Type.Is(openapi3.TypeNumber) && s.Format != "" && s.Format != "double":
		d.refuse(place, "numbers have no format "+s.Format)
	case s.Format != "" && (s.Type == nil || s.Type.Includes(openapi3.TypeString)) && d.formats[s.Format] == nil:
		d.refuse(place, "there is no check for the format "+s.Format)
	}
}

func least(bound *float64) float64 {
	if bound == nil {
		return math.Inf(-1)
	}
	return *bound
}

func most(bound *float64) float64 {
	if bound == nil {
		return math.Inf(1)
	}
	return *bound
}

// discriminator maps every alternative that has a name.
func (d *deriver) discriminator(s *openapi3.Schema, place string) {
	if s.Discriminator == nil {
		return
	}
	if len(s.OneOf) == 0 && len(s.AnyOf) == 0 {
		d.refuse(place, "a discriminator without oneOf or anyOf says nothing of the properties that there may be")
		return
	}
	made := *s.Discriminator
	made.Mapping = make(map[string]openapi3.MappingRef)
	for kind, ref := range s.Discriminator.Mapping {
		if !strings.Contains(ref.Ref, "/") {
			ref.Ref = componentSchemas + ref.Ref
		}
		made.Mapping[kind] = ref
	}
	for _, branch := range slices.Concat(s.OneOf, s.AnyOf) {
		name, named := strings.CutPrefix(branch.Ref, componentSchemas)
		if !named {
			d.refuse(place, "an alternative without a name cannot be told by a discriminator")
			return
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(made.Mapping)), func(m openapi3.MappingRef) bool { return m.Ref == branch.Ref }) {
			made.Mapping[name] = openapi3.MappingRef{Ref: branch.Ref}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(made.Mapping)) {
		ref := made.Mapping[kind].Ref
		if !slices.ContainsFunc(slices.Concat(s.OneOf, s.AnyOf), func(b *openapi3.SchemaRef) bool { return b.Ref == ref }) {
			d.refuse(place, "the discriminator maps "+kind+" to no alternative")
		}
	}
	s.Discriminator = &made
}

const componentSchemas = "#/components/schemas/"

func (d *deriver) refuse(place, why string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s: %s", place, why)
	}
}
