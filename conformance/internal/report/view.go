package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// view is a finding as it is shown: clean, and without secrets.
type view struct {
	ID, Class, ClassName string
	Severity             string // must, should or advice
	Kind                 string // the severity, or flaky or known
	Operation            string // empty: of the whole server
	Claim                string
	File                 string
	Line, Column         int    // 0: not of the document
	Quote                string // that line
	Pointer, RFC         string
	Sent, Expected, Got  string
	Steps                []step
	Curls                []string
	Replay               string
	Reproduced           string
	Seen                 int
	Places               []place // where it was seen, if in several
	operations           int
	Note                 string // of the baseline
	Expires              string // of the baseline
}

// place is where a mistake was seen, as it is shown.
type place struct {
	ID, Operation, Claim string
	Line, Column         int // 0: not of the document
	At                   string
	Pointer              string
	Replay               string
	Known, Flaky         bool
}

// Text is the place in a line.
func (p *place) Text() string {
	text := strings.Join(strings.Fields(p.Operation+" "+p.At+" "+p.Pointer), "  ")
	if text == "" {
		text = "the whole server"
	}
	switch {
	case p.Known:
		text += " (known)"
	case p.Flaky:
		text += " (flaky)"
	}
	return text
}

// step is an exchange as it is shown.
type step struct {
	Number   int
	Last     bool
	Request  []span
	Response []span
	Curl     string
	Took     string
}

// longestCommand is how long a command may be, in bytes, to be shown.
const longestCommand = 32 << 10

// views makes them of all findings, in their order.
func (r *Result) views() []view {
	all := make([]view, len(r.Findings))
	for i := range r.Findings {
		all[i] = r.view(&r.Findings[i])
	}
	return all
}

func (r *Result) view(f *finding.Finding) view {
	class, _ := finding.ClassByID(f.Class)
	text := func(s string) string { return shorten(single(r.Mask.Text(s))) }
	v := view{
		ID: f.ID, Class: f.Class, ClassName: class.Name, Severity: f.Severity.String(), Operation: Clean(f.Operation),
		Claim: sentence(shorten(r.Mask.Text(f.Claim))), Pointer: Clean(f.Pointer), RFC: f.RFC,
		Sent: text(f.Sent), Expected: text(f.Expected), Got: text(f.Got),
		Replay: r.replay(f.Replay), Seen: max(f.Seen, 1), Reproduced: "not tried again",
	}
	if f.Attempts > 0 {
		v.Reproduced = fmt.Sprintf("reproduced %d/%d", f.Reproduced, f.Attempts)
	}
	if f.Position.Line > 0 {
		v.File, v.Line, v.Column = r.Document.File, f.Position.Line, f.Position.Column
		v.Quote = r.Document.Line(v.Line)
	}
	v.places(r, f)
	v.Kind = v.Severity
	if !r.news(f) {
		v.Kind = "flaky"
	}
	if r.Known(f.ID) {
		entry := r.Baseline.Known[f.ID]
		v.Kind, v.Note, v.Expires = "known", single(entry.Note), entry.Expires
	}
	for i := range f.Steps {
		s := r.step(f, i)
		v.Steps = append(v.Steps, s)
		if s.Curl != "" {
			v.Curls = append(v.Curls, s.Curl)
		}
	}
	return v
}

// places lists where it was seen, those first that are new.
func (v *view) places(r *Result, f *finding.Finding) {
	v.operations = len(f.Operations())
	if len(f.Places) < 2 {
		return
	}
	for _, p := range f.Places {
		one := place{
			ID: p.ID, Operation: Clean(p.Operation), Claim: sentence(shorten(r.Mask.Text(p.Claim))), Pointer: Clean(p.Pointer),
			Line: p.Position.Line, Column: p.Position.Column, Replay: r.replay(p.Replay), Known: r.Known(p.ID), Flaky: p.Flaky,
		}
		if one.Line > 0 {
			one.At = fmt.Sprintf("%s:%d:%d", r.Document.File, one.Line, one.Column)
		}
		v.Places = append(v.Places, one)
	}
	slices.SortStableFunc(v.Places, func(a, b place) int {
		switch {
		case a.Known == b.Known:
			return 0
		case b.Known:
			return -1
		default:
			return 1
		}
	})
}

