package password

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

const (
	// minWord is from how many characters on a listed word is looked for in a
	// password.
	minWord = 4
	// minPeriod is how long a text must be to be worth repeating.
	minPeriod = 8
	// minDistinct is how many different characters a password needs: 15 that are
	// drawn from three have less than 24 bits.
	minDistinct = 4
	// minRest is how many letters and digits must be left of a password without
	// the words that others know.
	minRest = 6
)

// isBreached tells whether a folded password is listed, or is a listed word,
// once or several times, with something simple before and after it.
func (p *Policy) isBreached(text []rune) bool {
	return slices.ContainsFunc(forms(text), p.hasPaddedWord)
}

func (p *Policy) hasPaddedWord(f form) bool {
	before, after := costs(f.text)
	for _, from := range beginnings(before) {
		for _, to := range ends(after) {
			word := f.text[min(from, to):to]
			// The shorter the word, the likelier it is in a password by chance.
			allowed := min(maxPadding, len(word)/2)
			if len(word) >= minWord && f.removed+before[from]+after[to] <= allowed && p.isListed(word) {
				return true
			}
		}
	}
	return false
}

func (p *Policy) isListed(word []rune) bool {
	if p.list.has(key(word)) {
		return true
	}
	n := period(word)
	return n >= minWord && 2*n <= len(word) && p.list.has(key(word[:n]))
}

// beginnings gives where a word may begin after each possible number of units.
// That is as late as possible, or one character earlier: the run before a word
// may take its first letter, as in aaaalexander.
func beginnings(before []int) []int {
	at := []int{0}
	for cost := 1; cost <= maxPadding; cost++ {
		for i := len(before) - 1; i > 0; i-- {
			if before[i] <= cost {
				at = append(at, i, i-1)
				break
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// ends gives where a word may end, likewise.
func ends(after []int) []int {
	last := len(after) - 1
	at := []int{last}
	for cost := 1; cost <= maxPadding; cost++ {
		if i := slices.IndexFunc(after, func(c int) bool { return c <= cost }); i < last {
			at = append(at, i, i+1)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// serviceWords are what this service is called and is about.
var serviceWords = []string{"cryptoexchangecom", "cryptoexchange", "crypto", "exchange", "escrow", "account", "password", "login"}

// isCommon tells whether there is hardly anything in a folded password.
func isCommon(text []rune) bool {
	for _, f := range forms(text) {
		n := period(f.text)
		if f.removed+units(f.text) <= maxPadding || f.removed+n < minPeriod && 2*n <= len(f.text) {
			return true
		}
	}
	return distinct(text) < minDistinct || isMadeOf(text, serviceWords)
}

// isMadeOf tells whether a folded password is mostly made of words: they are in
// it, and what is left is too little, or of too few units.
func isMadeOf(text []rune, words []string) bool {
	covered := cover(text, words)
	count, letters := 0, 0
	var rest []rune
	for i, r := range text {
		switch {
		case covered[i]:
			count++
		case isLetterOrDigit(r):
			letters++
			rest = append(rest, r)
		default:
			rest = append(rest, r)
		}
	}
	return count > 0 && (letters < minRest && 2*count >= len(text) || units(rest) <= maxPadding)
}

// cover marks the characters of a text that belong to a word. The longest words
// come first. What stands between the letters of a word does not matter.
func cover(text []rune, words []string) []bool {
	covered := make([]bool, len(text))
	var at []int // where the characters are that words are made of
	for i, r := range text {
		if isLetterOrDigit(r) || isLetterOrDigit(plain(r)) {
			at = append(at, i)
		}
	}
	words = slices.Clone(words)
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, word := range words {
		w := []rune(key([]rune(word)))
		for i := 0; i+len(w) <= len(at); i++ {
			if occursAt(text, at[i:i+len(w)], w) {
				for _, j := range at[i : i+len(w)] {
					covered[j] = true
				}
			}
		}
	}
	return covered
}

func occursAt(text []rune, at []int, word []rune) bool {
	for i, r := range word {
		if plain(text[at[i]]) != r {
			return false
		}
	}
	return true
}

// personalWords gives the folded words that a customer's data consist of: the
// local part of the e-mail address, the labels of its domain, the names, and the
// parts of all of them. Single letters are no words.
func personalWords(about Subject) []string {
	local, domain, _ := strings.Cut(about.Email, "@")
	texts := append([]string{local}, about.Names...)
	texts = append(texts, strings.Split(domain, ".")...)
	var words []string
	for _, text := range texts {
		folded := fold(text)
		words = append(words, string(only(folded, isLetterOrDigit)))
		words = append(words, strings.FieldsFunc(string(folded), func(r rune) bool { return !isLetterOrDigit(r) })...)
		words = append(words, strings.FieldsFunc(string(folded), func(r rune) bool { return !unicode.IsLetter(r) })...)
	}
	slices.Sort(words)
	return slices.DeleteFunc(slices.Compact(words), func(w string) bool { return len([]rune(w)) < 2 })
}
