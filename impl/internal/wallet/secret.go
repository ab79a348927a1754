package wallet

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// maxSecret bounds in octets what is looked at as a secret. A recovery phrase of
// 33 words has less than 300; a list of 64 numbers at most 320.
const maxSecret = 1024

const (
	base58Class = `[1-9A-HJ-NP-Za-km-z]`
	bech32Class = `[02-9ac-hj-np-z]`
)

// pattern gives a regular expression, which is compiled when it is first asked
// for: all of them together would take a good part of the time of a start.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// Hexadecimal address of Tron, with its version (TRON documentation, "Account").
var tronHex = pattern(`^(?:0x)?41[0-9a-fA-F]{40}$`)

// secretForms are the forms of secret keys, one character shorter or longer
// included. None is the form of an address on any network here.
var secretForms = []struct {
	what string
	form func() *regexp.Regexp
}{
	// Wallet import format: base58check of 0x80 (Bitcoin), 0xb0 (Litecoin) or
	// 0xef (tests) and 32 octets, or 33 for a compressed key (Bitcoin wiki).
	{"a secret key", pattern(`^[569KLTc]` + base58Class + `{49,52}$`)},
	{"an encrypted secret key", pattern(`^6P` + base58Class + `{55,57}$`)}, // BIP 38
	// Extended private keys (BIP 32; SLIP-132 for the other letters).
	{"a secret key", pattern(`^(?:[tuvxyzUVYZ]prv|[LM]tpv)` + base58Class + `{106,108}$`)},
	// 32 octets in hexadecimal: a key of any network, or a transaction.
	{"a secret key, or the number of a transaction", pattern(`^(?:0[xX])?[0-9a-fA-F]{63,65}$`)},
	// Seeds of the XRP Ledger of 16 octets (XRPL documentation, "Cryptographic
	// Keys"), its node keys, and secret numbers (XLS-12).
	{"a secret seed", pattern(`^s(?:Ed)?` + base58Class + `{27,29}$`)},
	{"a secret key", pattern(`^p` + base58Class + `{50,52}$`)},
	{"secret numbers", pattern(`^[0-9]{6}(?:[ -]?[0-9]{6}){7}$`)},
	{"a secret key", pattern(`^S[A-Z2-7]{54,56}$`)}, // SEP-23
	// A key pair of Solana: 64 octets, in base58 or as a list of numbers. A
	// signature, by which Solana names transactions, has 64 octets too.
	{"a secret key, or the signature of a transaction", pattern(`^` + base58Class + `{85,89}$`)},
	{"a secret key", pattern(`^\[\s*[0-9]{1,3}(?:\s*,\s*[0-9]{1,3}){31,63}\s*\]$`)},
}

// secretKind says what kind of secret it looks like, empty if none.
func secretKind(s string) string {
	if len(s) > maxSecret {
		return ""
	}
	for _, secret := range secretForms {
		if secret.form().MatchString(s) {
			return secret.what
		}
	}
	if isPhrase(s) {
		return "a recovery phrase"
	}
	return ""
}

// minPhrase is the number of words in the shortest recovery phrase (BIP 39).
const minPhrase = 12

// isPhrase tells a recovery phrase, in any language, with or without numbers
// before the words.
func isPhrase(s string) bool {
	words := 0
	for word := range strings.FieldsSeq(s) {
		word = strings.Trim(word, "0123456789.,;:()")
		if strings.ContainsFunc(word, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M) }) {
			return false
		}
		if word != "" {
			words++
		}
	}
	return words >= minPhrase
}

func secretDetail(what string) string {
	return "This looks like " + what + ", not like an address. Never give a secret key to anybody: whoever has it can take your money. " +
		"If it is one, move your money to a new wallet, for this key has been typed into a form."
}
