package generate

import (
	"fmt"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// recipe is how a variant is made.
type recipe struct {
	// claims are pointers of clauses, the first of which is what the variant is
	// for. A fault of any of them is taken for it: which keyword of a union refuses
	// a value is a matter of how one looks at it.
	claims []string
	// also are pointers, or beginnings of them if they end in *, of clauses that
	// cannot but be broken as well: what is of a wrong type is in no enum.
	also []string
	// actual: the variant is of the clause that is broken in fact, of those claimed.
	actual  bool
	keyword string
	side    Side
	class   string
	at      string
	label   string
	why     string
	spare   bool
	plan    plan
	// make gives values as a whole, the first that is what it was meant to be is it.
	make func(g *generation, root any) []any
}

// variant is what is known of what the recipe makes.
func (r *recipe) variant() Variant {
	return Variant{Clause: r.claims[0], Keyword: r.keyword, Side: r.side, Class: r.class, At: r.at, Label: r.label, Why: r.why, Spare: r.spare}
}

// Drop is a variant that could not be made.
type Drop struct {
	Clause, Keyword string
	Side            Side
	At, Label       string
	Why             string
}

// candidates is the number of values that are tried for one variant.
const candidates = 48

// cook makes the variant of a recipe from a valid value, which it takes the hint for.
// Read changes what is judged to what a server reads of it.
func (s *Source) cook(r *recipe, m *openapi.Schema, dir openapi.Direction, hint *any, read reader) (Variant, *Drop) {
	g := s.generation(m.Pointer+" "+r.at+" "+r.keyword+" "+r.label, dir, Full)
	g.plan = r.plan
	if hint != nil {
		g.settled, g.mode = true, Typical
	}
	failed := func(why string) (Variant, *Drop) {
		return Variant{}, &Drop{Clause: r.claims[0], Keyword: r.keyword, Side: r.side, At: r.at, Label: r.label, Why: why}
	}
	root, faults := g.start(m, hint)
	if len(faults) > 0 && (r.side != Breaks || slices.ContainsFunc(faults, func(f schema.Fault) bool { return !r.replaces(f) })) {
		return failed("there is no valid value to begin with: it would break " + clauses(faults))
	}
	if _, ok := get(root, r.at); !ok && r.at != "" && r.plan.present[r.at] {
		return failed("no value has the place")
	}
	why := "there is no such value"
	for i, v := range r.make(g, root) {
		if i >= candidates {
			break
		}
		seen := v
		if read != nil {
			var ok bool
			if seen, ok = read(v); !ok {
				why = "what is sent cannot say it"
				continue
			}
		}
		faults = s.faults(m, seen, dir)
		reason := r.judge(faults)
		if reason == "" {
			return Variant{
				Clause: r.clause(faults), Keyword: r.keyword, Side: r.side, Class: r.class,
				At: r.at, Value: v, Why: r.why, Label: r.label, Spare: r.spare,
			}, nil
		}
		why = reason
	}
	return failed(why)
}

// replaces tells whether a fault is in what the recipe puts another value in place
// of: a schema may allow no value at all there, and a server take one.
func (r *recipe) replaces(f schema.Fault) bool {
	if f.At == r.at || strings.HasPrefix(f.At, r.at+"/") {
		return true
	}
	return slices.ContainsFunc(f.Branches, func(branch []schema.Fault) bool {
		return len(branch) > 0 && !slices.ContainsFunc(branch, func(b schema.Fault) bool { return !r.replaces(b) })
	})
}

// start makes the value that a recipe is applied to. It is the hint itself, if
// all that is planned is in it.
func (g *generation) start(m *openapi.Schema, hint *any) (any, []schema.Fault) {
	if hint != nil && len(g.plan.extra) == 0 {
		missing := false
		for _, c := range g.plan.choice {
			v, has := get(*hint, c.at)
			missing = missing || !has || len(g.src.faults(c.of, v, g.dir)) > 0
		}
		for at := range g.plan.present {
			_, has := get(*hint, at)
			missing = missing || !has
		}
		if !missing && len(g.src.faults(m, *hint, g.dir)) == 0 {
			return *hint, nil
		}
	}
	return g.whole(m, hint)
}

// reader gives what a server reads of a value that is sent; false: it cannot be told.
type reader func(v any) (any, bool)

func matchesAny(list []string, pointer string) bool {
	return slices.ContainsFunc(list, func(p string) bool {
		begin, wild := strings.CutSuffix(p, "*")
		return p == pointer || wild && strings.HasPrefix(pointer, begin)
	})
}

// walker goes through a schema and writes down recipes.
type walker struct {
	src     *Source
	dir     openapi.Direction
	recipes []*recipe
	seen    map[string]bool
	stack   []frame
	names   map[string]int
	// tags are pointers of the clauses of a union that a discriminator belongs to,
	// by the place of the discriminator.
	tags map[string][]string
}

// spot is a place of the value, and what holds there.
type spot struct {
	at    string
	shape shape
	plan  plan
}

// recipes are those of a schema in a direction, in an order that depends on the
// document alone.
func (s *Source) recipes(schema *openapi.Schema, dir openapi.Direction) []*recipe {
	w := &walker{src: s, dir: dir, seen: map[string]bool{}, names: map[string]int{}, tags: map[string][]string{}}
	start := plan{}.with(func(*plan) {})
	w.walk("", []*openapi.Schema{schema}, start, "")
	return w.recipes
}

// walk writes down the recipes of a place and of those below it.
func (w *walker) walk(at string, whole []*openapi.Schema, p plan, parent string) {
	if len(whole) == 0 || len(w.stack) > 2*maxDepth {
		return
	}
	id := frame{at, whole[0].Pointer}
	if w.turns(id) >= 2 {
		return
	}
	w.stack = append(w.stack, id)
	defer func() { w.stack = w.stack[:len(w.stack)-1] }()

	g := &generation{src: w.src, dir: w.dir, plan: p, rng: w.src.random(at)}
	sp := spot{at, g.shape(at, whole, nil, 0), p}
	sp.plan = p.with(func(q *plan) {
		for _, part := range sp.shape.parts { // what was taken by default is taken on purpose
			for _, u := range unionsOf(part) {
				key := unionKey(at, part, u.keyword)
				if _, chosen := q.choice[key]; !chosen {
					q.choice[key] = choice{at, 0, u.list[0]}
				}
			}
		}
	})
	for _, part := range sp.shape.parts {
		if d := part.Discriminator; d != nil {
			place := pointer(at, d.Property)
			for _, k := range []string{"discriminator", "oneOf", "anyOf"} {
				w.tags[place] = append(w.tags[place], openapi.Join(part.Pointer, k))
			}
		}
	}
	for _, part := range sp.shape.parts {
		key := at + " " + part.Pointer + " " + parent
		if w.seen[key] {
			continue
		}
		w.seen[key] = true
		w.part(sp, part)
		w.below(sp, part)
	}
	for _, part := range sp.shape.parts {
		w.alternatives(sp, part, whole, parent)
	}
}

// frame is a schema that is being walked, and where.
type frame struct{ at, pointer string }

// turns is how often a schema is being walked at other places: recursion goes
// around once.
func (w *walker) turns(f frame) int {
	n := 0
	for _, g := range w.stack {
		if g.pointer == f.pointer && g.at != f.at {
			n++
		}
	}
	return n
}

// part writes down the recipes of one schema's own keywords.
func (w *walker) part(sp spot, p *openapi.Schema) {
	w.types(sp, p)
	w.listedValues(sp, p)
	w.numbers(sp, p)
	w.texts(sp, p)
	w.arrays(sp, p)
	w.objects(sp, p)
	w.unions(sp, p)
	w.defaults(sp, p)
	w.contrary(sp, p)
}

// below walks what a schema says of the parts of a value.
func (w *walker) below(sp spot, p *openapi.Schema) {
	for _, prop := range sp.shape.properties(w.dir) {
		if !slices.ContainsFunc(p.Properties, func(q *openapi.Property) bool { return q.Name == prop.name }) {
			continue
		}
		at := pointer(sp.at, prop.name)
		w.walk(at, prop.whole, sp.plan.with(func(q *plan) { q.present[at] = true }), p.Pointer)
	}
	for i, item := range p.PrefixItems {
		at := indexed(sp.at, i)
		w.walk(at, []*openapi.Schema{item}, sp.plan.with(func(q *plan) {
			q.items[sp.at] = max(q.items[sp.at], i+1)
			q.present[at] = true
		}), p.Pointer)
	}
	if p.Items != nil {
		at := indexed(sp.at, len(p.PrefixItems))
		if _, most := sp.shape.sizes(); most != 0 {
			w.walk(at, sp.shape.items(), sp.plan.with(func(q *plan) {
				q.items[sp.at] = max(1, len(p.PrefixItems)+1)
				q.present[at] = true
			}), p.Pointer)
		}
	}
	if p.Additional != nil {
		const name = "extraz"
		at := pointer(sp.at, name)
		w.walk(at, []*openapi.Schema{p.Additional}, sp.plan.with(func(q *plan) {
			q.extra[sp.at] = append(slices.Clone(q.extra[sp.at]), name)
			q.present[at] = true
		}), p.Pointer)
	}
}

// alternatives of a schema, under a keyword.
type alternatives struct {
	keyword string
	list    []*openapi.Schema
}

func unionsOf(p *openapi.Schema) []alternatives {
	return slices.DeleteFunc([]alternatives{{"oneOf", p.OneOf}, {"anyOf", p.AnyOf}}, func(u alternatives) bool { return len(u.list) == 0 })
}

// alternatives walks those of unions that the plan has not chosen.
func (w *walker) alternatives(sp spot, p *openapi.Schema, whole []*openapi.Schema, parent string) {
	for _, u := range unionsOf(p) {
		key, list := unionKey(sp.at, p, u.keyword), u.list
		if sp.plan.choice[key].index > 0 || len(list) < 2 {
			continue
		}
		for i := 1; i < len(list); i++ {
			w.walk(sp.at, whole, sp.plan.with(func(q *plan) { q.choice[key] = choice{sp.at, i, list[i]} }), parent)
		}
	}
}

// add writes down a recipe, and gives it a label that no other of its clause,
// place and side has.
func (w *walker) add(r recipe) {
	id := fmt.Sprintf("%s %s %s %s", r.at, r.keyword, r.side, r.label)
	w.names[id]++
	if n := w.names[id]; n > 1 {
		r.label = strings.TrimPrefix(fmt.Sprintf("%s-%d", r.label, n), "-")
	}
	w.recipes = append(w.recipes, &r)
}

// here makes candidates for a place out of candidates for what is there.
func here(at string, f func(g *generation, old any) []any) func(*generation, any) []any {
	return func(g *generation, root any) []any {
		old, _ := get(root, at)
		var list []any
		for _, v := range f(g, old) {
			if whole, ok := put(root, at, v); ok {
				list = append(list, whole)
			}
		}
		return list
	}
}

// recipe begins one for a keyword of a schema.
func (sp spot) recipe(p *openapi.Schema, side Side, class, keyword string, tokens ...string) recipe {
	return recipe{
		claims: []string{openapi.Join(p.Pointer, append([]string{keyword}, tokens...)...)}, keyword: keyword,
		side: side, class: class, at: sp.at, plan: sp.plan,
	}
}

// with fills in what is special.
func (r recipe) with(label, why string, f func(g *generation, old any) []any) recipe {
	r.label, r.why, r.make = label, why, here(r.at, f)
	return r
}

// Variants makes those of a whole schema, in an order that depends on the
// document alone.
func (s *Source) Variants(schema *openapi.Schema, dir openapi.Direction) []Variant {
	variants, _ := s.VariantsAndDrops(schema, dir)
	return variants
}

// VariantsAndDrops also tells what could not be made, and why.
func (s *Source) VariantsAndDrops(schema *openapi.Schema, dir openapi.Direction) ([]Variant, []Drop) {
	var variants []Variant
	var drops []Drop
	for _, r := range s.recipes(schema, dir) {
		v, d := s.cook(r, schema, dir, nil, nil)
		if d != nil {
			drops = append(drops, *d)
			continue
		}
		variants = append(variants, v)
	}
	return variants, drops
}
