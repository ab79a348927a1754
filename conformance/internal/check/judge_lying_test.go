package check_test

import (
	"context"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/check"
	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/lying"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// judgedClasses are those that the judge of answers finds, and the probes that
// provoke the answers for it. siblings name the same mistake where it is one of
// several classes.
var judgedClasses = []struct {
	class    string
	siblings []string
	wanted   []string // beginnings of the names of probes, besides those that just use operations
}{
	{"A1", nil, []string{"case "}},
	{"A2", nil, []string{"case "}},
	{"A5", nil, []string{"A5 "}},
	{"A6", nil, nil},
	{"A7", nil, nil},
	{"A8", nil, []string{"A8 ", "F5 "}},
	{"A9", nil, nil},
	{"A10", nil, []string{"A10 "}},
	{"A11", nil, nil},
	{"B1", nil, nil},
	{"B2", nil, nil},
	{"B3", nil, []string{"B3 "}},
	{"B4", nil, []string{"G1 "}},
	{"B5", nil, []string{"G1 "}},
	{"B6", nil, []string{"A8 "}},
	{"B7", nil, []string{"O8 "}},
	{"B8", nil, nil},
	{"B9", nil, nil},
	{"B11", nil, nil},
	{"C1", nil, nil},
	{"C5", nil, nil},
	{"C6", nil, nil},
	{"C8", nil, []string{"case ", "A8 "}},
	{"D1", nil, nil},
	{"D2", nil, nil},
	{"D3", nil, nil},
	{"D4", nil, nil},
	{"D5", nil, nil},
	{"D6", nil, nil},
	{"D7", nil, nil},
	{"D8", nil, nil},
	{"D9", nil, nil},
	{"D10", nil, nil},
	{"D11", nil, nil},
	{"D12", nil, []string{"D12 "}},
	{"D13", []string{"K5"}, []string{"case ", "K5 "}},
	{"L1", nil, []string{"case ", "A8 "}},
	{"L2", nil, []string{"case ", "A8 "}},
	{"L3", nil, []string{"case ", "L3 "}},
	{"L4", nil, []string{"case ", "A8 "}},
	{"L5", nil, []string{"case ", "A5 ", "G1 "}},
	{"L6", nil, []string{"L6 "}},
	{"N3", nil, []string{"N2 "}},
	{"O9", nil, nil},
}

// judgeRun runs probes against a lying server, and gives what was found.
func judgeRun(t *testing.T, seed uint64, class string, wanted []string) ([]finding.Finding, string) {
	t.Helper()
	server, err := lying.New(seed, class)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	raw, err := os.ReadFile("../lying/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi.Load("openapi.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := wire.New(base, wire.Options{Timeout: 3 * time.Second})
	defer client.Close()
	wanted = append([]string{"happy ", "B3 "}, wanted...)
	r, err := check.New(check.Config{
		Document: doc, Base: base, Client: client, Seed: seed, Workers: 2,
		Own:   map[string]string{"key": lying.KeyA, "bearer": lying.KeyA, "pin": lying.PinA},
		Other: map[string]string{"key": lying.KeyB, "bearer": lying.KeyB, "pin": lying.PinB},
		Wanted: func(p *check.Probe) bool {
			// A stream has no end but that of patience.
			return !strings.Contains(p.Name, "listEvents") && slices.ContainsFunc(wanted, func(begin string) bool { return strings.HasPrefix(p.Name, begin) })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return r.Findings(), server.Place()
}

func TestJudgeLying(t *testing.T) {
	t.Parallel()
	for _, test := range judgedClasses {
		for seed := range uint64(5) {
			t.Run(test.class+"/"+string(rune('0'+seed)), func(t *testing.T) {
				t.Parallel()
				findings, place := judgeRun(t, seed, test.class, test.wanted)
				var got []string
				for _, f := range findings {
					if f.Class == test.class || slices.Contains(test.siblings, f.Class) {
						return
					}
					got = append(got, f.Class+" "+f.Operation+" "+f.Claim)
				}
				t.Errorf("the lie at %s is not found; found: %q", place, got)
			})
		}
	}
}

// TestJudgeHonest finds nothing in a server that keeps its contract. What the cases
// find by themselves is not what is tested here: of them, only how the answers are
// judged counts.
func TestJudgeHonest(t *testing.T) {
	t.Parallel()
	var wanted []string
	for _, test := range judgedClasses {
		wanted = append(wanted, test.wanted...)
	}
	for seed := range uint64(3) {
		t.Run(string(rune('0'+seed)), func(t *testing.T) {
			t.Parallel()
			findings, _ := judgeRun(t, seed, "", wanted)
			for _, f := range findings {
				if !strings.HasPrefix(f.Claim, "refuses what keeps") && !strings.HasPrefix(f.Claim, "accepts what breaks") {
					t.Errorf("%s %s %s: %s, expected %s, got %s", f.Class, f.Severity, f.Operation, f.Claim, f.Expected, f.Got)
				}
			}
		})
	}
}
