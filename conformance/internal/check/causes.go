package check

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
)

// # One mistake is one finding
//
// A finding is seen at an operation and a clause, but what has to be mended is
// often one thing for all of them. What that is can be told from outside in three
// ways, and findings for which none holds are left alone:
//
//   - Some mistakes are those of what a program has once: what writes challenges,
//     routes, or renders errors ([everywhere], [generic]).
//   - A clause that several operations refer to is written once.
//   - A reader that takes null for a text does so in any body. But a server may also
//     take it in one place, by a mistake in that place: it is a habit only if it was
//     seen in two places that are at least half of those in which it was tried, or in
//     three that are a quarter.

// everywhere are the classes whose mistakes are made by one part of a program for
// all its operations, and whose claims name no place but, at their beginning, the
// operation.
var everywhere = []string{
	"A5", "A8", // which status is for which mistake
	"B4", "B6", "B7", "B8", "B11", // headers that a framework or a middleware writes
	"C5", "C8", // how bodies are labelled
	"F8",             // what is looked at first
	"G3", "G6", "G8", // the router
	"K6", "N4", // compression, caching
	"L2", "L4", "L5", // how errors are rendered
	"O1", "O2", "O3", "O6", // the HTTP server, and its reader of bodies
}

// ofClauses are the groups of the catalogue that are about single clauses: one that is
// broken by several operations is one mistake. What comes of a sequence of requests
// (state, tenants, lists) depends on how each operation is written.
const ofClauses = "BCDEKL"

// generic are the statuses of errors that are the same for all operations: that a
// document does not have them is one omission. 409 or 410 means something else in
// each.
var generic = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests,
	http.StatusNotImplemented,
}

// causeOf says what the cause of a finding is, if it does not say so itself.
func causeOf(f *finding.Finding) string {
	claim := strings.TrimPrefix(f.Claim, f.Operation+" ")
	switch {
	case f.Cause != "":
		return f.Cause
	case slices.Contains(everywhere, f.Class):
		return claim
	case strings.HasPrefix(f.Pointer, "/components/") && strings.Contains(ofClauses, f.Class[:1]):
		return claim + " (" + f.Pointer + ")"
	default:
		return ""
	}
}

// habits is what servers were seen to do right where they might have had a habit of
// doing it wrong.
type habits struct {
	mu      sync.Mutex
	without map[string]map[string]bool // places by habit; guarded by mu
}

// free notes that habits of a class did not show in a place.
func (h *habits) free(class string, all []string, place string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.without == nil {
		h.without = map[string]map[string]bool{}
	}
	for _, habit := range all {
		if h.without[class+habit] == nil {
			h.without[class+habit] = map[string]bool{}
		}
		h.without[class+habit][place] = true
	}
}

// has tells whether it is a habit, by the findings that show it.
func (h *habits) has(habit string, shown []finding.Finding) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	with := map[string]bool{}
	for _, f := range shown {
		with[f.Operation+" "+f.Pointer], with[f.Operation] = true, false
	}
	free := 0
	for place := range h.without[habit] {
		if _, shows := with[place]; !shows {
			free++
		}
	}
	n := 0
	for _, place := range with {
		if place {
			n++
		}
	}
	return n >= 2 && n >= free || n >= 3 && 3*n >= free
}

// Mistakes are the findings of the run, with those of one cause put together.
func (r *Runner) Mistakes() []finding.Finding {
	all := r.Findings()
	shown := map[string][]finding.Finding{}
	for _, f := range all {
		for _, habit := range f.Habits {
			shown[f.Class+habit] = append(shown[f.Class+habit], f)
		}
	}
	for i, f := range all {
		for _, habit := range f.Habits {
			if r.habits.has(f.Class+habit, shown[f.Class+habit]) {
				all[i].Cause = habit
				break
			}
		}
	}
	return finding.Cluster(all)
}

// kindOfPlace names the kind of place of a case.
func kindOfPlace(c generate.Case) string {
	switch in, _, _ := strings.Cut(c.In, ":"); in {
	case "body":
		return "bodies"
	case "query", "header", "path", "cookie":
		return in + " parameters"
	default:
		return "requests"
	}
}

// takes are the habits that show if a case is taken that breaks its clause.
func takes(c generate.Case) []string {
	what, in := "Takes "+c.Why, ", in "+kindOfPlace(c)
	switch c.Keyword {
	case "mediaType":
		return []string{what}
	case "format", "contentEncoding": // what reads these may be the same wherever they are
		return []string{what, what + in}
	case "type", "enum", "const", "oneOf", "anyOf", "discriminator":
		return []string{what + in}
	default:
		return []string{"Takes what breaks " + c.Keyword + in}
	}
}

// refusesValid are the habits that show if a case is refused that keeps its clause.
func refusesValid(c generate.Case) []string {
	if c.Class == "K5" {
		return []string{"Refuses numbers with more digits than a float64 holds, in " + kindOfPlace(c)}
	}
	switch c.Keyword {
	case "requestBody":
		return []string{"Refuses a request " + c.Why}
	case "type", "format", "contentEncoding", "mediaType", "parameter":
		return []string{"Refuses " + c.Why + ", in " + kindOfPlace(c)}
	default:
		return nil
	}
}

// alternative is the end of the pointer of what is of no type in one alternative of a
// union: null is so in all of them, by one mistake.
var alternative = regexp.MustCompile(`/(oneOf|anyOf)/[0-9]+/type$`)

// placeOf is where a case was tried.
func placeOf(c generate.Case) string { return c.Op.ID + " " + c.Clause }
