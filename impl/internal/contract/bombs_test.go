package contract

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// nodes is a schema of trees, with two alternatives that are told apart by a
// discriminator, and both of which come again.
const nodes = `{
	"openapi": "3.0.3", "info": {"title": "Nodes", "version": "1"},
	"paths": {"/nodes": {"post": {
		"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}},
		"responses": {"204": {"description": ""}}}}},
	"components": {"schemas": {
		"Node": {"oneOf": [{"$ref": "#/components/schemas/Left"}, {"$ref": "#/components/schemas/Right"}], "discriminator": {"propertyName": "kind"}},
		"Left": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}, "n": {"type": "integer"}}},
		"Right": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}, "n": {"type": "integer"}}}
	}}}`

type bomb struct {
	name string
	ct   *Contract
	s    *schema
	body []byte
}

func bombs(t testing.TB) []bomb {
	t.Helper()
	ct := ours(t)
	tree, err := New([]byte(nodes), Options{})
	if err != nil {
		t.Fatal(err)
	}
	customer := ct.paths["/api/v1/escrow/partner/customers"].operations["POST"].body.exact["application/json"].schema
	node := tree.paths["/nodes"].operations["POST"].body.exact["application/json"].schema
	methods := func(methods string) []byte {
		return []byte(`{"email":"ana@example.com","disbursement_methods":` + methods + `}`)
	}
	deep := func(depth int, leaf string) []byte {
		return []byte(strings.Repeat(`{"kind":"Left","next":`, depth) + `{"kind":"Right","n":` + leaf + `}` + strings.Repeat("}", depth))
	}
	repeat := func(item string, n int) string { return "[" + strings.Repeat(item+",", n-1) + item + "]" }
	var names strings.Builder
	for i := range 255 {
		fmt.Fprintf(&names, `"%s%d":1,`, strings.Repeat("x", 900), i)
	}
	return []bomb{
		{"nested arrays, 8 KB", ct, customer, methods(strings.Repeat("[", 4000) + strings.Repeat("]", 4000))},
		{"nested arrays, as deep as may be", ct, customer, methods(strings.Repeat("[", 31) + strings.Repeat("]", 31))},
		{"items, 200 KB", ct, customer, methods(repeat("1", 100_000))},
		{"items, as many as may be", ct, customer, methods(repeat("1", strictjson.MaxMembers))},
		{"items in items", ct, customer, methods(repeat(repeat("1", 100), strictjson.MaxMembers))},
		{"kinds with no other property", ct, customer, methods(repeat(`{"type":"wire_transfer"}`, strictjson.MaxMembers))},
		{"kinds that do not exist", ct, customer, methods(repeat(`{"type":"x"}`, strictjson.MaxMembers))},
		{"unknown properties with long names", ct, customer, []byte(`{` + names.String() + `"email":"a"}`)},
		{"long text", ct, customer, []byte(`{"email":"` + strings.Repeat("a@", 120_000) + `"}`)},
		{"recursive oneOf, good", tree, node, deep(30, "1")},
		{"recursive oneOf, with a fault at the end", tree, node, deep(30, `"x"`)},
		{"recursive oneOf, with faults all along", tree, node, []byte(strings.Repeat(`{"kind":"Left","n":"x","next":`, 30) + "1" + strings.Repeat("}", 30))},
		{"repeated names", ct, customer, []byte(`{` + strings.Repeat(`"a":1,`, 40_000) + `"a":1}`)},
	}
}

// explode does with a body what is done with one of a request.
func (b bomb) explode() []Fault {
	if b.s.fast.Valid(b.body) {
		return nil
	}
	value, malformed := strictjson.Decode(b.body)
	if len(malformed) > 0 {
		return fromStrict(malformed)
	}
	return b.ct.judge(b.s.kin, value)
}

// TestBombs checks that no body takes much memory to be judged. What decoding
// takes is in it only if that fails, for a value is as large as its body makes it.
func TestBombs(t *testing.T) { // not in parallel, for it looks at the memory of all
	const most = 1 << 20
	for _, b := range bombs(t) {
		faults := b.explode() // fills what is made once for each schema
		value, malformed := strictjson.Decode(b.body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if len(malformed) > 0 {
			b.explode()
		} else if !b.s.fast.Valid(b.body) {
			b.ct.judge(b.s.kin, value)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > most {
			t.Errorf("%s: %d bytes", b.name, took)
		}
		if good := strings.HasSuffix(b.name, "good"); good != (len(faults) == 0) || len(faults) > MaxFaults {
			t.Errorf("%s: %d faults", b.name, len(faults))
		}
	}
}

func BenchmarkBombs(b *testing.B) {
	for _, bomb := range bombs(b) {
		b.Run(strings.ReplaceAll(bomb.name, ",", ""), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bomb.explode()
			}
		})
	}
}

// BenchmarkBombsKin is the same without bounds: kin-openapi, asked for everything.
func BenchmarkBombsKin(b *testing.B) {
	for _, bomb := range bombs(b) {
		value, malformed := strictjson.Decode(bomb.body)
		if len(malformed) > 0 {
			continue
		}
		b.Run(strings.ReplaceAll(bomb.name, ",", ""), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = bomb.s.kin.VisitJSON(value, slices.Concat(bomb.ct.all, []openapi3.SchemaValidationOption{openapi3.VisitAsRequest()})...)
			}
		})
	}
}
