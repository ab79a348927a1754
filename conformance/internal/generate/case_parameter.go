package generate

import (
	"maps"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// untextual are labels of variants that text does not have, or that readers of text
// differ about.
var untextual = []string{"exponent", "point"}

// parameterCases are those of one parameter.
func (s *Source) parameterCases(op *openapi.Operation, p *openapi.Parameter) []*proto {
	var list []*proto
	if p.Schema != nil {
		for _, r := range s.recipes(p.Schema, openapi.Request) {
			if p.Content == "" && slices.Contains(untextual, r.label) {
				continue
			}
			list = append(list, s.parameterVariant(p, r))
		}
	}
	if p.Schema != nil {
		list = append(list, s.contraryParameter(p)...)
	}
	list = append(list, s.presence(op, p)...)
	list = append(list, s.spellings(p)...)
	return append(list, s.styles(p)...)
}

func (s *Source) parameterVariant(p *openapi.Parameter, r *recipe) *proto {
	v := r.variant()
	return &proto{in: p.In, param: p.Name, variant: v, build: func(s *Source, base *Draft) (*Draft, Variant, *Drop) {
		var hint *any
		if old, ok := base.Values(p.In)[p.Name]; ok {
			hint = &old
		}
		made, drop := s.cook(r, p.Schema, openapi.Request, hint, func(v any) (any, bool) {
			read, ok := readBack(p, v)
			return read, ok && !clashes(base, p, v)
		})
		if drop != nil {
			return nil, Variant{}, drop
		}
		d := base.Clone()
		d.Values(p.In)[p.Name] = made.Value
		delete(d.RawPath, p.Name)
		return d, made, nil
	}}
}

// clashes tells whether a property of an object that is written without the name
// of its parameter is named as another parameter is.
func clashes(d *Draft, p *openapi.Parameter, v any) bool {
	m, ok := v.(map[string]any)
	if !ok || p.In != "query" || !p.Explode || p.Style == "deepObject" || p.Content != "" {
		return false
	}
	for _, q := range d.Op.Parameters {
		if _, has := m[q.Name]; has && q.In == p.In && q != p {
			return true
		}
	}
	return false
}

// presence leaves a parameter out, or puts it in.
func (s *Source) presence(op *openapi.Operation, p *openapi.Parameter) []*proto {
	if p.In == "path" {
		return nil
	}
	out := func(_ *Source, d *Draft) string {
		delete(d.Values(p.In), p.Name)
		return ""
	}
	if p.Required {
		class := "E17"
		if p.In == "query" {
			class = "E6"
		}
		return []*proto{simple(p.In, p.Name, Variant{
			Clause: openapi.Join(p.Pointer, "required"), Keyword: "required", Side: Breaks, Class: class,
			Why: "without the " + p.In + " parameter " + p.Name + ", which is required",
		}, out), simple(p.In, p.Name, Variant{
			Clause: openapi.Join(p.Pointer, "required"), Keyword: "required", Side: Keeps, Class: class,
			Why: "with the " + p.In + " parameter " + p.Name,
		}, func(s *Source, d *Draft) string { return s.include(op, p, d) }), simple(p.In, p.Name, Variant{
			Clause: p.Pointer, Keyword: "parameter", Side: Keeps, Class: class,
			Why: "with the " + p.In + " parameter " + p.Name,
		}, func(s *Source, d *Draft) string { return s.include(op, p, d) })}
	}
	list := []*proto{simple(p.In, p.Name, Variant{
		Clause: p.Pointer, Keyword: "parameter", Side: Keeps, Class: "E19", Label: "absent",
		Why: "without the " + p.In + " parameter " + p.Name + ", which is optional",
	}, out)}
	if bound(op, p) {
		return list
	}
	return append(list, simple(p.In, p.Name, Variant{
		Clause: p.Pointer, Keyword: "parameter", Side: Keeps, Class: "E19", Label: "present",
		Why: "with the " + p.In + " parameter " + p.Name + ", which is optional",
	}, func(s *Source, d *Draft) string { return s.include(op, p, d) }),
		simple(p.In, p.Name, Variant{
			Clause: p.Pointer, Keyword: "parameter", Side: Keeps, Class: "E19", Label: "alone",
			Why: "with the " + p.In + " parameter " + p.Name + ", and no other that is optional",
		}, func(s *Source, d *Draft) string {
			for _, q := range op.Parameters {
				if q != p && !q.Required {
					delete(d.Values(q.In), q.Name)
				}
			}
			return s.include(op, p, d)
		}))
}

// include puts a parameter into a request that may not have it.
func (s *Source) include(op *openapi.Operation, p *openapi.Parameter, d *Draft) string {
	if _, ok := d.Values(p.In)[p.Name]; ok {
		return ""
	}
	v, ok := s.parameter(op, p, Full)
	if !ok {
		return "no valid value can be sent"
	}
	d.Values(p.In)[p.Name] = v
	return ""
}

// spellings are other ways to write the same value.
func (s *Source) spellings(p *openapi.Parameter) []*proto {
	v := Variant{Clause: p.Pointer, Keyword: "parameter", Side: Keeps, Class: "E16"}
	encode := func(label, why string, spell func(string) string) *proto {
		w := v
		w.Label, w.Why = label, why
		return simple(p.In, p.Name, w, func(s *Source, d *Draft) string {
			if why := s.include(d.Op, p, d); why != "" {
				return why
			}
			return respell(d, p, spell)
		})
	}
	switch p.In {
	case "query":
		list := []*proto{
			encode("percent-encoded", "the value with every character percent-encoded", everyByte),
			encode("lower-case-hex", "the value with percent-encodings in small letters", lowerHex),
			encode("plus", "the value with + for each space (form encoding)", func(t string) string { return strings.ReplaceAll(t, "%20", "+") }),
		}
		return append(list, s.repeated(p)...)
	case "path":
		if p.Style != "simple" {
			return nil
		}
		return []*proto{
			encode("percent-encoded", "the value with every letter and digit percent-encoded", everyByte),
			encode("lower-case-hex", "the value with percent-encodings in small letters", lowerHex),
		}
	}
	return nil
}

// everyByte percent-encodes letters and digits: they are the same encoded (RFC
// 3986, 2.3).
func everyByte(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '%' && i+2 < len(text):
			b.WriteString(text[i : i+3])
			i += 2
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func lowerHex(text string) string {
	b := []byte(text)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
			i += 2
		}
	}
	return string(b)
}

