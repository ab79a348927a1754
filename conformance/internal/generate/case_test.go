package generate

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

func setFor(t testing.TB, doc *openapi.Document) *schema.Set {
	t.Helper()
	set, err := schema.New(doc)
	if err != nil {
		t.Fatalf("schema: %v", err)
	}
	return set
}

// TestCases judges every value that is sent again, and counts the clauses that
// are tried.
func TestCases(t *testing.T) {
	t.Parallel()
	for name, doc := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := source(doc)
			c := &coverage{sides: map[string]map[Side]int{}, why: map[string]map[string]bool{}, names: map[string]bool{}, set: setFor(t, doc)}
			for _, op := range doc.Operations {
				cases, drops := s.CasesAndDrops(op)
				c.add(t, s, cases, drops)
			}
			c.report(t, doc)
		})
	}
}

type coverage struct {
	set     *schema.Set
	names   map[string]bool
	sides   map[string]map[Side]int
	total   [3]int
	plain   int
	why     map[string]map[string]bool
	dropped int
}

func (v *coverage) add(t *testing.T, s *Source, cases []Case, drops []Drop) {
	t.Helper()
	for _, c := range cases {
		if v.names[c.Name] {
			t.Errorf("%s: two cases have the name", c.Name)
		}
		v.names[c.Name] = true
		if v.sides[c.Clause] == nil {
			v.sides[c.Clause] = map[Side]int{}
		}
		v.sides[c.Clause][c.Side]++
		v.total[c.Side]++
		if c.Plain {
			v.plain++
		}
		if _, _, _, err := s.Encode(c.Draft); err != nil {
			t.Errorf("%s: encode: %v", c.Name, err)
		}
		if c.In == "body" && c.Draft.RawBody == nil && c.Draft.HasBody && isJSON(c.Draft.ContentType) {
			judgeBody(t, v.set, &c)
		}
	}
	for _, d := range drops {
		if v.why[d.Clause] == nil {
			v.why[d.Clause] = map[string]bool{}
		}
		v.why[d.Clause][d.Side.String()+" "+d.Label+": "+d.Why] = true
	}
	v.dropped += len(drops)
}

func (v *coverage) report(t *testing.T, doc *openapi.Document) {
	t.Helper()
	var keeps, breaks, both, all int
	for _, c := range doc.Clauses() {
		if len(c.Requests) == 0 || c.Keyword == "security" {
			continue
		}
		all++
		k, b := v.sides[c.Pointer][Keeps] > 0, v.sides[c.Pointer][Breaks] > 0
		if k {
			keeps++
		}
		if b {
			breaks++
		}
		if k && b {
			both++
			continue
		}
		reasons := make([]string, 0, len(v.why[c.Pointer]))
		for r := range v.why[c.Pointer] {
			reasons = append(reasons, r)
		}
		slices.Sort(reasons)
		t.Logf("%s (keeps %v, breaks %v):\n    %s", c.Pointer, k, b, strings.Join(reasons, "\n    "))
	}
	t.Logf("%d cases: %d keep (%d of them plain), %d break, %d either", len(v.names), v.total[Keeps], v.plain, v.total[Breaks], v.total[Either])
	t.Logf("of %d clauses of requests, %d have cases that keep them, %d that break them, %d both; %d recipes gave nothing", all, keeps, breaks, both, v.dropped)
	if keeps*100 < all*95 || breaks*100 < all*70 {
		t.Errorf("too few clauses are tried")
	}
}

func judgeBody(t *testing.T, set *schema.Set, c *Case) {
	t.Helper()
	m := preferred(c.Op.Body.Content)
	raw, err := MarshalJSON(c.Draft.Body)
	if err != nil {
		t.Errorf("%s: %v", c.Name, err)
		return
	}
	faults := set.Validate(m.Schema, openapi.Request, raw)
	switch {
	case c.Side == Keeps && len(faults) > 0:
		t.Errorf("%s: is to be valid, but: %v\n%s", c.Name, faults, raw)
	case c.Side == Breaks && len(faults) == 0:
		t.Errorf("%s: is to be invalid, and is not\n%s", c.Name, raw)
	case c.Side == Breaks && !schema.Broken(faults, c.Clause, true) && c.Keyword != "discriminator":
		t.Errorf("%s: is to break %s, but: %v", c.Name, c.Clause, faults)
	}
}

func describe(t *testing.T, doc *openapi.Document) []string {
	t.Helper()
	s := source(doc)
	var list []string
	for _, op := range some(doc.Operations) {
		for _, c := range s.Cases(op) {
			target, header, body, err := s.Encode(c.Draft)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			list = append(list, fmt.Sprintf("%s %s %v %.300q", c.Name, target, header, body))
		}
	}
	return list
}

func TestSameSeedGivesTheSame(t *testing.T) {
	t.Parallel()
	for name, doc := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(describe(t, doc), describe(t, doc)); diff != "" {
				t.Errorf("the same seed gives other cases:\n%.2000s", diff)
			}
		})
	}
}

// some are a fourth of the operations, others each day; in a campaign, all.
func some(ops []*openapi.Operation) []*openapi.Operation {
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		return ops
	}
	var few []*openapi.Operation
	for i, op := range ops {
		if i%4 == time.Now().YearDay()%4 {
			few = append(few, op)
		}
	}
	return few
}

// TestApply makes each case of another request than it was listed with.
func TestApply(t *testing.T) {
	t.Parallel()
	for name, doc := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := setFor(t, doc)
			n := 0
			for _, op := range some(doc.Operations) {
				s := source(doc)
				for _, mode := range []Mode{Minimal} {
					base := s.Draft(op, mode)
					before := fmt.Sprint(base)
					for _, c := range s.Cases(op) {
						d, err := c.Apply(s, base)
						if err != nil {
							t.Logf("mode %d: %v", mode, err)
							n++
							continue
						}
						made := c
						made.Draft = d
						if c.In == "body" && d.RawBody == nil && d.HasBody && isJSON(d.ContentType) {
							judgeBody(t, set, &made)
						}
					}
					if after := fmt.Sprint(base); after != before {
						t.Errorf("%s: the base was changed:\n%s\n%s", op.ID, before, after)
					}
				}
			}
			t.Logf("%d could not be made of another request", n)
		})
	}
}

func BenchmarkCases(b *testing.B) {
	for name, doc := range documents(b) {
		b.Run(name, func(b *testing.B) {
			s := source(doc)
			s.Set = setFor(b, doc)
			n := 0
			for b.Loop() {
				n = 0
				for _, op := range doc.Operations {
					n += len(s.Cases(op))
				}
			}
			b.ReportMetric(float64(n), "cases/op")
		})
	}
}
