package phone

import "github.com/nyaruka/phonenumbers"

// nanp is the calling code of the North American Numbering Plan, whose national
// numbers have ten digits and no variants (ITU-T E.164, Annex A;
// https://nationalnanpa.com, read 2026-11).
const (
	nanp       = 1
	nanpDigits = 10
)

// plain recognises a number as the two largest countries of the plan write it
// without punctuation: ten digits, of which the first is neither 0 nor 1, which
// are prefixes. Reading such a number needs none of the patterns that all other
// forms of all other countries need. Whether it is assigned is not said here.
func plain(number, country string) (*phonenumbers.PhoneNumber, bool) {
	if len(number) != nanpDigits || country != "US" && country != "CA" || number[0] < '2' {
		return nil, false
	}
	var n uint64
	for i := range len(number) {
		digit := number[i] - '0'
		if digit > 9 {
			return nil, false
		}
		n = n*10 + uint64(digit)
	}
	code := int32(nanp)
	return &phonenumbers.PhoneNumber{CountryCode: &code, NationalNumber: &n}, true
}
