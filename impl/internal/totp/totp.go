// Package totp is the second factor: the codes of an authenticator app, and the
// recovery codes for when the app is lost.
//
// # Codes of the app
//
// A code is that of RFC 6238 with the values that every app understands and
// many apps do not let one change: HMAC-SHA-1, 6 digits, steps of 30 seconds
// from the Unix epoch. The known weakness of SHA-1 is collisions, which HMAC
// does not rest upon (RFC 6238 §1.2 keeps it for that reason).
//
// A code is good in its own step and in one step before and after. RFC 6238
// §5.2 allows at most one step for the time that a code travels; one on the
// other side is for a telephone whose clock is a little fast. More would only
// add to the codes that a guess may hit: it is 3 in a million now. How many
// guesses an account allows is for the caller to limit.
//
// A code is good once (RFC 6238 §5.2). [Check] tells which step the code
// belongs to; the caller records it, in the transaction that lets the customer
// in, and hands it to the next [Check], which accepts later steps only.
//
// # Recovery codes
//
// A recovery code is 80 random bits. It is kept as its SHA-256 only: a slow hash
// is for what people choose, and nobody finds 80 random bits from their hash.
package totp

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

const (
	// SecretLength is the length of a secret in octets. RFC 4226 §4 (R6)
	// recommends 160 bits.
	SecretLength = 20
	// minSecret is what RFC 4226 §4 (R6) requires, 128 bits.
	minSecret = 16
	// Period is the length of a step, the default of RFC 6238 §4.1.
	Period = 30 * time.Second
	// Digits is the length of a code.
	Digits = 6
	// skew is how many steps before and after the present one are accepted.
	skew = 1
	// maxCode bounds in octets what is looked at as a code.
	maxCode = 64
)

// NewSecret makes a secret of [SecretLength] random octets.
func NewSecret() ([]byte, error) {
	secret := make([]byte, SecretLength)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("make a TOTP secret: %w", err)
	}
	return secret, nil
}

// Base32 gives a secret in the form in which it is typed into an app: base32 of
// RFC 4648 §6, capitals, without padding. It is for the caller to set it in
// groups; apps ignore spaces.
func Base32(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// URI gives the otpauth URI that apps read from a QR code (Google
// Authenticator, "Key Uri Format"). The account is how the customer is called at
// the issuer, as a rule the e-mail address. Neither may have a colon, which
// would end the issuer in the label; colons are left out.
func URI(secret []byte, issuer, account string) string {
	issuer = strings.ReplaceAll(issuer, ":", "")
	account = strings.ReplaceAll(account, ":", "")
	// url.Values writes a space as +, which some apps show as it is.
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
		escape(issuer), escape(account), Base32(secret), escape(issuer), Digits, int(Period.Seconds()))
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Check judges a code at a time. It is good if it belongs to a step near now
// that is later than lastStep, the step of the last code that was good (0 if
// there was none). Then step is what must be recorded before anything is
// granted. Spaces in the code are ignored. A secret of fewer than 128 bits has
// no good codes.
func Check(secret []byte, code string, now time.Time, lastStep int64) (step int64, ok bool) {
	digits, ok := sixDigits(code)
	if !ok || len(secret) < minSecret {
		return 0, false
	}
	encoded := Base32(secret)
	present := now.Unix() / int64(Period.Seconds())
	var match int64
	// All steps are compared whatever the result, and the last one that matches
	// is taken: then no earlier one is good any more either.
	for candidate := present - skew; candidate <= present+skew; candidate++ {
		if candidate <= max(lastStep, 0) {
			continue
		}
		want, err := hotp.GenerateCodeCustom(encoded, uint64(candidate), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(digits)) == 1 {
			match = candidate
		}
	}
	return match, match > 0
}

// sixDigits takes the spaces out of a code, and tells whether six digits are left.
func sixDigits(code string) (string, bool) {
	if len(code) > maxCode {
		return "", false
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, code)
	return digits, len(digits) == Digits && strings.Trim(digits, "0123456789") == ""
}
