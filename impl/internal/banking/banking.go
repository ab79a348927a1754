package banking

import (
	"strings"
	"unicode"
)

// Code names why a value is refused. Codes are stable: clients tell errors apart
// by them.
type Code string

// The codes of errors.
const (
	// CodeRoutingNumberForm is for what is not nine digits, or zeros only.
	CodeRoutingNumberForm Code = "routing_number_form"
	// CodeRoutingNumberPrefix is for first two digits that are not given out.
	CodeRoutingNumberPrefix     Code = "routing_number_prefix"
	CodeRoutingNumberCheckDigit Code = "routing_number_check_digit"

	// CodeIBANForm is for a character that an IBAN, or one of its country, does
	// not have at that place.
	CodeIBANForm Code = "iban_form"
	// CodeIBANCountry is for first two letters that are not in the registry.
	CodeIBANCountry     Code = "iban_country"
	CodeIBANLength      Code = "iban_length"
	CodeIBANCheckDigits Code = "iban_check_digits"

	CodeBICForm Code = "bic_form"
	// CodeBICCountry is for letters 5 and 6 that are not the code of a country.
	CodeBICCountry Code = "bic_country"
)

// Error is why a value is refused. Detail is one or two sentences for the person
// who gave the value: what is wrong and what to do. It never holds the value.
type Error struct {
	Code   Code
	Detail string
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

// electronic gives the form in which computers exchange a value (ISO 13616-1:
// "electronic format"): without the spaces by which people group it, in
// capitals. Capitals are made of a to z only, for Unicode knows other letters
// whose capital is one of A to Z, such as the long s.
func electronic(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		default:
			return r
		}
	}, s)
}

// The classes of characters, by the letters that ISO 13616-1 and ISO 9362 name
// them with.
const (
	classDigit        = 'n'
	classLetter       = 'a'
	classAlphanumeric = 'c'
)

func isClass(class, c byte) bool {
	digit, letter := '0' <= c && c <= '9', 'A' <= c && c <= 'Z'
	switch class {
	case classDigit:
		return digit
	case classLetter:
		return letter
	default:
		return digit || letter
	}
}

// misfit gives the index of the first character of s that is not of its class,
// -1 if there is none. A character without a class is one.
func misfit(s, classes string) int {
	for i := range len(s) {
		if i >= len(classes) || !isClass(classes[i], s[i]) {
			return i
		}
	}
	return -1
}
