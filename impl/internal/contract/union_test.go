package contract

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// TestDiscriminator checks that the faults of an object in a union are those
// against the schema of its own kind, and that one which tells no kind is told so.
func TestDiscriminator(t *testing.T) {
	t.Parallel()
	ct := ours(t)
	schema := ct.paths["/api/v1/escrow/partner/customers"].operations["POST"].body.exact["application/json"].schema.kin
	const wallet = `"type":"crypto_wallet","asset":"BTC","network":"bitcoin","address":"bc1"`
	tests := []struct {
		name, method string
		want         []string // pointers and codes
	}{
		{"good", `{` + wallet + `}`, nil},
		{"no kind", `{}`, []string{"/type required"}},
		{"unknown kind", `{"type":"x"}`, []string{"/type enum"}},
		{"kind of another type", `{"type":1}`, []string{"/type enum"}},
		{"no object", `"ach"`, []string{" type"}},
		{"null", `null`, []string{" type"}},
		{"property of another kind", `{` + wallet + `,"bank_name":"x"}`, []string{"/bank_name unknown_property"}},
		{"kind in capitals as well", `{` + wallet + `,"TYPE":"ach"}`, []string{"/TYPE unknown_property"}},
		{"faults of a kind", `{"type":"crypto_wallet","asset":"btc","network":"doge","address":"a b"}`, []string{"/address pattern", "/asset pattern", "/network enum"}},
		{
			"nested", `{"type":"wire_transfer","account_name":"A","currency":"eur","bank_name":"B","bank_address":{"city":1,"x":2},"beneficiary_address":{"line1":"a","city":"b","country":"US"}}`,
			[]string{"/bank_address/x unknown_property", "/bank_address/country required", "/bank_address/city type"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			value, malformed := strictjson.Decode([]byte(`{"email":"ana@example.com","disbursement_methods":[{` + wallet + `},` + tt.method + `]}`))
			if len(malformed) > 0 {
				t.Fatal(malformed)
			}
			var got []string
			for _, f := range ct.judge(schema, value) {
				const place = "/disbursement_methods/1"
				if len(f.Pointer) < len(place) || f.Pointer[:len(place)] != place {
					t.Errorf("fault at %s", f.Pointer)
					continue
				}
				got = append(got, f.Pointer[len(place):]+" "+f.Code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
