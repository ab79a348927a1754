package finding

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/wire"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	one := func(id, class, operation, cause string, steps int, change ...func(*Finding)) Finding {
		f := Finding{ID: id, Class: class, Severity: Must, Operation: operation, Claim: "claim of " + operation, Cause: cause, Replay: "r" + id, Seen: 2, Steps: make([]wire.Exchange, steps)}
		for _, c := range change {
			c(&f)
		}
		return f
	}
	should := func(f *Finding) { f.Severity = Should }
	flaky := func(f *Finding) { f.Flaky = true }
	got := Cluster([]Finding{
		one("1", "B6", "a", "no challenge", 3),
		one("2", "A2", "a", "", 1),
		one("3", "B6", "b", "no challenge", 1, flaky),
		one("4", "B6", "c", "no challenge", 2),
		one("5", "B4", "c", "no challenge", 1),         // another class
		one("6", "B6", "c", "no challenge", 1, should), // another severity
		one("7", "A2", "a", "", 1),                     // its own, as the other is
		one("8", "B6", "a", "two challenges", 1),       // another cause
	})
	type summary struct {
		ID, Operation, Claim, Replay string
		Seen                         int
		Flaky                        bool
		Places                       []string
	}
	var all []summary
	for _, f := range got {
		s := summary{f.ID, f.Operation, f.Claim, f.Replay, f.Seen, f.Flaky, nil}
		for _, p := range f.Places {
			s.Places = append(s.Places, p.ID)
		}
		all = append(all, s)
	}
	want := []summary{
		{ID("B6", "must", "no challenge"), "c", "no challenge", "r4", 6, false, []string{"4", "1", "3"}},
		{"2", "a", "claim of a", "r2", 2, false, nil},
		{ID("B4", "must", "no challenge"), "c", "claim of c", "r5", 2, false, []string{"5"}},
		{ID("B6", "should", "no challenge"), "c", "claim of c", "r6", 2, false, []string{"6"}},
		{"7", "a", "claim of a", "r7", 2, false, nil},
		{ID("B6", "must", "two challenges"), "a", "claim of a", "r8", 2, false, []string{"8"}},
	}
	if d := cmp.Diff(want, all); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, got[0].Operations()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(0, len((&Finding{}).Operations())); d != "" {
		t.Error(d)
	}
}
