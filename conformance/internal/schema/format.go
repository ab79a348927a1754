package schema

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"
)

// Formats gives the names of the formats that are judged; others are not, as JSON
// Schema says (2020-12 Validation, 7.2.1).
func Formats() []string {
	var names []string
	for name := range textFormats {
		names = append(names, name)
	}
	return append(names, "int32", "int64", "float", "double")
}

// textFormats are those of strings.
var textFormats = map[string]func(string) error{
	"date":          date,
	"date-time":     dateTime,
	"time":          fullTime,
	"duration":      shaped(duration, "RFC 3339, appendix A"),
	"uuid":          shaped(uuid, "RFC 9562, 4"),
	"email":         email,
	"idn-email":     idnEmail,
	"uri":           absoluteURI,
	"uri-reference": uriReference,
	"hostname":      hostname,
	"idn-hostname":  idnHostname,
	"ipv4":          ipv4,
	"ipv6":          ipv6,
	"byte":          base64Text,
	"base64":        base64Text,
}

// checkFormat judges a value by a format. A format says nothing of values of
// other types than its own.
func checkFormat(name string, v any) error {
	switch v := v.(type) {
	case string:
		if f := textFormats[name]; f != nil {
			return f(v)
		}
	case json.Number:
		return numberFormat(name, v)
	}
	return nil
}

// numberFormat judges by the formats of numbers (OpenAPI format registry).
func numberFormat(name string, n json.Number) error {
	var bits int
	switch name {
	case "int32", "int64":
		bits, _ = strconv.Atoi(name[3:])
		r, ok := new(big.Rat).SetString(string(n))
		if !ok || !r.IsInt() {
			return errors.New("it is not whole")
		}
		limit := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		if x := r.Num(); x.Cmp(limit) >= 0 || x.Cmp(new(big.Int).Neg(limit)) < 0 {
			return fmt.Errorf("it needs more than %d bits", bits)
		}
	case "float", "double":
		bits = 64
		if name == "float" {
			bits = 32
		}
		if f, err := strconv.ParseFloat(string(n), bits); err != nil || math.IsInf(f, 0) {
			return errors.New("it is too large")
		}
	}
	return nil
}

