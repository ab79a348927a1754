package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Errors of [StrictJSON] that the JSON library has none for.
var (
	ErrBOM   = errors.New("it begins with a byte order mark (RFC 8259 8.1)")
	ErrEmpty = errors.New("it is empty, which is no JSON (RFC 8259 2)")
	ErrMore  = errors.New("something follows after the JSON value")
)

// StrictJSON refuses what is no JSON (RFC 8259), or JSON that not everyone reads
// alike (RFC 7493): bytes that are no UTF-8, lone surrogates, names that are
// there twice, a byte order mark, and anything after the value.
func StrictJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")) {
		return ErrBOM
	}
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	if _, err := d.ReadValue(); err != nil {
		if errors.Is(err, io.EOF) && len(bytes.TrimSpace(raw)) == 0 {
			return ErrEmpty
		}
		return fmt.Errorf("it is no JSON that everyone reads alike: %w", err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return ErrMore
	}
	return nil
}

// Parse gives the value of JSON that [StrictJSON] accepts, with [json.Number] for
// numbers.
func Parse(raw []byte) (any, error) {
	if err := StrictJSON(raw); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	return v, nil
}

// maxExponent is how many powers of ten a number may have to be judged exactly.
// One beyond is judged as 10^±maxExponent: no bound of a document lies between.
const maxExponent = 2000

// plain gives a value with all its numbers as [json.Number], none of them too
// large to calculate with.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = plain(x)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = plain(x)
		}
		return list
	case json.Number:
		return clamp(v)
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case int:
		return json.Number(strconv.Itoa(v))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	}
	return v
}

func clamp(n json.Number) json.Number {
	i := strings.IndexAny(string(n), "eE")
	if i < 0 {
		return n
	}
	exponent, ok := new(big.Int).SetString(strings.TrimPrefix(string(n[i+1:]), "+"), 10)
	if !ok || exponent.IsInt64() && -maxExponent <= exponent.Int64() && exponent.Int64() <= maxExponent {
		return n
	}
	mantissa := string(n[:i])
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign = "-"
	}
	if strings.Trim(mantissa, "-0.") == "" {
		return "0"
	}
	if exponent.Sign() < 0 {
		return json.Number(sign + "1e-" + strconv.Itoa(maxExponent))
	}
	return json.Number(sign + "1e" + strconv.Itoa(maxExponent))
}
