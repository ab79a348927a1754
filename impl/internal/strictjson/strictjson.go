// Package strictjson reads JSON from elsewhere. It is strict where readers
// disagree: what it accepts means the same to every reader that keeps RFC 8259.
//
// What encoding/json lets pass is refused: repeated names, of which different
// readers take different ones; invalid UTF-8 and lone surrogates, which it
// replaces; NUL, which databases cut text at; and numbers that no float64 holds.
// Depth and size of what is read are bounded, and so is the work of judging it.
//
// # Two readers
//
// A document is read by a small scanner that knows only how to accept. Whatever
// it does not accept is read again by a reader around package jsontext, which
// decides, and which finds the faults and their places. So the scanner cannot
// refuse anything wrongly, and the fuzz target of this package holds it to
// accepting nothing, and making nothing of it, that the other does not.
//
// # Numbers
//
// A number is a [json.Number] with the digits that came, save that a whole one
// which is written with a fraction or an exponent (1.0, 1e2) becomes the integer
// that it is: JSON Schema takes it for one, and Go's integers do not.
package strictjson

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"
)

// Limits on the shape of a document. They bound the work of judging it.
const (
	MaxDepth        = 32  // of arrays and objects in each other
	MaxMembers      = 256 // of one object or array
	MaxNumberLength = 64  // more than any number needs; exact arithmetic takes longer with each digit
)

// MaxFaults is how many faults of a document are told.
const MaxFaults = 20

// Codes of faults.
const (
	CodeMalformed         = "malformed_json"
	CodeInvalidUTF8       = "invalid_utf8"
	CodeDuplicateProperty = "duplicate_property"
	CodeNULCharacter      = "nul_character"
	CodeTooDeep           = "too_deep"
	CodeTooManyMembers    = "too_many_members"
	CodeNumberRange       = "number_out_of_range"
)

// Fault is one thing that is wrong with a document. Neither code nor detail ever
// holds a value of it; names in a pointer are made UTF-8 without NUL.
type Fault struct {
	Pointer string // RFC 6901
	Code    string // stable
	Detail  string // what is wrong and how to mend it
}

// Decode reads a body as one JSON document (RFC 8259), in one pass: null as nil,
// booleans, strings, numbers as [json.Number], arrays as []any and objects as
// map[string]any. There is a value if there are no faults. The texts of a value
// share their memory with each other, not with the body.
func Decode(body []byte) (any, []Fault) {
	if !utf8.Valid(body) {
		return nil, []Fault{{Code: CodeInvalidUTF8, Detail: fmt.Sprintf("The body is not UTF-8, at byte %d.", invalidAt(body))}}
	}
	if value, ok := scan(string(body)); ok {
		return value, nil
	}
	return read(body)
}

// canonical reads the literal of a number. It is not ok if the number is too
// large or too long, or is not as good as the float64 by which it is judged: not
// zero where the number is not, and not whole where the number has a fraction,
// which others would see.
func canonical(literal string) (n json.Number, ok bool) {
	n = json.Number(literal)
	if len(literal) > MaxNumberLength {
		return n, false
	}
	if !strings.ContainsAny(literal, ".eE") {
		return n, true
	}
	f, err := n.Float64()
	if err != nil {
		return n, false
	}
	if f == 0 {
		mantissa, _, _ := strings.Cut(strings.ToLower(literal), "e")
		return "0", strings.Trim(mantissa, "-0.") == ""
	}
	if f != math.Trunc(f) {
		return n, true
	}
	exact, ok := new(big.Rat).SetString(literal)
	if !ok || !exact.IsInt() {
		return n, false
	}
	if exact.Num().IsInt64() {
		n = json.Number(exact.Num().String())
	}
	return n, true
}