// Also lists at most n places in a line, after what tells how many there are. It is
// empty for what was seen in one.
func (v *view) Also(n int) string {
	if len(v.Places) == 0 {
		return ""
	}
	var all []string
	for i := range v.Places[:min(n, len(v.Places))] {
		all = append(all, v.Places[i].Text())
	}
	text := plural(len(v.Places), "place") + ": " + strings.Join(all, "; ")
	if more := len(v.Places) - n; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func (r *Result) step(f *finding.Finding, i int) step {
	raw := &f.Steps[i]
	ex := r.Mask.Exchange(*raw)
	s := step{Number: i + 1, Last: i == len(f.Steps)-1, Took: ex.Took.Round(time.Millisecond / 10).String()}
	if raw.Request == nil {
		return s
	}
	if r.Target != nil {
		if s.Curl = wire.Curl(raw.Request, r.Target, r.Mask); len(s.Curl) > longestCommand {
			s.Curl = fmt.Sprintf("# %d bytes are too many to show: %s", len(s.Curl), r.replay(f.Replay))
		}
	}
	var answer message
	switch {
	case ex.Response != nil:
		answer = responseMessage(ex.Response)
	case ex.Partial != nil:
		answer = responseMessage(ex.Partial)
		answer.text = fmt.Appendf(answer.text, "\n%s", failure(&ex, r.Mask))
	default:
		answer = message{text: []byte(failure(&ex, r.Mask))}
		answer.body = len(answer.text)
	}
	request := requestMessage(ex.Request)
	if s.Last {
		s.Request, s.Response = highlight(f, request, answer)
	} else {
		s.Request, s.Response = spans(request.text, nil), spans(answer.text, nil)
	}
	return s
}

// replay is the command that looks for a finding again.
func (r *Result) replay(id string) string {
	target := ""
	if r.Target != nil {
		target = " --url " + r.Target.Redacted()
	}
	return fmt.Sprintf("%s%s --seed %d --replay %s", Tool, target, r.Seed, id)
}

// Place is where the clause is written, as editors open it: file:line:column. It
// is empty if it is not in the document.
func (v *view) Place() string {
	if v.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", v.File, v.Line, v.Column)
}

// Where is the operation, or how many there are, or the server.
func (v *view) Where() string {
	switch {
	case v.operations > 1:
		return plural(v.operations, "operation")
	case v.Operation == "":
		return "the whole server"
	default:
		return v.Operation
	}
}

// Authority is what makes it a mistake: the clause, the RFC, or both.
func (v *view) Authority() string {
	var parts []string
	if v.Pointer != "" || v.Line > 0 {
		parts = append(parts, strings.TrimSpace(v.Place()+"  "+v.Pointer))
	}
	if v.RFC != "" {
		parts = append(parts, v.RFC)
	}
	return strings.Join(parts, ", ")
}

// Times says how often it was seen.
func (v *view) Times() string {
	if v.Seen == 1 {
		return "seen once"
	}
	return fmt.Sprintf("seen %d times", v.Seen)
}

// plural gives "1 finding" or "2 findings".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + one + "s"
}

// verdict is the first sentence of each report.
func (r *Result) verdict() string {
	c := r.Counts()
	switch broken := c.Must + c.Should + c.Advice; {
	case broken == 0 && r.Ended != "":
		return "Nothing was found before the run ended early"
	case broken == 0 && c.Known+c.Flaky > 0:
		return "The server keeps its contract, but for what is known or flaky"
	case broken == 0:
		return "The server keeps its contract, as far as it was judged"
	case c.Must > 0:
		return "The server breaks its contract in " + plural(c.Must, "way")
	default:
		return "The server keeps its contract, but " + plural(broken, "thing") + " should be better"
	}
}
