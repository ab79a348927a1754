package generate

import (
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// text makes a string of a shape: of its format, or its pattern, or a word.
func (g *generation) text(at string, sh shape, salt int) any {
	rng := g.rng
	unique := ""
	if g.isFresh(at, sh) || salt > 0 {
		unique = g.src.unique()
		rng = freshRandom(g.src.Seed, unique)
	}
	for _, candidate := range g.texts(sh, rng, unique) {
		if g.fits(sh.whole, candidate) {
			return candidate
		}
	}
	low, high := sh.lengths()
	return word(unique, max(low, 1), high)
}

// texts are strings that may fit a shape, the likeliest first.
func (g *generation) texts(sh shape, rng *rand.Rand, unique string) []string {
	low, high := sh.lengths()
	var list []string
	if f, ok := formats[sh.format()]; ok {
		list = append(list, f.valid(rng, g.word(unique))...)
		for n := max(low, 1); high >= 0 && n <= high && len(list) < 40; n += max(1, (high-n)/4) {
			if t, ok := padFormat(sh.format(), g.word(unique), n); ok {
				list = append(list, t)
			}
		}
	}
	list = append(list, g.patterned(sh, rng, plain, low, high, max(low, 8))...)
	return append(list, word(g.word(unique), max(low, min(8, max(high, 1))), high))
}

// word is the unique word, or one that is not.
func (g *generation) word(unique string) string {
	if unique == "" {
		return "conformance"
	}
	return unique
}

// patterned makes strings of the patterns of a shape, all of which have to hold.
func (g *generation) patterned(sh shape, rng *rand.Rand, f flavour, low, high, want int) []string {
	var list []string
	for _, text := range sh.patterns() {
		p, err := patternOf(text)
		if err != nil {
			continue
		}
		for range 6 {
			if t, err := p.make(rng, f, low, high, want); err == nil {
				list = append(list, t)
			}
		}
	}
	return list
}

func freshRandom(seed uint64, unique string) *rand.Rand {
	return rand.New(rand.NewPCG(seed, hash(unique))) //nolint:gosec // test data is to be foreseeable
}

// word makes a string of at least low and at most high code points (-1: any)
// that begins with the given word, or with its end if that is all there is room for.
func word(unique string, low, high int) string {
	if high >= 0 && len(unique) > high {
		unique = unique[len(unique)-high:]
	}
	if n := low - len(unique); n > 0 {
		unique += strings.Repeat("x", n)
	}
	return unique
}

// exactly makes strings of exactly n code points that may fit a shape.
func (g *generation) exactly(sh shape, n int, f flavour) []string {
	if n < 0 || n > maxLong {
		return nil
	}
	unique := g.src.unique()
	var list []string
	if format := sh.format(); format != "" && f == plain {
		if t, ok := padFormat(format, unique, n); ok {
			list = append(list, t)
		}
		if fm, ok := formats[format]; ok {
			for _, t := range fm.valid(freshRandom(g.src.Seed, unique), unique) {
				if utf8.RuneCountInString(t) == n {
					list = append(list, t)
				}
			}
		}
	}
	if len(sh.patterns()) > 0 {
		for _, t := range g.patterned(sh, freshRandom(g.src.Seed, unique), f, n, n, n) {
			if f != astral || hasAstral(t) {
				list = append(list, t)
			}
		}
	}
	if f == astral {
		return append(list, strings.Repeat("😀", n), "a"+strings.Repeat("😀", max(0, n-1)))
	}
	return append(list, word(unique, n, n), strings.Repeat("7", n), strings.Repeat("A", n), strings.Repeat("=", n))
}

// maxLong is the number of code points of the longest string that is made.
const maxLong = 100_000

func hasAstral(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r > 0xFFFF })
}
