package generate

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// format makes strings of a format of JSON Schema or OpenAPI.
type format struct {
	// valid gives strings of the format, the most usual first.
	valid func(rng *rand.Rand, unique string) []string
	// almost gives strings that are nearly of the format.
	almost func(rng *rand.Rand, unique string) []near
}

// near is a value that is nearly right, and what is wrong with it.
type near struct {
	label string // words joined by hyphens, unique in a list
	value string
}

// formats are those that there are generators for. Others are taken for free text.
var formats = map[string]format{
	"email":         {emails, badEmails},
	"idn-email":     {idnEmails, badEmails},
	"uuid":          {uuids, badUUIDs},
	"date":          {fixed("2024-05-17", "2024-02-29", "2000-02-29", "1999-12-31", "2023-01-01"), badDates},
	"date-time":     {dateTimes, badDateTimes},
	"time":          {fixed("12:34:56Z", "00:00:00Z", "23:59:59.999Z", "12:34:56+05:30"), badTimes},
	"duration":      {fixed("P1D", "PT1H", "P1Y2M3DT4H5M6S", "P2W"), badDurations},
	"ipv4":          {fixed("192.0.2.1", "0.0.0.0", "255.255.255.255"), badIPv4s},
	"ipv6":          {fixed("2001:db8::1", "::", "::1", "2001:0db8:0000:0000:0000:ff00:0042:8329", "::ffff:192.0.2.1", "2001:DB8::A"), badIPv6s},
	"hostname":      {hostnames, badHostnames},
	"idn-hostname":  {idnHostnames, badHostnames},
	"uri":           {uris, badURIs},
	"iri":           {iris, badURIs},
	"uri-reference": {uriReferences, badReferences},
	"iri-reference": {uriReferences, badReferences},
	"uri-template":  {fixed("/items/{id}", "https://example.com/{a}{?b,c}"), listed("open-brace", "/items/{id")},
	"json-pointer":  {fixed("/a/b", "", "/a~1b", "/a~0b", "/0"), listed("no-slash", "a/b", "bad-escape", "/a~2b", "tilde-at-end", "/a~")},
	"regex":         {fixed("^a+$", "[0-9]{2}"), listed("open-group", "(a", "open-class", "[a", "nothing-to-repeat", "*a")},
	"byte":          {base64s, badBase64s},
}

func fixed(values ...string) func(*rand.Rand, string) []string {
	return func(*rand.Rand, string) []string { return values }
}

// listed is a list of labels and values in turn.
func listed(pairs ...string) func(*rand.Rand, string) []near {
	list := make([]near, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, near{pairs[i], pairs[i+1]})
	}
	return func(*rand.Rand, string) []near { return list }
}

func emails(_ *rand.Rand, u string) []string {
	return []string{
		"conformance-" + u + "@example.com",
		u + "@example.com",
		"conformance+" + u + "@example.com",
		"conformance." + u + "@mail.example.com",
		"conformance_" + u + "@ex-ample.com",
		"9" + u + "@example.com",
		strings.ToUpper(u) + "@example.com",
		word(u, 64, 64) + "@example.com",
	}
}

func idnEmails(rng *rand.Rand, u string) []string {
	return append(emails(rng, u), "grüße-"+u+"@example.com", u+"@bücher.example")
}

func badEmails(_ *rand.Rand, u string) []near {
	return listed(
		"no-at", u+".example.com",
		"no-domain", u+"@",
		"no-local-part", "@example.com",
		"two-ats", u+"@@example.com",
		"space-in-local-part", u+" a@example.com",
		"space-in-domain", u+"@exam ple.com",
		"dot-first", "."+u+"@example.com",
		"dot-last", u+".@example.com",
		"two-dots", u+"..a@example.com",
		"two-dots-in-domain", u+"@example..com",
		"domain-dot-first", u+"@.example.com",
		"domain-hyphen-first", u+"@-example.com",
		"trailing-newline", u+"@example.com\n",
		"trailing-space", u+"@example.com ",
		"leading-space", " "+u+"@example.com",
		"display-name", "A <"+u+"@example.com>",
		"two-addresses", u+"@example.com,b@example.com",
		"domain-underscore", u+"@exam_ple.com",
	)(nil, "")
}

func uuids(rng *rand.Rand, _ string) []string {
	a, b := rng.Uint64(), rng.Uint64()
	text := func(version, a, b uint64) string {
		a = a&^0xF000 | version<<12
		b = b&^(3<<62) | 2<<62
		return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xFFFF, a&0xFFFF, b>>48, b&0xFFFFFFFFFFFF)
	}
	v4 := text(4, a, b)
	return []string{
		v4,
		text(7, 0x018F6B1C<<32|a&0xFFFFFFFF, b),
		text(1, a, b),
		strings.ToUpper(text(4, a, b+1)),
		"00000000-0000-0000-0000-000000000000",
	}
}

