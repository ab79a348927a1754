package generate

import (
	"encoding/json"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// typeSet are the types that some schemas allow together; none: any.
type typeSet []string

func typesOf(whole []*openapi.Schema) typeSet {
	g := &generation{}
	var list []string
	for _, s := range whole {
		list = append(list, g.allTypes(s, 0)...)
	}
	return list
}

func (t typeSet) has(name string) bool { return slices.Contains(t, name) }

// allTypes are the types that any way through a schema allows.
func (g *generation) allTypes(s *openapi.Schema, level int) []string {
	if s == nil || level > maxCost {
		return nil
	}
	list := slices.Clone(s.Types)
	if s.Nullable {
		list = append(list, "null")
	}
	for _, many := range [][]*openapi.Schema{s.AllOf, s.OneOf, s.AnyOf} {
		for _, t := range many {
			list = append(list, g.allTypes(t, level+1)...)
		}
	}
	if len(s.Types) == 0 && (s.Const != nil || len(s.Enum) > 0) {
		for _, v := range append(slices.Clone(s.Enum), valueOf(s.Const)...) {
			list = append(list, kindOf(v))
		}
	}
	return list
}

func valueOf(v *any) []any {
	if v == nil {
		return nil
	}
	return []any{*v}
}

// kindOf is the type of JSON of a decoded value.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if r, ok := rational(v.String()); ok && r.IsInt() {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	default:
		return "object"
	}
}

func itemsOf(whole []*openapi.Schema) []*openapi.Schema {
	var list []*openapi.Schema
	for _, s := range whole {
		if s.Items != nil {
			list = append(list, s.Items)
		}
		list = append(list, itemsOf(s.AllOf)...)
	}
	return list
}

// coerce reads a text as a server must that knows the schema: a number or a truth
// value only where one is allowed.
func coerce(whole []*openapi.Schema, text string) any {
	types := typesOf(whole)
	switch {
	case isNumber(text) && (types.has("integer") || types.has("number")):
		return json.Number(text)
	case (text == "true" || text == "false") && types.has("boolean"):
		return text == "true"
	case (text == "" || text == "null") && types.has("null") && !types.has("string"):
		return nil
	}
	return text
}

// readBack gives what a server reads of a parameter that a value is written to.
// It is false if the value cannot be written there, or if what is written can be
// read in several ways.
func readBack(p *openapi.Parameter, v any) (any, bool) {
	if v == nil {
		return nil, false
	}
	if p.Content != "" {
		text, err := writeContent(p, v)
		return v, err == nil && travels(p, text, true) && isJSON(p.Content)
	}
	texts, object, err := flat(v)
	if err != nil || len(texts) == 0 {
		return nil, false
	}
	_, list := v.([]any)
	alone := !object && !list
	for _, t := range texts {
		if !travels(p, t, alone) {
			return nil, false
		}
	}
	whole := []*openapi.Schema{p.Schema}
	types := typesOf(whole)
	switch {
	case object:
		if len(types) > 0 && !types.has("object") {
			return nil, false
		}
		return readObject(p, texts), true
	case list && types.has("array"):
		return readList(whole, texts), true
	case list:
		if p.Explode && p.Style != "simple" {
			return nil, false // the same name several times
		}
		separator := map[string]string{"spaceDelimited": " ", "pipeDelimited": "|"}[p.Style]
		if separator == "" {
			separator = ","
		}
		return coerce(whole, strings.Join(texts, separator)), true
	case types.has("array"):
		if strings.ContainsAny(texts[0], ",|; ") || texts[0] == "" {
			return nil, false
		}
		return readList(whole, texts), true
	case types.has("object"):
		return nil, false
	}
	return coerce(whole, texts[0]), true
}

func readList(whole []*openapi.Schema, texts []string) []any {
	items := itemsOf(whole)
	list := make([]any, 0, len(texts))
	for _, t := range texts {
		list = append(list, coerce(items, t))
	}
	return list
}

func readObject(p *openapi.Parameter, texts []string) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(texts); i += 2 {
		var whole []*openapi.Schema
		if s := p.Schema.Property(texts[i]); s != nil {
			whole = append(whole, s)
		} else if p.Schema.Additional != nil {
			whole = append(whole, p.Schema.Additional)
		}
		out[texts[i]] = coerce(whole, texts[i+1])
	}
	return out
}

// travels tells whether a text comes through its place as it is, whatever server
// reads it.
func travels(p *openapi.Parameter, text string, alone bool) bool {
	if !alone && (text == "" || strings.ContainsAny(text, ",|;.= ")) && p.Content == "" {
		// What parts the values of a list is part of a value.
		if text == "" || p.In != "query" || !p.Explode || strings.ContainsAny(text, ",|;") {
			return false
		}
	}
	switch p.In {
	case "path":
		// An empty segment, and dot segments, are another path; slashes and control
		// characters are refused by much that is between.
		return text != "" && text != "." && text != ".." && !strings.ContainsAny(text, "/\\") && !hasControl(text) &&
			(p.Style != "label" && p.Style != "matrix" || !strings.ContainsAny(text, ".;=,"))
	case "header":
		// RFC 9110 5.5: white space at the ends is no part of the value, and what is
		// not ASCII is opaque. An empty field is as good as none to many.
		return text != "" && strings.TrimSpace(text) == text && !strings.ContainsFunc(text, func(r rune) bool {
			return r < 0x20 || r > 0x7E
		})
	case "cookie":
		// RFC 6265 4.1.1: cookie-octet.
		return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
			return r <= 0x20 || r > 0x7E || strings.ContainsRune(`",;\%`, r)
		})
	default:
		return !strings.ContainsRune(text, 0)
	}
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r >= 0x7F && r < 0xA0 })
}

// survives tells whether a valid value of a parameter is valid after it was sent.
func (s *Source) survives(p *openapi.Parameter, v any) bool {
	read, ok := readBack(p, v)
	return ok && (p.Schema == nil || len(s.faults(p.Schema, read, openapi.Request)) == 0)
}

// Read gives what a server reads of a value that is sent as a parameter; false: it
// cannot be told.
func Read(p *openapi.Parameter, v any) (any, bool) { return readBack(p, v) }
