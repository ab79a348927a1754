// Package report writes what a run found, for people and for programs: on a
// terminal, as one HTML page, as JUnit XML, SARIF, annotations of GitHub and
// lines of JSON.
//
// All of them are written from a [Result], and say the same. Whatever came from
// the network, or was sent to it, goes through two sieves: secrets are hidden
// (package wire), and what could command a terminal, a page or a parser is made
// visible instead ([Clean]). A finding has the same identity in each report, and
// from run to run, so that a [Baseline] can list those that are known.
package report

import (
	"bytes"
	"io"
	"net/url"
	"slices"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Tool is the name of the program in reports.
const Tool = "conformance"

// Result is what a run found and did.
type Result struct {
	ToolVersion string
	Target      *url.URL // base URL
	Document    Document
	Seed        uint64
	Started     time.Time
	Took        time.Duration
	Requests    int
	// Ended says why the run ended before all was tried; empty: it did not.
	Ended string
	// Selected: not all operations or checks were wanted. What was not found may
	// not have been looked for.
	Selected bool

	Findings   []finding.Finding // clustered, in the order in which they are shown
	Clauses    []Clause
	Operations []Operation
	Checks     []Check
	Residue    []string // what the run made and could not remove

	FailOn finding.Severity // from which findings fail the run
	Mask   *wire.Masker
	// Baseline is what [Baseline.Apply] made of the findings; nil: there is none.
	Baseline *Comparison
}

// Document is the OpenAPI document that was tested against.
type Document struct {
	File    string // as annotations name it: from the root of the repository
	Title   string
	Version string
	OpenAPI string
	Raw     []byte // the file; reports quote the lines of clauses
}

// Line gives a line of the file, counted from 1, without what is around it.
func (d *Document) Line(n int) string {
	i := 0
	for l := range bytes.Lines(d.Raw) {
		if i++; i == n {
			return shorten(single(string(l)))
		}
	}
	return ""
}

// Formats are the reports by name, for flags and files.
func Formats() map[string]func(io.Writer, *Result) error {
	return map[string]func(io.Writer, *Result) error{
		"junit": JUnit, "sarif": SARIF, "github": GitHub, "markdown": Summary, "html": HTML, "ndjson": NDJSON,
		"text": func(w io.Writer, r *Result) error { return Terminal(w, r, false) },
	}
}

// Clause is what was done about one of the document.
type Clause struct {
	Pointer, Keyword string
	Position         openapi.Position
	Operations       []string // IDs
	// SentValid and SentInvalid: a request kept or broke it. Observed: it applied to
	// an answer. Judged: it was seen to be kept or broken.
	SentValid, SentInvalid, Observed, Judged bool
	Reason                                   string // why it is not judged
}

// Operation is what was done with one.
type Operation struct {
	ID, Method, Path string
	Pointer          string
	Position         openapi.Position
	Requests         int
	Statuses         map[int]int // how often each was answered; 0: no answer
}

// Check is a class of the catalogue that was looked for in an operation.
type Check struct {
	Operation string // ID; empty: of the whole server
	Class     string
	Probe     string // name
	// Skipped says why it could not be tried; empty: it was.
	Skipped string
}

// Known tells whether a finding is in the baseline, with all places where it was
// seen.
func (r *Result) Known(id string) bool {
	if r.Baseline == nil {
		return false
	}
	_, ok := r.Baseline.Known[id]
	return ok
}

// news tells whether a finding, or one that is known in a place that is not, comes
// each time.
func (r *Result) news(f *finding.Finding) bool {
	if r.Known(f.ID) || len(f.Places) == 0 {
		return !r.Known(f.ID) && !f.Flaky
	}
	return slices.ContainsFunc(f.Places, func(p finding.Place) bool { return !p.Flaky && !r.Known(p.ID) })
}

// fails tells whether a finding fails the run: it is new, comes each time, and
// weighs enough.
func (r *Result) fails(f *finding.Finding) bool { return r.news(f) && f.Severity >= r.FailOn }

// failsAt tells whether it does by what was seen in an operation.
func (r *Result) failsAt(f *finding.Finding, operation string) bool {
	if len(f.Places) == 0 {
		return r.fails(f)
	}
	return f.Severity >= r.FailOn && slices.ContainsFunc(f.Places, func(p finding.Place) bool {
		return p.Operation == operation && !p.Flaky && !r.Known(p.ID)
	})
}

// Failed tells whether any finding fails the run.
func (r *Result) Failed() bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return r.fails(&f) })
}

// Counts are the findings by kind. One that is known or flaky is not counted by
// its severity.
type Counts struct {
	Must, Should, Advice, Flaky, Known int
	// Fixed are those of the baseline that were not found any more.
	Fixed int
	// Clauses and Judged are those of the document.
	Clauses, Judged int
}

// Counts counts.
func (r *Result) Counts() Counts {
	var c Counts
	for _, f := range r.Findings {
		switch {
		case r.Known(f.ID):
			c.Known++
		case !r.news(&f):
			c.Flaky++
		case f.Severity == finding.Must:
			c.Must++
		case f.Severity == finding.Should:
			c.Should++
		default:
			c.Advice++
		}
	}
	if r.Baseline != nil {
		c.Fixed = len(r.Baseline.Fixed)
	}
	c.Clauses = len(r.Clauses)
	for _, clause := range r.Clauses {
		if clause.Judged {
			c.Judged++
		}
	}
	return c
}

// percent is in tenths, rounded down: what is not all is not called all.
func (c Counts) percent() float64 {
	if c.Clauses == 0 {
		return 100
	}
	return float64(c.Judged*1000/c.Clauses) / 10
}
