// Package phone reads phone numbers as people write them and gives them in the
// one form that names them world-wide, that of ITU-T E.164. The numbering plans
// are those of libphonenumber.
package phone

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Why a phone number is refused.
var (
	// ErrNeedsCountry is returned for a number in national form when no
	// country is given.
	ErrNeedsCountry = errors.New("a national phone number needs a country")
	// ErrUnknown is returned for a number that no numbering plan knows.
	ErrUnknown = errors.New("no numbering plan knows this phone number")
)

// E164 reads a phone number in the international form, which begins with +, or
// in the national form of a country (ISO 3166-1 alpha-2, empty for none), and
// gives it as + and digits. Extensions are refused: E.164 has no place for them,
// and dropping them would store another number than was given.
func E164(number, country string) (string, error) {
	number = strings.TrimSpace(number)
	if !strings.HasPrefix(number, "+") && country == "" {
		return "", ErrNeedsCountry
	}
	if parsed, is := plain(number, country); is {
		if !phonenumbers.IsValidNumber(parsed) {
			return "", ErrUnknown
		}
		return "+1" + number, nil
	}
	return parse(number, country)
}

func parse(number, country string) (string, error) {
	parsed, err := phonenumbers.Parse(number, country)
	if err != nil || !phonenumbers.IsValidNumber(parsed) || parsed.GetExtension() != "" {
		return "", ErrUnknown
	}
	return phonenumbers.Format(parsed, phonenumbers.E164), nil
}
