package mutate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// Rate is how many flips were killed.
type Rate struct {
	Name                                 string // what they have in common
	Flips, Killed, Survived, Equivalents int
}

// Percent is the share of flips that were killed, of those that are not
// equivalent: from 0 to 100.
func (r Rate) Percent() float64 {
	if r.Killed+r.Survived == 0 {
		return 0
	}
	return 100 * float64(r.Killed) / float64(r.Killed+r.Survived)
}

func (r *Rate) count(o *Outcome) {
	r.Flips++
	switch {
	case o.Equivalent != "":
		r.Equivalents++
	case o.Killed:
		r.Killed++
	default:
		r.Survived++
	}
}

// Rate is that of all flips that were tried.
func (r *Result) Rate() Rate {
	all := Rate{Name: "all"}
	for i := range r.Outcomes {
		all.count(&r.Outcomes[i])
	}
	return all
}

// Rates are those of flips that have something in common, by its name.
func (r *Result) Rates(of func(*Outcome) string) []Rate {
	byName := map[string]*Rate{}
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		name := of(o)
		if byName[name] == nil {
			byName[name] = &Rate{Name: name}
		}
		byName[name].count(o)
	}
	var rates []Rate
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		rates = append(rates, *byName[name])
	}
	return rates
}

// ByKeyword groups flips by the keyword and the direction of its clause.
func ByKeyword(o *Outcome) string { return o.Keyword + " (" + directionOf(o) + ")" }

// ByOperator groups flips by what was done.
func ByOperator(o *Outcome) string { return o.Operator + " (" + directionOf(o) + ")" }

func directionOf(o *Outcome) string {
	if o.Direction == openapi.Answer {
		return "answers"
	}
	return "requests"
}

// Survivors are the flips that nothing contradicted.
func (r *Result) Survivors() []Outcome {
	return slices.DeleteFunc(slices.Clone(r.Outcomes), func(o Outcome) bool { return o.Killed || o.Equivalent != "" })
}

// Equivalents are the flips that say the same as the document.
func (r *Result) Equivalents() []Outcome {
	return slices.DeleteFunc(slices.Clone(r.Outcomes), func(o Outcome) bool { return o.Equivalent == "" })
}

// Why says in a sentence why a flip survived.
func (o *Outcome) Why() string {
	switch {
	case o.Err != nil:
		return "It could not be tried: " + o.Err.Error() + "."
	case o.Direction == openapi.Answer && len(o.Seen) == 0:
		return "No answer was seen that contradicts it."
	case len(o.Tried) == 0:
		return "No probe is of this clause."
	case o.Direction == openapi.Answer:
		return "The probes that saw such an answer did not find it wrong."
	}
	return "The probes of this clause found nothing."
}

func (r *Result) place(p openapi.Position) string { return fmt.Sprintf("%s:%d", r.Document, p.Line) }

// summary is what all writers begin with.
func (r *Result) summary() string {
	rate, before := r.Rate(), 0
	for i := range r.Outcomes {
		if r.Outcomes[i].Before {
			before++
		}
	}
	return fmt.Sprintf("%d of %d flips tried in %s: %d killed (%d of them by probes of the document as it was), %d survived, %d equivalent; kill rate %.1f %%, equivalent %.1f %%. %d clauses have no flip.",
		len(r.Outcomes), r.All, r.Took.Round(time.Second), rate.Killed, before, rate.Survived, rate.Equivalents, rate.Percent(),
		100*float64(rate.Equivalents)/float64(max(rate.Flips, 1)), len(r.Left))
}

// WriteText tells it for a terminal.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Control: %d probes, %d requests, %s, %d findings.\n%s\n",
		r.Control.Probes, r.Control.Requests, r.Control.Took.Round(time.Second), len(r.Control.Findings), r.summary())
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nOPERATOR\tFLIPS\tKILLED\tSURVIVED\tEQUIVALENT\tRATE")
	for _, rate := range r.Rates(ByOperator) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%.1f %%\n", rate.Name, rate.Flips, rate.Killed, rate.Survived, rate.Equivalents, rate.Percent())
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	for _, o := range r.Survivors() {
		fmt.Fprintf(&b, "\n%s: survived: %s %s: %s\n    %s %d probes, %d requests, %s.\n", r.place(o.Position), o.Operator, o.Pointer,
			o.Description, o.Why(), len(o.Tried), o.Requests, o.Took.Round(time.Millisecond))
	}
	for _, o := range r.Equivalents() {
		fmt.Fprintf(&b, "\n%s: equivalent: %s %s: %s\n    %s\n", r.place(o.Position), o.Operator, o.Pointer, o.Description, o.Equivalent)
	}
	for _, group := range r.leftByWhy() {
		fmt.Fprintf(&b, "\nNot flipped, since %s: %d\n", group[0].Why, len(group))
		for _, l := range group {
			fmt.Fprintf(&b, "    %s: %s\n", r.place(l.Position), l.Pointer)
		}
	}
	_, err := io.WriteString(w, b.String())
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

