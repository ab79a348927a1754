package mutate

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

func outcomes() *Result {
	flip := func(pointer, operator, equivalent string, line int) Flip {
		return Flip{
			Pointer: pointer, Keyword: "maxLength", Operator: operator, Description: "maxLength 5 -> 6",
			Operations: []string{"create"}, Position: openapi.Position{Line: line, Column: 3}, Equivalent: equivalent,
		}
	}
	return &Result{
		Document: "api.yaml", All: 4, Took: 90 * time.Second,
		Control: Control{Probes: 10, Requests: 99, Took: 3 * time.Second},
		Outcomes: []Outcome{
			{Flip: flip("/a/maxLength", "maxLength+1", "", 10), Killed: true, By: "case create /a/maxLength", Found: finding.Finding{Class: "E3", Claim: "refuses it"}, Tried: []string{"case create /a/maxLength"}, Requests: 7},
			{Flip: flip("/b/maxLength", "maxLength-1", "", 20), Tried: []string{"x", "y"}, Requests: 9},
			{Flip: flip("/c/maxLength", "maxLength+1", "Only strings of 6 | are judged otherwise.", 30)},
			{Flip: flip("/d/maxLength", "maxLength+1", "", 40), Err: errors.New("no")},
		},
		Left: []Left{{Pointer: "/e/status", Keyword: "status", Position: openapi.Position{Line: 50}, Why: "nobody asks"}},
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	r := outcomes()
	if diff := cmp.Diff(Rate{Name: "all", Flips: 4, Killed: 1, Survived: 2, Equivalents: 1}, r.Rate()); diff != "" {
		t.Errorf("rate (-want +got):\n%s", diff)
	}
	if got := int(r.Rate().Percent()); got != 33 {
		t.Errorf("%d %% of the flips that are not equivalent are killed, want 33", got)
	}
	if got := (Rate{Equivalents: 1}).Percent(); got != 0 {
		t.Errorf("the rate of nothing is %v", got)
	}
	want := []Rate{
		{Name: "maxLength+1 (requests)", Flips: 3, Killed: 1, Survived: 1, Equivalents: 1},
		{Name: "maxLength-1 (requests)", Flips: 1, Survived: 1},
	}
	if diff := cmp.Diff(want, r.Rates(ByOperator)); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
}

func TestWriteText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := outcomes().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"4 of 4 flips tried in 1m30s: 1 killed (0 of them by probes of the document as it was), 2 survived, 1 equivalent; kill rate 33.3 %, equivalent 25.0 %. 1 clauses have no flip.",
		"api.yaml:20: survived: maxLength-1 /b/maxLength: maxLength 5 -> 6\n    The probes of this clause found nothing. 2 probes, 9 requests",
		"api.yaml:40: survived: maxLength+1 /d/maxLength: maxLength 5 -> 6\n    It could not be tried: no.",
		"api.yaml:30: equivalent: maxLength+1 /c/maxLength",
		"Not flipped, since nobody asks: 1\n    api.yaml:50: /e/status",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
}

func TestWriteMarkdown(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := outcomes().WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| maxLength+1 (requests) | 3 | 1 | 1 | 1 | 50.0 % |",
		"| api.yaml:20 | maxLength-1 | `/b/maxLength` | maxLength 5 -> 6 | The probes of this clause found nothing. |",
		`| api.yaml:30 | maxLength+1 | ` + "`/c/maxLength`" + ` | Only strings of 6 \| are judged otherwise. |`,
		"| nobody asks | 1 |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the document lacks %q:\n%s", want, b.String())
		}
	}
}

func TestWriteNDJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := outcomes().WriteNDJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		var x record
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimSpace(x.Kind+" "+x.Outcome+" "+x.Pointer+" "+x.Class))
	}
	want := []string{"summary", "flip killed /a/maxLength E3", "flip survived /b/maxLength", "flip equivalent /c/maxLength", "flip survived /d/maxLength", "left  /e/status"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
