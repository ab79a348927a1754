package country_test

import (
	"testing"

	"github.com/biter777/countries"
	"golang.org/x/text/language"

	"cryptoexchange.com/escrow/impl/internal/country"
)

// TestExistsAgainstOtherTables compares every pair of letters with two tables
// kept by others: countries (ISO 3166) and the CLDR of x/text.
func TestExistsAgainstOtherTables(t *testing.T) {
	t.Parallel()
	count := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			got := country.Exists(code)
			if got {
				count++
			}
			// XK (Kosovo) is user-assigned, AN and YU are withdrawn (ISO
			// 3166-3): other tables have them, ISO 3166-1 does not.
			if code == "XK" || code == "AN" || code == "YU" {
				if got {
					t.Errorf("%s exists", code)
				}
				continue
			}
			if other := countries.ByName(code); got != (other != countries.Unknown && other.Alpha2() == code) {
				t.Errorf("%s: Exists = %v, countries says otherwise (%v)", code, got, other)
			}
			if region, err := language.ParseRegion(code); got && (err != nil || !region.IsCountry()) {
				t.Errorf("%s: exists, but CLDR does not know it as a country", code)
			}
		}
	}
	if count != 249 {
		t.Errorf("%d codes, want 249", count)
	}
}

func TestExistsWantsCapitals(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"us", "Us", "", "USA", "U", "ZZ", "UK"} {
		if country.Exists(code) {
			t.Errorf("Exists(%q) = true", code)
		}
	}
}

func TestNeedsState(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"US": true, "CA": true, "AU": true, "ES": false, "GB": false, "": false} {
		if got := country.NeedsState(code); got != want {
			t.Errorf("NeedsState(%q) = %v, want %v", code, got, want)
		}
	}
}
