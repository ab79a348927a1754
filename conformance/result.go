package conformance

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/check"
	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/report"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Result is what a run found and did. [Write] writes it.
type Result = report.Result

// Severities, for Config.FailOn.
var severities = map[string]finding.Severity{"must": finding.Must, "should": finding.Should, "advice": finding.Advice}

// Run tests a server. It returns [ErrUsage] if the configuration cannot be used,
// [ErrUnreachable] if the server does not answer, and the error of ctx if that
// ends; findings are no error.
func Run(ctx context.Context, c Config) (*Result, error) {
	failOn, ok := severities[c.FailOn]
	if c.FailOn != "" && !ok {
		return nil, usage("--fail-on %s: want must, should or advice", c.FailOn)
	}
	if c.FailOn == "" {
		failOn = finding.Should
	}
	began := time.Now()
	r, k, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	result := &Result{
		ToolVersion: version(), Target: k.Base, Seed: c.Seed, Started: began, Took: time.Since(began),
		Document: report.Document{File: k.Document.Name, Title: k.Document.Title, Version: k.Document.Version, OpenAPI: k.Document.OpenAPI, Raw: k.Document.Raw},
		Requests: r.Requests(), Findings: r.Mistakes(), FailOn: failOn,
		Selected: len(c.Include) > 0 || len(c.Exclude) > 0 || c.Replay != "" || c.ReadOnly,
		Mask:     c.masker(r),
	}
	if r.Cut() {
		result.Ended = fmt.Sprintf("the time budget of %v was used up", c.TimeBudget)
	}
	c.fill(result, r, k.Document)
	if c.Baseline != "" {
		err = c.compare(result)
	}
	return result, err
}

// compare marks what the baseline knows, and writes it anew if that is wanted.
func (c *Config) compare(result *Result) error {
	baseline, err := report.ReadBaseline(c.Baseline)
	if err != nil {
		return usage("--baseline: %v", err)
	}
	baseline.Apply(result, time.Now())
	if !c.BaselineUpdate {
		return nil
	}
	baseline.Update(result, time.Now())
	if err := baseline.Write(); err != nil {
		return usage("--baseline-update: %v", err)
	}
	return nil
}

// masker hides what the run was given, and what it obtained.
func (c *Config) masker(r *check.Runner) *wire.Masker {
	var secrets []wire.Secret
	for i, name := range []string{"CREDENTIAL", "OTHER_CREDENTIAL"} {
		values := r.Credentials(check.Identity(i))
		for _, scheme := range slices.Sorted(maps.Keys(values)) {
			variable := name
			if len(values) > 1 {
				variable += "_" + scheme
			}
			switch values[scheme] {
			case c.Key:
				variable = "KEY"
			case c.OtherKey:
				variable = "OTHER_KEY"
			}
			secrets = append(secrets, wire.Secret{Value: values[scheme], Variable: variable})
		}
	}
	return wire.NewMasker(secrets...)
}

// fill adds what was covered, and what was left undone.
func (c *Config) fill(result *Result, r *check.Runner, doc *openapi.Document) {
	for _, clause := range r.Coverage.Clauses {
		marks, reason := r.Coverage.Of(clause.Pointer)
		operations := slices.Concat(clause.Requests, clause.Answers)
		if len(operations) > 0 && !slices.ContainsFunc(operations, c.covers) {
			continue
		}
		one := report.Clause{
			Pointer: clause.Pointer, Keyword: clause.Keyword, Position: clause.Position,
			SentValid: marks&check.SentValid != 0, SentInvalid: marks&check.SentInvalid != 0,
			Observed: marks&check.Observed != 0, Judged: marks&check.Judged != 0,
		}
		for _, op := range operations {
			if !slices.Contains(one.Operations, op.ID) && c.covers(op) {
				one.Operations = append(one.Operations, op.ID)
			}
		}
		if !one.Judged {
			if one.Reason = reason; one.Reason == "" {
				one.Reason = r.Why(clause)
			}
		}
		result.Clauses = append(result.Clauses, one)
	}
	for _, op := range doc.Operations {
		if !c.covers(op) {
			continue
		}
		o := report.Operation{ID: op.ID, Method: op.Method, Path: op.Path, Pointer: op.Pointer, Position: doc.Position(op.Pointer), Statuses: r.Coverage.Statuses(op.ID)}
		for _, n := range o.Statuses {
			o.Requests += n
		}
		result.Operations = append(result.Operations, o)
	}
	skipped := r.Skipped()
	for _, p := range r.Ran() {
		one := report.Check{Class: p.Class, Probe: p.Name, Skipped: skipped[p.Name]}
		if p.Op != nil {
			one.Operation = p.Op.ID
		}
		result.Checks = append(result.Checks, one)
	}
	left := r.Residue()
	for _, resource := range slices.Sorted(maps.Keys(left)) {
		result.Residue = append(result.Residue, fmt.Sprintf("%d of %s", left[resource], resource))
	}
}

// version is that of this program.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
