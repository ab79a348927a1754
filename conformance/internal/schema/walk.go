package schema

import (
	"slices"
	"sort"
	"strconv"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// walker goes through a value with all the schemas that apply to each part of it.
type walker struct {
	set *Set
	dir openapi.Direction
	// visit is told of each part, with the schemas that apply.
	visit func(at string, schemas []*openapi.Schema, value any)
	// strange is told of each property that no schema declares.
	strange func(at string)
}

// Undeclared gives the pointers (RFC 6901) of properties that no schema which
// applies declares, though nothing forbids them: class D3 of the catalogue. A
// schema with additionalProperties: true or of a map declares all names, and so
// does one that names no property.
func (s *Set) Undeclared(m *openapi.Schema, dir openapi.Direction, value any) []string {
	var list []string
	w := walker{set: s, dir: dir, strange: func(at string) { list = append(list, at) }}
	if m != nil {
		w.walk("", []*openapi.Schema{m}, plain(value))
	}
	sort.Strings(list)
	return list
}

// advice gives what is sent although it has no place in the direction.
func (s *Set) advice(m *openapi.Schema, dir openapi.Direction, value any) []Fault {
	var list []Fault
	w := walker{set: s, dir: dir, visit: func(at string, schemas []*openapi.Schema, _ any) {
		for _, t := range schemas {
			if at == "" || !unused(t, dir) {
				continue
			}
			f := Fault{At: at, Keyword: "readOnly", Message: "it is readOnly, and was sent", Advice: true}
			if dir == openapi.Answer {
				f.Keyword, f.Message = "writeOnly", "it is writeOnly, and was given back"
			}
			f.Clause = openapi.Join(t.Pointer, f.Keyword)
			tokens := openapi.Split(at)
			f.Property = tokens[len(tokens)-1]
			list = append(list, f)
		}
	}}
	w.walk("", []*openapi.Schema{m}, value)
	return list
}

// Applicable gives the schemas that apply to a value: the schema itself, those of
// allOf, and of unions and conditions those that the value keeps.
func (s *Set) Applicable(m *openapi.Schema, dir openapi.Direction, value any) []*openapi.Schema {
	var list []*openapi.Schema
	s.applicable(&list, m, dir, plain(value))
	return list
}

func (s *Set) applicable(list *[]*openapi.Schema, m *openapi.Schema, dir openapi.Direction, v any) {
	if m == nil || slices.Contains(*list, m) {
		return
	}
	*list = append(*list, m)
	for _, t := range m.AllOf {
		s.applicable(list, t, dir, v)
	}
	obj, _ := v.(map[string]any)
	if d := m.Discriminator; d != nil && len(m.OneOf)+len(m.AnyOf) > 0 {
		if name, ok := obj[d.Property].(string); ok && d.Mapping[name] != nil {
			s.applicable(list, d.Mapping[name], dir, v)
			return
		}
	}
	for _, union := range [][]*openapi.Schema{m.OneOf, m.AnyOf} {
		for _, t := range union {
			if s.valid(t, dir, v) {
				s.applicable(list, t, dir, v)
			}
		}
	}
	if m.If != nil {
		if s.valid(m.If, dir, v) {
			s.applicable(list, m.If, dir, v)
			s.applicable(list, m.Then, dir, v)
		} else {
			s.applicable(list, m.Else, dir, v)
		}
	}
	for _, p := range m.DependentSchemas {
		if _, ok := obj[p.Name]; ok {
			s.applicable(list, p.Schema, dir, v)
		}
	}
}

// walk goes through a value to which the schemas apply.
func (w *walker) walk(at string, schemas []*openapi.Schema, v any) {
	var all []*openapi.Schema
	for _, m := range schemas {
		w.set.applicable(&all, m, w.dir, v)
	}
	if w.visit != nil {
		w.visit(at, all, v)
	}
	switch v := v.(type) {
	case map[string]any:
		w.object(at, all, v)
	case []any:
		for i, item := range v {
			w.walk(openapi.Join(at, strconv.Itoa(i)), elements(all, i), item)
		}
	}
}

func elements(schemas []*openapi.Schema, i int) []*openapi.Schema {
	var list []*openapi.Schema
	for _, m := range schemas {
		switch {
		case i < len(m.PrefixItems):
			list = append(list, m.PrefixItems[i])
		case m.Items != nil:
			list = append(list, m.Items)
		}
	}
	return list
}

func (w *walker) object(at string, schemas []*openapi.Schema, obj map[string]any) {
	open := w.open(schemas, obj)
	for name, x := range obj {
		var parts []*openapi.Schema
		for _, m := range schemas {
			parts = append(parts, w.named(m, name)...)
		}
		here := openapi.Join(at, name)
		if len(parts) == 0 && !open && w.strange != nil {
			w.strange(here)
		}
		w.walk(here, parts, x)
	}
}

// named gives the schemas that a schema has for a property.
func (w *walker) named(m *openapi.Schema, name string) []*openapi.Schema {
	var list []*openapi.Schema
	for _, p := range m.Properties {
		if p.Name == name {
			list = append(list, p.Schema)
		}
	}
	for _, p := range m.PatternProperties {
		if w.set.patterns[p.Name].MatchString(name) {
			list = append(list, p.Schema)
		}
	}
	if len(list) == 0 && m.Additional != nil {
		list = append(list, m.Additional)
	}
	return list
}

// open says whether nothing can be said of names that are not declared: any are
// expressly allowed, none is declared at all, they are faults already, or it is
// not known which alternative of a union applies.
func (w *walker) open(schemas []*openapi.Schema, obj map[string]any) bool {
	declared := false
	for _, m := range schemas {
		declared = declared || len(m.Properties)+len(m.PatternProperties) > 0
		if m.Open || m.Closed || m.UnevaluatedProperties != nil {
			return true
		}
		for _, union := range [][]*openapi.Schema{m.OneOf, m.AnyOf} {
			if len(union) > 0 && !w.decided(m, union, schemas, obj) {
				return true
			}
		}
	}
	return !declared
}

// decided says whether an alternative of the union is among the schemas.
func (*walker) decided(m *openapi.Schema, union, schemas []*openapi.Schema, obj map[string]any) bool {
	if d := m.Discriminator; d != nil {
		if name, ok := obj[d.Property].(string); ok && d.Mapping[name] != nil {
			return true
		}
	}
	for _, t := range union {
		if slices.Contains(schemas, t) {
			return true
		}
	}
	return false
}
