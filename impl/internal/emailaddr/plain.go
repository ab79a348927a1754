package emailaddr

import "strings"

// isPlain recognises most of the addresses that there are: ASCII throughout, in
// a domain of letters, digits and single hyphens. Such a one is an address, and
// its key is itself in small letters. Of any other this says nothing.
func isPlain(address string) bool {
	local, domain, found := strings.Cut(address, "@")
	if !found || len(address) > maxAddress || len(local) > maxLocalPart {
		return false
	}
	return isPlainLocalPart(local) && isPlainDomain(domain)
}

func isPlainLocalPart(local string) bool {
	before := byte('.')
	for i := range len(local) {
		c := local[i]
		if c == '.' && before == '.' || c != '.' && !isPlainAtomText(c) {
			return false
		}
		before = c
	}
	return before != '.'
}

func isPlainAtomText(c byte) bool {
	return isLetter(c) || isDigit(c) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// isPlainDomain leaves out two hyphens in a row, which Punycode has.
func isPlainDomain(domain string) bool {
	const maxLabel = 63 // octets, RFC 1035 §2.3.4
	length, labels, letters := 0, 1, false
	before := byte('.')
	for i := range len(domain) {
		c := domain[i]
		switch {
		case c == '.':
			if before == '.' || before == '-' {
				return false
			}
			length, letters = -1, false
			labels++
		case c == '-':
			if before == '.' || before == '-' {
				return false
			}
			letters = true // that a label is not all digits, and no more, matters
		case isLetter(c):
			letters = true
		case !isDigit(c):
			return false
		}
		if length++; length > maxLabel {
			return false
		}
		before = c
	}
	return labels > 1 && letters && before != '.' && before != '-'
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
