package mutate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// sightings is what was seen in answers, and by which probes: of a clause, that an
// answer came to which it applies; of a schema, its values.
type sightings struct {
	set *schema.Set

	mu     sync.Mutex
	places map[string]*sighting            // by pointer; guarded by mu, as are the others
	values map[string]map[string]*sighting // by pointer of a schema and JSON of the value
	cost   map[string]int                  // exchanges by probe
}

// sighting is one thing that was seen.
type sighting struct {
	value  any             // nil for places
	probes map[string]bool // names
}

// Bounds of what is kept.
const (
	mostValues = 24 // of one schema
	mostProbes = 64 // of one sighting
	mostSeen   = 8  // probes that are tried for one flip
	absent     = "#absent"
)

func newSightings(set *schema.Set) *sightings {
	return &sightings{set: set, places: map[string]*sighting{}, values: map[string]map[string]*sighting{}, cost: map[string]int{}}
}

// examples takes those of the document for answers that somebody saw.
func examples(doc *openapi.Document) (*sightings, error) {
	set, err := schema.New(doc)
	if err != nil {
		return nil, fmt.Errorf("read schemas: %w", err)
	}
	s := newSightings(set)
	for _, op := range doc.Operations {
		for key, response := range op.Responses {
			s.touch("", op.StatusPointer(key), response.Pointer)
			for _, h := range response.Headers {
				for _, v := range h.Examples {
					s.header("", response, h, fmt.Sprint(v))
				}
			}
			for _, m := range response.Content {
				s.touch("", m.Pointer)
				for _, e := range m.Examples {
					s.look("", m.Schema, e.Value)
				}
			}
		}
	}
	for _, place := range doc.Places() {
		for _, v := range place.Examples {
			s.look("", place, v)
		}
	}
	return s, nil
}

// exchange notes what an answer shows.
func (s *sightings) exchange(probe string, op *openapi.Operation, ex *wire.Exchange) {
	s.mu.Lock()
	s.cost[probe]++
	s.mu.Unlock()
	if op == nil || ex.Response == nil || ex.Request.Method != op.Method {
		return
	}
	key, response := declared(op, ex.Response.Status)
	if response == nil {
		return
	}
	s.touch(probe, op.StatusPointer(key), response.Pointer)
	for _, h := range response.Headers {
		lines := ex.Response.Values(h.Name)
		if len(lines) == 0 {
			s.touch(probe, h.Pointer+absent)
		}
		for _, line := range lines {
			s.header(probe, response, h, line)
		}
	}
	got, _, err := mime.ParseMediaType(ex.Response.Get("Content-Type"))
	if err != nil {
		return
	}
	for _, m := range response.Content {
		if !strings.EqualFold(m.Type, got) {
			continue
		}
		s.touch(probe, m.Pointer)
		if body, err := schema.Parse(ex.Response.Body); err == nil && strings.HasSuffix(got, "json") {
			s.look(probe, m.Schema, body)
		}
	}
}

// waits notes that a probe takes long, however few requests it sends.
func (s *sightings) waits(probe string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cost[probe] = max(s.cost[probe], dear)
}

// dear is the cost of a probe that waits: it is tried when no other is left.
const dear = 1 << 20

// declared finds the response of a status (OpenAPI 3.0.3, 4.7.16).
func declared(op *openapi.Operation, status int) (string, *openapi.Response) {
	for _, key := range []string{strconv.Itoa(status), strconv.Itoa(status/100) + "XX", strconv.Itoa(status/100) + "xx", "default"} {
		if r := op.Responses[key]; r != nil {
			return key, r
		}
	}
	return "", nil
}

func (s *sightings) header(probe string, response *openapi.Response, h *openapi.Header, line string) {
	s.touch(probe, h.Pointer, openapi.Join(response.Pointer, "headers", h.Name))
	if h.Schema == nil {
		return
	}
	var value any = line
	if _, err := strconv.ParseFloat(line, 64); err == nil && !h.Schema.Allows("string") {
		value = json.Number(line)
	}
	s.look(probe, h.Schema, value)
}

func (s *sightings) touch(probe string, pointers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pointer := range pointers {
		if s.places[pointer] == nil {
			s.places[pointer] = &sighting{probes: map[string]bool{}}
		}
		s.places[pointer].by(probe)
	}
}

func (x *sighting) by(probe string) {
	if probe != "" && len(x.probes) < mostProbes {
		x.probes[probe] = true
	}
}

