// Package country knows the countries that an address can be in.
package country

import "strings"

// codes are the officially assigned codes of ISO 3166-1 alpha-2, 249 of them,
// as of November 2026. The test compares them with two other tables.
const codes = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE
BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU
ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK
TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS YE YT ZA ZM ZW
`

var assigned = func() map[string]bool {
	set := make(map[string]bool)
	for code := range strings.FieldsSeq(codes) {
		set[code] = true
	}
	return set
}()

// Exists tells whether code is an officially assigned ISO 3166-1 alpha-2 code,
// in capitals.
func Exists(code string) bool { return assigned[code] }

// NeedsState tells whether an address in the country is incomplete without a
// state, province or territory: the United States, Canada and Australia, whose
// postal services require it in the last line of an address (USPS Publication
// 28; Canada Post, Addressing Guidelines; Australia Post, Addressing
// Guidelines).
func NeedsState(code string) bool {
	switch code {
	case "US", "CA", "AU":
		return true
	default:
		return false
	}
}
