package generate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThin(t *testing.T) {
	t.Parallel()
	at := func(clause, at string) *proto {
		return simple("body", "", Variant{Clause: clause, At: at}, nil)
	}
	all := []*proto{at("/a", "/1"), at("/a", "/2"), at("/b", "/1"), at("/a", "/3"), at("/b", "/2")}
	for _, test := range []struct {
		name string
		most int
		want []bool
	}{
		{"room for all", 5, []bool{true, true, true, true, true}},
		{"room for two places of each", 4, []bool{true, true, true, false, true}},
		{"room for one place of each", 3, []bool{true, false, true, false, false}},
		{"no room, and yet one of each", 1, []bool{true, false, true, false, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			few := thin(all, test.most)
			var got []bool
			for _, p := range all {
				got = append(got, few[p])
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("chosen (-want +got):\n%s", diff)
			}
		})
	}
}
