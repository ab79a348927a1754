package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// table is one in Markdown, aligned so that it reads well in a terminal too.
// The first column is text, the others are figures.
type table struct {
	heading []string
	rows    [][]string
}

func (t *table) add(row ...string) { t.rows = append(t.rows, row) }

func (t *table) String() string {
	widths := make([]int, len(t.heading))
	for _, row := range append([][]string{t.heading}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + pad)
			} else {
				b.WriteString(" | " + pad + cell)
			}
		}
		b.WriteString(" |\n")
	}
	line(t.heading)
	for i, width := range widths {
		if i == 0 {
			b.WriteString("| " + strings.Repeat("-", width))
		} else {
			b.WriteString(" | " + strings.Repeat("-", width-1) + ":")
		}
	}
	b.WriteString(" |\n")
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

// decimals writes a figure with as many digits as are of use.
func decimals(f float64) string {
	switch {
	case f >= 100:
		return thousands(int64(f + 0.5))
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.2f", f)
	}
}

// thousands writes a number with separators.
func thousands(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
