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
