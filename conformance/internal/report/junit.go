package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
)

// Elements of JUnit's XML, as continuous integration reads it.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"` // seconds
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     string      `xml:"time,attr"`
		Stamp    string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string         `xml:"name,attr"`
		Class   string         `xml:"classname,attr"`
		Time    string         `xml:"time,attr"`
		Failure []junitFailure `xml:"failure"`
		Skipped *junitSkipped  `xml:"skipped"`
		Output  *junitOutput   `xml:"system-out"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
	junitOutput struct {
		Text string `xml:",cdata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes a test case for each class of the catalogue that was looked for in
// an operation, under names that do not change from run to run. A mistake that was
// seen in several operations is in the test case of each. Findings that do not fail
// the run are in the output of theirs.
func JUnit(w io.Writer, r *Result) error {
	suites := junitSuites{Name: Tool + " " + Clean(r.Document.File), Time: seconds(r.Took)}
	byPlace := map[Check]*junitCase{}
	bySuite := map[string]int{}
	var order []Check
	add := func(c Check) *junitCase {
		key := Check{Operation: c.Operation, Class: c.Class}
		if byPlace[key] == nil {
			class, _ := finding.ClassByID(c.Class)
			byPlace[key] = &junitCase{
				Name: strings.TrimSpace(c.Class + " " + class.Name), Class: Tool + "." + operationName(c.Operation), Time: "0",
			}
			order = append(order, key)
		}
		return byPlace[key]
	}
	skipped := map[Check]string{}
	tried := map[Check]bool{}
	for _, c := range r.Checks {
		add(c)
		key := Check{Operation: c.Operation, Class: c.Class}
		if c.Skipped == "" {
			tried[key] = true
		} else if skipped[key] == "" {
			skipped[key] = single(r.Mask.Text(c.Skipped))
		}
	}
	all := r.views()
	for i := range all {
		f := &r.Findings[i]
		operations := f.Operations()
		if len(operations) == 0 {
			operations = []string{""}
		}
		for _, id := range operations {
			junitFinding(add(Check{Operation: id, Class: f.Class}), &all[i], r.failsAt(f, id))
		}
	}
	for _, key := range order {
		c := byPlace[key]
		if !tried[key] && skipped[key] != "" && len(c.Failure) == 0 && c.Output == nil {
			c.Skipped = &junitSkipped{Message: skipped[key]}
		}
		name := operationName(key.Operation)
		if _, ok := bySuite[name]; !ok {
			bySuite[name] = len(suites.Suites)
			suites.Suites = append(suites.Suites, junitSuite{Name: name, Time: "0", Stamp: r.Started.UTC().Format("2006-01-02T15:04:05")})
		}
		suites.Suites[bySuite[name]].add(*c)
	}
	for _, s := range suites.Suites {
		suites.Tests, suites.Failures, suites.Skipped = suites.Tests+s.Tests, suites.Failures+s.Failures, suites.Skipped+s.Skipped
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(suites); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	b.WriteString("\n")
	return flush(w, &b)
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	if len(c.Failure) > 0 {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitFinding(c *junitCase, v *view, fails bool) {
	var b bytes.Buffer
	b.WriteString("\n")
	terminalFinding(&b, v, palette{})
	if fails {
		c.Failure = append(c.Failure, junitFailure{Message: v.Claim, Type: v.Severity + " " + v.Class, Text: b.String()})
		return
	}
	if c.Output == nil {
		c.Output = &junitOutput{}
	}
	c.Output.Text += v.Kind + known(v) + b.String()
}

func operationName(id string) string {
	if id == "" {
		return "(server)"
	}
	return Clean(id)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
