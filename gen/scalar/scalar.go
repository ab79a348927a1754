// Package scalar has the Go types of values in the contract for which the
// generator has none that keeps their meaning: a string that may also come as
// an integer, and a timestamp with exactly six decimals.
package scalar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// StringOrInteger is a value that JSON may hold as a string or as an integer,
// such as a post code or a phone number. The zero value is the empty string.
type StringOrInteger struct {
	text    string
	integer bool
}

// String makes a value that is sent as a JSON string.
func String(s string) StringOrInteger { return StringOrInteger{text: s} }

// Integer makes a value that is sent as a JSON number.
func Integer(i int64) StringOrInteger {
	return StringOrInteger{text: big.NewInt(i).String(), integer: true}
}

// Text gives the value as text: the string, or the integer's decimal digits.
func (v StringOrInteger) Text() string { return v.text }

// IsInteger tells whether the value came, or will be sent, as a JSON number.
func (v StringOrInteger) IsInteger() bool { return v.integer }

// MarshalJSON gives the value in the form in which it came.
func (v StringOrInteger) MarshalJSON() ([]byte, error) {
	if v.integer {
		return []byte(v.text), nil
	}
	return json.Marshal(v.text)
}

// maxNumberLength bounds the work that one number can ask for: 1e999999999 is
// twelve bytes of JSON and a gigabyte of digits.
const maxNumberLength = 32

var errNotStringOrInteger = errors.New("neither a JSON string nor a JSON integer")

// UnmarshalJSON takes a JSON string, or a number without a fraction. 1e3 and
// 1000.0 are the integer 1000 (JSON Schema, Validation, "type").
func (v *StringOrInteger) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		v.integer = false
		return json.Unmarshal(b, &v.text)
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil || n == "" {
		return errNotStringOrInteger
	}
	f, err := n.Float64()
	if err != nil || len(n) > maxNumberLength || f > 1e18 || f < -1e18 {
		return errNotStringOrInteger
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok || !r.IsInt() {
		return errNotStringOrInteger
	}
	v.text, v.integer = r.Num().String(), true
	return nil
}

// TimestampLayout is how a [Timestamp] is written: RFC 3339 in UTC, with six
// decimals.
const TimestampLayout = "2006-01-02T15:04:05.000000Z"

// Timestamp is a moment in UTC to the microsecond. Its JSON always has six
// decimals and Z, where that of [time.Time] drops trailing zeros.
type Timestamp struct{ time.Time }

// MarshalJSON writes the moment in [TimestampLayout].
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"` + TimestampLayout + `"`)), nil
}

// UnmarshalJSON takes any RFC 3339 moment.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	t.Time = at.UTC()
	return nil
}
