package banking_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	jbub "github.com/jbub/banking/country"

	"cryptoexchange.com/escrow/impl/internal/banking"
	"cryptoexchange.com/escrow/impl/internal/country"
)

func TestHasIBAN(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"DE": true, "GB": true, "XK": true, "BR": true, "AX": true, "GP": true, "JE": true,
		"US": false, "CA": false, "AU": false, "MA": false, "UK": false, "de": false, "": false, "DEU": false,
	} {
		if got := banking.HasIBAN(code); got != want {
			t.Errorf("HasIBAN(%q) = %v, want %v", code, got, want)
		}
	}
}

func TestIBANFormat(t *testing.T) {
	t.Parallel()
	kingdom := banking.Format{
		Country: "GB", Name: "the United Kingdom", Structure: "4!a6!n8!n", Length: 22,
		Pattern: "^GB[0-9]{2}[A-Z]{4}[0-9]{6}[0-9]{8}$",
	}
	for _, code := range []string{"GB", "JE"} {
		got, ok := banking.IBANFormat(code)
		if diff := cmp.Diff(kingdom, got, cmpopts.IgnoreUnexported(got)); !ok || diff != "" {
			t.Errorf("IBANFormat(%q): %v, -want +got:\n%s", code, ok, diff)
		}
	}
}

// TestRegistry holds each line of the table to the form of the registry, to its
// example there, and to the length that jbub/banking has for it.
func TestRegistry(t *testing.T) {
	t.Parallel()
	structure := regexp.MustCompile(`^([1-9][0-9]*![nac])+$`)
	known := 0
	for _, a := range letters {
		for _, b := range letters {
			code := string([]rune{a, b})
			f, ok := banking.IBANFormat(code)
			if !ok {
				continue
			}
			if !country.Exists(code) && code != "XK" {
				t.Errorf("%s is no country", code)
			}
			if f.Country != code {
				continue // included in another one
			}
			known++
			if !structure.MatchString(f.Structure) || f.Name == "" || f.Length < 15 || f.Length > 34 {
				t.Errorf("%+v", f)
			}
			if other, ok := jbub.GetBbanStructure(code); ok && other.Length()+4 != f.Length {
				t.Errorf("%s: %d characters, jbub/banking has %d", code, f.Length, other.Length()+4)
			}
		}
	}
	if known != 89 {
		t.Errorf("%d prefixes, want 89", known)
	}
	for _, example := range examples(t) {
		f, _ := banking.IBANFormat(example[:2])
		if !regexp.MustCompile(f.Pattern).MatchString(example) {
			t.Errorf("%s is not of the format %+v", example, f)
		}
	}
}
