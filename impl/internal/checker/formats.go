package checker

import "bytes"

// quick has, by the names of formats, checks over bytes for the texts that
// nearly all texts of a format are like. They say true only of such a text, for
// which every callback by that name must have no error; all others are for the
// callback.
var quick = map[string]struct {
	check func(text []byte) bool
	// A callback that refuses one of these is asked for every text.
	probes []string
}{
	"date":      {isDate, []string{"2022-08-01", "0000-01-31", "2024-02-29", "9999-12-31"}},
	"date-time": {isDateTime, []string{"2022-08-01T21:38:51Z", "2022-08-01T21:38:51.000000Z", "2024-02-29T00:00:00.123456789Z", "0000-01-01T23:59:59Z"}},
	"uuid":      {isUUID, []string{"018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}},
	"uri":       {isURL, []string{"https://example.com/problems/a-b_c.d", "https://a", "https://a/", "https://a//"}},
	"email":     {isEmail, emails},
	"idn-email": {isEmail, emails},
}

var emails = []string{"johny.smith@example.com", "J@a.bc", "a_b-c+d@x-y.example.museum", "1@2.three"}

// quickFor gives the quick check of a format, nil if there is none for its
// callback.
func quickFor(format string, callback func(string) error) func([]byte) bool {
	q, ok := quick[format]
	if !ok {
		return nil
	}
	for _, probe := range q.probes {
		if !q.check([]byte(probe)) || callback(probe) != nil {
			return nil
		}
	}
	return q.check
}

func isDigit(c byte) bool  { return c-'0' <= 9 }
func isLetter(c byte) bool { return c|0x20-'a' < 26 }

// twoDigits reads a number; it is more than any date has if it is none.
func twoDigits(tens, ones byte) int {
	if !isDigit(tens) || !isDigit(ones) {
		return 1000
	}
	return int(tens-'0')*10 + int(ones-'0')
}

// isDate knows dates of RFC 3339.
func isDate(b []byte) bool {
	if len(b) != len("2006-01-02") || b[4] != '-' || b[7] != '-' {
		return false
	}
	century, year := twoDigits(b[0], b[1]), twoDigits(b[2], b[3])
	month, day := twoDigits(b[5], b[6]), twoDigits(b[8], b[9])
	if century > 99 || year > 99 || month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if year%4 == 0 && (year != 0 || century%4 == 0) {
		days[1] = 29
	}
	return day <= days[month-1]
}

// isDateTime knows moments of RFC 3339 in UTC, without leap seconds.
func isDateTime(b []byte) bool {
	const seconds, most = len("2006-01-02T15:04:05Z"), len("2006-01-02T15:04:05.999999999Z")
	if len(b) < seconds || len(b) > most || b[len(b)-1] != 'Z' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return false
	}
	if twoDigits(b[11], b[12]) > 23 || twoDigits(b[14], b[15]) > 59 || twoDigits(b[17], b[18]) > 59 {
		return false
	}
	if len(b) > seconds {
		if len(b) == seconds+1 || b[19] != '.' {
			return false
		}
		for _, c := range b[20 : len(b)-1] {
			if !isDigit(c) {
				return false
			}
		}
	}
	return isDate(b[:10])
}

// isUUID knows UUIDs of RFC 9562 in small letters.
func isUUID(b []byte) bool {
	if len(b) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isDigit(c) && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// isURL knows web addresses of a host and perhaps a path, without anything that
// is escaped.
func isURL(b []byte) bool {
	rest, found := bytes.CutPrefix(b, []byte("https://"))
	if !found || len(rest) == 0 || rest[0] == '/' {
		return false
	}
	for _, c := range rest {
		if !isDigit(c) && !isLetter(c) && c != '.' && c != '-' && c != '_' && c != '/' {
			return false
		}
	}
	return true
}

// isEmail knows addresses of words in ASCII, at a domain whose labels are no
// A-labels and whose last one is of letters.
func isEmail(b []byte) bool {
	const longest, longestWord = 100, 60
	at := bytes.IndexByte(b, '@')
	if at < 0 || at > longestWord || len(b) > longest || !areWords(b[:at], "._+-") {
		return false
	}
	domain := b[at+1:]
	dot := bytes.LastIndexByte(domain, '.')
	if dot < 0 || len(domain) > longestWord || !areWords(domain, ".-") {
		return false
	}
	top := domain[dot+1:]
	for _, c := range top {
		if !isLetter(c) {
			return false
		}
	}
	return len(top) > 1
}

// areWords tells whether a text is letters and digits, with single separators
// between them.
func areWords(b []byte, separators string) bool {
	word := false
	for _, c := range b {
		if isDigit(c) || isLetter(c) {
			word = true
			continue
		}
		if !word || bytes.IndexByte([]byte(separators), c) < 0 {
			return false
		}
		word = false
	}
	return word
}
