package finding

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// ID makes the identity of a finding of a class out of what it is about, which must
// have no random data in it.
func ID(class string, about ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{class}, about...), "\x00")))
	return strings.ToLower(class) + "-" + fmt.Sprintf("%x", sum[:5])
}

// Cluster puts findings of one class, one severity and one cause together: who mends
// one of them mends all. What it makes of them stands where the first of them stood,
// tells of the one that is the easiest to send again, and lists them all as its
// places.
//
// Its identity is made of the cause, so that it is the same if it is seen in other
// places; that of each place is the one that the finding had.
func Cluster(all []Finding) []Finding {
	type key struct {
		class, cause string
		severity     Severity
	}
	var order []key
	groups := map[key][]Finding{}
	for _, f := range all {
		if f.Cause != "" && f.CauseClass != "" {
			f.Class = f.CauseClass
		}
		k := key{f.Class, f.Cause, f.Severity}
		if f.Cause == "" {
			k.cause = "\x00" + f.ID
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], f)
	}
	clustered := make([]Finding, 0, len(order))
	for _, k := range order {
		clustered = append(clustered, merge(groups[k]))
	}
	return clustered
}

// merge makes one finding of those of a cause.
func merge(group []Finding) Finding {
	if group[0].Cause == "" {
		return group[0]
	}
	slices.SortStableFunc(group, func(a, b Finding) int {
		return cmp.Or(
			compareBool(a.Flaky, b.Flaky), cmp.Compare(len(a.Steps), len(b.Steps)), cmp.Compare(bulk(a), bulk(b)),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.ID, b.ID),
		)
	})
	f := group[0]
	f.ID, f.Seen = ID(f.Class, f.Severity.String(), f.Cause), 0
	for _, g := range group {
		f.Seen += g.Seen
		f.Places = append(f.Places, Place{
			ID: g.ID, Operation: g.Operation, Pointer: g.Pointer, Position: g.Position,
			Claim: g.Claim, Replay: g.Replay, Sent: g.Sent, Got: g.Got, Flaky: g.Flaky,
		})
	}
	if len(group) > 1 {
		f.Claim = f.Cause
	}
	return f
}

// bulk is how much is sent, in steps of half a kibibyte: random values make a request
// somewhat longer or shorter, and must not choose.
func bulk(f Finding) int {
	n := 0
	for _, s := range f.Steps {
		if s.Request != nil {
			n += len(s.Request.Body) + len(s.Request.Raw) + len(s.Request.Target)
		}
	}
	return n / 512
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// Operations are those in which a finding was seen, without the empty name of the
// whole server.
func (f *Finding) Operations() []string {
	all := []string{f.Operation}
	for _, p := range f.Places {
		all = append(all, p.Operation)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(id string) bool { return id == "" })
}
