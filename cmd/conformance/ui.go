package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// ui is the only way to the terminal. Results, and nothing else, go to out;
// messages and progress go to err. Progress is shown on a terminal only, on one
// line, and not more often than can be read.
type ui struct {
	out, err io.Writer
	terminal bool // err is one
	color    bool // out is one, and wants colour
	shown    *time.Time
}

const progressEvery = 200 * time.Millisecond

func newUI(out, err *os.File) ui {
	return ui{
		out: out, err: err, terminal: isTerminal(err), shown: new(time.Time),
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

func (u ui) say(format string, args ...any) {
	fmt.Fprintf(u.err, "conformance: "+format+"\n", args...)
}

// progress shows how far a run is.
func (u ui) progress(what string, done, all int) {
	if !u.terminal || done < all && time.Since(*u.shown) < progressEvery {
		return
	}
	*u.shown = time.Now()
	fmt.Fprintf(u.err, "\r\x1b[K%s: %d of %d", what, done, all)
	if done == all {
		fmt.Fprint(u.err, "\r\x1b[K")
	}
}
