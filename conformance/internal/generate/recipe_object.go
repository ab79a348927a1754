package generate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// objects writes down properties that are there, are not there, or must not be.
func (w *walker) objects(sp spot, p *openapi.Schema) {
	w.requiredOnes(sp, p)
	w.optionalOnes(sp, p)
	w.extraOnes(sp, p)
	w.counts(sp, p)
	w.dependents(sp, p)
	w.readOnly(sp, p)
	w.propertyNames(sp, p)
}

// member changes the object at a place.
func member(f func(g *generation, m map[string]any) []map[string]any) func(*generation, any) []any {
	return func(g *generation, old any) []any {
		m, ok := old.(map[string]any)
		if !ok {
			return nil
		}
		var list []any
		for _, n := range f(g, maps.Clone(m)) {
			list = append(list, n)
		}
		return list
	}
}

// without is an object without some names.
func without(m map[string]any, names ...string) map[string]any {
	n := maps.Clone(m)
	for _, name := range names {
		delete(n, name)
	}
	return n
}

func (w *walker) requiredOnes(sp spot, p *openapi.Schema) {
	properties := sp.shape.properties(w.dir)
	for i, name := range p.Required {
		if !slices.ContainsFunc(properties, func(q property) bool { return q.name == name }) {
			continue // it does not go this way
		}
		index := strconv.Itoa(i)
		w.add(sp.recipe(p, Keeps, "E6", "required", index).with(label(name), "with "+name+", and nothing optional beside what is required",
			member(func(_ *generation, m map[string]any) []map[string]any {
				return []map[string]any{leanest(m, properties), m}
			})))
		r := sp.recipe(p, Breaks, "E6", "required", index).with(label(name), "without "+name+", which is required",
			member(func(_ *generation, m map[string]any) []map[string]any {
				return []map[string]any{without(m, name)}
			}))
		// Without its tag, an object is of no alternative.
		for _, q := range sp.shape.parts {
			if q.Discriminator != nil && q.Discriminator.Property == name {
				r.also = append(r.also, openapi.Join(q.Pointer, "discriminator"), openapi.Join(q.Pointer, "oneOf"), openapi.Join(q.Pointer, "anyOf"))
				r.claims = append(r.claims, r.also...)
			}
		}
		w.add(r)
		r = r.with(label(name)+"-alone", "without "+name+", which is required, and with nothing that is optional",
			member(func(_ *generation, m map[string]any) []map[string]any {
				return []map[string]any{without(leanest(m, properties), name)}
			}))
		r.spare = true
		w.add(r)
	}
}

// label makes one of a property's name.
func label(name string) string { return slug(name) }

// leanest is an object with required properties only.
func leanest(m map[string]any, properties []property) map[string]any {
	n := maps.Clone(m)
	for _, q := range properties {
		if !q.required {
			delete(n, q.name)
		}
	}
	return n
}

func (w *walker) optionalOnes(sp spot, p *openapi.Schema) {
	for _, q := range sp.shape.properties(w.dir) {
		if q.required || len(q.whole) == 0 || !slices.ContainsFunc(p.Properties, func(o *openapi.Property) bool { return o.Name == q.name }) {
			continue
		}
		r := sp.recipe(q.whole[0], Keeps, "E6", "type").with(label(q.name)+"-absent", "without "+q.name+", which is optional",
			member(func(_ *generation, m map[string]any) []map[string]any {
				return []map[string]any{without(m, q.name)}
			}))
		w.add(r)
	}
}

