package finding

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	sizes := map[string]int{}
	names := map[string]string{}
	for _, c := range Classes() {
		letter := c.ID[:1]
		sizes[letter]++
		if want := fmt.Sprintf("%s%d", letter, sizes[letter]); c.ID != want {
			t.Errorf("%s stands where %s should", c.ID, want)
		}
		if other := names[c.Name]; other != "" || c.Name == "" || c.Group == "" {
			t.Errorf("%s has the name %q in the group %q, and %q has it too", c.ID, c.Name, c.Group, other)
		}
		names[c.Name] = c.ID
		if !c.Authority.Has(Contract) && !c.Authority.Has(Standard) && !c.Authority.Has(OptIn) {
			t.Errorf("%s has the authority %q", c.ID, c.Authority)
		}
		if got, ok := ClassByID(c.ID); !ok || got != c {
			t.Errorf("ClassByID(%s) = %v, %v", c.ID, got, ok)
		}
	}
	want := map[string]int{"A": 11, "B": 11, "C": 8, "D": 13, "E": 20, "F": 9, "G": 8, "H": 14, "I": 9, "J": 8, "K": 8, "L": 6, "M": 9, "N": 5, "O": 13}
	if d := cmp.Diff(want, sizes); d != "" {
		t.Error(d)
	}
	if _, ok := ClassByID("Z1"); ok {
		t.Error("there is a class Z1")
	}
}