// look goes through a value and the schemas that apply to it.
func (s *sightings) look(probe string, m *openapi.Schema, v any) {
	s.lookAt(probe, []*openapi.Schema{m}, v, 0)
}

// deepest is how deep values are looked into.
const deepest = 40

func (s *sightings) lookAt(probe string, schemas []*openapi.Schema, v any, depth int) {
	if depth > deepest {
		return
	}
	var apply []*openapi.Schema
	for _, m := range schemas {
		for _, t := range s.set.Applicable(m, openapi.Answer, v) {
			if !slices.Contains(apply, t) {
				apply = append(apply, t)
			}
		}
	}
	for _, m := range apply {
		s.value(probe, m.Pointer, v)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			var below []*openapi.Schema
			for _, m := range apply {
				found := false
				for _, p := range m.Properties {
					if p.Name == name {
						s.touch(probe, openapi.Join(m.Pointer, "properties", name))
						below, found = append(below, p.Schema), true
					}
				}
				if !found && m.Additional != nil {
					below = append(below, m.Additional)
				}
			}
			s.lookAt(probe, below, member, depth+1)
		}
	case []any:
		for i, item := range v {
			var below []*openapi.Schema
			for _, m := range apply {
				switch {
				case i < len(m.PrefixItems):
					below = append(below, m.PrefixItems[i])
				case m.Items != nil:
					below = append(below, m.Items)
				}
			}
			s.lookAt(probe, below, item, depth+1)
		}
	}
}

// shape stands for the value of an object or array: what flips are made of.
type shape struct {
	Kind string // object or array
	Size int    // members
}

// value notes a value of a schema.
func (s *sightings) value(probe, pointer string, v any) {
	switch c := v.(type) {
	case map[string]any:
		v = shape{"object", len(c)}
	case []any:
		v = shape{"array", len(c)}
	}
	key := fmt.Sprintf("%T %v", v, v)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values[pointer] == nil {
		s.values[pointer] = map[string]*sighting{}
	}
	known := s.values[pointer][key]
	if known == nil {
		if len(s.values[pointer]) >= mostValues {
			return
		}
		known = &sighting{value: v, probes: map[string]bool{}}
		s.values[pointer][key] = known
	}
	known.by(probe)
}

// at tells who saw something at a place.
func (s *sightings) at(pointer string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.places[pointer]
	if x == nil {
		return nil
	}
	return s.cheapest(x)
}

// cheapest gives the probes of some sightings, those that need the fewest requests
// first. The caller holds the lock.
func (s *sightings) cheapest(from ...*sighting) []string {
	var names []string
	for _, x := range from {
		for name := range x.probes {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(s.cost[a], s.cost[b]), cmp.Compare(a, b)) })
	return names[:min(len(names), mostSeen)]
}

// of gives the values of a schema that were seen: those that most probes saw first.
func (s *sightings) of(pointer string) []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*sighting, 0, len(s.values[pointer]))
	for _, x := range s.values[pointer] {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b *sighting) int {
		return cmp.Or(cmp.Compare(len(b.probes), len(a.probes)), cmp.Compare(fmt.Sprint(a.value), fmt.Sprint(b.value)))
	})
	values := make([]any, len(list))
	for i, x := range list {
		values[i] = x.value
	}
	return values
}

// who gives the probes that saw a value which a test holds for.
func (s *sightings) who(pointer string, test func(any) bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var from []*sighting
	for _, x := range s.values[pointer] {
		if test(x.value) {
			from = append(from, x)
		}
	}
	return s.cheapest(from...)
}

// merge adds what only examples show of schemas of which nothing was seen, so that
// there are flips of them: they survive.
func (s *sightings) merge(from *sightings) {
	for pointer, values := range from.values {
		if s.values[pointer] == nil {
			s.values[pointer] = values
		}
	}
	for pointer, x := range from.places {
		if s.places[pointer] == nil {
			s.places[pointer] = x
		}
	}
}

// beyond are statuses that a server which is well, and whose throttles are off,
// does not answer with: nobody can make it keep or break what is said of them.
func beyond(key string) bool {
	return key == strconv.Itoa(http.StatusTooManyRequests) || strings.HasPrefix(key, "5") || ofHTTP(key)
}

// ofHTTP are statuses with which HTTP answers before an operation is reached: no
// document needs to declare them.
func ofHTTP(key string) bool {
	switch key {
	case "408", "411", "414", "417", "421", "426", "431", "505":
		return true
	}
	return false
}
