package wallet

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MemoRule says whether payments on a network may have a memo.
type MemoRule string

// There is no rule that a memo must be given: the wallet that a person holds the
// keys of needs none. Only the account that many customers of an exchange share
// does, and an address does not tell which it is.
const (
	MemoNone     MemoRule = "none"
	MemoOptional MemoRule = "optional"
)

// Memo is what a network's payments say beside the address.
type Memo struct {
	Rule MemoRule
	// Label is what the network calls it, empty if there is none.
	Label string
	// Pattern is a regular expression for forms, of RE2 and of ECMAScript.
	// [Check] may refuse what it lets through.
	Pattern string
	// Example is one that is valid.
	Example string
	// Help says when it is needed.
	Help string
}

// memoCheck judges a memo that is not empty: it gives what is wrong with it.
type memoCheck func(memo string) string

var (
	noMemo = Memo{Rule: MemoNone}

	destinationTag = Memo{
		Rule: MemoOptional, Label: "Destination tag", Pattern: `^(0|[1-9][0-9]{0,9})$`, Example: "12345678",
		Help: "Exchanges and other services that keep your coins for you give a destination tag with the address, " +
			"and cannot credit a payment without it. Your own wallet needs none.",
	}

	stellarMemo = Memo{
		Rule: MemoOptional, Label: "Memo", Pattern: `^\S(.{0,26}\S)?$`, Example: "12345678",
		Help: "Exchanges and other services that keep your coins for you give a memo with the address, " +
			"and cannot credit a payment without it. Your own wallet needs none.",
	}
)

var tagForm = pattern(destinationTag.Pattern)

// checkTag judges the destination tag of a payment: an unsigned number of 32
// bits (XRPL documentation, "Source and Destination Tags").
func checkTag(memo string) string {
	if _, err := strconv.ParseUint(memo, 10, 32); err != nil || !tagForm().MatchString(memo) {
		return "A destination tag is a whole number from 0 to 4294967295, written in digits only, without zeros before it."
	}
	return ""
}

// maxMemoText is the length in octets of a memo of type text (Stellar
// documentation, "Memos"; XDR string<28>).
const maxMemoText = 28

// checkStellarMemo judges a memo of type text, or of type id, an unsigned number
// of 64 bits, which is at most 20 digits and so has the form of a text as well.
// Which of the two a number is, only the receiver knows; it is kept as given.
// Memos of type hash and return are for programs, and refused.
func checkStellarMemo(memo string) string {
	switch {
	case len(memo) > maxMemoText:
		return "A memo has at most 28 characters, letters beyond A to Z counting for more than one."
	case !utf8.ValidString(memo) || strings.ContainsFunc(memo, func(r rune) bool { return !unicode.IsGraphic(r) }):
		return "A memo has letters, digits, punctuation and spaces only. Copy it without line breaks or hidden characters."
	case strings.TrimSpace(memo) != memo:
		return "This memo begins or ends with a space, which would be part of it. Leave it out."
	}
	return ""
}

func (n *network) checkMemo(memo string) ([]Finding, *Error) {
	if memo == "" {
		if n.Memo.Rule == MemoOptional {
			return []Finding{{FieldMemo, CodeMemoMissing, n.Memo.Help + " Add it if the address is of such a service."}}, nil
		}
		return nil, nil
	}
	if what := secretKind(strings.TrimSpace(memo)); what != "" {
		return nil, &Error{FieldMemo, CodeMemoIsSecretKey, secretDetail(what)}
	}
	if n.Memo.Rule == MemoNone {
		return nil, &Error{FieldMemo, CodeMemoNotAllowed, "Payments on " + n.Label + " have no memo or tag. " +
			"Leave it empty; if your wallet gave you one, the address is probably of another network."}
	}
	if detail := n.memo(memo); detail != "" {
		return nil, &Error{FieldMemo, CodeMemoForm, detail}
	}
	return nil, nil
}
