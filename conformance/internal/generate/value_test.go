package generate

import (
	"reflect"
	"testing"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// used are the schemas of bodies, and the way that they go.
func used(doc *openapi.Document, visit func(op *openapi.Operation, m *openapi.Schema, dir openapi.Direction)) {
	for _, op := range doc.Operations {
		if op.Body != nil {
			for _, m := range op.Body.Content {
				visit(op, m.Schema, openapi.Request)
			}
		}
		for _, r := range op.Responses {
			for _, m := range r.Content {
				visit(op, m.Schema, openapi.Answer)
			}
		}
	}
}

func TestValidIsValid(t *testing.T) {
	t.Parallel()
	for name, doc := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, s := setFor(t, doc), source(doc)
			n := 0
			used(doc, func(op *openapi.Operation, m *openapi.Schema, dir openapi.Direction) {
				if m == nil {
					return
				}
				for _, mode := range []Mode{Full, Typical, Minimal} {
					n++
					v := s.Valid(m, dir, mode)
					if faults := set.ValidateValue(m, dir, v); len(faults) > 0 {
						t.Errorf("%s %s in mode %d: %v\n%s", op.ID, m.Pointer, mode, faults, mustJSON(v))
					}
				}
			})
			if n == 0 {
				t.Error("no schema was tried")
			}
		})
	}
}

func TestVariantsOfAnswers(t *testing.T) {
	t.Parallel()
	doc := documents(t)["lying"]
	set, s := setFor(t, doc), source(doc)
	n := [3]int{}
	used(doc, func(op *openapi.Operation, m *openapi.Schema, dir openapi.Direction) {
		if m == nil || dir != openapi.Answer || op.Method != "POST" {
			return
		}
		for _, v := range s.Variants(m, dir) {
			n[v.Side]++
			if faults := set.ValidateValue(m, dir, v.Value); (len(faults) == 0) != (v.Side == Keeps) {
				t.Errorf("%s: %s %s at %q: %v", op.ID, v.Side, v.Clause, v.At, faults)
			}
		}
	})
	if n[Keeps] == 0 || n[Breaks] == 0 {
		t.Errorf("%d keep, %d break", n[Keeps], n[Breaks])
	}
}

// TestDraftsDiffer has what must not be the same in two requests.
func TestDraftsDiffer(t *testing.T) {
	t.Parallel()
	doc := documents(t)["lying"]
	s := source(doc)
	seen := 0
	for _, op := range doc.Operations {
		a, b := s.Draft(op, Full), s.Draft(op, Full)
		for name, v := range a.Header {
			if idempotent(op, &openapi.Parameter{Name: name, In: "header"}) {
				seen++
				if v == b.Header[name] {
					t.Errorf("%s: two requests have the %s %v", op.ID, name, v)
				}
			}
		}
		for at := range uniquePlaces(op) {
			seen++
			v, _ := get(a.Body, at)
			w, _ := get(b.Body, at)
			if v == nil || reflect.DeepEqual(v, w) {
				t.Errorf("%s: two bodies have %v at %s", op.ID, v, at)
			}
		}
	}
	if seen == 0 {
		t.Error("nothing is unique")
	}
}
