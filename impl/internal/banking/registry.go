package banking

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// registry is the IBAN registry that SWIFT keeps as the registration authority
// of ISO 13616: the prefix of the IBANs, the structure of their domestic part,
// and a name that goes into a sentence. Release 103 of September 2026, 89
// prefixes (https://www.swift.com/standards/data-standards/iban-international-bank-account-number).
//
// A structure is a row of fields: their length, ! for exactly, and n for digits,
// a for capital letters, c for either.
//
// It is release 101 (December 2025) as python-stdnum 2.2 has it. Release 102 (June
// 2026) changed no structure (IbanNet, which has 88 of the 89 prefixes), and
// release 103 that of Brazil only, where the numbers of banks may have letters
// now (schwifty 2026.10.1 and iban_validation_py 0.1.30, which agree with each
// other and with this table in every other line).
const registry = `
AD 4!n4!n12!c Andorra
AE 3!n16!n the United Arab Emirates
AL 8!n16!c Albania
AT 5!n11!n Austria
AZ 4!a20!c Azerbaijan
BA 3!n3!n8!n2!n Bosnia and Herzegovina
BE 3!n7!n2!n Belgium
BG 4!a4!n2!n8!c Bulgaria
BH 4!a14!c Bahrain
BI 5!n5!n11!n2!n Burundi
BR 8!c5!n10!n1!c1!c Brazil
BY 4!c4!n16!c Belarus
CH 5!n12!c Switzerland
CR 4!n14!n Costa Rica
CY 3!n5!n16!c Cyprus
CZ 4!n16!n Czechia
DE 8!n10!n Germany
DJ 5!n5!n11!n2!n Djibouti
DK 4!n9!n1!n Denmark
DO 4!c20!n the Dominican Republic
EE 2!n14!n Estonia
EG 4!n4!n17!n Egypt
ES 4!n4!n1!n1!n10!n Spain
FI 3!n11!n Finland
FK 2!a12!n the Falkland Islands
FO 4!n9!n1!n the Faroe Islands
FR 5!n5!n11!c2!n France
GB 4!a6!n8!n the United Kingdom
GE 2!a16!n Georgia
GI 4!a15!c Gibraltar
GL 4!n9!n1!n Greenland
GR 3!n4!n16!c Greece
GT 4!c20!c Guatemala
HN 4!a20!n Honduras
HR 7!n10!n Croatia
HU 3!n4!n1!n15!n1!n Hungary
IE 4!a6!n8!n Ireland
IL 3!n3!n13!n Israel
IQ 4!a3!n12!n Iraq
IS 4!n2!n6!n10!n Iceland
IT 1!a5!n5!n12!c Italy
JO 4!a4!n18!c Jordan
KW 4!a22!c Kuwait
KZ 3!n13!c Kazakhstan
LB 4!n20!c Lebanon
LC 4!a24!c Saint Lucia
LI 5!n12!c Liechtenstein
LT 5!n11!n Lithuania
LU 3!n13!c Luxembourg
LV 4!a13!c Latvia
LY 3!n3!n15!n Libya
MC 5!n5!n11!c2!n Monaco
MD 2!c18!c Moldova
ME 3!n13!n2!n Montenegro
MK 3!n10!c2!n North Macedonia
MN 4!n12!n Mongolia
MR 5!n5!n11!n2!n Mauritania
MT 4!a5!n18!c Malta
MU 4!a2!n2!n12!n3!n3!a Mauritius
NI 4!a20!n Nicaragua
NL 4!a10!n the Netherlands
NO 4!n6!n1!n Norway
OM 3!n16!c Oman
PK 4!a16!c Pakistan
PL 8!n16!n Poland
PS 4!a21!c Palestine
PT 4!n4!n11!n2!n Portugal
QA 4!a21!c Qatar
RO 4!a16!c Romania
RS 3!n13!n2!n Serbia
RU 9!n5!n15!c Russia
SA 2!n18!c Saudi Arabia
SC 4!a2!n2!n16!n3!a Seychelles
SD 2!n12!n Sudan
SE 3!n16!n1!n Sweden
SI 5!n8!n2!n Slovenia
SK 4!n6!n10!n Slovakia
SM 1!a5!n5!n12!c San Marino
SO 4!n3!n12!n Somalia
ST 4!n4!n11!n2!n São Tomé and Príncipe
SV 4!a20!n El Salvador
TL 3!n14!n2!n Timor-Leste
TN 2!n3!n13!n2!n Tunisia
TR 5!n1!n16!c Türkiye
UA 6!n19!c Ukraine
VA 3!n15!n the Vatican
VG 4!a16!n the British Virgin Islands
XK 4!n10!n2!n Kosovo
YE 4!a4!n18!c Yemen
`

// territories are those that the registry includes in another country: the
// IBANs of banks there begin with the letters of that country.
const territories = `
FI AX
FR BL GF GP MF MQ NC PF PM RE TF WF YT
GB GG IM JE
`

// Format is what the IBANs of a country look like.
type Format struct {
	Country   string // the first two letters
	Name      string // of the country in English, as within a sentence
	Structure string // of what follows the check digits, as in the registry: "4!a6!n8!n"
	Length    int    // of the whole
	Pattern   string // a regular expression of the whole in the electronic format

	classes string // one for each character of the whole
}

// IBANFormat gives the format of the IBANs of banks in a country or territory
// (ISO 3166-1 alpha-2 in capitals, XK for Kosovo), false if they have none.
func IBANFormat(country string) (Format, bool) {
	if of, ok := included()[country]; ok {
		country = of
	}
	f, ok := formats()[country]
	return f, ok
}

// HasIBAN tells whether banks in a country or territory give out IBANs.
func HasIBAN(country string) bool {
	_, ok := IBANFormat(country)
	return ok
}

// formats are by country. They and what follows are made when they are first asked
// for, which keeps the start short.
var formats = sync.OnceValue(func() map[string]Format {
	all := make(map[string]Format)
	for line := range strings.Lines(strings.TrimSpace(registry)) {
		code, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		structure, name, _ := strings.Cut(rest, " ")
		all[code] = newFormat(code, structure, name)
	}
	return all
})

// included are the territories that use the formats of others.
var included = sync.OnceValue(func() map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(strings.TrimSpace(territories)) {
		of, codes, _ := strings.Cut(line, " ")
		for code := range strings.FieldsSeq(codes) {
			all[code] = of
		}
	}
	return all
})

var structureField = regexp.MustCompile(`([0-9]+)!([nac])`)

func newFormat(country, structure, name string) Format {
	classes, pattern := "aann", "^"+country+"[0-9]{2}"
	for _, field := range structureField.FindAllStringSubmatch(structure, -1) {
		length, _ := strconv.Atoi(field[1]) // digits
		classes += strings.Repeat(field[2], length)
		set := map[string]string{"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}[field[2]]
		pattern += set + "{" + field[1] + "}"
	}
	return Format{Country: country, Name: name, Structure: structure, Length: len(classes), Pattern: pattern + "$", classes: classes}
}
