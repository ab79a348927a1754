package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"cryptoexchange.com/escrow/conformance"
)

// runCommand tests a server.
type runCommand struct {
	target `embed:""`

	ReadOnly       bool          `help:"Leave out whatever may change something on the server."`
	TimeBudget     time.Duration `help:"End after so long, and say what was not tried." placeholder:"DURATION"`
	Replay         string        `help:"Run only what led to a finding: the id that its report gives." placeholder:"ID"`
	Baseline       string        `help:"File of findings that are known, and fail nothing." placeholder:"FILE"`
	BaselineUpdate bool          `help:"Write what is found to the baseline."`
	FailOn         string        `help:"Least severity that fails: must, should or advice." enum:"must,should,advice" default:"should"`
	LeastJudged    float64       `help:"Fail, too, if less of the document's clauses is judged, in percent." placeholder:"PERCENT"`

	JUnit   string `name:"junit" help:"Write JUnit XML." placeholder:"FILE" group:"Reports"`
	SARIF   string `name:"sarif" help:"Write SARIF 2.1.0, located in the document." placeholder:"FILE" group:"Reports"`
	HTML    string `name:"html" help:"Write one self-contained page." placeholder:"FILE" group:"Reports"`
	NDJSON  string `name:"ndjson" help:"Write a JSON object a line." placeholder:"FILE" group:"Reports"`
	Summary string `help:"Write a summary in Markdown." placeholder:"FILE" group:"Reports" env:"GITHUB_STEP_SUMMARY"`
	GitHub  bool   `name:"github" help:"Print annotations for GitHub in place of the report." group:"Reports" env:"GITHUB_ACTIONS"`
}

// Run runs the command.
func (c *runCommand) Run(ctx context.Context, out ui) error {
	config := c.config()
	config.ReadOnly, config.TimeBudget, config.Replay = c.ReadOnly, c.TimeBudget, c.Replay
	config.Baseline, config.BaselineUpdate, config.FailOn = c.Baseline, c.BaselineUpdate, c.FailOn
	config.Progress, config.Live = out.err, out.terminal
	result, err := conformance.Run(ctx, config)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name   string
		format conformance.Format
	}{
		{c.JUnit, conformance.JUnit}, {c.SARIF, conformance.SARIF}, {c.HTML, conformance.HTML},
		{c.NDJSON, conformance.NDJSON}, {c.Summary, conformance.Summary},
	} {
		if file.name == "" {
			continue
		}
		if err := write(file.name, file.format, result); err != nil {
			return err
		}
	}
	format := conformance.Terminal
	switch {
	case c.GitHub:
		format = conformance.GitHub
	case out.color:
		format = conformance.Colored
	}
	if err := conformance.Write(out.out, format, result); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if counts := result.Counts(); result.Failed() || float64(counts.Judged)*100 < c.LeastJudged*float64(counts.Clauses) {
		return errFindings
	}
	return nil
}

// write writes a report to a file.
func write(name string, format conformance.Format, r *conformance.Result) error {
	return create(name, func(w io.Writer) error { return conformance.Write(w, format, r) })
}

// create writes a file.
func create(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("%w: %w", conformance.ErrUsage, err)
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("write %s: %w", name, e)
		}
	}()
	if err := write(f); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