func (w *walker) extraOnes(sp spot, p *openapi.Schema) {
	add := func(name func(m map[string]any) string, value any) func(*generation, any) []any {
		return member(func(_ *generation, m map[string]any) []map[string]any {
			n := name(m)
			if _, has := m[n]; has || n == "" {
				return nil
			}
			m[n] = value
			return []map[string]any{m}
		})
	}
	unknown := func(map[string]any) string { return "conformanceExtra" }
	switch {
	case p.Closed:
		w.add(sp.recipe(p, Keeps, "E9", "additionalProperties").with("", "no property but those that are declared",
			func(_ *generation, old any) []any { return []any{old} }))
		w.add(sp.recipe(p, Breaks, "E9", "additionalProperties").with("", "a property that is not declared", add(unknown, "conformance")))
		w.add(sp.recipe(p, Breaks, "E9", "additionalProperties").with("null", "a property that is not declared, and is null", add(unknown, nil)))
		w.add(sp.recipe(p, Breaks, "E9", "additionalProperties").with("other-case", "a property whose name differs from a declared one in case only",
			add(otherCase, "conformance")))
	case p.Open:
		w.add(sp.recipe(p, Keeps, "E9", "additionalProperties").with("", "a property that is not declared, as others are allowed expressly",
			add(unknown, "conformance")))
	case p.Additional != nil:
		w.add(sp.recipe(p, Keeps, "E9", "additionalProperties").with("", "two further properties",
			member(func(g *generation, m map[string]any) []map[string]any {
				for i := range 2 {
					name := extraName(20 + i)
					m[name] = g.value(pointer(sp.at, name), []*openapi.Schema{p.Additional}, nil, 1, i)
				}
				return []map[string]any{m}
			})))
	}
}

// otherCase is the name of a property in capitals.
func otherCase(m map[string]any) string {
	for _, name := range sortedNames(m) {
		if up := strings.ToUpper(name); up != name {
			return up
		}
	}
	return ""
}

func (w *walker) counts(sp spot, p *openapi.Schema) {
	properties := sp.shape.properties(w.dir)
	exactly := func(n int) func(*generation, any) []any {
		return member(func(g *generation, m map[string]any) []map[string]any {
			if n < 0 || n > maxItems {
				return nil
			}
			return []map[string]any{g.counted(sp, m, properties, n)}
		})
	}
	add := func(side Side, keyword string, n int, why string) {
		w.add(sp.recipe(p, side, "E10", keyword).with("", fmt.Sprintf(why, n), exactly(n)))
	}
	if p.MinProperties != nil && *p.MinProperties > 0 {
		add(Keeps, "minProperties", int(*p.MinProperties), "%d properties, exactly minProperties")
		add(Breaks, "minProperties", int(*p.MinProperties)-1, "%d properties, one less than minProperties")
	}
	if p.MaxProperties != nil {
		add(Keeps, "maxProperties", int(*p.MaxProperties), "%d properties, exactly maxProperties")
		add(Breaks, "maxProperties", int(*p.MaxProperties)+1, "%d properties, one more than maxProperties")
	}
}

