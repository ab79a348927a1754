package lying

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// formats judge the formats of the contract. An unknown one is a mistake of this
// package, and panics in its first test.
var formats = map[string]func(string) bool{
	"date": isDate, "date-time": isDateTime, "uuid": uuidForm.MatchString, "email": isEmail,
	"uri": isURI, "uri-reference": func(s string) bool { return isURI(s) || isURI("x:"+s) }, "ipv4": isIPv4, "int64": func(string) bool { return true },
}

var (
	uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	timeForm = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)
	dotAtom  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")
	quoted   = regexp.MustCompile(`^"([ !#-\[\]-~]|\\[ -~])*"$`)
	hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)
	uriForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$`)
)

// isDate judges an RFC 3339 full-date, by the calendar.
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil && len(s) == 10
}

// isDateTime judges an RFC 3339 date-time, leap seconds included.
func isDateTime(s string) bool {
	m := timeForm.FindStringSubmatch(s)
	if m == nil || !isDate(m[1]) {
		return false
	}
	hour, minute, second := digits(m[2]), digits(m[3]), digits(m[4])
	offset := 0
	if z := m[6]; len(z) == 6 {
		h, n := digits(z[1:3]), digits(z[4:])
		if h > 23 || n > 59 {
			return false
		}
		offset = h*60 + n
		if z[0] == '-' {
			offset = -offset
		}
	}
	if second == 60 { // only where it is 23:59 UTC
		return hour < 24 && minute < 60 && ((hour*60+minute-offset)%1440+1440)%1440 == 1439
	}
	return hour < 24 && minute < 60 && second < 60
}

func digits(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// isEmail judges a Mailbox of RFC 5321 4.1.2, in ASCII.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if !dotAtom.MatchString(local) && !quoted.MatchString(local) {
		return false
	}
	if strings.HasPrefix(domain, "[") && strings.HasSuffix(domain, "]") {
		a, err := netip.ParseAddr(strings.TrimPrefix(domain[1:len(domain)-1], "IPv6:"))
		return err == nil && a.Is4() != strings.Contains(domain, "IPv6:")
	}
	return len(domain) <= 253 && hostForm.MatchString(domain)
}

// isURI judges a URI of RFC 3986: absolute, in ASCII.
func isURI(s string) bool {
	if !uriForm.MatchString(s) || strings.Count(s, "#") > 1 {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() {
		return false
	}
	rest := s[strings.IndexByte(s, ':')+1:]
	if rest, ok := strings.CutPrefix(rest, "//"); ok {
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			rest = rest[i:]
		} else {
			rest = ""
		}
		return !strings.ContainsAny(rest, "[]")
	}
	return !strings.ContainsAny(rest, "[]")
}

func isIPv4(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}
