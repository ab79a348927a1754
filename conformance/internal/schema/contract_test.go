package schema

import (
	"os"
	"testing"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

func contract(t testing.TB) *openapi.Document {
	t.Helper()
	raw, err := os.ReadFile("../../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := openapi.Load("openapi.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestExamplesOfTheContractAreValid(t *testing.T) {
	t.Parallel()
	d := contract(t)
	s, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	if u := s.Unjudged(); u != nil {
		t.Errorf("not judged: %v", u)
	}
	count := 0
	check := func(m *openapi.Schema, dir openapi.Direction, value any, where string) {
		count++
		for _, f := range s.ValidateValue(m, dir, value) {
			t.Errorf("the example of %s: %v", where, f)
		}
		for _, at := range s.Undeclared(m, dir, value) {
			t.Errorf("the example of %s has %s, which is not declared", where, at)
		}
	}
	for _, op := range d.Operations {
		for _, p := range op.Parameters {
			for _, e := range p.Examples {
				check(p.Schema, openapi.Request, e, p.Pointer)
			}
		}
		if op.Body != nil {
			for _, m := range op.Body.Content {
				for _, e := range m.Examples {
					check(m.Schema, openapi.Request, e.Value, e.Pointer)
				}
			}
		}
		for _, r := range op.Responses {
			for _, h := range r.Headers {
				for _, e := range h.Examples {
					check(h.Schema, openapi.Answer, e, h.Pointer)
				}
			}
			for _, m := range r.Content {
				for _, e := range m.Examples {
					check(m.Schema, openapi.Answer, e.Value, e.Pointer)
				}
			}
		}
	}
	for _, m := range d.Places() {
		for _, e := range m.Examples {
			check(m, openapi.Answer, e, m.Pointer)
		}
	}
	if count < 500 {
		t.Errorf("only %d examples were found", count)
	}
	t.Logf("%d examples", count)
}

func BenchmarkNew(b *testing.B) {
	d := contract(b)
	for b.Loop() {
		if _, err := New(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	raw := contract(b).Raw
	for b.Loop() {
		if _, err := openapi.Load("openapi.yaml", raw); err != nil {
			b.Fatal(err)
		}
	}
}
