package checker

import (
	"math"
	"slices"
)

// number has what is asked of a number. It is judged as the float64 that is
// nearest to it, as kin-openapi does.
type number struct {
	integer    bool
	above      float64 // exclusive; NaN if there is none
	below      float64
	min        float64
	max        float64
	multipleOf float64   // 0 if there is none
	enum       []float64 // nil if there is none
	// Formats of kin-openapi, nil if there are none.
	integerFormat func(int64) error
	numberFormat  func(float64) error
}

func (n *number) check(s *state) bool {
	f, whole, end := readNumber(s.doc, s.pos)
	if end < 0 || n.integer && !whole {
		return false
	}
	s.pos = end
	if !(f >= n.min && f <= n.max) || f <= n.above || f >= n.below {
		return false
	}
	if n.enum != nil && !slices.Contains(n.enum, f) {
		return false
	}
	// Mod is exact, so that no remainder means that it is a multiple.
	if n.multipleOf != 0 && math.Mod(f, n.multipleOf) != 0 {
		return false
	}
	if n.integerFormat != nil && n.integerFormat(int64(f)) != nil {
		return false
	}
	return n.numberFormat == nil || n.numberFormat(f) == nil
}

// maxDigits is how many digits of a number a float64 tells apart. With no more of
// them, mantissa and power of ten are exact, so that their quotient is the nearest
// float64, and is not whole where the number is not.
const maxDigits = 15

var powersOfTen = [maxDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// readNumber reads a number that is written in a plain way, and gives where it
// ends: a negative place for any other number, and for what is none.
func readNumber(doc []byte, at int) (f float64, whole bool, end int) {
	i := at
	negative := doc[i] == '-'
	if negative {
		i++
	}
	mantissa, first := int64(0), i
	for i < len(doc) && i-first <= maxDigits && doc[i]-'0' <= 9 {
		mantissa = mantissa*10 + int64(doc[i]-'0')
		i++
	}
	digits := i - first
	if digits == 0 || digits > maxDigits || digits > 1 && doc[first] == '0' {
		return 0, false, -1
	}
	if i == len(doc) || doc[i] != '.' && doc[i] != 'e' && doc[i] != 'E' {
		if negative {
			// Negative zero is left to others.
			return -float64(mantissa), true, endUnless(mantissa == 0, i)
		}
		return float64(mantissa), true, i
	}
	if doc[i] != '.' {
		return 0, false, -1
	}
	return readFraction(doc, i+1, mantissa, digits, negative)
}

// readFraction reads the digits behind a point.
func readFraction(doc []byte, at int, mantissa int64, digits int, negative bool) (f float64, whole bool, end int) {
	i := at
	for i < len(doc) && digits <= maxDigits && doc[i]-'0' <= 9 {
		mantissa = mantissa*10 + int64(doc[i]-'0')
		digits++
		i++
	}
	if i == at || digits > maxDigits || i < len(doc) && (doc[i] == 'e' || doc[i] == 'E') {
		return 0, false, -1
	}
	f = float64(mantissa) / powersOfTen[i-at]
	if negative {
		f = -f
	}
	// A whole number, zero among them, is left to others if written like that.
	return f, false, endUnless(f == math.Trunc(f), i)
}

func endUnless(unknown bool, end int) int {
	if unknown {
		return -1
	}
	return end
}
