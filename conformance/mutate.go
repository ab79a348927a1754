package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/mutate"
)

// MutateConfig says which clauses of the document are flipped.
type MutateConfig struct {
	Config
	// Sample is how many flips are tried, chosen by Config.Seed; 0: all.
	Sample int
	// Flips are parts of names of flips, of which one is in that of each that is tried:
	// pointer and operator, with a space between them. Empty: all.
	Flips []string
}

// Mutation is what became of the flips. Its methods WriteText, WriteMarkdown and
// WriteNDJSON write it.
type Mutation = mutate.Result

// Mutate tests the tester: it flips one clause of the document at a time and runs
// what touches it, until the server, which has not changed, contradicts the flipped
// document. A flip that survives is a clause that a run does not check. Errors are
// those of [Run].
func Mutate(ctx context.Context, c MutateConfig) (*Mutation, error) {
	k, err := c.prepare()
	if err != nil {
		return nil, err
	}
	say := func(format string, args ...any) {
		if c.Progress != nil {
			fmt.Fprintf(c.Progress, format+"\n", args...)
		}
	}
	var all int
	var done, survived counter
	o := mutate.Options{
		Check: k, Workers: k.Workers, Sample: c.Sample, Seed: c.Seed,
		Control: func(x mutate.Control) {
			say("the document as it is: %d probes, %d requests, %d findings, %v", x.Probes, x.Requests, len(x.Findings), x.Took.Round(progressPrecision))
		},
		Started: func(n int) { all = n },
		Ended: func(x mutate.Outcome) {
			if !x.Killed && x.Equivalent == "" {
				survived.add()
			}
			if n := done.add(); n%progressEvery == 0 || n == all {
				say("%d of %d flips, %d survived", n, all, survived.get())
			}
		},
	}
	if len(c.Flips) > 0 {
		o.Wanted = func(f *mutate.Flip) bool {
			return slices.ContainsFunc(c.Flips, func(part string) bool { return strings.Contains(f.Name(), part) })
		}
	}
	return mutate.Run(ctx, o)
}
