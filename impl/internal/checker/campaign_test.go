package checker_test

import (
	"bytes"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// The ordinary run and the full one, which is asked for with
// ESCROW_CAMPAIGN=full. ESCROW_SEED chooses other bodies.
const (
	ordinaryBodies = 200_000
	fullBodies     = 50_000_000
	defaultSeed    = 1
)

// A chunk is so many bodies of one schema: one in perChunk is as it was made, the
// others are changed. What a chunk has depends on seed and number alone.
const perChunk = 64

// campaign puts bodies to checkers and to the authority.
type campaign struct {
	subjects []subject
	seed     uint64
	bodies   int
	// sample is in how many bodies that a checker does not know the authority is
	// asked too, to see how many of them are valid. All that it does know are put to
	// the authority.
	sample int
	// enough is how many disagreements end the campaign.
	enough int64
}

// tally is what came of bodies.
type tally struct {
	bodies, changed int
	said            int // valid, by the checker
	asked, valid    int // what the authority was asked, and found valid
	unchanged       int // as made, and valid by the authority
	known           int // of those, said valid by the checker
	saidChanged     int
	missed          []byte // one that was not known, as made
}

func (t *tally) add(o *tally) {
	t.bodies += o.bodies
	t.changed += o.changed
	t.said += o.said
	t.asked += o.asked
	t.valid += o.valid
	t.unchanged += o.unchanged
	t.known += o.known
	t.saidChanged += o.saidChanged
	if t.missed == nil {
		t.missed = o.missed
	}
}

// disagreement is a body that the checker said is valid, and the authority not.
type disagreement struct {
	subject string
	chunk   int
	body    []byte
	err     error
}

func (c *campaign) run() (perSubject []tally, found []disagreement) {
	perSubject = make([]tally, len(c.subjects))
	chunks := (c.bodies + perChunk - 1) / perChunk
	var (
		next  atomic.Int64
		wrong atomic.Int64
		mu    sync.Mutex
		group sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for {
				chunk := int(next.Add(1)) - 1
				if chunk >= chunks || wrong.Load() >= c.enough {
					return
				}
				at := chunk % len(c.subjects)
				t, bad := c.chunk(&c.subjects[at], chunk)
				wrong.Add(int64(len(bad)))
				mu.Lock()
				perSubject[at].add(&t)
				found = append(found, bad...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return perSubject, found
}

func (c *campaign) chunk(s *subject, number int) (t tally, found []disagreement) {
	g := newGenerator(c.seed, uint64(number))
	base := g.body(s)
	m := mutator{generator: g, other: g.body(s)}
	var body []byte
	for i := range perChunk {
		body = body[:0]
		if i == 0 {
			body = append(body, base...)
		} else {
			body = m.mutate(body, base)
			t.changed++
		}
		t.bodies++
		said := s.valid(body)
		if !said && i > 0 && g.IntN(c.sample) > 0 {
			continue
		}
		t.asked++
		err := authority(s.schema, body)
		if err == nil {
			t.valid++
		}
		if said {
			t.said++
			if i > 0 {
				t.saidChanged++
			}
			if err != nil {
				found = append(found, disagreement{s.name, number, bytes.Clone(body), err})
			}
		}
		if i == 0 && err == nil {
			t.unchanged++
			if said {
				t.known++
			} else {
				t.missed = bytes.Clone(body)
			}
		}
	}
	return t, found
}

func seedOf(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv("ESCROW_SEED")
	if text == "" {
		return defaultSeed
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// campaignBodies is how many bodies are asked for: "full", or a number.
func campaignBodies(t testing.TB) int {
	t.Helper()
	switch text := os.Getenv("ESCROW_CAMPAIGN"); text {
	case "":
		if testing.Short() {
			return ordinaryBodies / 10
		}
		return ordinaryBodies
	case "full":
		return fullBodies
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// TestDifferential puts what checkers say is valid to the strict reader and to
// kin-openapi: they must say so too. It counts how often checkers are of use.
func TestDifferential(t *testing.T) {
	t.Parallel()
	c := campaign{subjects: subjects(t, nil), seed: seedOf(t), bodies: campaignBodies(t), sample: 16, enough: 20}
	began := time.Now()
	perSubject, found := c.run()
	took := time.Since(began)
	var all, contract tally
	for i := range perSubject {
		all.add(&perSubject[i])
		if !strings.HasPrefix(c.subjects[i].name, "zoo") {
			contract.add(&perSubject[i])
		}
	}
	for _, d := range found {
		t.Errorf("seed %d, chunk %d, %s: said to be valid, but %v:\n%q", c.seed, d.chunk, d.subject, d.err, d.body)
	}
	t.Logf("seed %d: %d bodies (%d of them changed), %d schemas, %v", c.seed, all.bodies, all.changed, len(c.subjects), took.Round(time.Millisecond))
	t.Logf("checkers said valid: %d (%.1f %%), of changed ones %d (%.1f %%)", all.said, percent(all.said, all.bodies), all.saidChanged, percent(all.saidChanged, all.changed))
	t.Logf("strict reader and kin-openapi were asked about all of them and a sample of the others, %d (%.1f %%), and accepted %d",
		all.asked, percent(all.asked, all.bodies), all.valid)
	t.Logf("of bodies as made for the contract's schemas that kin-openapi accepts, checkers know %.2f %% (%d of %d); for all, %.2f %%",
		percent(contract.known, contract.unchanged), contract.known, contract.unchanged, percent(all.known, all.unchanged))
	t.Logf("disagreements: %d", len(found))
	for i := range perSubject {
		checkUse(t, c.subjects[i].name, &perSubject[i])
	}
	if len(found) == 0 && all.saidChanged*3 < all.changed {
		t.Errorf("only %d of %d changed bodies reached kin-openapi for being said to be valid", all.saidChanged, all.changed)
	}
}

// checkUse makes sure that the checker of a schema of the contract knows nearly
// all that is valid.
func checkUse(t *testing.T, name string, of *tally) {
	t.Helper()
	known := percent(of.known, of.unchanged)
	if strings.HasPrefix(name, "zoo") {
		if known < 95 {
			t.Logf("%s: knows %.1f %% of %d valid bodies, not %q", name, known, of.unchanged, of.missed)
		}
		return
	}
	if of.unchanged*2 < of.changed/perChunk {
		t.Errorf("%s: of %d bodies as made, only %d are valid", name, of.changed/(perChunk-1), of.unchanged)
	}
	if known < 95 {
		t.Errorf("%s: knows only %.1f %% of %d valid bodies, not %q", name, known, of.unchanged, of.missed)
	}
}

func percent(part, of int) float64 {
	if of == 0 {
		return 100
	}
	return 100 * float64(part) / float64(of)
}

// TestDifferentialFinds makes sure that the campaign finds checkers that are
// wrong: those of schemas without a keyword that the authority's have, and those
// that read bytes otherwise than the strict reader.
func TestDifferentialFinds(t *testing.T) {
	t.Parallel()
	spoil := map[string]func(*openapi3.Schema){
		"maxLength":            func(s *openapi3.Schema) { s.MaxLength = nil },
		"minLength":            func(s *openapi3.Schema) { s.MinLength = 0 },
		"pattern":              func(s *openapi3.Schema) { s.Pattern = "" },
		"format":               func(s *openapi3.Schema) { s.Format = "" },
		"enum":                 func(s *openapi3.Schema) { s.Enum = nil },
		"minimum":              func(s *openapi3.Schema) { s.Min = nil },
		"maximum":              func(s *openapi3.Schema) { s.Max = nil },
		"type integer":         func(s *openapi3.Schema) { change(s, openapi3.TypeInteger, openapi3.TypeNumber) },
		"nullable":             func(s *openapi3.Schema) { s.Nullable = true },
		"required":             func(s *openapi3.Schema) { s.Required = nil },
		"additionalProperties": func(s *openapi3.Schema) { s.AdditionalProperties = openapi3.AdditionalProperties{} },
		"maxItems":             func(s *openapi3.Schema) { s.MaxItems = nil },
		"minItems":             func(s *openapi3.Schema) { s.MinItems = 0 },
		"items":                func(s *openapi3.Schema) { s.Items = nil },
		"uniqueItems":          func(s *openapi3.Schema) { s.UniqueItems = false },
		"multipleOf":           func(s *openapi3.Schema) { s.MultipleOf = nil },
		"not":                  func(s *openapi3.Schema) { s.Not = nil },
		"allOf":                func(s *openapi3.Schema) { s.AllOf = nil },
		"oneOf":                func(s *openapi3.Schema) { s.AnyOf, s.OneOf = append(s.AnyOf, s.OneOf...), nil },
		"discriminator":        func(s *openapi3.Schema) { s.Discriminator = nil },
		"maxProperties":        func(s *openapi3.Schema) { s.MaxProps = nil },
		"minProperties":        func(s *openapi3.Schema) { s.MinProps = 0 },
	}
	for name, change := range spoil {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := subjects(t, change)
			if slices.Contains([]string{"uniqueItems", "multipleOf", "not", "allOf", "minProperties", "maxProperties"}, name) { // the contract has none
				all = slices.DeleteFunc(all, func(s subject) bool { return !strings.HasPrefix(s.name, "zoo") })
			}
			mustFind(t, all)
		})
	}
	misread := map[string]func([]byte) []byte{
		"NUL":               func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`\u0000`), []byte("x")) },
		"control character": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\x1f"), []byte("x")) },
		"invalid UTF-8":     func(b []byte) []byte { return bytes.ToValidUTF8(b, []byte("?")) },
		"lone surrogate":    func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`\ud800`), []byte("x")) },
		"byte order mark":   func(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\ufeff")) },
		"trailing comma":    func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(",,"), []byte(",")) },
		"trailing data":     func(b []byte) []byte { return bytes.TrimSuffix(b, []byte("x")) },
		"leading zero":      func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(":01"), []byte(":1")) },
		"twice":             func(b []byte) []byte { return bytes.Replace(b, []byte(`"id"`), []byte(`"x"`), 1) },
		"depth":             func(b []byte) []byte { return bytes.Replace(b, []byte("[["), []byte("["), 1) },
		"form feed":         func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\f"), []byte(" ")) },
	}
	for name, change := range misread {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := subjects(t, nil)
			for i := range all {
				valid := all[i].valid
				all[i].valid = func(document []byte) bool { return valid(change(document)) }
			}
			mustFind(t, all)
		})
	}
}

func change(s *openapi3.Schema, from, to string) {
	if s.Type.Is(from) {
		s.Type = &openapi3.Types{to}
	}
}

func mustFind(t *testing.T, all []subject) {
	t.Helper()
	c := campaign{subjects: all, seed: seedOf(t), bodies: ordinaryBodies, sample: 1 << 30, enough: 1}
	if _, found := c.run(); len(found) == 0 {
		t.Error("not found")
	} else {
		t.Logf("%s: %v: %.200q", found[0].subject, found[0].err, found[0].body)
	}
}

// FuzzChecker is the campaign with Go's own mutator.
func FuzzChecker(f *testing.F) {
	all := subjects(f, nil)
	for i := range all {
		for _, example := range all[i].examples {
			f.Add(uint(i), example)
		}
		f.Add(uint(i), newGenerator(defaultSeed, uint64(i)).body(&all[i]))
	}
	f.Fuzz(func(t *testing.T, which uint, body []byte) {
		s := &all[which%uint(len(all))]
		if !s.valid(body) {
			return
		}
		if err := authority(s.schema, body); err != nil {
			t.Errorf("%s: said to be valid, but %v: %q", s.name, err, body)
		}
	})
}
