package httpapi

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/gen"
)

// TestPrefersLenient reads headers as RFC 7240 §2 has them.
func TestPrefersLenient(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"handling=lenient":                  true,
		`Handling = "lenient"`:              true,
		"respond-async, handling=lenient":   true,
		"handling=lenient; foo=bar, wait=1": true,
		"handling=strict, handling=lenient": false, // the first counts
		"handling=strict":                   false,
		"handling":                          false,
		"lenient":                           false,
		"xhandling=lenient":                 false,
		"":                                  false,
	} {
		if got := prefersLenient(header); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
}

// TestMethodPostCodes checks that numbers get the zeros back that led them in
// the United States, in each address of a method, as in a customer's own.
func TestMethodPostCodes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{"type":"ach","bank_address":{"post_code":501}}`:                  {"00501"},
		`{"type":"ach","bank_address":{"country":"US","post_code":"501"}}`: {"501"},
		`{"type":"wire_transfer","bank_address":{"country":"ES","post_code":8001},"beneficiary_address":{"country":"US","post_code":2108},
			"intermediary_bank":{"bank_address":{"country":"US","post_code":501}}}`: {"8001", "02108", "00501"},
	} {
		var m gen.NewDisbursementMethod
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		d, err := fromAPIMethod(m)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{d.BankAddress.PostCode}
		if d.BeneficiaryAddress != nil {
			got = append(got, d.BeneficiaryAddress.PostCode, d.Intermediary.BankAddress.PostCode)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
}
