package banking_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/banking"
)

func TestCheckIBAN(t *testing.T) {
	t.Parallel()
	germany := banking.IBAN{Value: "DE89370400440532013000", Country: "DE"}
	tests := []struct {
		name, iban string
		want       banking.IBAN
		detail     string // a part of it
		code       banking.Code
	}{
		{"electronic", "DE89370400440532013000", germany, "", ""},
		{"on paper", "DE89 3704 0044 0532 0130 00", germany, "", ""},
		{"small letters", " de89\u00a03704\u202f0044 0532 0130 00\n", germany, "", ""},
		{"letters in a bank of Brazil", "BR8412ABC345000010009795493C1", banking.IBAN{Value: "BR8412ABC345000010009795493C1", Country: "BR"}, "", ""},
		{"one digit", "DE89370400440532013001", banking.IBAN{}, "one character is probably mistyped", banking.CodeIBANCheckDigits},
		{"check digits", "DE98370400440532013000", banking.IBAN{}, "", banking.CodeIBANCheckDigits},
		{"too short", "DE8937040044053201300", banking.IBAN{}, "An IBAN of Germany has 22 characters; this one has 21.", banking.CodeIBANLength},
		{"too long", "GB29NWBK601613319268190", banking.IBAN{}, "An IBAN of the United Kingdom has 22 characters; this one has 23.", banking.CodeIBANLength},
		{"head only", "DE89", banking.IBAN{}, "this one has 4", banking.CodeIBANLength},
		{"letter for a digit", "DE8937040044O532013000", banking.IBAN{}, "Character 13 of an IBAN of Germany is a digit", banking.CodeIBANForm},
		{"digit for a letter", "GB29NW8K60161331926819", banking.IBAN{}, "Character 7 of an IBAN of the United Kingdom is a letter", banking.CodeIBANForm},
		{"letter in check digits", "DEB9370400440532013000", banking.IBAN{}, "Character 3", banking.CodeIBANForm},
		{"the vendors' example", "2929292", banking.IBAN{}, "begins with the two letters", banking.CodeIBANForm},
		{"an account number", "DK", banking.IBAN{}, "", banking.CodeIBANForm},
		{"empty", "", banking.IBAN{}, "", banking.CodeIBANForm},
		{"dashes", "DE89-3704-0044-0532-0130-00", banking.IBAN{}, "letters A to Z, digits and spaces", banking.CodeIBANForm},
		{"Cyrillic", "D\u041589370400440532013000", banking.IBAN{}, "", banking.CodeIBANForm},
		{"dotless i", "\u0131T60X0542811101000000123456", banking.IBAN{}, "", banking.CodeIBANForm},
		{"no such country", "ZZ89370400440532013000", banking.IBAN{}, "No IBAN begins with", banking.CodeIBANCountry},
		{"a country without", "US89370400440532013000", banking.IBAN{}, "give the account number instead", banking.CodeIBANCountry},
		{"a country that is not registered", "MA64011519000001205000534921", banking.IBAN{}, "", banking.CodeIBANCountry},
		{"a territory", "GG29NWBK60161331926819", banking.IBAN{}, "begin with GB, the letters of the United Kingdom", banking.CodeIBANCountry},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := banking.CheckIBAN(tt.iban)
			if diff := cmp.Diff(tt.want, got); diff != "" || code(err) != tt.code {
				t.Errorf("%v, want %q; -want +got:\n%s", err, tt.code, diff)
			}
			var refused *banking.Error
			if errors.As(err, &refused) && !strings.Contains(refused.Detail, tt.detail) {
				t.Errorf("%q does not contain %q", refused.Detail, tt.detail)
			}
		})
	}
}

// TestExamples takes the example of each country in the registry.
func TestExamples(t *testing.T) {
	t.Parallel()
	all := examples(t)
	if len(all) != 89 {
		t.Errorf("%d examples, want 89", len(all))
	}
	for _, example := range all {
		if got, err := banking.CheckIBAN(example); err != nil || got.Value != example || got.Country != example[:2] {
			t.Errorf("CheckIBAN(%q) = %+v, %v", example, got, err)
		}
	}
}

// TestOffBy97: check digits that are right modulo 97 and not from 02 to 98.
func TestOffBy97(t *testing.T) {
	t.Parallel()
	r := newRandom(t, 5)
	prefixes := examples(t)
	off := map[string]string{"97": "00", "98": "01", "02": "99"}
	for seen := map[string]bool{}; len(seen) < len(off); {
		iban := newIBAN(r, prefixes, 0.3)
		digits := iban[2:4]
		if other, ok := off[digits]; ok {
			seen[digits] = true
			if got := code(check(iban[:2] + other + iban[4:])); got != banking.CodeIBANCheckDigits || check(iban) != nil {
				t.Errorf("%q with %s: %q", iban, other, got)
			}
		}
	}
}

// holdsNot fails if an error is of another type, has no sentence, or holds the
// value. Values of one or two characters are found in any sentence.
func holdsNot(t *testing.T, err error, value string) {
	t.Helper()
	if err == nil {
		return
	}
	var refused *banking.Error
	if !errors.As(err, &refused) || refused.Code == "" || !strings.HasSuffix(refused.Detail, ".") {
		t.Fatalf("%#v", err)
	}
	if len(value) > 8 && strings.ContainsAny(value, digits) && strings.Contains(err.Error(), value) {
		t.Errorf("%v holds %q", err, value)
	}
}

// FuzzCheckIBAN: what is accepted is its own electronic form, and what the
// pattern of its country is for.
func FuzzCheckIBAN(f *testing.F) {
	for _, example := range examples(f) {
		f.Add(example)
	}
	for _, seed := range []string{"de89 3704 0044 0532 0130 00", "2929292", "DE", "GG", "\u017f\u0131", "\xff", "DE\x0089"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := banking.CheckIBAN(s)
		holdsNot(t, err, s)
		if err != nil {
			return
		}
		again, err := banking.CheckIBAN(got.Value)
		if diff := cmp.Diff(got, again); diff != "" || err != nil {
			t.Errorf("CheckIBAN(%q) = %+v, and again: %v\n%s", s, got, err, diff)
		}
		format, ok := banking.IBANFormat(got.Country)
		if !ok || !regexp.MustCompile(format.Pattern).MatchString(got.Value) {
			t.Errorf("%+v is not of the format %+v", got, format)
		}
	})
}
