package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// ui is the only way to the terminal. Results, and nothing else, go to out, so
// that they can be piped; messages go to err, each a line in small letters
// without a full stop, and what to do about it as a hint on a line of its own.
type ui struct{ out, err io.Writer }

func (u ui) printf(format string, args ...any) { fmt.Fprintf(u.out, format, args...) }

func (u ui) fail(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(u.err, "escrowd: error: %s\n", line)
	}
}

func (u ui) hint(text string) { fmt.Fprintf(u.err, "escrowd: hint: %s\n", text) }

// table prints rows under a heading, in columns.
func (u ui) table(heading string, rows ...[]string) {
	w := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(heading, " ", "\t"))
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

func (u ui) json(v any) error {
	e := json.NewEncoder(u.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
