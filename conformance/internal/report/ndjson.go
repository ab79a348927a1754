package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

//go:embed ndjson.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of each line that [NDJSON] writes.
func Schema() []byte { return bytes.Clone(schema) }

// format is the version of the lines; it grows when what is there changes its
// meaning, not when something is added.
const format = 1

// Lines, by their type.
type (
	runLine struct {
		Type     string   `json:"type"` // run
		Format   int      `json:"format"`
		Tool     string   `json:"tool"`
		Version  string   `json:"version"`
		Target   string   `json:"target"`
		Document docLine  `json:"document"`
		Seed     string   `json:"seed"` // decimal: not all programs read 64 bits
		Started  string   `json:"started"`
		Selected bool     `json:"selected"`
		Ended    string   `json:"ended,omitempty"`
		Residue  []string `json:"residue"`
	}
	docLine struct {
		File    string `json:"file"`
		Title   string `json:"title"`
		Version string `json:"version"`
		OpenAPI string `json:"openapi"`
	}
	findingLine struct {
		Type       string     `json:"type"` // finding
		ID         string     `json:"id"`
		Class      string     `json:"class"`
		ClassName  string     `json:"class_name"`
		Severity   string     `json:"severity"`
		Operation  string     `json:"operation,omitempty"`
		Claim      string     `json:"claim"`
		Clause     *placeLine `json:"clause,omitempty"`
		RFC        string     `json:"rfc,omitempty"`
		Sent       string     `json:"sent,omitempty"`
		Expected   string     `json:"expected,omitempty"`
		Got        string     `json:"got,omitempty"`
		Seen       int        `json:"seen"`
		Reproduced int        `json:"reproduced"`
		Attempts   int        `json:"attempts"`
		Flaky      bool       `json:"flaky"`
		Known      bool       `json:"known"`
		Note       string     `json:"note,omitempty"`
		Fails      bool       `json:"fails"`
		Replay     string     `json:"replay"`
		// Places are there if it was seen in several.
		Places []seenLine `json:"places,omitempty"`
		Steps  []stepLine `json:"steps"`
	}
	seenLine struct {
		ID        string     `json:"id"`
		Operation string     `json:"operation,omitempty"`
		Claim     string     `json:"claim"`
		Clause    *placeLine `json:"clause,omitempty"`
		Flaky     bool       `json:"flaky"`
		Known     bool       `json:"known"`
		Replay    string     `json:"replay"`
	}
	placeLine struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Pointer string `json:"pointer"`
		Quote   string `json:"quote,omitempty"`
	}
	stepLine struct {
		Request  *messageLine `json:"request,omitempty"`
		Response *messageLine `json:"response,omitempty"`
		Error    string       `json:"error,omitempty"`
		Millis   float64      `json:"milliseconds"`
		Curl     string       `json:"curl,omitempty"`
	}
	messageLine struct {
		Method string      `json:"method,omitempty"`
		Target string      `json:"target,omitempty"`
		Status int         `json:"status,omitempty"`
		Header [][2]string `json:"header"`
		Body   *bodyLine   `json:"body,omitempty"`
		Raw    *bodyLine   `json:"raw,omitempty"`
	}
	bodyLine struct {
		Text   *string `json:"text,omitempty"`
		Base64 []byte  `json:"base64,omitempty"`
		Length int     `json:"length"` // bytes, of which there may be fewer here
	}
	operationLine struct {
		Type     string         `json:"type"` // operation
		ID       string         `json:"id"`
		Method   string         `json:"method"`
		Path     string         `json:"path"`
		Requests int            `json:"requests"`
		Statuses map[string]int `json:"statuses"`
	}
	clauseLine struct {
		Type        string    `json:"type"` // clause
		Clause      placeLine `json:"clause"`
		Keyword     string    `json:"keyword"`
		Operations  []string  `json:"operations"`
		SentValid   bool      `json:"sent_valid"`
		SentInvalid bool      `json:"sent_invalid"`
		Observed    bool      `json:"observed"`
		Judged      bool      `json:"judged"`
		Reason      string    `json:"reason,omitempty"`
	}
	skippedLine struct {
		Type      string `json:"type"` // skipped
		Probe     string `json:"probe"`
		Class     string `json:"class"`
		Operation string `json:"operation,omitempty"`
		Reason    string `json:"reason"`
	}
	fixedLine struct {
		Type  string `json:"type"` // fixed
		ID    string `json:"id"`
		Claim string `json:"claim"`
	}
	summaryLine struct {
		Type     string  `json:"type"` // summary
		Failed   bool    `json:"failed"`
		Must     int     `json:"must"`
		Should   int     `json:"should"`
		Advice   int     `json:"advice"`
		Flaky    int     `json:"flaky"`
		Known    int     `json:"known"`
		Fixed    int     `json:"fixed"`
		Clauses  int     `json:"clauses"`
		Judged   int     `json:"judged"`
		Requests int     `json:"requests"`
		Seconds  float64 `json:"seconds"`
	}
)

