package check_test

import (
	"fmt"
	"net/url"
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

// hunt runs the probes of some classes against the lying server, and gives what
// was found and where the server lies.
func hunt(t *testing.T, seed uint64, lie string, classes ...string) (found []finding.Finding, place string) {
	t.Helper()
	server, err := lying.New(seed, lie)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	doc, err := openapi.Load("openapi.yaml", lying.Contract())
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := wire.New(base, wire.Options{Timeout: 5 * time.Second, MaxWait: 5 * time.Second})
	t.Cleanup(client.Close)
	runner, err := check.New(check.Config{
		Document: doc, Base: base, Client: client, Seed: seed, Workers: 4,
		Own:   map[string]string{"key": lying.KeyA, "bearer": lying.KeyA, "pin": lying.PinA},
		Other: map[string]string{"key": lying.KeyB, "bearer": lying.KeyB, "pin": lying.PinB},
		Wanted: func(p *check.Probe) bool {
			return slices.Contains(classes, p.Class) && strings.HasPrefix(p.Name, p.Class+" ")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return runner.Findings(), server.Place()
}

// summary is a finding in a line.
func summary(f finding.Finding) string {
	return fmt.Sprintf("%s %s %s %s: %s; sent %s, expected %s, got %s (%d of %d)", f.Class, f.Severity, f.Operation, f.Pointer, f.Claim, f.Sent, f.Expected, f.Got, f.Reproduced, f.Attempts)
}

// hostile are the classes of this file's probes. A lie may be named by another
// class as well, which says the same of it.
var hostile = map[string][]string{
	"B10": nil, "C3": nil, "C4": nil,
	"F1": nil, "F2": nil, "F3": nil, "F4": nil, "F5": nil, "F6": nil, "F7": nil, "F8": nil, "F9": nil,
	"G1": nil, "G2": {"A1", "A4"}, "G3": nil, "G4": nil, "G5": nil, "G6": nil, "G7": nil, "G8": nil,
	"K1": nil, "K2": nil, "K4": nil, "K5": nil, "K6": nil, "K8": nil,
	"O1": nil, "O2": nil, "O3": nil, "O6": nil, "O7": nil, "O8": nil, "O10": nil, "O11": nil, "O12": nil, "O13": {"A2", "O9"},
}

func TestHostileFinds(t *testing.T) {
	t.Parallel()
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	for class, others := range hostile {
		for seed := range seeds {
			if !chosen(class, seed) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", class, seed), func(t *testing.T) {
				t.Parallel()
				found, place := hunt(t, seed, class, class)
				if !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Class == class || slices.Contains(others, f.Class) }) {
					t.Errorf("the lie at %s was not found", place)
				}
				for _, f := range found {
					t.Logf("at %s: %s", place, summary(f))
				}
			})
		}
	}
}

func TestHostileIsQuiet(t *testing.T) {
	t.Parallel()
	for seed := range honestSeeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			var classes []string
			for class := range hostile {
				classes = append(classes, class)
			}
			found, _ := hunt(t, seed, "", classes...)
			for _, f := range found {
				t.Errorf("false alarm: %s", summary(f))
				for _, step := range f.Steps {
					t.Logf("sent %.300q", step.Request.Bytes("host", ""))
					if step.Response != nil {
						t.Logf("got %.200q %.300q", step.Response.Head, step.Response.Body)
					}
				}
			}
		})
	}
}
