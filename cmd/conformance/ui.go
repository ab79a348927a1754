package main

import (
	"fmt"
	"io"
	"os"
)

// ui is the only way to the terminal. Results, and nothing else, go to out;
// messages and progress go to err.
type ui struct {
	out, err io.Writer
	terminal bool // err is one
	color    bool // out is one, and wants colour
}

func newUI(out, err *os.File) ui {
	return ui{
		out: out, err: err, terminal: isTerminal(err),
		color: isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// isTerminal tells whether somebody reads what is written as it is written.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (u ui) fail(err error) { fmt.Fprintf(u.err, "conformance: error: %s\n", err) }

func (u ui) hint(text string) { fmt.Fprintf(u.err, "conformance: hint: %s\n", text) }
