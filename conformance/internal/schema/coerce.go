package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// ErrStyle is returned for a style that one text cannot hold: deepObject, and
// arrays and objects of form with explode, which are several parameters.
var ErrStyle = errors.New("the style is not of one text")

// Coerce gives the JSON value that the text of a parameter or header stands for,
// by its style (OpenAPI 3.0.3, 4.7.12.2): "5" is a number if the schema allows
// one, and a string if it does not. The text is without the parameter's name (but
// for matrix), and percent-decoded. Text that is no value of the schema's type is
// given as a string, so that validation says so.
func (s *Set) Coerce(m *openapi.Schema, text, style string, explode bool) (any, error) {
	separator := ","
	switch style {
	case "", "simple":
	case "form":
		if explode && (s.holds(m, "array") || s.holds(m, "object")) && !s.scalar(m) {
			return nil, fmt.Errorf("form with explode: %w", ErrStyle)
		}
	case "spaceDelimited":
		separator = " "
	case "pipeDelimited":
		separator = "|"
	case "label":
		text = strings.TrimPrefix(text, ".")
		if explode {
			separator = "."
		}
	case "matrix":
		return s.matrix(m, text, explode)
	default:
		return nil, fmt.Errorf("%s: %w", style, ErrStyle)
	}
	switch {
	case s.scalar(m):
		return s.primitive(m, text), nil
	case s.holds(m, "array"):
		return s.list(m, split(text, separator)), nil
	case s.holds(m, "object"):
		return s.object(m, split(text, separator), explode), nil
	}
	return s.primitive(m, text), nil
}

// CoerceList gives the array that several parameters of one name stand for: form
// with explode.
func (s *Set) CoerceList(m *openapi.Schema, texts []string) any {
	return s.list(m, texts)
}

// matrix reads ;name=1,2 or, with explode, ;name=1;name=2 (of objects ;a=1;b=2).
func (s *Set) matrix(m *openapi.Schema, text string, explode bool) (any, error) {
	text = strings.TrimPrefix(text, ";")
	if explode && !s.scalar(m) {
		parts := split(text, ";")
		if s.holds(m, "object") {
			return s.object(m, parts, true), nil
		}
		for i, p := range parts {
			_, parts[i], _ = strings.Cut(p, "=")
		}
		return s.list(m, parts), nil
	}
	_, value, _ := strings.Cut(text, "=")
	return s.Coerce(m, value, "simple", explode)
}

func split(text, separator string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, separator)
}

func (s *Set) list(m *openapi.Schema, texts []string) any {
	items := part(m, func(t *openapi.Schema) *openapi.Schema { return t.Items })
	list := make([]any, len(texts))
	for i, t := range texts {
		list[i] = s.primitive(items, t)
	}
	return list
}

func (s *Set) object(m *openapi.Schema, parts []string, explode bool) any {
	obj := map[string]any{}
	set := func(name, text string) {
		obj[name] = s.primitive(part(m, func(t *openapi.Schema) *openapi.Schema {
			for _, p := range t.Properties {
				if p.Name == name {
					return p.Schema
				}
			}
			return t.Additional
		}), text)
	}
	if explode {
		for _, p := range parts {
			name, value, _ := strings.Cut(p, "=")
			set(name, value)
		}
		return obj
	}
	for i := 0; i+1 < len(parts); i += 2 {
		set(parts[i], parts[i+1])
	}
	return obj
}

// part finds what the schema, or one that it is made of, has for a part of the
// value; nil: nothing.
func part(m *openapi.Schema, get func(*openapi.Schema) *openapi.Schema) *openapi.Schema {
	var found *openapi.Schema
	composed(m, func(t *openapi.Schema) {
		if x := get(t); x != nil && found == nil {
			found = x
		}
	})
	return found
}

// composed visits the schema and all that it is made of.
func composed(m *openapi.Schema, visit func(*openapi.Schema)) {
	seen := map[*openapi.Schema]bool{}
	var walk func(*openapi.Schema)
	walk = func(t *openapi.Schema) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		visit(t)
		for _, many := range [][]*openapi.Schema{t.AllOf, t.OneOf, t.AnyOf} {
			for _, u := range many {
				walk(u)
			}
		}
	}
	walk(m)
}

// holds says whether a schema names the type, or one that it is made of does.
func (*Set) holds(m *openapi.Schema, typ string) bool {
	found := false
	composed(m, func(t *openapi.Schema) {
		found = found || len(t.Types) > 0 && t.Allows(typ)
	})
	return found
}

func (s *Set) scalar(m *openapi.Schema) bool {
	return s.holds(m, "string") || s.holds(m, "number") || s.holds(m, "integer") || s.holds(m, "boolean")
}

// numeral is a number of JSON (RFC 8259 6).
var numeral = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

// primitive gives the first value that the text may stand for and that the schema
// allows, from the narrowest type to the widest; a string, if none is.
func (s *Set) primitive(m *openapi.Schema, text string) any {
	if m == nil {
		return text
	}
	var candidates []any
	if numeral.MatchString(text) {
		candidates = append(candidates, clamp(json.Number(text)))
	}
	if text == "true" || text == "false" {
		candidates = append(candidates, text == "true")
	}
	candidates = append(candidates, text)
	if text == "" || text == "null" {
		candidates = append(candidates, nil)
	}
	for _, c := range candidates {
		if s.valid(m, openapi.Request, c) {
			return c
		}
	}
	// None is valid: the value is of the first type that is allowed, so that the
	// fault is that of a bound, not of a type.
	for _, c := range candidates {
		if s.holds(m, typeOf(c)) {
			return c
		}
	}
	return text
}
