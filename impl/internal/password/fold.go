package password

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold gives what a password has in common with those that differ in case,
// accents and Unicode form only.
func fold(password string) []rune {
	decomposed := norm.NFKD.String(cases.Fold().String(Normalize(password)))
	return slices.DeleteFunc([]rune(decomposed), func(r rune) bool { return unicode.Is(unicode.Mn, r) })
}

// key gives the form of a folded text under which it is listed: with letters
// for the digits and symbols that are written for them, and one letter for i
// and l, which both are written 1.
func key(text []rune) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteRune(plain(r))
	}
	return b.String()
}

func plain(r rune) rune {
	switch r {
	case '0':
		return 'o'
	case '1', '!', '|', 'l':
		return 'i'
	case '3':
		return 'e'
	case '4', '@':
		return 'a'
	case '5', '$':
		return 's'
	case '7':
		return 't'
	default:
		return r
	}
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// only gives the characters of a text that are to be kept.
func only(text []rune, keep func(rune) bool) []rune {
	return slices.DeleteFunc(slices.Clone(text), func(r rune) bool { return !keep(r) })
}

// form is a text without some of its characters.
type form struct {
	text    []rune
	removed int // how many different characters are left out
}

// forms gives a text, the text without spaces, and its letters and digits, as
// far as they differ.
func forms(text []rune) []form {
	all := []form{{text, 0}}
	for _, keep := range []func(rune) bool{func(r rune) bool { return !unicode.IsSpace(r) }, isLetterOrDigit} {
		if kept := only(text, keep); len(kept) < len(all[len(all)-1].text) {
			removed := only(text, func(r rune) bool { return !keep(r) })
			all = append(all, form{kept, distinct(removed)})
		}
	}
	return all
}

// period gives the length of the shortest text that text is a repetition of; the
// last one may be cut off. It is the whole length if there is none.
func period(text []rune) int {
	for p := 1; p < len(text); p++ {
		if slices.Equal(text[p:], text[:len(text)-p]) {
			return p
		}
	}
	return len(text)
}

// distinct counts the different characters of a text.
func distinct(text []rune) int {
	seen := make(map[rune]struct{}, len(text))
	for _, r := range text {
		seen[r] = struct{}{}
	}
	return len(seen)
}
