package main

import (
	"fmt"
	"io"
	"strings"
)

// ui is the only way to the terminal. Results go to out, so that they can be
// piped; messages go to err, each a line in small letters without a full stop,
// and what to do about it as a hint on a line of its own.
type ui struct{ out, err io.Writer }

func (u ui) printf(format string, args ...any) { fmt.Fprintf(u.out, format, args...) }

func (u ui) progress(format string, args ...any) {
	fmt.Fprintf(u.err, "bench: "+format+"\n", args...)
}

func (u ui) fail(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(u.err, "bench: error: %s\n", line)
	}
}

func (u ui) hint(text string) { fmt.Fprintf(u.err, "bench: hint: %s\n", text) }
