package check

import (
	"testing"

	"cryptoexchange.com/escrow/conformance/internal/finding"
)

// TestHabits: what a server does wrong in most places is one mistake, and what it
// does wrong in some of many is a mistake in each.
func TestHabits(t *testing.T) {
	t.Parallel()
	const habit = "Takes null, in bodies"
	for name, test := range map[string]struct {
		with, without []string
		want          int
	}{
		"everywhere":         {[]string{"a", "b", "c"}, nil, 1},
		"in one place":       {[]string{"a"}, nil, 1},
		"in half of all":     {[]string{"a", "b"}, []string{"c", "d"}, 1},
		"in two of many":     {[]string{"a", "b"}, []string{"c", "d", "e"}, 2},
		"once not, then yes": {[]string{"a", "b"}, []string{"a", "b", "c"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Runner{findings: map[string]*finding.Finding{}}
			for _, at := range test.with {
				r.findings[at] = &finding.Finding{ID: at, Class: "E7", Operation: "op", Pointer: at, Habits: []string{habit}}
			}
			for _, at := range test.without {
				r.habits.free("E7", []string{habit}, "op "+at)
			}
			r.habits.free("E7", nil, "op z")
			got := r.Mistakes()
			if len(got) != test.want {
				t.Errorf("%d findings, want %d: %+v", len(got), test.want, got)
			}
			if all := r.Findings(); len(all) != len(test.with) || all[0].Cause != "" {
				t.Errorf("the findings themselves are changed: %+v", all)
			}
		})
	}
}

func TestCauseOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		f    finding.Finding
		want string
	}{
		{finding.Finding{Class: "B6", Operation: "op", Pointer: "/paths/x", Claim: "401 comes without a challenge."}, "401 comes without a challenge."},
		{finding.Finding{Class: "N4", Operation: "op", Claim: "op lets shared caches keep it."}, "lets shared caches keep it."},
		{finding.Finding{Class: "D5", Operation: "op", Pointer: "/components/schemas/A/format", Claim: "is wrong"}, "is wrong (/components/schemas/A/format)"},
		{finding.Finding{Class: "D5", Operation: "op", Pointer: "/paths/x/format", Claim: "is wrong"}, ""},
		{finding.Finding{Class: "H2", Operation: "op", Pointer: "/components/schemas/A", Claim: "is not read as it was written"}, ""},
		{finding.Finding{Class: "A2", Operation: "op", Pointer: "/paths/x", Claim: "op fails with 500."}, ""},
		{finding.Finding{Class: "A1", Operation: "op", Claim: "op answers with 400.", Cause: "Answers with 400"}, "Answers with 400"},
	} {
		if got := causeOf(&test.f); got != test.want {
			t.Errorf("%s at %s: %q, want %q", test.f.Class, test.f.Pointer, got, test.want)
		}
	}
}
