package main

import (
	"context"
	"fmt"

	"cryptoexchange.com/escrow/conformance"
)

// mutateCommand tests the tester.
type mutateCommand struct {
	target `embed:""`

	Sample   int      `help:"How many flips are tried, chosen by the seed; 0 is all." default:"0" placeholder:"N"`
	Flip     []string `help:"Only flips in whose name one of these is: POINTER OPERATOR, or a part of it. May be repeated." placeholder:"WORD"`
	Least    float64  `help:"Fail if less of the flips is found out, in percent." default:"95" placeholder:"PERCENT"`
	Markdown string   `help:"Write the outcome in Markdown." placeholder:"FILE" group:"Reports"`
	NDJSON   string   `name:"ndjson" help:"Write a JSON object a flip." placeholder:"FILE" group:"Reports"`
}

// Run runs the command.
func (c *mutateCommand) Run(ctx context.Context, out ui) error {
	config := conformance.MutateConfig{Config: c.config(), Sample: c.Sample, Flips: c.Flip}
	config.Progress = out.err
	result, err := conformance.Mutate(ctx, config)
	if err != nil {
		return err
	}
	if err := result.WriteText(out.out); err != nil {
		return fmt.Errorf("print the outcome: %w", err)
	}
	if c.Markdown != "" {
		if err := create(c.Markdown, result.WriteMarkdown); err != nil {
			return err
		}
	}
	if c.NDJSON != "" {
		if err := create(c.NDJSON, result.WriteNDJSON); err != nil {
			return err
		}
	}
	if rate := result.Rate(); rate.Percent() < c.Least {
		return errFindings
	}
	return nil
}
