package banking

import (
	"fmt"
	"strings"
)

// IBAN is an international bank account number.
type IBAN struct {
	Value   string // in the electronic format: without spaces, in capitals
	Country string // the first two letters: ISO 3166-1 alpha-2, or XK for Kosovo
}

// ibanHead is the length of what comes before the domestic part: country and
// check digits.
const ibanHead = 4

// CheckIBAN reads an IBAN of ISO 13616-1: the two letters of a country in the
// registry, two check digits, and as many characters of the kinds as the
// registry says for the country. Case and spaces make no difference. Errors are
// of type [*Error], with the codes [CodeIBANForm], [CodeIBANCountry],
// [CodeIBANLength] and [CodeIBANCheckDigits].
//
// The check digits are those of ISO 7064, MOD 97-10. They are computed and
// compared, for the usual test, that the whole is 1 modulo 97, takes 00, 01 and
// 99 for 97, 98 and 02.
func CheckIBAN(s string) (IBAN, error) {
	value := electronic(s)
	f, err := formatOf(value)
	if err != nil {
		return IBAN{}, err
	}
	if len(value) != f.Length {
		return IBAN{}, &Error{CodeIBANLength, fmt.Sprintf("An IBAN of %s has %d characters; this one has %d.", f.Name, f.Length, len(value))}
	}
	if i := misfit(value, f.classes); i >= 0 {
		kind := "digit"
		if f.classes[i] == classLetter {
			kind = "letter"
		}
		return IBAN{}, &Error{CodeIBANForm, fmt.Sprintf("Character %d of an IBAN of %s is a %s; in this one it is not.", i+1, f.Name, kind)}
	}
	if int(value[2]-'0')*10+int(value[3]-'0') != checkDigits(f.Country, value[ibanHead:]) {
		return IBAN{}, &Error{CodeIBANCheckDigits, "The check digits of this IBAN do not match: one character is probably mistyped."}
	}
	return IBAN{Value: value, Country: f.Country}, nil
}

// formatOf gives the format to which value must conform by its first letters.
func formatOf(value string) (Format, error) {
	if i := misfit(value, strings.Repeat("c", len(value))); i >= 0 {
		return Format{}, &Error{CodeIBANForm, "An IBAN has letters A to Z, digits and spaces only."}
	}
	if len(value) < ibanHead || misfit(value[:2], "aa") >= 0 {
		return Format{}, &Error{CodeIBANForm, "An IBAN begins with the two letters of a country. " +
			"If your bank has given you a number without them, give it as the account number instead."}
	}
	prefix := value[:2]
	if f, ok := formats()[prefix]; ok {
		return f, nil
	}
	if of, ok := included()[prefix]; ok {
		return Format{}, &Error{CodeIBANCountry, "IBANs of banks there begin with " + of + ", the letters of " + formats()[of].Name +
			". Ask your bank for yours."}
	}
	return Format{}, &Error{CodeIBANCountry, "No IBAN begins with these two letters: one of them is probably mistyped. " +
		"If the country of your bank has no IBANs, give the account number instead."}
}

// checkDigits computes the check digits of ISO 7064, MOD 97-10: from 2 to 98.
// Letters count as two digits, A as 10 (ISO 13616-1).
func checkDigits(country, domestic string) int {
	remainder := 0
	for _, c := range []byte(domestic + country + "00") {
		if isClass(classLetter, c) {
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		} else {
			remainder = (remainder*10 + int(c-'0')) % 97
		}
	}
	return 98 - remainder
}
