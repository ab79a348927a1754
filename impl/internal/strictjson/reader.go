package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// read reads a document that is UTF-8, and finds its faults.
func read(body []byte) (any, []Fault) {
	r := reader{dec: jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))}
	value, err := r.value()
	if err == nil {
		err = r.end()
	}
	if err != nil && len(r.faults) < MaxFaults {
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
	for members := 0; r.dec.PeekKind() != '}'; members++ {
		if members == MaxMembers {
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
	n, ok := canonical(literal)
	if !ok {
		r.found(CodeNumberRange, "This number is too large, or has too many digits.")
	}
	return n
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
	if len(r.faults) == MaxFaults {
		return
	}
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
