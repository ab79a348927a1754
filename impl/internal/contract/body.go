package contract

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

// Limits on the shape of a body. They bound the work of judging it: a validator
// that reports every fault spends time and memory on each.
const (
	maxDepth   = 32  // of arrays and objects in each other
	maxMembers = 256 // of one object or array
)

// Codes of faults of the form of a body.
const (
	codeMalformedJSON     = "malformed_json"
	codeInvalidUTF8       = "invalid_utf8"
	codeDuplicateProperty = "duplicate_property"
	codeNULCharacter      = "nul_character"
	codeTooDeep           = "too_deep"
	codeTooManyMembers    = "too_many_members"
	codeNumberRange       = "number_out_of_range"
)

// decode reads a body as one JSON document (RFC 8259), in one pass, and makes
// of it the value that is judged and that the handler gets. What encoding/json
// lets pass is refused: repeated names, of which different readers take
// different ones; invalid UTF-8 and lone surrogates, which it replaces; NUL,
// which databases cut text at; and numbers that no float64 holds.
func decode(body []byte) (any, *RequestError) {
	if !utf8.Valid(body) {
		return nil, malformed(Fault{Code: codeInvalidUTF8, Detail: fmt.Sprintf("The body is not UTF-8, at byte %d.", invalidAt(body))})
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
		return nil, malformed(r.faults...)
	}
	return value, nil
}

func malformed(faults ...Fault) *RequestError {
	return &RequestError{Kind: MalformedBody, Faults: faults}
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
	if r.dec.StackDepth() >= maxDepth {
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
		if len(object) == maxMembers {
			return nil, errTooMany
		}
		name, err := r.dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key := r.text(name.String())
		if _, repeated := object[key]; repeated {
			r.found(codeDuplicateProperty, "This property is given more than once.")
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
		if len(array) == maxMembers {
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
		r.found(codeNULCharacter, "Text must not have NUL characters (U+0000).")
	}
	return s
}

// maxNumberLength is more than any number of a contract needs; the time that
// exact arithmetic takes grows with the length.
const maxNumberLength = 64

func (r *reader) number(literal string) any {
	n := json.Number(literal)
	f, err := n.Float64()
	if err != nil || len(literal) > maxNumberLength || !faithful(literal, f) {
		r.found(codeNumberRange, "This number is too large, or has too many digits.")
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
	f := Fault{Pointer: readable(string(r.dec.StackPointer())), Code: codeMalformedJSON}
	at := r.dec.InputOffset()
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		at, f.Pointer = syntactic.ByteOffset, readable(string(syntactic.JSONPointer))
	}
	switch {
	case errors.Is(err, errTooDeep):
		f.Code, f.Detail = codeTooDeep, fmt.Sprintf("Objects and arrays may be nested %d deep.", maxDepth)
	case errors.Is(err, errTooMany):
		f.Code, f.Detail = codeTooManyMembers, fmt.Sprintf("An object or array may have %d members.", maxMembers)
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
