package generate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// texts writes down lengths, patterns and formats.
func (w *walker) texts(sp spot, p *openapi.Schema) {
	if p.MinLength != nil {
		w.length(sp, p, "minLength", int(*p.MinLength), -1)
	}
	if p.MaxLength != nil {
		w.length(sp, p, "maxLength", int(*p.MaxLength), 1)
	}
	if p.Pattern != "" {
		w.pattern(sp, p)
	}
	if f, ok := formats[p.Format]; ok {
		w.format(sp, p, "format", f)
	} else if p.Format != "" && !isNumberFormat(p.Format) {
		w.add(sp.recipe(p, Keeps, "E12", "format").with("", "a value of the format",
			func(_ *generation, old any) []any { return []any{old} }))
	}
	if p.ContentEncoding == "base64" {
		w.format(sp, p, "contentEncoding", formats["byte"])
	}
}

func isNumberFormat(format string) bool {
	switch format {
	case "int32", "int64", "float", "double":
		return true
	}
	return false
}

// length writes down strings of exactly n code points, and of one more (1) or
// less (-1): in one byte each, and beyond the basic plane.
func (w *walker) length(sp spot, p *openapi.Schema, keyword string, n, out int) {
	for _, x := range []struct {
		side      Side
		n         int
		flavour   flavour
		label     string
		why       string
		necessary bool
	}{
		{Keeps, n, plain, "", "%d code points, exactly " + keyword, true},
		{Keeps, n, astral, "astral", "%d code points of four bytes each, exactly " + keyword, n > 0},
		{Breaks, n + out, plain, "", "%d code points, one beyond " + keyword, n+out >= 0},
		{Breaks, n + out, astral, "astral", "%d code points of four bytes each, one beyond " + keyword, n+out > 0},
		{Breaks, max(0, n+farther(n)*out), plain, "far", "%d code points, far beyond " + keyword, n > 0},
	} {
		if !x.necessary {
			continue
		}
		r := sp.recipe(p, x.side, "E3", keyword).with(x.label, fmt.Sprintf(x.why, x.n), func(g *generation, old any) []any {
			var list []any
			texts := g.exactly(sp.shape, x.n, x.flavour)
			if t, ok := old.(string); ok && x.flavour == plain {
				texts = append(texts, t) // a format may have no other length
			}
			for _, t := range texts {
				if utf8.RuneCountInString(t) == x.n {
					list = append(list, t)
				}
			}
			return list
		})
		if x.label == "far" {
			r.spare = true
			for _, q := range sp.shape.parts { // which may forbid the length as well
				r.also = append(r.also, openapi.Join(q.Pointer, "pattern"), openapi.Join(q.Pointer, "format"))
			}
		}
		w.add(r)
	}
}

// farther is how far beyond a bound the value is that shows whether the server has
// any: two of a small one, about as many as itself of a great one.
func farther(n int) int {
	if n <= 3 {
		return 2
	}
	return max(2, min(n, 200))
}

// pattern writes down strings of a pattern, and near misses.
func (w *walker) pattern(sp spot, p *openapi.Schema) {
	keep := func(label, why string, f flavour, length func(low, high int) int) {
		w.add(sp.recipe(p, Keeps, "E4", "pattern").with(label, why, func(g *generation, _ any) []any {
			low, high := sp.shape.lengths()
			rng := freshRandom(g.src.Seed, g.src.unique())
			var list []any
			for _, t := range g.patterned(sp.shape, rng, f, low, high, length(low, high)) {
				list = append(list, t)
			}
			return list
		}))
	}
	keep("", "a string of the pattern", plain, func(low, _ int) int { return max(low, 8) })
	keep("shortest", "a shortest string of the pattern", plain, func(low, _ int) int { return low })
	keep("varied", "a string of the pattern, of characters that are seldom used", varied, func(low, _ int) int { return max(low, 12) })
	for _, m := range patternMisses {
		w.add(sp.recipe(p, Breaks, "E4", "pattern").with(m.label, m.why, func(g *generation, old any) []any {
			return g.missed(sp, p, old, m)
		}))
	}
}

// missed changes valid strings of several lengths until they are near misses.
func (g *generation) missed(sp spot, p *openapi.Schema, old any, m patternMiss) []any {
	low, high := sp.shape.lengths()
	var bases []string
	if t, ok := old.(string); ok {
		bases = append(bases, t)
	}
	unique := g.src.unique()
	rng := freshRandom(g.src.Seed, unique)
	for _, want := range []int{max(low, 4), low, low + 1, max(low, high-1)} {
		bases = append(bases, g.patterned(sp.shape, rng, plain, low, high, want)...)
	}
	matches := func(string) bool { return false }
	if pat, err := patternOf(p.Pattern); err == nil {
		matches = pat.matches
	}
	var list []any
	if m.label == "word" && !matches(unique) && low <= len(unique) && (high < 0 || len(unique) <= high) {
		list = append(list, unique) // what was sent before may be refused for that
	}
	for _, b := range bases {
		for _, t := range m.change([]rune(b)) {
			// The judge would refuse the rest as well, but takes longer.
			if n := utf8.RuneCountInString(t); n >= low && (high < 0 || n <= high) && !matches(t) {
				list = append(list, t)
			}
		}
	}
	if len(list) > candidates {
		// Near misses of the first bases are the likeliest; keep some of each.
		step := len(list)/candidates + 1
		var some []any
		for i := 0; i < len(list); i += step {
			some = append(some, list[i])
		}
		list = append(list[:candidates/2], some...)
	}
	return list
}

