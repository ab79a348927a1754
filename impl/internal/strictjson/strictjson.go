// Package strictjson reads JSON from elsewhere. It is strict where readers
// disagree: what it accepts means the same to every reader that keeps RFC 8259.
//
// What encoding/json lets pass is refused: repeated names, of which different
// readers take different ones; invalid UTF-8 and lone surrogates, which it
// replaces; NUL, which databases cut text at; and numbers that no float64 holds.
// Depth and size of what is read are bounded, and so is the work of judging it.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits on the shape of a document. They bound the work of judging it.
const (
	MaxDepth        = 32  // of arrays and objects in each other
	MaxMembers      = 256 // of one object or array
	MaxNumberLength = 64  // more than any number needs; exact arithmetic takes longer with each digit
)

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
// map[string]any. There is a value if there are no faults.
func Decode(body []byte) (any, []Fault) {
	if !utf8.Valid(body) {
		return nil, []Fault{{Code: CodeInvalidUTF8, Detail: fmt.Sprintf("The body is not UTF-8, at byte %d.", invalidAt(body))}}
	}
	r := reader{dec: jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true))}
	value, err := r.value()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		r.faults = append(r.faults, r.fault(err, len(body)))
	}
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	return value, nil
}

func invalidAt(body []byte) int {
	for i := 0; i < len(body); {
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(body)
}

// reader builds a value from tokens. Faults that leave the reading possible are
// collected; those that end it are returned as errors.
type reader struct {
	dec    *jsontext.Decoder
	faults []Fault
}

var (
	errTooDeep  = errors.New("too deep")
	errTooMany  = errors.New("too many members")
	errTrailing = errors.New("data after the document")
)

func (r *reader) value() (any, error) {
	if r.dec.StackDepth() >= MaxDepth {
		if kind := r.dec.PeekKind(); kind == '{' || kind == '[' {
			return nil, errTooDeep
		}
	}
	token, err := r.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return r.text(token.String()), nil
	case '0':
		return r.number(token.String()), nil
	case '{':
		return r.object()
	default: // '[', for the decoder refuses a closing token here
		return r.array()
	}
}

func (r *reader) object() (any, error) {
	object := make(map[string]any)
	for r.dec.PeekKind() != '}' {
		if len(object) == MaxMembers {
			return nil, errTooMany
		}
		name, err := r.dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key := r.text(name.String())
		if _, repeated := object[key]; repeated {
			r.found(CodeDuplicateProperty, "This property is given more than once.")
		}
		if object[key], err = r.value(); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.ReadToken()
	return object, err
}

func (r *reader) array() (any, error) {
	array := []any{}
	for r.dec.PeekKind() != ']' {
		if len(array) == MaxMembers {
			return nil, errTooMany
		}
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		array = append(array, item)
	}
	_, err := r.dec.ReadToken()
	return array, err
}

func (r *reader) text(s string) string {
	if strings.ContainsRune(s, 0) {
		r.found(CodeNULCharacter, "Text must not have NUL characters (U+0000).")
	}
	return s
}

func (r *reader) number(literal string) any {
	n := json.Number(literal)
	f, err := n.Float64()
	if err != nil || len(literal) > MaxNumberLength || !faithful(literal, f) {
		r.found(CodeNumberRange, "This number is too large, or has too many digits.")
	}
	return n
}

// faithful tells whether a number is as good as the float64 by which it is
// judged: not zero where the number is not, and not whole where the number has
// a fraction, which the handler would see.
func faithful(literal string, f float64) bool {
	if f == 0 {
		mantissa, _, _ := strings.Cut(strings.ToLower(literal), "e")
		return strings.Trim(mantissa, "-0.") == ""
	}
	if f != math.Trunc(f) || !strings.ContainsAny(literal, ".eE") {
		return true
	}
	exact, ok := new(big.Rat).SetString(literal)
	return ok && exact.IsInt()
}

// end makes sure that nothing but white space follows.
func (r *reader) end() error {
	switch _, err := r.dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	default:
		return errTrailing
	}
}

// found notes a fault at the token that was read last.
func (r *reader) found(code, detail string) {
	r.faults = append(r.faults, Fault{Pointer: readable(string(r.dec.StackPointer())), Code: code, Detail: detail})
}

// fault puts an error that ended the reading into words.
func (r *reader) fault(err error, size int) Fault {
	f := Fault{Pointer: readable(string(r.dec.StackPointer())), Code: CodeMalformed}
	at := r.dec.InputOffset()
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		at, f.Pointer = syntactic.ByteOffset, readable(string(syntactic.JSONPointer))
	}
	switch {
	case errors.Is(err, errTooDeep):
		f.Code, f.Detail = CodeTooDeep, fmt.Sprintf("Objects and arrays may be nested %d deep.", MaxDepth)
	case errors.Is(err, errTooMany):
		f.Code, f.Detail = CodeTooManyMembers, fmt.Sprintf("An object or array may have %d members.", MaxMembers)
	case errors.Is(err, errTrailing):
		f.Detail = fmt.Sprintf("There is more after the JSON document, at byte %d.", at)
	case size == 0 || errors.Is(err, io.EOF):
		f.Detail = "The body is empty. Send a JSON document."
	case errors.Is(err, io.ErrUnexpectedEOF):
		f.Detail = fmt.Sprintf("The JSON ends before it is complete, at byte %d.", at)
	default:
		f.Detail = fmt.Sprintf("This is not JSON, at byte %d.", at)
	}
	return f
}

// readable makes of a name that somebody else chose one that can be answered.
func readable(name string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), "\x00", "\uFFFD")
}