var (
	dateShape     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	dateTimeShape = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](.*)$`)
	timeShape     = regexp.MustCompile(`^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$`)
	durationTime  = `T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)`
	duration      = regexp.MustCompile(`^P(?:[0-9]+W|(?:[0-9]+D|[0-9]+M(?:[0-9]+D)?|[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?)(?:` + durationTime + `)?|` + durationTime + `)$`)
	uuid          = regexp.MustCompile(`^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	label         = regexp.MustCompile(`^[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$`)
	atoms         = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(?:\\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*$")
	quoted        = regexp.MustCompile(`^"(?:[ !#-\[\]-~]|\\[ -~])*"$`)
	uriShape      = regexp.MustCompile(`^(?:[0-9A-Za-z._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$`)
	authority     = regexp.MustCompile(`^(?:[A-Za-z][^:/?#]*:)?(?://[^/?#]*)?`)
	scheme        = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z+.-]*:`)
)

func shaped(shape *regexp.Regexp, rfc string) func(string) error {
	return func(s string) error {
		if !shape.MatchString(s) {
			return fmt.Errorf("its form is not that of %s", rfc)
		}
		return nil
	}
}

// date is full-date of RFC 3339 5.6, which exists in the calendar.
func date(s string) error {
	if !dateShape.MatchString(s) {
		return errors.New("its form is not YYYY-MM-DD (RFC 3339 5.6)")
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return fmt.Errorf("there is no such day: %w", err)
	}
	return nil
}

// fullTime is full-time of RFC 3339 5.6, with an offset.
func fullTime(s string) error {
	_, err := clock(s)
	return err
}

// dateTime is date-time of RFC 3339 5.6.
func dateTime(s string) error {
	m := dateTimeShape.FindStringSubmatch(s)
	if m == nil {
		return errors.New("its form is not that of RFC 3339 5.6")
	}
	if err := date(m[1]); err != nil {
		return err
	}
	leap, err := clock(m[2])
	if err != nil || !leap.is {
		return err
	}
	// A leap second is the last of a month, in UTC (RFC 3339 5.7).
	day, err := time.Parse(time.DateOnly, m[1])
	if err != nil {
		return err
	}
	utc := day.AddDate(0, 0, leap.days)
	if utc.AddDate(0, 0, 1).Day() != 1 {
		return errors.New("leap seconds are at the ends of months only (RFC 3339 5.7)")
	}
	return nil
}

// leap says whether a time is a leap second, and how many days later it is in UTC.
type leap struct {
	is   bool
	days int
}

func clock(s string) (leap, error) {
	m := timeShape.FindStringSubmatch(s)
	if m == nil {
		return leap{}, errors.New("its time has not the form of RFC 3339 5.6, with an offset")
	}
	n := make([]int, len(m))
	for i := range m {
		n[i], _ = strconv.Atoi(m[i])
	}
	if n[1] > 23 || n[2] > 59 || n[3] > 60 || n[5] > 23 || n[6] > 59 {
		return leap{}, errors.New("there is no such time of a day, or no such offset")
	}
	if n[3] < 60 {
		return leap{}, nil
	}
	minutes := n[1]*60 + n[2]
	offset := n[5]*60 + n[6]
	if m[4] == "-" {
		offset = -offset
	}
	utc := minutes - offset
	days := 0
	switch {
	case utc < 0:
		utc, days = utc+24*60, -1
	case utc >= 24*60:
		utc, days = utc-24*60, 1
	}
	if utc != 24*60-1 {
		return leap{}, errors.New("leap seconds are at 23:59:60 UTC only (RFC 3339 5.7)")
	}
	return leap{true, days}, nil
}

// email is Mailbox of RFC 5321 4.1.2, within the lengths of 4.5.3.1.
func email(s string) error {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return errors.New("it has no @")
	}
	local, domain := s[:i], s[i+1:]
	switch {
	case len(s) > 254:
		return errors.New("it is longer than 254 octets (RFC 5321 4.5.3.1.3)")
	case len(local) > 64:
		return errors.New("its local part is longer than 64 octets (RFC 5321 4.5.3.1.1)")
	case !atoms.MatchString(local) && !quoted.MatchString(local):
		return errors.New("its local part is neither atoms nor a quoted string (RFC 5321 4.1.2)")
	}
	if literal, ok := strings.CutPrefix(domain, "["); ok {
		literal, ok = strings.CutSuffix(literal, "]")
		if v6, is6 := strings.CutPrefix(literal, "IPv6:"); ok && is6 {
			return ipv6(v6)
		}
		if !ok {
			return errors.New("its address literal has no ]")
		}
		return ipv4(literal)
	}
	return hostname(domain)
}

// hostname is that of RFC 1123 2.1.
// idnHostname judges a name that may be international (RFC 5890 2.3.2.3).
func idnHostname(s string) error {
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil {
		return errors.New("it is no international name of a host (RFC 5891 5)")
	}
	return hostname(ascii)
}

// idnEmail judges an address that may be international (RFC 6531 3.3): what is not
// ASCII is a letter of the local part, and the domain is an international name.
func idnEmail(s string) error {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return email(s)
	}
	local := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return 'a'
		}
		return r
	}, s[:at])
	domain, err := idna.Lookup.ToASCII(s[at+1:])
	if err != nil {
		domain = s[at+1:]
	}
	return email(local + "@" + domain)
}

func hostname(s string) error {
	if s == "" || len(s) > 253 {
		return errors.New("a name of a host has 1 to 253 octets (RFC 1123 2.1)")
	}
	for _, l := range strings.Split(s, ".") {
		if !label.MatchString(l) {
			return fmt.Errorf("%q is no label of letters, digits and inner hyphens (RFC 1123 2.1)", l)
		}
	}
	return nil
}

func ipv4(s string) error {
	if a, err := netip.ParseAddr(s); err != nil || !a.Is4() {
		return errors.New("it is not four numbers up to 255 (RFC 2673 3.2)")
	}
	return nil
}

func ipv6(s string) error {
	if a, err := netip.ParseAddr(s); err != nil || a.Is4() || a.Zone() != "" {
		return errors.New("its form is not that of RFC 4291 2.2")
	}
	return nil
}

func absoluteURI(s string) error {
	if !scheme.MatchString(s) {
		return errors.New("it has no scheme (RFC 3986 3)")
	}
	return uriReference(s)
}

func uriReference(s string) error {
	if !uriShape.MatchString(s) {
		return errors.New("it has a character that a URI must percent-encode (RFC 3986 2)")
	}
	if strings.Count(s, "#") > 1 {
		return errors.New("it has two fragments (RFC 3986 3.5)")
	}
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("it cannot be parsed (RFC 3986 3): %w", err)
	}
	if strings.ContainsAny(s[len(authority.FindString(s)):], "[]") {
		return errors.New("it has brackets outside of its host (RFC 3986 3.2.2)")
	}
	if host := u.Hostname(); strings.Contains(host, ":") {
		return ipv6(host)
	}
	return nil
}

// base64Text is that of RFC 4648 4, padded.
func base64Text(s string) error {
	if strings.ContainsAny(s, "\r\n") {
		return errors.New("it has line breaks (RFC 4648 3.1)")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(s); err != nil {
		return fmt.Errorf("its form is not that of RFC 4648 4: %w", err)
	}
	return nil
}
