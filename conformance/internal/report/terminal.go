package report

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Color tells whether colours are wanted on a file: it is a terminal, and
// NO_COLOR is not set (https://no-color.org).
func Color(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// palette has the escapes of colours, or nothing.
type palette struct{ bold, dim, red, yellow, green, blue, reset string }

func paletteOf(color bool) palette {
	if !color {
		return palette{}
	}
	return palette{bold: "\x1b[1m", dim: "\x1b[2m", red: "\x1b[31m", yellow: "\x1b[33m", green: "\x1b[32m", blue: "\x1b[36m", reset: "\x1b[0m"}
}

func (p palette) of(kind string) string {
	switch kind {
	case "must":
		return p.red + p.bold
	case "should":
		return p.yellow + p.bold
	case "advice":
		return p.blue + p.bold
	}
	return p.dim
}

// Progress tells on a terminal how far a run is. Where there is none, it writes a
// line now and then. It is safe for concurrent use.
type Progress struct {
	w    io.Writer
	live bool
	now  func() time.Time

	mu          sync.Mutex // guards what follows
	all, done   int
	findings    int
	began, last time.Time
}

// NewProgress makes one that writes to w; live: a line that is written over and
// over.
func NewProgress(w io.Writer, live bool) *Progress {
	return &Progress{w: w, live: live, now: time.Now}
}

// Start tells how many probes there are.
func (p *Progress) Start(probes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.began = probes, p.now()
	p.last = p.began
	fmt.Fprintf(p.w, "%s to run\n", plural(probes, "probe"))
}

// Ended tells that a probe ended, and how many new findings it had.
func (p *Progress) Ended(name string, findings int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.findings += findings
	now := p.now()
	every := 5 * time.Second
	if p.live {
		every = time.Second / 10
	}
	if now.Sub(p.last) < every && p.done < p.all {
		return
	}
	p.last = now
	line := fmt.Sprintf("%d/%d probes, %s, %s", p.done, p.all, plural(p.findings, "finding"), now.Sub(p.began).Round(time.Second))
	if !p.live {
		fmt.Fprintln(p.w, line)
		return
	}
	name = whole(single(name)[:min(len(single(name)), 40)])
	fmt.Fprintf(p.w, "\r\x1b[K%s  %s", line, name)
	if p.done == p.all {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// Done ends the line of a live progress.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// Terminal writes findings and a summary for people, in colour if wanted.
func Terminal(w io.Writer, r *Result, color bool) error {
	var b bytes.Buffer
	p := paletteOf(color)
	all := r.views()
	for i := range all {
		if all[i].Kind != "known" {
			terminalFinding(&b, &all[i], p)
		}
	}
	terminalKnown(&b, r, all, p)
	terminalNotJudged(&b, r)
	terminalSummary(&b, r, p)
	return flush(w, &b)
}

func flush(w io.Writer, b *bytes.Buffer) error {
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Bounds of what is shown of a finding.
const (
	terminalSteps  = 4 // requests
	terminalPlaces = 5
)

func terminalFinding(b *bytes.Buffer, v *view, p palette) {
	kind := v.Severity
	if v.Kind == "flaky" {
		kind += ", flaky"
	}
	fmt.Fprintf(b, "%s%s%s  %s%s  %s%s - %s\n", p.of(v.Kind), kind, p.reset, p.bold, v.Class, v.Where(), p.reset, v.Claim)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "    %s%-9s%s %s\n", p.dim, name, p.reset, value)
		}
	}
	row("clause", v.Authority())
	row("", v.Quote)
	row("sent", v.Sent)
	row("expected", v.Expected)
	row("got", v.Got)
	if len(v.Places) > 0 {
		row("seen at", plural(len(v.Places), "place"))
	}
	for i := range v.Places[:min(len(v.Places), terminalPlaces)] {
		row("", v.Places[i].Text())
	}
	if more := len(v.Places) - terminalPlaces; more > 0 {
		row("", fmt.Sprintf("and %d more, which other reports list", more))
	}
	for i, c := range v.Curls {
		if earlier := len(v.Curls) - terminalSteps; i < earlier {
			if i == 0 {
				row("before", plural(earlier, "request")+", which other reports show")
			}
			continue
		}
		name := "curl"
		if len(v.Curls) > 1 {
			name = fmt.Sprintf("curl %d", i+1)
		}
		row(name, strings.ReplaceAll(c, "\n", "\n"+strings.Repeat(" ", 14)))
	}
	row("again", fmt.Sprintf("%s  (%s, %s)", v.Replay, v.Reproduced, v.Times()))
	b.WriteString("\n")
}

func terminalKnown(b *bytes.Buffer, r *Result, all []view, p palette) {
	for i := range all {
		if v := &all[i]; v.Kind == "known" {
			fmt.Fprintf(b, "%sknown%s   %s  %s - %s%s\n", p.dim, p.reset, v.Class, v.Where(), v.Claim, known(v))
		}
	}
	if r.Baseline == nil {
		return
	}
	for _, e := range r.Baseline.Fixed {
		what := Clean(e.ID)
		if len(e.Places) > 0 {
			what = Clean(strings.Join(slices.Sorted(maps.Keys(e.Places)), ", ")) + " of " + what
		}
		fmt.Fprintf(b, "%sfixed%s   %s  %s - %s: take %s out of %s\n", p.green, p.reset, Clean(e.Class), Clean(e.Operation), single(e.Claim), what, Clean(r.Baseline.File))
	}
	for _, e := range r.Baseline.Expired {
		fmt.Fprintf(b, "%sexpired%s %s  %s - its time in %s ended on %s\n", p.yellow, p.reset, Clean(e.Class), Clean(e.ID), Clean(r.Baseline.File), Clean(e.Expires))
	}
}

func known(v *view) string {
	s := ""
	if v.Note != "" {
		s += ": " + v.Note
	}
	if v.Expires != "" {
		s += " (until " + Clean(v.Expires) + ")"
	}
	return s
}

// terminalNotJudged says why clauses are not judged, a line for each reason.
func terminalNotJudged(b *bytes.Buffer, r *Result) {
	reasons := r.notJudged()
	if len(reasons) > 0 {
		b.WriteString("Not judged:\n")
	}
	for _, g := range reasons {
		fmt.Fprintf(b, "    %s: %s, e.g. %s\n", plural(len(g.Clauses), "clause"), g.Reason, g.Clauses[0].Pointer)
	}
	if len(r.Residue) > 0 {
		b.WriteString("Left behind, for the contract has no way to remove it:\n")
	}
	for _, s := range r.Residue {
		fmt.Fprintf(b, "    %s\n", single(r.Mask.Text(s)))
	}
}

func terminalSummary(b *bytes.Buffer, r *Result, p palette) {
	c := r.Counts()
	color := p.green
	if r.Failed() {
		color = p.red
	}
	fmt.Fprintf(b, "%s%s%s%s: %d must, %d should, %d advice, %d flaky, %d known.\n", p.bold, color, r.verdict(), p.reset, c.Must, c.Should, c.Advice, c.Flaky, c.Known)
	fmt.Fprintf(b, "%d of %s judged (%.1f %%), %s in %s, seed %d.\n", c.Judged, plural(c.Clauses, "clause"), c.percent(), plural(r.Requests, "request"), r.Took.Round(time.Second/10), r.Seed)
	if r.Ended != "" {
		fmt.Fprintf(b, "The run ended early: %s.\n", single(r.Ended))
	}
}

// reason is why some clauses are not judged.
type reason struct {
	Reason  string
	Clauses []Clause
}

// notJudged groups the clauses by why they are not judged, the most frequent
// first.
func (r *Result) notJudged() []reason {
	var all []reason
	for _, c := range r.Clauses {
		if c.Judged {
			continue
		}
		c.Pointer = Clean(c.Pointer)
		why := single(r.Mask.Text(c.Reason))
		if why == "" {
			why = "no reason is known"
		}
		i := slices.IndexFunc(all, func(g reason) bool { return g.Reason == why })
		if i < 0 {
			i, all = len(all), append(all, reason{Reason: why})
		}
		all[i].Clauses = append(all[i].Clauses, c)
	}
	slices.SortStableFunc(all, func(a, b reason) int { return len(b.Clauses) - len(a.Clauses) })
	return all
}