// patternMiss is a way to make a string of a pattern no string of it.
type patternMiss struct {
	label, why string
	change     func(t []rune) []string
}

// around puts each of some texts at a place of a string, in addition to what is
// there or instead of a character of it.
func around(t []rune, at int, texts ...string) []string {
	var list []string
	for _, x := range texts {
		list = append(list, string(t[:at])+x+string(t[at:]))
		if at < len(t) {
			list = append(list, string(t[:at])+x+string(t[at+1:]))
		} else if at > 0 {
			list = append(list, string(t[:at-1])+x)
		}
	}
	return list
}

// patternMisses are in the order of what servers get wrong: a missing end anchor,
// $ before a newline, a missing start anchor.
var patternMisses = []patternMiss{
	{"suffix", "a valid string, and a character that the pattern has no place for", func(t []rune) []string {
		return around(t, len(t), "!", "-", "a", "0", " ", "é", "\x01", "A", "ab", "aaa")
	}},
	{"newline", "a valid string and a newline", func(t []rune) []string {
		return around(t, len(t), "\n", "\r\n")
	}},
	{"line-before", "a line, and then a valid string", func(t []rune) []string {
		return around(t, 0, "!\n", "x\n", "\n", "\x01\n")
	}},
	{"line-after", "a valid string, and then another line", func(t []rune) []string {
		return around(t, len(t), "\n!", "\nx", "\n\x01")
	}},
	{"prefix", "a character that the pattern has no place for, and a valid string", func(t []rune) []string {
		return around(t, 0, "!", "-", "a", "0", " ", "é", "\x01", "A", "ab", "aaa")
	}},
	{"inside", "a valid string with a character in it that the pattern has no place for", func(t []rune) []string {
		return around(t, len(t)/2, "!", "é", "\x01", "\n", " ", "-", "0", "a", "A")
	}},
	{"upper-case", "a valid string in capitals", func(t []rune) []string { return []string{strings.ToUpper(string(t))} }},
	{"lower-case", "a valid string in small letters", func(t []rune) []string { return []string{strings.ToLower(string(t))} }},
	{"space-before", "a space and a valid string", func(t []rune) []string { return around(t, 0, " ") }},
	{"space-after", "a valid string and a space", func(t []rune) []string { return around(t, len(t), " ") }},
	{"other-digits", "a valid string with digits of another script", func(t []rune) []string {
		return []string{strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r - '0' + '٠'
			}
			return r
		}, string(t))}
	}},
	{"full-width", "a valid string with letters of full width", func(t []rune) []string {
		return []string{strings.Map(func(r rune) rune {
			if r >= '!' && r <= '~' {
				return r - '!' + '！'
			}
			return r
		}, string(t))}
	}},
	{"first-dropped", "a valid string without its first character", func(t []rune) []string {
		if len(t) == 0 {
			return nil
		}
		return []string{string(t[1:])}
	}},
	{"last-dropped", "a valid string without its last character", func(t []rune) []string {
		if len(t) == 0 {
			return nil
		}
		return []string{string(t[:len(t)-1])}
	}},
	{"empty", "an empty string", func([]rune) []string { return []string{""} }},
	{"word", "a word that has nothing to do with the pattern", func(t []rune) []string {
		return []string{"conformance", word("!", len(t), len(t)), "!", "!!", "\x01"}
	}},
}

// format writes down strings of a format, and those that are nearly of it.
func (w *walker) format(sp spot, p *openapi.Schema, keyword string, f format) {
	n := len(f.valid(w.src.random(), "u"))
	for i := range n {
		label := ""
		if i > 0 {
			label = fmt.Sprintf("variety-%d", i)
		}
		w.add(sp.recipe(p, Keeps, "E12", keyword).with(label, "a "+p.Format+p.ContentEncoding+" in another of its forms", func(g *generation, _ any) []any {
			u := g.src.unique()
			return []any{f.valid(freshRandom(g.src.Seed, u), u)[i]}
		}))
	}
	for i, bad := range f.almost(w.src.random(), "u") {
		w.add(sp.recipe(p, Breaks, "E12", keyword).with(bad.label, "nearly a "+p.Format+p.ContentEncoding+": "+strings.ReplaceAll(bad.label, "-", " "),
			func(g *generation, _ any) []any {
				u := g.src.unique()
				return []any{f.almost(freshRandom(g.src.Seed, u), u)[i].value}
			}))
	}
}
