package password

import (
	"slices"
	"time"
)

// maxPadding is how many units do not make a password good.
const maxPadding = 4

// minRun is how many characters in a row make a sequence.
const minRun = 3

// rows are keys beside each other: those of the keyboards for English, German,
// French and Russian (QWERTY, QWERTZ, AZERTY, ЙЦУКЕН) with the lines that run
// down them, and of the number pad. Sequences of the alphabet need no row.
var rows = [][]rune{
	[]rune("`1234567890-="), []rune("~!@#$%^&*()_+"),
	[]rune("qwertyuiop[]\\"), []rune("asdfghjkl;'"), []rune("zxcvbnm,./"),
	[]rune("qwertzuiop"), []rune("yxcvbnm"),
	[]rune("azertyuiop"), []rune("qsdfghjklm"), []rune("wxcvbn"),
	[]rune("ицукенгшщзхъ"), []rune("фывапролджэ"), []rune("ячсмитьбю"), // folded, so и for й
	[]rune("1qaz"), []rune("2wsx"), []rune("3edc"), []rune("4rfv"), []rune("5tgb"),
	[]rune("6yhn"), []rune("7ujm"), []rune("8ik,"), []rune("9ol."),
	[]rune("147"), []rune("258"), []rune("369"), []rune("159"), []rune("357"),
}

// unit is a run at the beginning of a text: how long it may be at most, and at
// how many units it counts.
type unit struct{ least, most, cost int }

// unitsAt lists the runs with which a text begins, the single character first.
func unitsAt(text []rune) []unit {
	all := []unit{{1, 1, 1}}
	for p := 1; p <= maxPadding; p++ {
		n := p
		for n < len(text) && text[n] == text[n-p] {
			n++
		}
		if least := max(minRun, 2*p); n >= least {
			all = append(all, unit{least, n, p})
		}
	}
	if n := max(steps(text, 1), steps(text, -1)); n >= minRun {
		all = append(all, unit{minRun, n, 1})
	}
	for _, row := range rows {
		if n := alongRow(text, row); n >= minRun {
			all = append(all, unit{minRun, n, 1})
		}
	}
	for _, d := range dates {
		if isDate(text, d.layout) {
			all = append(all, unit{len(d.layout), len(d.layout), d.cost})
		}
	}
	return all
}

// steps counts the characters at the beginning that follow each other in
// Unicode, as those of an alphabet and the digits do.
func steps(text []rune, by rune) int {
	n := min(1, len(text))
	for n < len(text) && isLetterOrDigit(text[n]) && text[n] == text[n-1]+by {
		n++
	}
	return n
}

// alongRow counts the characters at the beginning that follow each other in a
// row, to the right or to the left.
func alongRow(text, row []rune) int {
	if len(text) == 0 {
		return 0
	}
	at, longest := slices.Index(row, text[0]), 0
	if at < 0 {
		return 0
	}
	for _, by := range []int{1, -1} {
		n := 1
		for i := at + by; n < len(text) && i >= 0 && i < len(row) && text[n] == row[i]; i += by {
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

// dates are the ways in which years and days are written without separators.
var dates = []struct {
	layout string
	cost   int
}{
	{"2006", 1},
	{"02012006", 2}, {"01022006", 2}, {"20060102", 2},
	{"020106", 2}, {"010206", 2}, {"060102", 2},
}

// isDate tells whether a text begins with a year or day of the last or the
// present century.
func isDate(text []rune, layout string) bool {
	if len(text) < len(layout) {
		return false
	}
	date, err := time.Parse(layout, string(text[:len(layout)]))
	return err == nil && date.Year() >= 1900 && date.Year() < 2100
}

// costs counts the units of each beginning (of the first i characters) and of
// each end (from character i on), as few as possible.
func costs(text []rune) (before, after []int) {
	n := len(text)
	before, after = make([]int, n+1), make([]int, n+1)
	for i := range text {
		before[i+1], after[i] = i+1, n-i
	}
	starting := make([][]unit, n)
	for i := range text {
		starting[i] = unitsAt(text[i:])
		for _, u := range starting[i] {
			for k := u.least; k <= u.most; k++ {
				before[i+k] = min(before[i+k], before[i]+u.cost)
			}
		}
	}
	for i := n - 1; i >= 0; i-- {
		for _, u := range starting[i] {
			for k := u.least; k <= u.most; k++ {
				after[i] = min(after[i], after[i+k]+u.cost)
			}
		}
	}
	return before, after
}

// units counts the units of a text.
func units(text []rune) int {
	before, _ := costs(text)
	return before[len(text)]
}
