package checker_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/checker"
	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// BenchmarkValid compares a checker to what it saves: decoding, and the visit of
// what was decoded.
func BenchmarkValid(b *testing.B) {
	closed := load(b, spec.YAML)
	closeObjects(closed)
	requests := load(b, spec.YAML)
	examples := map[string]any{"Problem": problemExample}
	for _, media := range requests.Paths.Find("/partner/customers").Post.RequestBody.Value.Content {
		names := slices.Sorted(maps.Keys(media.Examples))
		examples["NewCustomer"] = media.Examples[names[len(names)-1]].Value.Value
	}
	for _, name := range []string{"Customer", "NewCustomer", "Problem"} {
		doc := closed
		if name == "NewCustomer" {
			doc = requests
		}
		s := doc.Components.Schemas[name].Value
		if examples[name] == nil {
			examples[name] = s.Example
		}
		body, err := json.Marshal(examples[name])
		if err != nil {
			b.Fatal(err)
		}
		c := checker.Compile(s, formats)
		value, faults := strictjson.Decode(body)
		if faults != nil || !c.Valid(body) || s.VisitJSON(value, visitOptions...) != nil {
			b.Fatalf("%s: %v, %v, %s", name, faults, s.VisitJSON(value, visitOptions...), body)
		}
		b.Run(name+"/checker", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				c.Valid(body)
			}
		})
		b.Run(name+"/kin", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = s.VisitJSON(value, visitOptions...)
			}
		})
		b.Run(name+"/decode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				strictjson.Decode(body)
			}
		})
	}
}

var problemExample = map[string]any{
	"type": "https://cryptoexchange.com/problems/invalid_request", "title": "Bad Request", "status": 400,
	"detail": "The request breaks the contract in 2 places.", "code": "invalid_request",
	"request_id": "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", "error_count": 2,
	"errors": []any{
		map[string]any{"pointer": "/email", "code": "required", "detail": "This property is required."},
		map[string]any{"pointer": "/address/country", "code": "pattern", "detail": "This must be two capital letters."},
	},
}
