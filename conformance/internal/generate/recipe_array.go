package generate

import (
	"fmt"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// maxItems is the number of items of the longest array that is made.
const maxItems = 2000

// arrays writes down numbers of items, and items that are equal.
func (w *walker) arrays(sp spot, p *openapi.Schema) {
	if p.MinItems != nil && *p.MinItems > 0 {
		w.size(sp, p, Keeps, "minItems", int(*p.MinItems), "%d items, exactly minItems")
		w.size(sp, p, Breaks, "minItems", int(*p.MinItems)-1, "%d items, one less than minItems")
	}
	if p.MaxItems != nil {
		w.size(sp, p, Keeps, "maxItems", int(*p.MaxItems), "%d items, exactly maxItems")
		w.size(sp, p, Breaks, "maxItems", int(*p.MaxItems)+1, "%d items, one more than maxItems")
	}
	if p.UniqueItems {
		w.add(sp.recipe(p, Keeps, "E10", "uniqueItems").with("", "two items that differ", func(g *generation, old any) []any {
			return []any{g.sized(sp, old, 2), g.sized(sp, old, 1)}
		}))
		w.add(sp.recipe(p, Breaks, "E10", "uniqueItems").with("", "two items that are equal", func(g *generation, old any) []any {
			return repeated(g.sized(sp, old, 1))
		}))
		w.add(sp.recipe(p, Breaks, "E10", "uniqueItems").with("apart", "two items that are equal, and another between them", func(g *generation, old any) []any {
			two, ok := g.sized(sp, old, 2).([]any)
			if !ok || len(two) < 2 {
				return nil
			}
			return []any{append(slices.Clone(two), clone(two[0]))}
		}))
	}
	if p.Items != nil && len(p.PrefixItems) == 0 && len(p.Items.Types) > 0 {
		w.laterItem(sp, p)
	}
	w.contains(sp, p)
}

// laterItem breaks the type of an item that is not the first: some servers look
// at that one only.
func (w *walker) laterItem(sp spot, p *openapi.Schema) {
	r := sp.recipe(p.Items, Breaks, "E8", "type").with("second-item", "a second item of a wrong type", func(g *generation, old any) []any {
		var list []any
		for _, x := range []any{map[string]any{}, []any{}, true, "conformance"} {
			if one, ok := g.sized(sp, old, 1).([]any); ok && !p.Items.Allows(kindOf(x)) {
				list = append(list, append(slices.Clone(one), x))
			}
		}
		return list
	})
	for _, k := range []string{"enum", "const", "oneOf", "anyOf", "discriminator"} {
		r.also = append(r.also, openapi.Join(p.Items.Pointer, k))
	}
	w.add(r)
}

func (w *walker) size(sp spot, p *openapi.Schema, side Side, keyword string, n int, why string) {
	w.add(sp.recipe(p, side, "E10", keyword).with("", fmt.Sprintf(why, n), func(g *generation, old any) []any {
		if n < 0 || n > maxItems {
			return nil
		}
		return []any{g.sized(sp, old, n)}
	}))
}

// sized makes an array of n items out of another: those that it has, and more of
// the kind, no two of them equal if that can be.
func (g *generation) sized(sp spot, old any, n int) any {
	have, _ := old.([]any) // what is no array has no items
	list := slices.Clone(have[:min(n, len(have))])
	seen := map[string]bool{}
	for _, v := range list {
		seen[string(mustJSON(v))] = true
	}
	for salt := 1; len(list) < n && salt < 3*n+50; salt++ {
		v := g.value(indexed(sp.at, len(list)), sp.shape.itemsAt(len(list)), nil, 1, salt)
		if text := string(mustJSON(v)); !seen[text] || salt > n+25 && !distinct(sp.shape) {
			seen[text] = true
			list = append(list, v)
		}
	}
	if list == nil {
		list = []any{}
	}
	return list
}

func distinct(sh shape) bool {
	return slices.ContainsFunc(sh.parts, func(p *openapi.Schema) bool { return p.UniqueItems })
}

func repeated(v any) []any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil
	}
	return []any{[]any{list[0], clone(list[0])}}
}

// contains writes down arrays that have, and have not, an item that must be there.
func (w *walker) contains(sp spot, p *openapi.Schema) {
	if p.Contains == nil {
		return
	}
	with := func(n int) func(g *generation, old any) []any {
		return func(g *generation, old any) []any {
			have, _ := old.([]any) // what is no array has no items
			var others, needed []any
			for _, v := range have {
				if len(g.src.faults(p.Contains, v, g.dir)) > 0 {
					others = append(others, v)
				}
			}
			for i := range n {
				needed = append(needed, g.value(indexed(sp.at, i), append(sp.shape.items(), p.Contains), nil, 1, i))
			}
			return []any{append(slices.Clone(others), needed...), append([]any{}, needed...)}
		}
	}
	least := 1
	if p.MinContains != nil {
		least = int(*p.MinContains)
	}
	w.add(sp.recipe(p, Keeps, "E10", "contains").with("", "as many items as must be of the kind", with(least)))
	if least > 0 {
		w.add(sp.recipe(p, Breaks, "E10", "contains").with("none", "no item of the kind that there must be", with(0)))
	}
	if least > 1 {
		w.add(sp.recipe(p, Breaks, "E10", "minContains").with("", "one item of the kind too few", with(least-1)))
	}
	if p.MaxContains != nil && *p.MaxContains < maxItems {
		w.add(sp.recipe(p, Keeps, "E10", "maxContains").with("", "as many items as may be of the kind", with(int(*p.MaxContains))))
		w.add(sp.recipe(p, Breaks, "E10", "maxContains").with("", "one item of the kind too many", with(int(*p.MaxContains)+1)))
	}
}
