package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"cryptoexchange.com/escrow/conformance/internal/finding"
)

func TestJUnit(t *testing.T) {
	t.Parallel()
	got := write(t, "junit.xml", sample())
	d := xml.NewDecoder(bytes.NewReader(got))
	d.Strict = true
	names := map[string]bool{}
	kinds := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			kinds[e.Name.Local]++
			if e.Name.Local == "testcase" {
				name := ""
				for _, a := range e.Attr {
					name += a.Value + " "
				}
				if names[name] {
					t.Errorf("two test cases are called %s", name)
				}
				names[name] = true
			}
		}
	}
	want := map[string]int{"testsuites": 1, "testsuite": 3, "testcase": 13, "failure": 3, "skipped": 2, "system-out": 5}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Error(d)
	}
	var suites junitSuites
	if err := xml.Unmarshal(got, &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 13 || suites.Failures != 3 || suites.Skipped != 2 {
		t.Errorf("%d tests, %d failures, %d skipped", suites.Tests, suites.Failures, suites.Skipped)
	}
	// What is found does not change the names.
	calm := sample()
	calm.Findings = nil
	if calm := string(write(t, "junit.xml", calm)); !strings.Contains(calm, `name="E3 Length is counted in other units than code points" classname="conformance.createCustomer"`) {
		t.Errorf("the test case has another name when it passes:\n%s", calm)
	}
}

// TestSARIF checks what SARIF 2.1.0 requires, and what consumers need: sections
// 3.13, 3.14, 3.19, 3.27 to 3.31.
func TestSARIF(t *testing.T) {
	t.Parallel()
	var log struct {
		Version string
		Schema  string `json:"$schema"`
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex *int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI, URIBaseID string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
				RelatedLocations    []struct{ Message struct{ Text string } }
				PartialFingerprints map[string]string
				Suppressions        []struct{ Kind string }
				BaselineState       string
			}
		}
	}
	r := sample()
	if err := json.Unmarshal(write(t, "sarif.json", r), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || !strings.HasSuffix(log.Schema, "sarif-schema-2.1.0.json") || len(log.Runs) != 1 {
		t.Fatalf("%s, %s, %d runs", log.Version, log.Schema, len(log.Runs))
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name == "" || len(run.Tool.Driver.Rules) != 152 {
		t.Errorf("%q has %d rules", run.Tool.Driver.Name, len(run.Tool.Driver.Rules))
	}
	if len(run.Results) != len(r.Findings) {
		t.Fatalf("%d results", len(run.Results))
	}
	levels := map[finding.Severity]string{finding.Must: "error", finding.Should: "warning", finding.Advice: "note"}
	for i, result := range run.Results {
		f := r.Findings[i]
		if result.RuleIndex == nil || run.Tool.Driver.Rules[*result.RuleIndex].ID != f.Class || result.RuleID != f.Class {
			t.Errorf("%s: rule %s, %v", f.ID, result.RuleID, result.RuleIndex)
		}
		if result.Level != levels[f.Severity] || result.Message.Text == "" || result.PartialFingerprints["conformanceFinding/v1"] != f.ID {
			t.Errorf("%s: %+v", f.ID, result)
		}
		if len(result.RelatedLocations) != len(f.Places) {
			t.Errorf("%s: %d related locations for %d places", f.ID, len(result.RelatedLocations), len(f.Places))
		}
		at := result.Locations[0].PhysicalLocation
		if at.ArtifactLocation.URI != "api/openapi.yaml" || at.ArtifactLocation.URIBaseID != "%SRCROOT%" || at.Region.StartLine != max(f.Position.Line, 1) || at.Region.StartColumn != max(f.Position.Column, 1) {
			t.Errorf("%s: %+v", f.ID, at)
		}
		if known := r.Known(f.ID); known != (len(result.Suppressions) == 1) || known != (result.BaselineState == "unchanged") {
			t.Errorf("%s: %+v", f.ID, result)
		}
	}
}

func TestSchema(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("line.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("line.json")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	for _, r := range []*Result{sample(), {}} {
		for line := range bytes.Lines(write(t, "report.ndjson", r)) {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(value); err != nil {
				t.Errorf("%s\n%v", line, err)
			}
			types[value.(map[string]any)["type"].(string)]++
			value.(map[string]any)["unheard_of"] = true
			if compiled.Validate(value) == nil {
				t.Errorf("anything may be in %s", line)
			}
		}
	}
	want := map[string]int{"run": 2, "finding": 7, "operation": 3, "clause": 6, "skipped": 3, "fixed": 2, "summary": 2}
	if d := cmp.Diff(want, types); d != "" {
		t.Error(d)
	}
}

func TestGitHubEscapes(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Document.File = "a,b:c%.yaml"
	first, _, _ := strings.Cut(string(write(t, "github.txt", r)), "\n")
	want := "::error file=a%2Cb%3Ac%25.yaml,line=812,col=11,title=E3 createCustomer::Accepts what breaks maxLength of nickname.%0AClause: a,b:c%25.yaml:812:11"
	if !strings.HasPrefix(first, want) {
		t.Errorf("%s\ndoes not begin with\n%s", first, want)
	}
}
