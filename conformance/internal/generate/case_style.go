package generate

import (
	"encoding/json"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// styles send values of several parts, which is where the style of a parameter is
// seen, and, where that is invalid, in another style.
func (s *Source) styles(p *openapi.Parameter) []*proto {
	if p.Schema == nil || p.Content != "" {
		return nil
	}
	types := typesOf([]*openapi.Schema{p.Schema})
	if !types.has("array") && !types.has("object") {
		return nil
	}
	var list []*proto
	for _, keyword := range []string{"style", "explode"} {
		v := Variant{
			Clause: openapi.Join(p.Pointer, keyword), Keyword: keyword, Side: Keeps, Class: "E16",
			Why: "a value of several parts, in the style " + p.Style,
		}
		list = append(list, simple(p.In, p.Name, v, func(s *Source, d *Draft) string {
			value, ok := s.several(p)
			if !ok {
				return "no value of several parts can be sent"
			}
			d.Values(p.In)[p.Name] = value
			return ""
		}))
	}
	if p.In == "query" && types.has("array") {
		list = append(list, s.otherStyles(p)...)
	}
	return list
}

// several is a valid value of a parameter that has more than one part.
func (s *Source) several(p *openapi.Parameter) (any, bool) {
	g := s.generation(p.Pointer+" several", openapi.Request, Full)
	g.plan = plan{}.with(func(q *plan) { q.items[""] = 3; q.present[""] = true })
	v := g.value("", []*openapi.Schema{p.Schema}, nil, 0, 0)
	n := 0
	switch v := v.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	}
	return v, n > 1 && s.survives(p, v)
}

// otherStyles send the items of an array as another style has it. Only where what
// a server then reads is invalid, it is sent: an item of numbers with commas in it.
func (s *Source) otherStyles(p *openapi.Parameter) []*proto {
	own := map[string]string{"spaceDelimited": "%20", "pipeDelimited": "%7C", "form": ","}[p.Style]
	if own == "" {
		return nil
	}
	var list []*proto
	for _, other := range []struct{ label, separator, text string }{
		{"commas", ",", ","}, {"spaces", "%20", " "}, {"pipes", "%7C", "|"}, {"semicolons", "%3B", ";"},
	} {
		if other.separator == own && !p.Explode {
			continue
		}
		v := Variant{
			Clause: openapi.Join(p.Pointer, "style"), Keyword: "style", Side: Breaks, Class: "E16", Label: other.label,
			Why: "items parted by " + other.label + ", which is not the style",
		}
		list = append(list, simple(p.In, p.Name, v, func(s *Source, d *Draft) string {
			value, ok := s.several(p)
			if !ok {
				return "no value of several parts can be sent"
			}
			texts, _, err := flat(value)
			if err != nil {
				return err.Error()
			}
			read := []any{coerce(itemsOf([]*openapi.Schema{p.Schema}), strings.Join(texts, other.text))}
			if len(s.faults(p.Schema, read, openapi.Request)) == 0 || numeric(read[0]) {
				return "it would be valid as one item"
			}
			delete(d.Query, p.Name)
			d.ExtraQuery = append(d.ExtraQuery, escape(p.Name, "[]")+"="+joined(texts, false, false, other.separator, escapeAll))
			return ""
		}))
	}
	return list
}

func numeric(v any) bool {
	_, ok := v.(json.Number)
	return ok
}