func (r *Result) leftByWhy() [][]Left {
	groups := map[string][]Left{}
	for _, l := range r.Left {
		groups[l.Why] = append(groups[l.Why], l)
	}
	var all [][]Left
	for _, g := range groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b []Left) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a[0].Why, b[0].Why))
	})
	return all
}

// WriteMarkdown tells it as a document to be published.
func (r *Result) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Flips of %s\n\n%s\n\nControl: %d probes, %d requests, %s, %d findings.\n", r.Document, r.summary(),
		r.Control.Probes, r.Control.Requests, r.Control.Took.Round(time.Second), len(r.Control.Findings))
	for _, by := range []struct {
		name string
		of   func(*Outcome) string
	}{{"operator", ByOperator}, {"keyword", ByKeyword}} {
		fmt.Fprintf(&b, "\n## By %s\n\n| %s | flips | killed | survived | equivalent | rate |\n| --- | ---: | ---: | ---: | ---: | ---: |\n", by.name, by.name)
		for _, rate := range r.Rates(by.of) {
			fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %.1f %% |\n", rate.Name, rate.Flips, rate.Killed, rate.Survived, rate.Equivalents, rate.Percent())
		}
	}
	b.WriteString("\n## Survivors\n\n| where | operator | clause | flip | why |\n| --- | --- | --- | --- | --- |\n")
	for _, o := range r.Survivors() {
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s | %s |\n", r.place(o.Position), o.Operator, o.Pointer, cell(o.Description), cell(o.Why()))
	}
	b.WriteString("\n## Equivalent\n\n| where | operator | clause | proof |\n| --- | --- | --- | --- |\n")
	for _, o := range r.Equivalents() {
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", r.place(o.Position), o.Operator, o.Pointer, cell(o.Equivalent))
	}
	b.WriteString("\n## Not flipped\n\n| why | clauses |\n| --- | ---: |\n")
	for _, group := range r.leftByWhy() {
		fmt.Fprintf(&b, "| %s | %d |\n", cell(group[0].Why), len(group))
	}
	_, err := io.WriteString(w, b.String())
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// cell writes a text so that it stays in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`).Replace(text)
}

// record is a line of NDJSON: a summary, an outcome, or a clause without a flip.
type record struct {
	Kind        string   `json:"kind"` // summary, flip or left
	File        string   `json:"file"`
	Line        int      `json:"line,omitempty"`
	Pointer     string   `json:"pointer,omitempty"`
	Keyword     string   `json:"keyword,omitempty"`
	Direction   string   `json:"direction,omitempty"`
	Operator    string   `json:"operator,omitempty"`
	Description string   `json:"description,omitempty"`
	Outcome     string   `json:"outcome,omitempty"` // killed, survived or equivalent
	Why         string   `json:"why,omitempty"`     // it survived, is equivalent, or is left
	Probe       string   `json:"probe,omitempty"`   // that killed it
	Before      bool     `json:"before,omitempty"`  // the probe is of the document as it was
	Class       string   `json:"class,omitempty"`   // of what it found
	Claim       string   `json:"claim,omitempty"`
	Tried       []string `json:"tried,omitempty"`
	Requests    int      `json:"requests,omitempty"`
	Seconds     float64  `json:"seconds,omitempty"`
	Flips       int      `json:"flips,omitempty"`
	Killed      int      `json:"killed,omitempty"`
	Survived    int      `json:"survived,omitempty"`
	Equivalents int      `json:"equivalents,omitempty"`
	Rate        float64  `json:"rate,omitempty"` // per cent
}

// WriteNDJSON writes a line for the whole, then one for each flip, then one for
// each clause of which none was made.
func (r *Result) WriteNDJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	rate := r.Rate()
	records := []record{{
		Kind: "summary", File: r.Document, Flips: rate.Flips, Killed: rate.Killed, Survived: rate.Survived,
		Equivalents: rate.Equivalents, Rate: rate.Percent(), Seconds: r.Took.Seconds(), Requests: r.Control.Requests,
	}}
	for i := range r.Outcomes {
		records = append(records, r.record(&r.Outcomes[i]))
	}
	for _, l := range r.Left {
		records = append(records, record{Kind: "left", File: r.Document, Line: l.Position.Line, Pointer: l.Pointer, Keyword: l.Keyword, Why: l.Why})
	}
	for i := range records {
		if err := encoder.Encode(&records[i]); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return nil
}

func (r *Result) record(o *Outcome) record {
	x := record{
		Kind: "flip", File: r.Document, Line: o.Position.Line, Pointer: o.Pointer, Keyword: o.Keyword, Direction: directionOf(o),
		Operator: o.Operator, Description: o.Description, Tried: o.Tried, Requests: o.Requests, Seconds: o.Took.Seconds(),
	}
	switch {
	case o.Equivalent != "":
		x.Outcome, x.Why = "equivalent", o.Equivalent
	case o.Killed:
		x.Outcome, x.Probe, x.Class, x.Claim = "killed", o.By, o.Found.Class, o.Found.Claim
		x.Before = o.Before
	default:
		x.Outcome, x.Why = "survived", o.Why()
	}
	return x
}