// NDJSON writes an object of JSON on each line, as [Schema] describes them: the
// run first, a summary last.
func NDJSON(w io.Writer, r *Result) error {
	lines := []any{runLine{
		Type: "run", Format: format, Tool: Tool, Version: r.ToolVersion, Target: r.target(),
		Document: docLine{File: r.Document.File, Title: Clean(r.Document.Title), Version: Clean(r.Document.Version), OpenAPI: r.Document.OpenAPI},
		Seed:     fmt.Sprint(r.Seed), Started: r.Started.UTC().Format(time.RFC3339), Selected: r.Selected, Ended: r.Ended,
		Residue: r.residue(),
	}}
	all := r.views()
	for i := range all {
		lines = append(lines, r.findingLine(&r.Findings[i], &all[i]))
	}
	for _, o := range r.Operations {
		statuses := map[string]int{}
		for s, n := range o.Statuses {
			statuses[itoa(s)] = n
		}
		lines = append(lines, operationLine{Type: "operation", ID: Clean(o.ID), Method: o.Method, Path: Clean(o.Path), Requests: o.Requests, Statuses: statuses})
	}
	for _, c := range r.Clauses {
		lines = append(lines, clauseLine{
			Type: "clause", Clause: placeLine{File: r.Document.File, Line: c.Position.Line, Column: c.Position.Column, Pointer: Clean(c.Pointer)},
			Keyword: Clean(c.Keyword), Operations: append([]string{}, c.Operations...),
			SentValid: c.SentValid, SentInvalid: c.SentInvalid, Observed: c.Observed, Judged: c.Judged, Reason: single(r.Mask.Text(c.Reason)),
		})
	}
	for _, c := range r.Checks {
		if c.Skipped != "" {
			lines = append(lines, skippedLine{Type: "skipped", Probe: Clean(c.Probe), Class: c.Class, Operation: Clean(c.Operation), Reason: single(r.Mask.Text(c.Skipped))})
		}
	}
	if r.Baseline != nil {
		for _, e := range r.Baseline.Fixed {
			lines = append(lines, fixedLine{Type: "fixed", ID: Clean(e.ID), Claim: single(e.Claim)})
		}
	}
	c := r.Counts()
	lines = append(lines, summaryLine{
		Type: "summary", Failed: r.Failed(), Must: c.Must, Should: c.Should, Advice: c.Advice, Flaky: c.Flaky, Known: c.Known,
		Fixed: c.Fixed, Clauses: c.Clauses, Judged: c.Judged, Requests: r.Requests, Seconds: r.Took.Seconds(),
	})
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("write a line of JSON: %w", err)
		}
	}
	return flush(w, &b)
}

func (r *Result) target() string {
	if r.Target == nil {
		return ""
	}
	return r.Target.Redacted()
}

func (r *Result) residue() []string {
	all := make([]string, len(r.Residue))
	for i, s := range r.Residue {
		all[i] = single(r.Mask.Text(s))
	}
	return all
}

func (r *Result) findingLine(f *finding.Finding, v *view) findingLine {
	line := findingLine{
		Type: "finding", ID: v.ID, Class: v.Class, ClassName: v.ClassName, Severity: v.Severity, Operation: v.Operation, Claim: v.Claim,
		RFC: v.RFC, Sent: v.Sent, Expected: v.Expected, Got: v.Got, Seen: v.Seen, Reproduced: f.Reproduced, Attempts: f.Attempts,
		Flaky: f.Flaky, Known: r.Known(f.ID), Note: v.Note, Fails: r.fails(f), Replay: v.Replay, Steps: []stepLine{},
	}
	if v.Pointer != "" {
		line.Clause = &placeLine{File: r.Document.File, Line: v.Line, Column: v.Column, Pointer: v.Pointer, Quote: v.Quote}
	}
	for _, p := range v.Places {
		l := seenLine{ID: p.ID, Operation: p.Operation, Claim: p.Claim, Flaky: p.Flaky, Known: p.Known, Replay: p.Replay}
		if p.Pointer != "" {
			l.Clause = &placeLine{File: r.Document.File, Line: p.Line, Column: p.Column, Pointer: p.Pointer}
		}
		line.Places = append(line.Places, l)
	}
	for i, s := range f.Steps {
		ex := r.Mask.Exchange(s)
		l := stepLine{Millis: float64(ex.Took.Microseconds()) / 1000, Curl: v.Steps[i].Curl}
		if q := ex.Request; q != nil {
			l.Request = &messageLine{Method: Clean(q.Method), Target: Clean(q.Target), Header: pairs(q.Header), Body: body(q.Body), Raw: body(q.Raw)}
		}
		if a := ex.Response; a != nil {
			l.Response = &messageLine{Status: a.Status, Header: pairs(a.Header), Body: body(a.Body), Raw: nil}
		}
		if ex.Err != nil {
			l.Error = single(r.Mask.Text(ex.Err.Error()))
		}
		line.Steps = append(line.Steps, l)
	}
	return line
}

func pairs(fields []wire.Field) [][2]string {
	all := make([][2]string, len(fields))
	for i, f := range fields {
		all[i] = [2]string{Clean(f.Name), Clean(f.Value)}
	}
	return all
}

// body gives the beginning of one, as text if it is one that hides nothing.
func body(all []byte) *bodyLine {
	if len(all) == 0 {
		return nil
	}
	const most = 64 << 10
	cut := slices.Clone(all[:min(len(all), most)])
	if text := whole(string(cut)); utf8.ValidString(text) && Clean(text) == text {
		return &bodyLine{Text: &text, Length: len(all)}
	}
	return &bodyLine{Base64: cut, Length: len(all)}
}