func badUUIDs(rng *rand.Rand, u string) []near {
	v := uuids(rng, u)[0]
	return listed(
		"wrong-digit", "g"+v[1:],
		"one-digit-less", v[:35],
		"one-digit-more", v+"0",
		"no-hyphens", strings.ReplaceAll(v, "-", ""),
		"hyphen-misplaced", v[:7]+"-"+v[7:8]+v[9:],
		"braces", "{"+v+"}",
		"urn", "urn:uuid:"+v,
		"trailing-newline", v+"\n",
		"leading-space", " "+v,
		"word", "not-a-uuid",
		"spaces-for-hyphens", strings.ReplaceAll(v, "-", " "),
	)(nil, "")
}

func badDates(*rand.Rand, string) []near {
	return listed(
		"29-february-of-common-year", "2023-02-29",
		"30-february", "2024-02-30",
		"29-february-1900", "1900-02-29",
		"31-april", "2024-04-31",
		"month-13", "2024-13-01",
		"month-0", "2024-00-10",
		"day-0", "2024-01-00",
		"one-digit", "2024-1-1",
		"no-hyphens", "20240517",
		"slashes", "2024/05/17",
		"day-first", "17-05-2024",
		"two-digit-year", "24-05-17",
		"with-time", "2024-05-17T00:00:00Z",
		"trailing-z", "2024-05-17Z",
		"trailing-newline", "2024-05-17\n",
		"trailing-space", "2024-05-17 ",
		"word", "tomorrow",
	)(nil, "")
}

func dateTimes(*rand.Rand, string) []string {
	return []string{
		"2024-05-17T12:34:56Z", "2024-05-17T12:34:56+05:30", "2024-05-17T12:34:56-08:00",
		"2024-05-17T12:34:56.123Z", "2024-05-17T12:34:56.123456789Z", "2024-02-29T23:59:59Z",
		"2024-05-17T00:00:00+00:00", "1999-12-31T23:59:59.9+14:00",
	}
}

func badDateTimes(*rand.Rand, string) []near {
	return listed(
		"no-zone", "2024-05-17T12:34:56",
		"hour-24", "2024-05-17T24:00:00Z",
		"hour-25", "2024-05-17T25:00:00Z",
		"minute-60", "2024-05-17T12:60:00Z",
		"second-61", "2024-05-17T12:34:61Z",
		"30-february", "2024-02-30T12:34:56Z",
		"29-february-of-common-year", "2023-02-29T12:34:56Z",
		"no-seconds", "2024-05-17T12:34Z",
		"date-only", "2024-05-17",
		"offset-25", "2024-05-17T12:34:56+25:00",
		"offset-without-colon", "2024-05-17T12:34:56+0530",
		"offset-hours-only", "2024-05-17T12:34:56+05",
		"comma-fraction", "2024-05-17T12:34:56,5Z",
		"dot-without-fraction", "2024-05-17T12:34:56.Z",
		"epoch", "1715949296",
		"rfc-1123", "Fri, 17 May 2024 12:34:56 GMT",
		"trailing-newline", "2024-05-17T12:34:56Z\n",
		"basic", "20240517T123456Z",
	)(nil, "")
}

func badTimes(*rand.Rand, string) []near {
	return listed("no-zone", "12:34:56", "hour-24", "24:00:00Z", "minute-60", "12:60:00Z", "no-seconds", "12:34Z",
		"one-digit", "1:02:03Z", "offset-25", "12:34:56+25:00")(nil, "")
}

func badDurations(*rand.Rand, string) []near {
	return listed("no-p", "1D", "nothing", "P", "no-time", "P1DT", "hour-without-t", "P1H", "week-and-day", "P1W1D",
		"seconds", "3600", "lower-case", "p1d")(nil, "")
}

func badIPv4s(*rand.Rand, string) []near {
	return listed("256", "192.0.2.256", "three-parts", "192.0.2", "five-parts", "192.0.2.1.1", "leading-zero", "192.0.02.1",
		"hexadecimal", "0xC0.0.2.1", "trailing-dot", "192.0.2.1.", "port", "192.0.2.1:80", "prefix", "192.0.2.0/24",
		"number", "3221225985", "trailing-space", "192.0.2.1 ", "minus", "192.0.2.-1", "ipv6", "2001:db8::1")(nil, "")
}

func badIPv6s(*rand.Rand, string) []near {
	return listed("nine-groups", "1:2:3:4:5:6:7:8:9", "seven-groups", "1:2:3:4:5:6:7", "two-gaps", "2001::db8::1",
		"five-digits", "2001:db8::12345", "wrong-digit", "2001:db8::g", "brackets", "[2001:db8::1]",
		"prefix", "2001:db8::/32", "three-colons", "2001:db8:::1", "ipv4", "192.0.2.1", "bad-ipv4", "::ffff:192.0.2.256",
		"zone", "fe80::1%eth0", "trailing-colon", "2001:db8:1:2:3:4:5:6:")(nil, "")
}

func hostnames(_ *rand.Rand, u string) []string {
	return []string{u + ".example.com", "example.com", "a", "1and1.example", "xn--bcher-kva.example", word("label", 63, 63) + ".example"}
}