// respell writes the value of a parameter otherwise.
func respell(d *Draft, p *openapi.Parameter, spell func(string) string) string {
	v, ok := d.Values(p.In)[p.Name]
	if !ok {
		return "the request does not have the parameter"
	}
	if p.In == "path" {
		text, err := writePath(p, v)
		if err != nil {
			return err.Error()
		}
		if spell(text) == text {
			return "it is written no other way"
		}
		raw := maps.Clone(d.RawPath)
		if raw == nil {
			raw = map[string]string{}
		}
		raw[p.Name] = spell(text)
		d.RawPath = raw
		return ""
	}
	pairs, err := writeQuery(p, v)
	if err != nil {
		return err.Error()
	}
	changed := false
	for i, pair := range pairs {
		name, text, _ := strings.Cut(pair, "=")
		other := name + "=" + spell(text)
		changed = changed || other != pair
		pairs[i] = other
	}
	if !changed {
		return "it is written no other way"
	}
	delete(d.Query, p.Name)
	d.ExtraQuery = append(d.ExtraQuery, pairs...)
	return ""
}

// repeated gives a parameter of one value twice.
func (s *Source) repeated(p *openapi.Parameter) []*proto {
	types := typesOf([]*openapi.Schema{p.Schema})
	if p.Schema == nil || types.has("array") || types.has("object") {
		return nil
	}
	return []*proto{simple(p.In, p.Name, Variant{
		Clause: p.Pointer, Keyword: "parameter", Side: s.sideBy(openapi.StrictDuplicates), Class: "E18", Label: "twice",
		Why: "the query parameter " + p.Name + " twice, though it is no array",
	}, func(s *Source, d *Draft) string {
		if why := s.include(d.Op, p, d); why != "" {
			return why
		}
		pairs, err := writeQuery(p, d.Query[p.Name])
		if err != nil {
			return err.Error()
		}
		d.ExtraQuery = append(d.ExtraQuery, pairs...)
		return ""
	})}
}
