package generate

import (
	"fmt"
	"slices"
	"strconv"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// unions writes down each alternative, none, several, and tags that name none.
func (w *walker) unions(sp spot, p *openapi.Schema) {
	w.union(sp, p, "oneOf", p.OneOf)
	w.union(sp, p, "anyOf", p.AnyOf)
	if p.Not != nil {
		w.add(sp.recipe(p, Keeps, "E13", "not").with("", "a value that is not what it must not be",
			func(_ *generation, old any) []any { return []any{old} }))
		w.add(sp.recipe(p, Breaks, "E13", "not").with("", "a value that is what it must not be", func(g *generation, old any) []any {
			return g.forbidden(sp, p, old)
		}))
	}
	w.conditions(sp, p)
	if p.Discriminator != nil {
		w.discriminator(sp, p)
	}
}

// forbidden makes values that keep a schema and also what it must not keep.
func (g *generation) forbidden(sp spot, p *openapi.Schema, old any) []any {
	both := append(slices.Clone(sp.shape.whole), p.Not)
	h := *g
	h.settled = false
	list := []any{h.value(sp.at, both, nil, 0, 0), h.value(sp.at, both, &old, 0, 0)}
	h.mode = Full
	list = append(list, h.value(sp.at, []*openapi.Schema{p.Not}, nil, 0, 0))
	m, isObject := old.(map[string]any)
	n, alsoObject := list[0].(map[string]any)
	if isObject && alsoObject { // what must not be together is put together
		list = append(list, merged(m, n), merged(n, m))
		full := spread(sp.shape, h, sp.at)
		list = append(list, merged(full, n), full)
	}
	list = append(list, p.Not.Enum...)
	if p.Not.Const != nil {
		list = append(list, *p.Not.Const)
	}
	return list
}

// spread is an object with every property that there may be.
func spread(sh shape, g generation, at string) map[string]any {
	m := map[string]any{}
	for _, q := range sh.properties(g.dir) {
		m[q.name] = g.value(pointer(at, q.name), q.whole, nil, 1, 0)
	}
	return m
}

func merged(a, b map[string]any) map[string]any {
	m := map[string]any{}
	for k, v := range a {
		m[k] = v
	}
	for k, v := range b {
		m[k] = v
	}
	return m
}

func (w *walker) union(sp spot, p *openapi.Schema, keyword string, list []*openapi.Schema) {
	if len(list) == 0 {
		return
	}
	key := unionKey(sp.at, p, keyword)
	for i := range list {
		r := sp.recipe(p, Keeps, "E13", keyword).with(fmt.Sprintf("alternative-%d", i+1), fmt.Sprintf("a value of alternative %d", i+1),
			func(_ *generation, old any) []any { return []any{old} })
		r.plan = sp.plan.with(func(q *plan) { q.choice[key] = choice{sp.at, i, list[i]} })
		w.add(r)
	}
	none := sp.recipe(p, Breaks, "E13", keyword).with("none", "a value of no alternative", func(g *generation, old any) []any {
		return g.noAlternative(sp, p, old)
	})
	none.also = []string{openapi.Join(p.Pointer, "discriminator"), openapi.Join(p.Pointer, "type")}
	w.add(none)
	if keyword == "oneOf" && len(list) > 1 {
		w.add(sp.recipe(p, Breaks, "E13", keyword).with("both", "a value of two alternatives at once", func(g *generation, old any) []any {
			return g.bothAlternatives(sp, list, old)
		}))
	}
}

// noAlternative are values that may be of no alternative of a union.
func (g *generation) noAlternative(sp spot, p *openapi.Schema, old any) []any {
	var out []any
	if m, ok := old.(map[string]any); ok {
		out = append(out, map[string]any{})
		for _, name := range sortedNames(m) {
			out = append(out, without(m, name))
		}
		full := map[string]any{}
		for _, alternative := range slices.Concat(p.OneOf, p.AnyOf) {
			if n, ok := g.alone(sp.at, alternative).(map[string]any); ok {
				full = merged(full, n)
			}
		}
		out = append(out, full)
	}
	for _, x := range wrongs(old) {
		out = append(out, x.value)
	}
	return out
}

// alone makes a value of an alternative without regard to the rest.
func (g *generation) alone(at string, s *openapi.Schema) any {
	h := *g
	h.settled = false
	return h.value(at, []*openapi.Schema{s}, nil, 1, 0)
}

// bothAlternatives are values that may be of two alternatives of a union.
func (g *generation) bothAlternatives(sp spot, list []*openapi.Schema, old any) []any {
	var out []any
	for i, a := range list {
		for _, b := range list[i+1:] {
			h := *g
			h.settled = false
			out = append(out, h.value(sp.at, []*openapi.Schema{a, b}, nil, 1, 0))
			x, isObject := g.alone(sp.at, a).(map[string]any)
			y, alsoObject := g.alone(sp.at, b).(map[string]any)
			if isObject && alsoObject {
				out = append(out, merged(x, y), merged(y, x))
				if o, ok := old.(map[string]any); ok {
					out = append(out, merged(o, merged(x, y)))
				}
			}
		}
	}
	return out
}

// conditions writes down values that keep, and break, then and else.
func (w *walker) conditions(sp spot, p *openapi.Schema) {
	if p.If == nil {
		return
	}
	for _, c := range []struct {
		keyword string
		then    *openapi.Schema
		holds   bool
	}{{"then", p.Then, true}, {"else", p.Else, false}} {
		if c.then == nil {
			continue
		}
		r := sp.recipe(c.then, Breaks, "E13", c.keyword)
		r.claims, r.actual = []string{openapi.Join(p.Pointer, c.keyword), c.then.Pointer + "/*"}, true
		w.add(r.with("", "a value that breaks "+c.keyword, func(g *generation, old any) []any {
			return g.unconditional(sp, p, old, c.holds)
		}))
		for i, name := range c.then.Required {
			r := sp.recipe(c.then, Keeps, "E13", "required", strconv.Itoa(i))
			w.add(r.with(label(name), "with "+name+", which "+c.keyword+" asks for", func(g *generation, old any) []any {
				return g.conditional(sp, p, c.then, old, c.holds)
			}))
		}
	}
}

// conditional are values for which a condition holds, or not, and that keep what
// follows of it.
func (g *generation) conditional(sp spot, p, then *openapi.Schema, old any, holds bool) []any {
	h := *g
	h.settled = false
	whole := append(slices.Clone(sp.shape.whole), then)
	if holds {
		whole = append(whole, p.If)
	}
	return []any{h.value(sp.at, whole, nil, 0, 0), old}
}

// unconditional are values for which a condition holds, or not, without regard to
// what follows of it.
func (g *generation) unconditional(sp spot, p *openapi.Schema, old any, holds bool) []any {
	h := *g
	h.settled = false
	bases := []any{old}
	if holds {
		bases = append(bases, h.value(sp.at, append(slices.Clone(sp.shape.whole), p.If), nil, 0, 0))
	}
	var out []any
	for _, b := range bases {
		m, ok := b.(map[string]any)
		if !ok {
			continue
		}
		full := merged(spread(sp.shape, h, sp.at), m)
		for _, v := range []map[string]any{m, full} {
			out = append(out, v)
			for _, name := range sortedNames(v) {
				out = append(out, without(v, name))
			}
		}
		for _, q := range sp.shape.properties(g.dir) {
			for _, s := range q.whole {
				for _, e := range s.Enum {
					v := merged(m, map[string]any{q.name: e})
					out = append(out, v, merged(full, map[string]any{q.name: e}))
				}
			}
		}
	}
	return out
}

// discriminator writes down each tag, tags that name no alternative, and that
// name another than the value is of.
func (w *walker) discriminator(sp spot, p *openapi.Schema) {
	d := p.Discriminator
	w.add(sp.recipe(p, Keeps, "E13", "discriminator").with("", "a tag that names the alternative",
		func(_ *generation, old any) []any { return []any{old} }))
	tag := func(values ...any) func(*generation, any) []any {
		return member(func(_ *generation, m map[string]any) []map[string]any {
			var list []map[string]any
			for _, v := range values {
				if m[d.Property] != v {
					list = append(list, merged(m, map[string]any{d.Property: v}))
				}
			}
			return list
		})
	}
	r := sp.recipe(p, Breaks, "E13", "discriminator").with("unknown", "a tag that names no alternative", tag("conformance", ""))
	r.claims = append(r.claims, openapi.Join(p.Pointer, "oneOf"), openapi.Join(p.Pointer, "anyOf"))
	for _, q := range sp.shape.parts {
		for _, prop := range q.Properties {
			if prop.Name == d.Property {
				r.claims = append(r.claims, openapi.Join(prop.Schema.Pointer, "enum"), openapi.Join(prop.Schema.Pointer, "const"))
			}
		}
	}
	w.add(r)
	for _, name := range d.Names {
		r := sp.recipe(p, Breaks, "E13", "discriminator").with("as-"+slug(name), "the tag of an alternative that the value is not of", tag(name))
		// The value is judged by the alternative that it names, of which it may
		// break anything.
		r.claims = append(r.claims, "/*")
		w.add(r)
	}
}