func idnHostnames(rng *rand.Rand, u string) []string {
	return append(hostnames(rng, u), "bücher.example")
}

func badHostnames(*rand.Rand, string) []near {
	return listed("hyphen-first", "-a.example.com", "hyphen-last", "a-.example.com", "two-dots", "a..example.com",
		"label-of-64", word("label", 64, 64)+".example.com", "underscore", "a_b.example.com", "space", "a b.example.com",
		"dot-first", ".example.com", "254-octets", padHost("", 254), "slash", "example.com/a", "port", "example.com:80")(nil, "")
}

func uris(_ *rand.Rand, u string) []string {
	return []string{
		"https://example.com/" + u, "http://example.com", "https://example.com:8443/a/b?c=d&e=%20#f",
		"https://[2001:db8::1]/a", "urn:example:" + u, "mailto:" + u + "@example.com", "https://example.com/a%2Fb;c=1",
	}
}

func iris(rng *rand.Rand, u string) []string {
	return append(uris(rng, u), "https://example.com/grüße")
}

func uriReferences(rng *rand.Rand, u string) []string {
	return append(uris(rng, u), "/a/"+u, "a/b", "../c", "?d=e", "#f", "//example.com/a")
}

func badURIs(_ *rand.Rand, u string) []near {
	return append(badReferences(nil, u), listed(
		"relative", "/a/"+u,
		"no-scheme", "example.com/"+u,
		"no-scheme-but-slashes", "//example.com/"+u,
		"word", u,
	)(nil, "")...)
}

func badReferences(_ *rand.Rand, u string) []near {
	return listed(
		"space", "https://example.com/a "+u,
		"bad-escape", "https://example.com/%zz"+u,
		"open-bracket", "https://[2001:db8::1/"+u,
		"bad-port", "https://example.com:port/"+u,
		"no-scheme-name", "://example.com/"+u,
		"angle-brackets", "<https://example.com/"+u+">",
		"backslash", `https:\\example.com\`+u,
		"digit-first", "1https://example.com/"+u,
		"trailing-newline", "https://example.com/"+u+"\n",
	)(nil, "")
}

func base64s(_ *rand.Rand, u string) []string {
	return []string{base64.StdEncoding.EncodeToString([]byte(u)), "aGVsbG8=", "", "+/+/", "AA=="}
}

func badBase64s(*rand.Rand, string) []near {
	return listed("no-padding", "aGVsbG8", "wrong-character", "aGVs*G8=", "padding-first", "=aGVsbG8",
		"space", "aGVs bG8=", "url-alphabet", "-_-_", "three-equals", "a===")(nil, "")
}

// padFormat makes a string of a format that has exactly n code points, where the
// format leaves room for it.
func padFormat(name, unique string, n int) (string, bool) {
	out := ""
	switch name {
	case "email", "idn-email":
		out = padEmail(unique, n)
	case "hostname", "idn-hostname":
		out = padHost(unique, n)
	case "uri", "iri", "uri-reference", "iri-reference":
		out = word("https://example.com/"+unique, n, -1)
	case "date-time":
		if zeros := n - len("2024-05-17T12:34:56.Z"); zeros > 0 {
			out = "2024-05-17T12:34:56." + strings.Repeat("1", zeros) + "Z"
		}
	case "byte":
		if n%4 == 0 {
			out = strings.Repeat("QUJD", n/4)
		}
	case "uri-template", "json-pointer":
		out = word("/"+unique, n, -1)
	case "regex":
		out = word("a", n, -1)
	case "uuid", "date", "time", "duration", "ipv4", "ipv6":
		return "", false
	default: // free text
		out = word(unique, n, n)
	}
	return out, utf8.RuneCountInString(out) == n
}

// padEmail makes an address of n octets: the local part has at most 64 of them
// (RFC 5321 4.5.3.1.1), and each label of the domain 63 (RFC 1035 2.3.4).
func padEmail(unique string, n int) string {
	const domain = "@example.com"
	if n <= len(domain) {
		const short = "@a.co"
		if n > len(short) {
			return word(unique, n-len(short), n-len(short)) + short
		}
		if least := word(unique, 1, 1) + "@a.b"; n == len(least) {
			return least
		}
		return ""
	}
	local := min(64, n-len(domain))
	out := word(unique, local, local)
	rest := n - local
	if rest == len(domain) {
		return out + domain
	}
	if rest-1 < 4 {
		return ""
	}
	// A label and its dot cannot be one octet: take it from the local part.
	if host := padHost("", rest-1); host != "" {
		return out + "@" + host
	}
	return ""
}

// padHost makes a host name of n octets, whose last label is com.
func padHost(unique string, n int) string {
	const top = ".com"
	if n < len(top)+1 {
		return word(unique, n, n)
	}
	rest := n - len(top)
	var labels []string
	for rest > 0 {
		size := min(63, rest)
		if rest-size == 1 { // a dot alone would be left
			size--
		}
		labels = append(labels, word(unique, size, size))
		rest -= size + 1
		unique = ""
	}
	return strings.Join(labels, ".") + top
}
