package generate

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
)

// rational reads a decimal number.
func rational(text string) (*big.Rat, bool) {
	if text == "" || len(text) > 400 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// decimals is the number of digits after the point that a number needs.
func decimals(r *big.Rat) int {
	n, exact := r.FloatPrec()
	if !exact {
		return 18
	}
	return n
}

// number writes a rational as JSON does.
func number(r *big.Rat) json.Number {
	if r.IsInt() {
		return json.Number(r.Num().String())
	}
	return json.Number(r.FloatString(decimals(r)))
}

// span is where the numbers of a shape may be.
type span struct {
	low, high         *big.Rat // nil: none
	lowOpen, highOpen bool     // the bound itself is not valid
	multiple          *big.Rat
	step              *big.Rat // between two numbers next to each other
	integer           bool
}

func (sh shape) span() span {
	var s span
	for _, p := range sh.parts {
		if low, ok := rational(p.Minimum); ok && (s.low == nil || low.Cmp(s.low) > 0) {
			s.low, s.lowOpen = low, p.ExclusiveMinimum
		}
		if high, ok := rational(p.Maximum); ok && (s.high == nil || high.Cmp(s.high) < 0) {
			s.high, s.highOpen = high, p.ExclusiveMaximum
		}
		if m, ok := rational(p.MultipleOf); ok && m.Sign() > 0 && s.multiple == nil {
			s.multiple = m
		}
	}
	s.integer = sh.kind() == "integer"
	s.step = s.steps()
	return s
}

func (s *span) steps() *big.Rat {
	switch {
	case s.integer && s.multiple != nil && s.multiple.IsInt():
		return s.multiple
	case s.integer:
		return big.NewRat(1, 1)
	case s.multiple != nil:
		return s.multiple
	}
	digits := 1
	for _, b := range []*big.Rat{s.low, s.high} {
		if b != nil {
			digits = max(digits, decimals(b))
		}
	}
	return fraction(digits + 1)
}

// fraction is 10 to the power of -digits.
func fraction(digits int) *big.Rat {
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	return new(big.Rat).SetFrac(big.NewInt(1), ten)
}

func plus(a, b *big.Rat) *big.Rat  { return new(big.Rat).Add(a, b) }
func minus(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }

// above is the least multiple of m that is not less than r.
func above(r, m *big.Rat) *big.Rat {
	q := new(big.Rat).Quo(r, m)
	k := new(big.Int).Div(q.Num(), q.Denom()) // towards minus infinity
	at := new(big.Rat).Mul(new(big.Rat).SetInt(k), m)
	if at.Cmp(r) < 0 {
		at.Add(at, m)
	}
	return at
}

// number makes one of a shape.
func (g *generation) number(at string, sh shape, salt int) any {
	s := sh.span()
	offset := int64(salt)
	if g.isFresh(at, sh) {
		offset += int64(hash(g.src.unique()) >> 40)
	}
	shift := new(big.Rat).Mul(s.step, new(big.Rat).SetInt64(offset))
	var list []*big.Rat
	if s.low != nil && s.high != nil && offset == 0 {
		middle := new(big.Rat).Quo(plus(s.low, s.high), big.NewRat(2, 1))
		list = append(list, above(middle, s.step))
	}
	for _, from := range []*big.Rat{s.low, new(big.Rat), big.NewRat(1, 1)} {
		if from != nil {
			base := above(from, s.step)
			list = append(list, plus(base, shift), plus(plus(base, shift), s.step))
		}
	}
	if s.high != nil {
		top := s.high
		list = append(list, minus(top, shift), minus(minus(top, shift), s.step), above(minus(minus(top, shift), s.step), s.step))
	}
	if s.low == nil && s.high == nil {
		list = slices.Insert(list, 0, plus(big.NewRat(1, 1), shift))
	}
	for _, r := range list {
		if v := number(r); g.fits(sh.whole, v) {
			return v
		}
	}
	return json.Number("1")
}

// formatBounds are the least and the greatest number of a format.
func formatBounds(format string) (low, high *big.Rat) {
	switch format {
	case "int32":
		return big.NewRat(-1<<31, 1), big.NewRat(1<<31-1, 1)
	case "int64":
		return big.NewRat(-1<<63, 1), big.NewRat(1<<63-1, 1)
	}
	return nil, nil
}

// isNumber tells whether a text is a number as JSON writes it.
func isNumber(text string) bool {
	if text == "" || strings.ContainsAny(text, " \t\r\n") || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return false
	}
	return json.Valid([]byte(text))
}
