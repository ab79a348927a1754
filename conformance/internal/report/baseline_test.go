package report

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/finding"
)

func ids(all []Entry) []string {
	var names []string
	for _, e := range all {
		names = append(names, e.ID)
	}
	return names
}

func TestBaseline(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "baseline.yaml")
	now := time.Date(2026, 11, 26, 23, 59, 0, 0, time.UTC)
	b, err := ReadBaseline(file)
	if err != nil {
		t.Fatal(err)
	}
	result := func(names ...string) *Result {
		r := &Result{FailOn: finding.Must}
		for _, id := range names {
			r.Findings = append(r.Findings, finding.Finding{ID: id, Class: "A1", Operation: "op", Claim: "is wrong", Severity: finding.Must})
		}
		return r
	}
	b.Update(result("a", "b", "c", "d"), now)
	b.Findings[0].Note, b.Findings[0].Expires = "a ticket", "2026-11-26"
	b.Findings[1].Expires = "2026-11-25"
	b.Findings[3].Flaky = true
	if err := b.Write(); err != nil {
		t.Fatal(err)
	}
	if b, err = ReadBaseline(file); err != nil {
		t.Fatal(err)
	}
	r := result("a", "b", "new")
	b.Apply(r, now)
	if d := cmp.Diff([]string{"b"}, ids(r.Baseline.Expired)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c"}, ids(r.Baseline.Fixed)); d != "" {
		t.Error(d)
	}
	if !r.Known("a") || r.Known("b") || r.Known("new") || !r.Failed() {
		t.Errorf("%+v", r.Baseline)
	}
	b.Apply(r, now.Add(time.Minute)) // the next day
	if r.Known("a") {
		t.Error("a is known on the day after its last")
	}
	selected := result("a")
	selected.Selected = true
	b.Apply(selected, now)
	if len(selected.Baseline.Fixed) != 0 || selected.Failed() {
		t.Errorf("%+v", selected.Baseline)
	}
	b.Update(selected, now)
	if d := cmp.Diff([]string{"a", "b", "c", "d"}, ids(b.Findings)); d != "" {
		t.Error(d)
	}
	b.Update(r, now)
	if d := cmp.Diff([]string{"a", "b", "new"}, ids(b.Findings)); d != "" {
		t.Error(d)
	}
	if a := b.Findings[0]; a.Note != "a ticket" || a.Expires != "2026-11-26" || a.Claim != "Is wrong" || b.Findings[1].Expires != "" {
		t.Errorf("%+v", b.Findings)
	}
	b.Update(result(), now)
	if err := b.Write(); err != nil {
		t.Fatal(err)
	}
	if b, err = ReadBaseline(file); err != nil || len(b.Findings) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestBaselineOfPlaces: a mistake that is known in some places is new in others.
func TestBaselineOfPlaces(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	result := func(places ...string) *Result {
		f := finding.Finding{ID: "cause", Class: "B6", Operation: "op", Claim: "is wrong", Severity: finding.Must}
		for _, id := range places {
			f.Places = append(f.Places, finding.Place{ID: id, Operation: "op " + id, Flaky: id == "flaky"})
		}
		return &Result{FailOn: finding.Must, Findings: []finding.Finding{f}}
	}
	written := &Baseline{}
	written.Update(result("a", "b"), now)
	if d := cmp.Diff([]Entry{{ID: "cause", Class: "B6", Operation: "op", Claim: "Is wrong", Places: map[string]string{"a": "op a", "b": "op b"}}}, written.Findings); d != "" {
		t.Fatal(d)
	}
	for name, test := range map[string]struct {
		entries       []Entry
		found         []string
		known, failed bool
		fixed         map[string]string // the places of the entry that is fixed; nil: none is
	}{
		"the same":                 {written.Findings, []string{"a", "b"}, true, false, nil},
		"one place more":           {written.Findings, []string{"a", "b", "c"}, false, true, nil},
		"one that is flaky":        {written.Findings, []string{"a", "b", "flaky"}, false, false, nil},
		"one place less":           {written.Findings, []string{"a"}, true, false, map[string]string{"b": "op b"}},
		"other places":             {written.Findings, []string{"c", "d"}, false, true, map[string]string{"a": "op a", "b": "op b"}},
		"wherever":                 {[]Entry{{ID: "cause"}}, []string{"a", "c"}, true, false, nil},
		"of before, one by one":    {[]Entry{{ID: "a"}, {ID: "b"}}, []string{"a", "b"}, true, false, nil},
		"of before, but for one":   {[]Entry{{ID: "a"}}, []string{"a", "b"}, false, true, nil},
		"its last day is over":     {[]Entry{{ID: "cause", Places: map[string]string{"a": ""}, Expires: "2026-11-25"}}, []string{"a"}, false, true, nil},
		"its last day is not over": {[]Entry{{ID: "cause", Places: map[string]string{"a": ""}, Expires: "2026-11-26"}}, []string{"a"}, true, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := result(test.found...)
			(&Baseline{Findings: test.entries}).Apply(r, now)
			if r.Known("cause") != test.known || r.Failed() != test.failed {
				t.Errorf("known %v, failed %v: %+v", r.Known("cause"), r.Failed(), r.Baseline)
			}
			var fixed map[string]string
			for _, e := range r.Baseline.Fixed {
				fixed = e.Places
			}
			if d := cmp.Diff(test.fixed, fixed); d != "" {
				t.Error(d)
			}
		})
	}
	// A note stays when findings are put together, and when they are parted again.
	before := &Baseline{Findings: []Entry{{ID: "a", Note: "a ticket"}}}
	before.Update(result("a", "b"), now)
	if e := before.Findings; len(e) != 1 || e[0].Note != "a ticket" || len(e[0].Places) != 2 {
		t.Errorf("%+v", e)
	}
	before.Update(&Result{Findings: []finding.Finding{{ID: "a"}, {ID: "b"}}}, now)
	if e := before.Findings; len(e) != 2 || e[0].Note != "a ticket" || len(e[0].Places) != 0 {
		t.Errorf("%+v", e)
	}
	// What is known wherever it is stays so.
	anywhere := &Baseline{Findings: []Entry{{ID: "cause"}}}
	anywhere.Update(result("a", "b"), now)
	if e := anywhere.Findings; len(e) != 1 || len(e[0].Places) != 0 {
		t.Errorf("%+v", e)
	}
}

func TestBadBaselines(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no id":       "findings: [{note: x}]",
		"no date":     "findings: [{id: a, expires: tomorrow}]",
		"misspelt":    "findings: [{id: a, expire: 2026-01-01}]",
		"no YAML":     "findings: [",
		"other shape": "[a, b]",
	} {
		file := filepath.Join(t.TempDir(), "b")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := ReadBaseline(file); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
	for name, text := range map[string]string{"empty": "", "JSON": `{"findings": []}`, "comment": "# nothing\n"} {
		file := filepath.Join(t.TempDir(), "b")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadBaseline(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadBaseline(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
	if err := (&Baseline{File: filepath.Join(t.TempDir(), "no", "such")}).Write(); err == nil {
		t.Error("a file was written into a folder that is not there")
	}
}
