// Package emailaddr decides what an e-mail address is, and when two of them are
// the same.
//
// An address is a mailbox of RFC 5321 (§4.1.2), with the characters beyond
// ASCII that RFC 6531 adds, in the form in which people have one: a dot-atom
// before the @, a domain name with at least one dot after it. Quoted local parts
// and address literals are valid in SMTP and refused here: nobody has them, and
// they are the usual way to smuggle something into a message header. Characters
// that nobody sees are refused too, for an address with them looks like another.
//
// Two addresses are the same if they differ only in case or in Unicode form.
// RFC 5321 leaves the case of a local part to its host, but hosts that tell
// johny@ from Johny@ do not exist in practice, and a service that does lets one
// person impersonate another.
package emailaddr

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"cryptoexchange.com/escrow/impl/internal/text"
)

// Limits of RFC 5321 §4.5.3.1, in octets. A path of 256 octets includes its
// angle brackets.
const (
	maxAddress   = 254
	maxLocalPart = 64
)

// ErrInvalid is returned for what is no e-mail address.
var ErrInvalid = errors.New("not an e-mail address")

// Check tells whether address is an e-mail address; the error wraps
// [ErrInvalid] and never holds the address.
func Check(address string) error {
	_, err := Key(address)
	return err
}

// Key gives the form of an address that it has in common with exactly those
// that are the same: the local part in NFKC and case folded, the domain in the
// ASCII form of IDNA2008. It is for comparison, not for sending mail to.
func Key(address string) (string, error) {
	if isPlain(address) {
		return strings.ToLower(address), nil
	}
	return keyOfAny(address)
}

func keyOfAny(address string) (string, error) {
	if len(address) > maxAddress || !utf8.ValidString(address) {
		return "", ErrInvalid
	}
	local, domain, found := strings.Cut(address, "@")
	if !found || !isDotAtom(local) {
		return "", ErrInvalid
	}
	host, err := domainKey(domain)
	if err != nil {
		return "", err
	}
	// In small letters first: x/text folds those of Cherokee to capitals, and
	// capitals to them.
	folded := norm.NFKC.String(cases.Fold().String(strings.ToLower(norm.NFKC.String(local))))
	// Compatibility forms may hide what must not be there, such as U+FF20 (@).
	if !isDotAtom(folded) {
		return "", ErrInvalid
	}
	return folded + "@" + host, nil
}

// isDotAtom checks a local part: atoms separated by single dots (RFC 5322
// §3.2.3), with letters, marks, digits and symbols beyond ASCII (RFC 6531 §3.3).
func isDotAtom(local string) bool {
	if local == "" || len(local) > maxLocalPart {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.IndexFunc(atom, func(r rune) bool { return !isAtomText(r) }) >= 0 {
			return false
		}
	}
	return true
}

func isAtomText(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	default:
		return r != utf8.RuneError && isVisible(r)
	}
}

// profile is IDNA2008 for looking a name up, strict about letters, digits,
// hyphens and label lengths.
var profile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

func domainKey(domain string) (string, error) {
	// IDNA drops characters that nobody sees, such as U+200B; the address would
	// be kept with them. It also takes the full stops of other scripts for dots,
	// which mail servers do not (RFC 6531 §3.3).
	const otherDots = "\u3002\uff0e\uff61"
	if strings.ContainsFunc(domain, func(r rune) bool { return !isVisible(r) }) || strings.ContainsAny(domain, otherDots) {
		return "", ErrInvalid
	}
	host, err := profile.ToASCII(domain)
	if err != nil {
		return "", ErrInvalid
	}
	mapped, err := profile.ToUnicode(host)
	if err != nil || strings.ContainsFunc(mapped, func(r rune) bool { return !isLabelText(r) }) {
		return "", ErrInvalid
	}
	labels := strings.Split(host, ".")
	top := labels[len(labels)-1]
	// A top-level domain is never all digits (RFC 3696 §2): such a name is a
	// mistyped IP address.
	if len(labels) < 2 || strings.Trim(top, "0123456789") == "" {
		return "", ErrInvalid
	}
	return host, nil
}

func isVisible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !text.Invisible(r)
}

// Exceptions of RFC 5892 §2.6. The middle dots and their like are valid next to
// certain letters; where they are is for registries to look at.
const (
	labelTextToo = "-.\u06fd\u06fe\u0f0b\u3007\u00b7\u0375\u05f3\u05f4\u30fb"
	noLabelText  = "\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b"
)

// isLabelText tells the characters of IDNA2008 (RFC 5892), of those that are in
// a mapped name: letters, marks and digits. The profile, which is of UTS #46,
// lets symbols and emoji through.
func isLabelText(r rune) bool {
	if strings.ContainsRune(noLabelText, r) {
		return false
	}
	return unicode.In(r, unicode.L, unicode.Mn, unicode.Mc, unicode.Nd) || strings.ContainsRune(labelTextToo, r)
}
