package generate

import (
	"encoding/json"
	"math/big"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// numbers writes down both sides of each bound, and of multipleOf.
func (w *walker) numbers(sp spot, p *openapi.Schema) {
	s := sp.shape.span()
	if low, ok := rational(p.Minimum); ok {
		w.bound(sp, p, p.MinimumKeyword, low, p.ExclusiveMinimum, s, 1)
	}
	if high, ok := rational(p.Maximum); ok {
		w.bound(sp, p, p.MaximumKeyword, high, p.ExclusiveMaximum, s, -1)
	}
	if m, ok := rational(p.MultipleOf); ok && m.Sign() > 0 {
		w.multiples(sp, p, m, s)
	}
	w.numberFormat(sp, p)
}

// bound writes down the sides of a bound; inwards is 1 for a lower one, -1 for an
// upper.
func (w *walker) bound(sp spot, p *openapi.Schema, keyword string, at *big.Rat, open bool, s span, inwards int64) {
	if keyword == "" {
		keyword = map[int64]string{1: "minimum", -1: "maximum"}[inwards]
	}
	away := func(steps int64, size *big.Rat) *big.Rat {
		return plus(at, new(big.Rat).Mul(size, big.NewRat(steps*inwards, 1)))
	}
	fine := s.step
	if !s.integer && s.multiple == nil {
		fine = new(big.Rat).Mul(s.step, big.NewRat(1, 1000))
	}
	give := func(list ...*big.Rat) func(*generation, any) []any {
		var values []any
		for _, r := range list {
			values = append(values, number(r))
		}
		return func(*generation, any) []any { return values }
	}
	near := []*big.Rat{at, away(1, s.step)}
	if s.multiple != nil { // the bound itself may be no multiple
		m := above(at, s.multiple)
		near = append(near, m, minus(m, s.multiple), plus(m, s.multiple))
	}
	out := []*big.Rat{away(-1, s.step)}
	if s.multiple != nil {
		m := above(at, s.multiple)
		out = append(out, minus(m, s.multiple), plus(m, s.multiple))
	}
	value := string(number(at))
	if open {
		inside := append([]*big.Rat{away(1, fine), away(1, s.step)}, near[1:]...)
		w.add(sp.recipe(p, Keeps, "E2", keyword).with("inside", "just inside of "+value, give(inside...)))
		w.add(sp.recipe(p, Breaks, "E2", keyword).with("exact", value+" itself, which is excluded", give(at)))
		w.add(sp.recipe(p, Breaks, "E1", keyword).with("outside", "a step outside of "+value, give(out...)))
		return
	}
	w.add(sp.recipe(p, Keeps, "E1", keyword).with("exact", "the bound "+value+", or what is next to it inside", give(near...)))
	w.add(sp.recipe(p, Breaks, "E1", keyword).with("outside", "a step outside of "+value, give(out...)))
	far := sp.recipe(p, Breaks, "E1", keyword).with("far", "far outside of "+value, give(away(-1000, s.step)))
	far.spare, far.also = true, []string{openapi.Join(p.Pointer, "format")}
	w.add(far)
	if fine.Cmp(s.step) != 0 {
		w.add(sp.recipe(p, Breaks, "E1", keyword).with("just-outside", "as little as possible outside of "+value, give(away(-1, fine))))
	}
}

func (w *walker) multiples(sp spot, p *openapi.Schema, m *big.Rat, s span) {
	keep := func(label, why string, k int64) {
		w.add(sp.recipe(p, Keeps, "E11", "multipleOf").with(label, why, func(_ *generation, old any) []any {
			base := new(big.Rat)
			if s.low != nil {
				base = above(s.low, m)
			}
			list := []any{number(plus(base, new(big.Rat).Mul(m, big.NewRat(k, 1))))}
			return append(list, old)
		}))
	}
	keep("some", "a multiple of "+p.MultipleOf, 7)
	keep("many", "a large multiple of "+p.MultipleOf, 100_003)
	off := func(label, why string, part *big.Rat) {
		w.add(sp.recipe(p, Breaks, "E11", "multipleOf").with(label, why, func(_ *generation, old any) []any {
			n, ok := old.(json.Number)
			if !ok {
				return nil
			}
			at, ok := rational(n.String())
			if !ok {
				return nil
			}
			d := new(big.Rat).Mul(m, part)
			list := []any{number(plus(at, d)), number(minus(at, d))}
			if s.integer {
				one := big.NewRat(1, 1)
				list = append(list, number(plus(at, one)), number(minus(at, one)))
			}
			return list
		}))
	}
	off("half", "between two multiples of "+p.MultipleOf, big.NewRat(1, 2))
	off("tenth", "a little off a multiple of "+p.MultipleOf, big.NewRat(1, 10))
}

// numberFormat writes down the ends of int32 and int64.
func (w *walker) numberFormat(sp spot, p *openapi.Schema) {
	low, high := formatBounds(p.Format)
	if low == nil {
		if p.Format == "float" || p.Format == "double" {
			w.add(sp.recipe(p, Keeps, "E12", "format").with("", "a number of the format",
				func(_ *generation, old any) []any { return []any{old} }))
		}
		return
	}
	give := func(r *big.Rat) func(*generation, any) []any {
		return func(*generation, any) []any { return []any{number(r)} }
	}
	one := big.NewRat(1, 1)
	w.add(sp.recipe(p, Keeps, "E12", "format").with("", "a number of the format",
		func(_ *generation, old any) []any { return []any{old} }))
	w.add(sp.recipe(p, Keeps, "K5", "format").with("greatest", "the greatest "+p.Format, give(high)))
	w.add(sp.recipe(p, Keeps, "K5", "format").with("least", "the least "+p.Format, give(low)))
	w.add(sp.recipe(p, Breaks, "E12", "format").with("too-great", "one more than the greatest "+p.Format, give(plus(high, one))))
	w.add(sp.recipe(p, Breaks, "E12", "format").with("too-small", "one less than the least "+p.Format, give(minus(low, one))))
	r := sp.recipe(p, Breaks, "E12", "format").with("far", "far beyond the greatest "+p.Format, give(new(big.Rat).Mul(high, new(big.Rat).Mul(high, high))))
	r.spare, r.also = true, []string{openapi.Join(p.Pointer, "maximum"), openapi.Join(p.Pointer, "exclusiveMaximum")}
	w.add(r)
}
