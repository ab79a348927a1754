package contract

import (
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// bounded refuses a schema that comes to itself on more than one way at once.
// Whoever judges by it looks at a part of a value once for each way, at a part
// of that part twice as often, and so on: exponentially often. Alternatives that
// are told apart by a discriminator, or by the type of the value, are one way.
func bounded(s *openapi3.Schema, place string, seen map[*openapi3.Schema]bool) error {
	if seen[s] {
		return nil
	}
	seen[s] = true
	if within(s, s, nil) {
		return fmt.Errorf("%s: is a part of itself", place)
	}
	if ways(s) > 1 {
		return fmt.Errorf("%s: is in itself by more than one of its parts, and so takes exponentially long to judge", place)
	}
	for name, p := range s.Properties {
		if err := bounded(p.Value, place+"."+name, seen); err != nil {
			return err
		}
	}
	for i, p := range others(s) {
		if err := bounded(p, fmt.Sprintf("%s[%d]", place, i), seen); err != nil {
			return err
		}
	}
	return nil
}

// within tells whether judging a value by one schema judges the same value by
// another.
func within(from, to *openapi3.Schema, seen []*openapi3.Schema) bool {
	if slices.Contains(seen, from) {
		return false
	}
	seen = append(seen, from)
	for _, ref := range slices.Concat(from.AllOf, from.OneOf, from.AnyOf, openapi3.SchemaRefs{from.Not}) {
		if ref != nil && ref.Value != nil && (ref.Value == to || within(ref.Value, to, seen)) {
			return true
		}
	}
	return false
}

// others are the schemas that a schema is made of, without its properties.
func others(s *openapi3.Schema) []*openapi3.Schema {
	var found []*openapi3.Schema
	for _, ref := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf, openapi3.SchemaRefs{s.Not, s.Items, s.AdditionalProperties.Schema}) {
		if ref != nil && ref.Value != nil {
			found = append(found, ref.Value)
		}
	}
	return found
}

// ways counts the ways on which one value comes to be judged by a schema again.
func ways(s *openapi3.Schema) int {
	if len(s.AllOf)+len(s.OneOf)+len(s.AnyOf) == 0 && s.Not == nil {
		return 0 // the properties of an object are judged by one schema each
	}
	count := 0
	own := *s
	own.AllOf, own.OneOf, own.AnyOf, own.Not = nil, nil, nil, nil
	if reaches(&own, s, make(map[*openapi3.Schema]bool)) {
		count++
	}
	again := func(refs ...*openapi3.SchemaRef) (arrays, objects int) {
		for _, ref := range refs {
			if ref == nil || !reaches(ref.Value, s, make(map[*openapi3.Schema]bool)) {
				continue
			}
			t := ref.Value.Type
			if t == nil || t.Includes(openapi3.TypeArray) {
				arrays++
			}
			if t == nil || t.Includes(openapi3.TypeObject) {
				objects++
			}
		}
		return arrays, objects
	}
	arrays, objects := again(s.OneOf...)
	oneOf := max(arrays, objects)
	if s.Discriminator != nil {
		oneOf = min(oneOf, 1)
	}
	arrays, objects = again(s.AnyOf...)
	anyOf := 2 * max(arrays, objects) // for kin-openapi visits what has matched once more
	arrays, objects = again(append(slices.Clone(s.AllOf), s.Not)...)
	return count + oneOf + anyOf + max(arrays, objects)
}

// reaches tells whether judging by one schema comes to another.
func reaches(from, to *openapi3.Schema, seen map[*openapi3.Schema]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, p := range from.Properties {
		if p.Value != nil && reaches(p.Value, to, seen) {
			return true
		}
	}
	return slices.ContainsFunc(others(from), func(p *openapi3.Schema) bool { return reaches(p, to, seen) })
}