// counted makes an object of n properties: optional ones go first, and further
// ones are added where they may be.
func (g *generation) counted(sp spot, m map[string]any, properties []property, n int) map[string]any {
	required := map[string]bool{}
	for _, q := range properties {
		required[q.name] = q.required
	}
	names := sortedNames(m)
	slices.SortStableFunc(names, func(a, b string) int { // what is described goes last
		_, x := required[a]
		_, y := required[b]
		switch {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	for _, name := range names {
		if len(m) > n && !required[name] {
			delete(m, name)
		}
	}
	for _, q := range properties {
		if _, has := m[q.name]; !has && len(m) < n {
			m[q.name] = g.value(pointer(sp.at, q.name), q.whole, nil, 1, 0)
		}
	}
	whole, open := sp.shape.additional()
	for i := 0; open && len(m) < n && i < n+maxItems; i++ {
		name := extraName(i)
		m[name] = g.value(pointer(sp.at, name), whole, nil, 1, i)
	}
	return m
}

func (w *walker) dependents(sp spot, p *openapi.Schema) {
	all := sp.shape.properties(w.dir)
	for _, name := range slices.Sorted(maps.Keys(p.DependentRequired)) {
		needs := p.DependentRequired[name]
		full := func(g *generation, m map[string]any) map[string]any {
			for _, n := range append([]string{name}, needs...) {
				if _, has := m[n]; has {
					continue
				}
				i := slices.IndexFunc(all, func(q property) bool { return q.name == n })
				if i < 0 {
					m[n] = "conformance"
					continue
				}
				m[n] = g.value(pointer(sp.at, n), all[i].whole, nil, 1, 0)
			}
			return m
		}
		w.add(sp.recipe(p, Keeps, "E13", "dependentRequired", name).with(label(name), name+" and what it needs",
			member(func(g *generation, m map[string]any) []map[string]any { return []map[string]any{full(g, m)} })))
		w.add(sp.recipe(p, Keeps, "E13", "dependentRequired", name).with(label(name)+"-absent", "neither "+name+" nor what it needs",
			member(func(_ *generation, m map[string]any) []map[string]any {
				return []map[string]any{without(m, append([]string{name}, needs...)...), without(m, name)}
			})))
		for _, need := range needs {
			w.add(sp.recipe(p, Breaks, "E13", "dependentRequired", name).with(label(name)+"-without-"+label(need), name+" without "+need+", which it needs",
				member(func(g *generation, m map[string]any) []map[string]any {
					return []map[string]any{without(full(g, m), need)}
				})))
		}
	}
}

// readOnly sends what only the server may say.
func (w *walker) readOnly(sp spot, p *openapi.Schema) {
	for _, q := range p.Properties {
		if !wrongWay(q.Schema, w.dir) {
			continue
		}
		keyword := "readOnly"
		if w.dir == openapi.Answer {
			keyword = "writeOnly"
		}
		r := sp.recipe(q.Schema, Breaks, "E14", keyword).with(label(q.Name), q.Name+", which is "+keyword,
			member(func(g *generation, m map[string]any) []map[string]any {
				other := *g
				other.dir = openapi.Answer
				if g.dir == openapi.Answer {
					other.dir = openapi.Request
				}
				m[q.Name] = other.value(pointer(sp.at, q.Name), []*openapi.Schema{q.Schema}, nil, 1, 0)
				return []map[string]any{m}
			}))
		w.add(r)
		w.add(sp.recipe(q.Schema, Keeps, "E14", keyword).with(label(q.Name), "without "+q.Name+", which is "+keyword,
			func(_ *generation, old any) []any { return []any{old} }))
	}
}

// propertyNames writes down names that must not be, and patterns of names.
func (w *walker) propertyNames(sp spot, p *openapi.Schema) {
	whole, _ := sp.shape.additional()
	named := func(names ...string) func(*generation, any) []any {
		return member(func(g *generation, m map[string]any) []map[string]any {
			var list []map[string]any
			for i, name := range names {
				n := maps.Clone(m)
				n[name] = g.value(pointer(sp.at, name), whole, nil, 1, i)
				list = append(list, n)
			}
			return list
		})
	}
	if p.PropertyNames != nil {
		r := sp.recipe(p, Breaks, "E9", "propertyNames").with("", "a property whose name is not allowed",
			named("", " ", "A B", "UPPER", "lower", "é", "0", "-", strings.Repeat("x", 300), "\x01"))
		r.claims, r.actual = append(r.claims, p.PropertyNames.Pointer+"/*"), true
		w.add(r)
		old := func(_ *generation, old any) []any { return []any{old} }
		w.add(sp.recipe(p, Keeps, "E9", "propertyNames").with("", "only names that are allowed", old))
		if p.PropertyNames.Pattern != "" {
			w.add(sp.recipe(p.PropertyNames, Keeps, "E9", "pattern").with("name", "only names that are of the pattern", old))
		}
	}
	for _, q := range p.PatternProperties {
		pat, err := patternOf(q.Name)
		if err != nil {
			continue
		}
		at := func(g *generation) (string, bool) {
			name, err := pat.make(g.rng, plain, 1, 32, 8)
			return name, err == nil
		}
		w.add(sp.recipe(q.Schema, Keeps, "E9", "type").with("pattern", "a property whose name is of the pattern",
			member(func(g *generation, m map[string]any) []map[string]any {
				name, ok := at(g)
				if !ok {
					return nil
				}
				m[name] = g.value(pointer(sp.at, name), []*openapi.Schema{q.Schema}, nil, 1, 0)
				return []map[string]any{m}
			})))
		r := sp.recipe(q.Schema, Breaks, "E8", "type").with("pattern", "a property whose name is of the pattern, of a wrong type",
			member(func(g *generation, m map[string]any) []map[string]any {
				name, ok := at(g)
				if !ok {
					return nil
				}
				var list []map[string]any
				for _, x := range wrongs(nil) {
					n := maps.Clone(m)
					n[name] = x.value
					list = append(list, n)
				}
				return list
			}))
		w.add(r)
	}
}
