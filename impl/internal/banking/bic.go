package banking

import "cryptoexchange.com/escrow/impl/internal/country"

// BIC is a business identifier code, by which banks are known outside the
// country: the SWIFT code.
type BIC struct {
	Value   string // without spaces, in capitals, with a branch only if one was given
	Country string // ISO 3166-1 alpha-2, or XK for Kosovo
}

// bicClasses are those of a BIC with a branch; one without has the first eight.
const (
	bicClasses = "ccccaaccccc"
	bicLength  = 8
)

// CheckBIC reads a BIC of ISO 9362:2022: a prefix of four letters or digits, the
// two letters of a country, a suffix of two letters or digits, and three more
// for a branch if there is one. Case and spaces make no difference. Errors are of
// type [*Error], with the codes [CodeBICForm] and [CodeBICCountry].
//
// The prefix had only letters for decades, and many checks still want them. The
// standard has allowed digits since 1994 and banks have them now (E097AEXX).
//
// Countries are those of ISO 3166-1 and XK, which SWIFT as the registration
// authority gives to banks in Kosovo.
func CheckBIC(s string) (BIC, error) {
	value := electronic(s)
	if (len(value) != bicLength && len(value) != len(bicClasses)) || misfit(value, bicClasses) >= 0 {
		return BIC{}, &Error{CodeBICForm, "A BIC has 8 or 11 characters: four letters or digits, " +
			"the two letters of the bank's country, two letters or digits, and three more if it names a branch."}
	}
	code := value[4:6]
	if !country.Exists(code) && code != "XK" {
		return BIC{}, &Error{CodeBICCountry, "Letters 5 and 6 of this BIC are not the code of a country: one of them is probably mistyped."}
	}
	return BIC{Value: value, Country: code}, nil
}
