package check_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/check"
	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/lying"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// TestScore scores the runner: a server lies in one class of the catalogue at a
// time, and the runner, which knows nothing of it, must find something; of the
// server that does not lie, nothing. With ESCROW_CAMPAIGN=full all classes are tried,
// and twenty seeds of the control; the tests of the groups try a few of the lies each
// day. ESCROW_CLASSES names some (A1,E3), ESCROW_SEED another seed for the lies.
func TestScore(t *testing.T) {
	t.Parallel()
	classes, controls := scored(t)
	seed, err := strconv.ParseUint(cmpOr(os.Getenv("ESCROW_SEED"), "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(controls) {
		s := score(t, "", i+1)
		t.Logf("control, seed %d: %d requests, %v, %d findings", i+1, s.requests, s.took, len(s.found))
		for _, f := range s.found {
			t.Errorf("false alarm: %s %s %s - %s; sent %s; got %s; request %s %q", f.Severity, f.Class, f.Operation, f.Claim, f.Sent, f.Got,
				f.Steps[len(f.Steps)-1].Request.Target, f.Steps[len(f.Steps)-1].Request.Body)
		}
	}
	found, named := 0, 0
	for _, class := range classes {
		s := score(t, class, seed)
		if len(s.found) == 0 {
			t.Errorf("%s (%s) was not found: %d requests, %v", class, s.place, s.requests, s.took)
			continue
		}
		found++
		names := make([]string, 0, len(s.found))
		for _, f := range s.found {
			names = append(names, f.Class)
		}
		if slices.Contains(names, class) {
			named++
		}
		t.Logf("%-4s found as %-12s at %-40s %5d requests, %v", class, strings.Join(names, " "), s.place, s.requests, s.took)
	}
	t.Logf("%d of %d classes found, %d of them by their name first; %d controls", found, len(classes), named, controls)
}

// chosen tells whether a lie is tried: all are in a campaign, and otherwise one in
// forty, others each day.
func chosen(class string, seed uint64) bool {
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		return true
	}
	h := fnv.New32a()
	fmt.Fprint(h, class, seed, time.Now().YearDay())
	return h.Sum32()%40 == 0
}

// honestSeeds is how many honest servers are tried.
func honestSeeds() uint64 {
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		return 3
	}
	return 1
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// scored gives the classes that are tried, and how many controls.
func scored(t *testing.T) (ids []string, controls int) {
	t.Helper()
	all, err := lying.Classes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Reason == "" {
			ids = append(ids, c.ID)
		}
	}
	switch list := os.Getenv("ESCROW_CLASSES"); {
	case list == "none":
		n, err := strconv.Atoi(cmpOr(os.Getenv("ESCROW_CONTROLS"), "20"))
		if err != nil {
			t.Fatal(err)
		}
		return nil, n
	case list != "":
		return strings.Split(list, ","), 0
	case os.Getenv("ESCROW_CAMPAIGN") == "full":
		return ids, 20
	}
	t.Skip("all of it takes half an hour: ESCROW_CAMPAIGN=full, or ESCROW_CLASSES for some")
	return nil, 0
}

// scoring is what a run saw of a server.
type scoring struct {
	place    string
	found    []finding.Finding
	requests int
	took     time.Duration
}

// score runs everything against a server, until something is found.
func score(t *testing.T, class string, seed uint64) scoring {
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
	doc, err := lyingDocument()
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := wire.New(base, wire.Options{Timeout: 5 * time.Second, MaxWait: 5 * time.Second})
	defer client.Close()
	only := os.Getenv("ESCROW_ONLY")
	runner, err := check.New(check.Config{
		Wanted:   func(p *check.Probe) bool { return strings.Contains(p.Name, only) },
		Document: doc, Base: base, Client: client, Seed: seed, Workers: 4, FirstFinding: class != "",
		Own:   map[string]string{"key": lying.KeyA, "bearer": lying.KeyA, "pin": lying.PinA},
		Other: map[string]string{"key": lying.KeyB, "bearer": lying.KeyB, "pin": lying.PinB},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	began := time.Now()
	if err := runner.Run(ctx); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", class, err))
	}
	return scoring{server.Place(), runner.Findings(), runner.Requests(), time.Since(began).Round(time.Millisecond)}
}

// lyingDocument is the document of the lying server.
var lyingDocument = sync.OnceValues(func() (*openapi.Document, error) {
	return openapi.Load("openapi.yaml", lying.Contract())
})
