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
	{"A1", nil, []string{"case getComment", "case listTasks", "case createComment"}},
	{"A2", nil, []string{"H8 ", "case patchProject", "case search", "case createPayment", "case listTasks"}},
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
	{"C8", nil, []string{"A8 "}},
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
	{"D13", []string{"K5"}, []string{"K5 "}},
	{"L1", nil, []string{"A8 "}},
	{"L2", nil, []string{"A8 "}},
	{"L3", nil, []string{"case create", "L3 "}},
	{"L4", nil, []string{"A8 "}},
	{"L5", nil, []string{"A5 ", "G1 ", "J1 "}},
	{"L6", nil, []string{"L6 "}},
	{"N3", nil, []string{"N2 "}},
	{"O9", nil, []string{"O9 "}},
}

// judgeRun runs probes against a lying server, until one of the classes is found,
// and gives what was.
func judgeRun(t *testing.T, seed uint64, lie string, until, wanted []string) ([]finding.Finding, string) {
	t.Helper()
	server, err := lying.New(seed, lie)
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
	wanted = append([]string{"happy ", "B3 ", "M2 ", "O10 ", "H9 "}, wanted...)
	// To be quick, the operation at fault is used, and what creates things.
	at, _, _ := strings.Cut(server.Place(), "#")
	named := slices.ContainsFunc(doc.Operations, func(op *openapi.Operation) bool { return op.ID == at })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	r, err := check.New(check.Config{
		Document: doc, Base: base, Client: client, Seed: seed, Workers: 2,
		Own:   map[string]string{"key": lying.KeyA, "bearer": lying.KeyA, "pin": lying.PinA},
		Other: map[string]string{"key": lying.KeyB, "bearer": lying.KeyB, "pin": lying.PinB},
		Wanted: func(p *check.Probe) bool {
			if strings.Contains(p.Name, "listEvents") { // it has no end but that of patience
				return false
			}
			if named && p.Op != nil && p.Op.ID != at && !strings.HasPrefix(p.Name, "happy create") && !strings.HasPrefix(p.Name, "K5 ") && !strings.HasPrefix(p.Name, "B3 ") && !strings.HasPrefix(p.Name, "O10 ") {
				return false
			}
			return slices.ContainsFunc(wanted, func(begin string) bool { return strings.HasPrefix(p.Name, begin) })
		},
		Ended: func(_ *check.Probe, found []finding.Finding) {
			if slices.ContainsFunc(found, func(f finding.Finding) bool { return slices.Contains(until, f.Class) }) {
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(ctx); err != nil && len(until) == 0 {
		t.Fatal(err)
	}
	return r.Findings(), server.Place()
}

func TestJudgeLying(t *testing.T) {
	t.Parallel()
	places := map[string]int{}
	all, err := lying.Classes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		places[c.ID] = len(c.Places)
		if testing.Short() {
			places[c.ID] = 1
		}
	}
	for _, test := range judgedClasses {
		for seed := range uint64(places[test.class]) {
			if !chosen(test.class, seed) {
				continue
			}
			t.Run(test.class+"/"+string(rune('0'+seed)), func(t *testing.T) {
				t.Parallel()
				classes := append([]string{test.class}, test.siblings...)
				findings, place := judgeRun(t, seed, test.class, classes, test.wanted)
				var got []string
				for _, f := range findings {
					if slices.Contains(classes, f.Class) {
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
	for seed := range honestSeeds() {
		t.Run(string(rune('0'+seed)), func(t *testing.T) {
			t.Parallel()
			findings, _ := judgeRun(t, seed, "", nil, wanted)
			for _, f := range findings {
				if !strings.HasPrefix(f.Claim, "refuses what keeps") && !strings.HasPrefix(f.Claim, "accepts what breaks") {
					t.Errorf("%s %s %s: %s, expected %s, got %s", f.Class, f.Severity, f.Operation, f.Claim, f.Expected, f.Got)
				}
			}
		})
	}
}
