package totp

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode"
)

const (
	// RecoveryCodes is how many recovery codes a customer gets at a time.
	RecoveryCodes = 10
	// recoveryLength in characters of 5 bits makes 80 bits.
	recoveryLength = 16
	recoveryGroup  = 4
	// recoveryAlphabet is that of Crockford's base32
	// (https://www.crockford.com/base32.html): without I, L, O, which are read
	// as 1, 1, 0, and without U.
	recoveryAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	// maxRecovery bounds in octets what is looked at as a recovery code.
	maxRecovery = 128
)

// NewRecoveryCodes makes [RecoveryCodes] codes of 80 random bits each, in the
// form 7K2M-QX0V-9HTR-4ZBD.
func NewRecoveryCodes() ([]string, error) {
	random := make([]byte, RecoveryCodes*recoveryLength)
	if _, err := rand.Read(random); err != nil {
		return nil, fmt.Errorf("make recovery codes: %w", err)
	}
	codes := make([]string, RecoveryCodes)
	for i := range codes {
		var b strings.Builder
		for j, octet := range random[i*recoveryLength : (i+1)*recoveryLength] {
			if j > 0 && j%recoveryGroup == 0 {
				b.WriteByte('-')
			}
			b.WriteByte(recoveryAlphabet[int(octet)%len(recoveryAlphabet)]) // 256 is a multiple of 32
		}
		codes[i] = b.String()
	}
	return codes, nil
}

// RecoveryHash gives the SHA-256 by which a recovery code is kept and looked
// up. Case, spaces and dashes make no difference, and letters that look like a
// digit are taken for it. It is false for what has not the form of a code.
func RecoveryHash(code string) ([]byte, bool) {
	if len(code) > maxRecovery {
		return nil, false
	}
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r):
			return -1
		case r == 'o', r == 'O':
			return '0'
		case r == 'i', r == 'I', r == 'l', r == 'L':
			return '1'
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		default:
			return r
		}
	}, code)
	if len(plain) != recoveryLength || strings.Trim(plain, recoveryAlphabet) != "" {
		return nil, false
	}
	sum := sha256.Sum256([]byte(plain))
	return sum[:], true
}
