package lying

import (
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// transcript is what a server answers to a section.
func transcript(t *testing.T, s *Server, section func(*run)) []string {
	t.Helper()
	r := &run{t: t, s: s, key: KeyA}
	section(r)
	slices.Sort(r.log) // maps have no order
	return r.log
}

// differences counts the lines that are in one of them alone.
func differences(a, b []string) int {
	left := map[string]int{}
	for _, l := range a {
		left[l]++
	}
	n := 0
	for _, l := range b {
		if left[l]--; left[l] < 0 {
			n++
		}
	}
	return n
}

// chosen tells whether a place is tried: all are in a campaign, and otherwise one
// in ten, others each day.
func chosen(class string, place int) bool {
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		return true
	}
	h := fnv.New32a()
	fmt.Fprint(h, class, place, time.Now().YearDay())
	return h.Sum32()%10 == 0
}

// TestEachPlaceShows sends the same requests to the control and to a server for
// each place of each class: their answers differ.
func TestEachPlaceShows(t *testing.T) {
	t.Parallel()
	doc, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	for group, section := range sections {
		t.Run(string(group), func(t *testing.T) {
			t.Parallel()
			control := transcript(t, start(t, 0, ""), section)
			again := transcript(t, start(t, 99, ""), section)
			if diff := cmp.Diff(control, again); diff != "" {
				t.Fatalf("the control is not steady:\n%s", diff)
			}
			var wg sync.WaitGroup
			room := make(chan struct{}, 6) // servers wait more than they work
			for _, e := range catalogue {
				for i, place := range doc.places(e.id) {
					if e.id[0] != group || slices.Contains(doc.derived[e.id], place) || !chosen(e.id, i) {
						continue
					}
					s := start(t, uint64(i), e.id)
					if s.Place() != place {
						t.Fatalf("%s: the seed %d picks %q, want %q", e.id, i, s.Place(), place)
					}
					room <- struct{}{}
					wg.Go(func() {
						defer func() { <-room }()
						if n := differences(control, transcript(t, s, section)); n == 0 {
							t.Errorf("%s at %s is not to be seen", e.id, place)
						}
					})
				}
			}
			wg.Wait()
		})
	}
}

// TestCatalogue holds the number of classes, and that each has a place or a reason.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	classes, err := Classes()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, c := range classes {
		counts[c.ID[:1]]++
		if (len(c.Places) == 0) == (c.Reason == "") {
			t.Errorf("%s has %d places, and the reason %q", c.ID, len(c.Places), c.Reason)
		}
		if sorted := slices.Sorted(slices.Values(c.Places)); len(slices.Compact(sorted)) != len(c.Places) {
			t.Errorf("%s has a place twice: %q", c.ID, c.Places)
		}
		if c.Name == "" {
			t.Errorf("%s has no name", c.ID)
		}
	}
	want := map[string]int{"A": 11, "B": 11, "C": 8, "D": 13, "E": 20, "F": 9, "G": 8, "H": 14, "I": 9, "J": 8, "K": 8, "L": 6, "M": 9, "N": 5, "O": 13}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("classes by group, want and got:\n%s", diff)
	}
	if len(classes) != 152 {
		t.Errorf("%d classes, want 152", len(classes))
	}
}

// TestNewRefuses holds that a mistake in the class is told.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if s, err := New(1, "Z9"); err == nil {
		t.Errorf("a server breaks a class that does not exist: %v", s.Close())
	}
}
