package schema

import (
	"encoding/json"
	"strconv"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// Keywords that the library is not shown: those that are judged here, those that
// would move the base of references, and those that say nothing of values, but
// have another form in OpenAPI 3.0 than in JSON Schema.
var hidden = []string{
	"type", "enum", "const", "format", "contentEncoding", "contentMediaType", "contentSchema",
	"nullable", "discriminator", "readOnly", "writeOnly", "deprecated", "default",
	"example", "examples", "title", "description", "xml", "externalDocs",
	"$id", "$schema", "$anchor", "$vocabulary", "$comment", "$recursiveRef", "$recursiveAnchor",
	"$dynamicRef", "$dynamicAnchor",
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "required",
}

// convert gives the document with its schemas as JSON Schema 2020-12.
func (s *Set) convert(dir openapi.Direction) any {
	root := openapi.Decode(s.doc.At(""))
	unneeded := s.unneeded(dir)
	for ptr, m := range s.places {
		obj, ok := at(root, ptr).(map[string]any)
		if !ok {
			continue
		}
		if m.Pointer != ptr {
			// What is beside a reference is ignored in 3.0, and says nothing of
			// values in 3.1, or it would be a schema of its own. The reference is
			// written anew, as it may lead through others.
			clear(obj)
			obj["$ref"] = s.location(dir, m.Pointer)
			continue
		}
		if _, ok := obj["$ref"]; ok {
			obj["$ref"] = s.location(dir, m.AllOf[0].Pointer)
		}
		for _, k := range hidden {
			delete(obj, k)
		}
		bounds(obj, m)
		var required []any
		for _, name := range m.Required {
			if p := m.Property(name); !unneeded[m][name] && (p == nil || !unused(p, dir)) {
				required = append(required, name)
			}
		}
		if required != nil {
			obj["required"] = distinct(required)
		}
	}
	if obj, ok := root.(map[string]any); ok {
		delete(obj, "$schema")
	}
	return root
}

// distinct drops what is there twice, which JSON Schema forbids.
func distinct(names []any) []any {
	seen := map[any]bool{}
	var list []any
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			list = append(list, n)
		}
	}
	return list
}

// bounds writes minimum and maximum in the way of JSON Schema. Where 3.1 has both
// the inclusive and the exclusive, the tighter implies the other.
func bounds(obj map[string]any, m *openapi.Schema) {
	set := func(bound string, exclusive bool, inclusiveKey, exclusiveKey string) {
		switch {
		case bound == "":
		case exclusive:
			obj[exclusiveKey] = json.Number(bound)
		default:
			obj[inclusiveKey] = json.Number(bound)
		}
	}
	set(m.Minimum, m.ExclusiveMinimum, "minimum", "exclusiveMinimum")
	set(m.Maximum, m.ExclusiveMaximum, "maximum", "exclusiveMaximum")
}

// unused says whether a property has no place in the direction.
func unused(m *openapi.Schema, dir openapi.Direction) bool {
	return dir == openapi.Request && m.ReadOnly || dir == openapi.Answer && m.WriteOnly
}

// unneeded gives the names that schemas cannot require in the direction, as
// another part of the same whole (allOf) has the property, which has no place in
// it.
func (s *Set) unneeded(dir openapi.Direction) map[*openapi.Schema]map[string]bool {
	names := map[*openapi.Schema]map[string]bool{}
	if !s.directed {
		return names
	}
	for changed := true; changed; {
		changed = false
		for _, m := range s.places {
			for _, parts := range [][]*openapi.Schema{m.AllOf, m.OneOf, m.AnyOf} {
				for _, part := range parts {
					changed = inherit(names, m, part, dir) || changed
				}
			}
		}
	}
	return names
}

// inherit tells a part what its whole, with all the other parts, has no place for.
func inherit(names map[*openapi.Schema]map[string]bool, whole, part *openapi.Schema, dir openapi.Direction) bool {
	changed := false
	add := func(name string) {
		if names[part] == nil {
			names[part] = map[string]bool{}
		}
		changed = changed || !names[part][name]
		names[part][name] = true
	}
	for name := range names[whole] {
		add(name)
	}
	for _, name := range part.Required {
		if p := whole.Property(name); p != nil && unused(p, dir) {
			add(name)
		}
	}
	return changed
}

// at goes along a pointer in a decoded document.
func at(v any, pointer string) any {
	for _, t := range openapi.Split(pointer) {
		switch x := v.(type) {
		case map[string]any:
			v = x[t]
		case []any:
			i, err := strconv.Atoi(t)
			if err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}
