package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows.
type page struct {
	Style    template.CSS
	Verdict  string
	Failed   bool
	Counts   Counts
	Percent  string
	Document Document
	Target   string
	Started  string
	Took     string
	Requests int
	Seed     uint64
	Ended    string
	Again    string
	Version  string

	Findings  []view
	Filters   []filter
	Baseline  *Comparison
	Rows      []row
	Groups    []group
	NotJudged []reason
	Skipped   []skips
	Residue   []string
}

// filter shows the findings of one kind.
type filter struct {
	Kind  string
	Count int
}

// row is an operation.
type row struct {
	Operation
	Answers       []answers
	Judged, Total int
	Findings      int
	Anchor        string // of its clauses; empty: none are its own
}

// answers is how often a status was answered.
type answers struct {
	Status string
	Text   string
	Family string // of the status: 2, 4 …; 0: none
	Count  int
}

// group has the clauses of an operation or of a component.
type group struct {
	Name    string
	Anchor  string
	Judged  int
	Clauses []Clause
}

// All tells whether every clause is judged.
func (g *group) All() bool { return g.Judged == len(g.Clauses) }

// skips are probes that could not be tried for the same reason.
type skips struct {
	Reason string
	Probes []string
}

// HTML writes one page that needs nothing else: no script, no other file.
func HTML(w io.Writer, r *Result) error {
	c := r.Counts()
	p := page{
		Style:   template.CSS(pageStyle), //nolint:gosec // it is a file of this package
		Verdict: r.verdict(), Failed: r.Failed(), Counts: c, Percent: fmt.Sprintf("%.1f", c.percent()),
		Document: Document{File: Clean(r.Document.File), Title: single(r.Document.Title), Version: single(r.Document.Version), OpenAPI: r.Document.OpenAPI},
		Target:   r.target(), Started: r.Started.UTC().Format("2 January 2006, 15:04 UTC"), Took: r.Took.Round(time.Second / 10).String(),
		Requests: r.Requests, Seed: r.Seed, Ended: single(r.Ended), Again: fmt.Sprintf("%s --url %s --seed %d", Tool, r.target(), r.Seed),
		Version: r.ToolVersion, Findings: r.views(), Baseline: r.Baseline, Groups: r.groups(), NotJudged: r.notJudged(),
		Skipped: r.skips(), Residue: r.residue(),
	}
	for _, f := range []filter{{"must", c.Must}, {"should", c.Should}, {"advice", c.Advice}, {"flaky", c.Flaky}, {"known", c.Known}} {
		if f.Count > 0 && f.Count < len(r.Findings) {
			p.Filters = append(p.Filters, f)
		}
	}
	p.Rows = r.rows(p.Groups)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return flush(w, &b)
}

func (r *Result) rows(groups []group) []row {
	all := make([]row, len(r.Operations))
	for i, o := range r.Operations {
		o.ID, o.Path = Clean(o.ID), Clean(o.Path)
		all[i] = row{Operation: o}
		for _, status := range slices.Sorted(maps.Keys(o.Statuses)) {
			a := answers{Status: itoa(status), Text: http.StatusText(status), Family: itoa(status / 100), Count: o.Statuses[status]}
			if status == 0 {
				a.Status, a.Text = "none", "no answer"
			}
			all[i].Answers = append(all[i].Answers, a)
		}
		for _, c := range r.Clauses {
			if slices.Contains(c.Operations, r.Operations[i].ID) {
				all[i].Total++
				if c.Judged {
					all[i].Judged++
				}
			}
		}
		for _, f := range r.Findings {
			if slices.Contains(f.Operations(), r.Operations[i].ID) {
				all[i].Findings++
			}
		}
		name := r.groupOf(o.Pointer + "/")
		if slices.ContainsFunc(groups, func(g group) bool { return g.Name == name }) {
			all[i].Anchor = anchor(name)
		}
	}
	return all
}

// groups puts clauses together that are written together.
func (r *Result) groups() []group {
	var all []group
	index := map[string]int{}
	for _, c := range r.Clauses {
		name := r.groupOf(c.Pointer)
		i, ok := index[name]
		if !ok {
			i = len(all)
			index[name] = i
			all = append(all, group{Name: name, Anchor: anchor(name)})
		}
		c.Pointer, c.Keyword, c.Reason = Clean(c.Pointer), Clean(c.Keyword), single(r.Mask.Text(c.Reason))
		all[i].Clauses = append(all[i].Clauses, c)
		if c.Judged {
			all[i].Judged++
		}
	}
	return all
}

// groupOf names the operation or component that a pointer is in.
func (r *Result) groupOf(pointer string) string {
	for _, o := range r.Operations {
		if o.Pointer != "" && strings.HasPrefix(pointer, o.Pointer+"/") {
			return Clean(o.ID)
		}
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	switch {
	case parts[0] == "components" && len(parts) > 2:
		return Clean(parts[2]) + " (" + strings.TrimSuffix(Clean(parts[1]), "s") + ")"
	case parts[0] == "paths" && len(parts) > 1:
		return Clean(strings.ReplaceAll(parts[1], "~1", "/"))
	}
	return "the document"
}

var notInAnchors = regexp.MustCompile(`[^A-Za-z0-9]+`)

func anchor(name string) string { return "clauses-" + notInAnchors.ReplaceAllString(name, "-") }

// skips groups the probes that were skipped by their reasons, the most frequent
// first.
func (r *Result) skips() []skips {
	var all []skips
	for _, c := range r.Checks {
		if c.Skipped == "" {
			continue
		}
		why := single(r.Mask.Text(c.Skipped))
		i := slices.IndexFunc(all, func(s skips) bool { return s.Reason == why })
		if i < 0 {
			i, all = len(all), append(all, skips{Reason: why})
		}
		name := Clean(c.Probe)
		if name == "" {
			name = c.Class + " " + operationName(c.Operation)
		}
		all[i].Probes = append(all[i].Probes, name)
	}
	slices.SortStableFunc(all, func(a, b skips) int { return len(b.Probes) - len(a.Probes) })
	return all
}
