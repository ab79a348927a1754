package generate

import (
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// bodyCases are those of the request body.
func (s *Source) bodyCases(op *openapi.Operation) []*proto {
	if op.Body == nil || len(op.Body.Content) == 0 {
		return nil
	}
	var list []*proto
	first := preferred(op.Body.Content)
	done := map[string]bool{}
	for _, m := range append([]*openapi.MediaType{first}, op.Body.Content...) {
		if m.Schema == nil || done[m.Type] || isXML(m.Type) {
			continue
		}
		done[m.Type] = true
		for _, r := range s.recipes(m.Schema, openapi.Request) {
			list = append(list, s.bodyVariant(m, r, m == first))
		}
	}
	list = append(list, s.examples(op)...)
	list = append(list, s.bodyPresence(op)...)
	list = append(list, s.mediaTypes(op)...)
	if isJSON(concrete(first.Type)) {
		list = append(list, s.malformed(first)...)
	}
	return list
}

func (s *Source) bodyVariant(m *openapi.MediaType, r *recipe, first bool) *proto {
	v := r.variant()
	in := "body"
	if !first {
		in = "body:" + strings.ReplaceAll(m.Type, "/", "-")
	}
	contentType := concrete(m.Type)
	return &proto{in: in, variant: v, build: func(s *Source, base *Draft) (*Draft, Variant, *Drop) {
		d := base.Clone()
		if !d.HasBody || mediaType(d.ContentType) != mediaType(contentType) {
			s.SetBody(d, m, Typical)
		}
		d.RawBody = nil
		read := func(v any) (any, bool) { return readBody(contentType, m.Schema, v) }
		if isJSON(contentType) {
			read = nil
		}
		made, drop := s.cook(r, m.Schema, openapi.Request, &d.Body, read)
		if drop != nil {
			return nil, Variant{}, drop
		}
		d.Body = made.Value
		return d, made, nil
	}}
}

// examples sends each example of the document.
func (s *Source) examples(op *openapi.Operation) []*proto {
	var list []*proto
	for _, m := range op.Body.Content {
		if m.Schema == nil {
			continue
		}
		for _, e := range m.Examples {
			list = append(list, s.contraryExample(m, e)...)
			list = append(list, simple("body", "", Variant{
				Clause: m.Pointer, Keyword: "mediaType", Side: Keeps, Class: "C7", Label: "example-" + slug(e.Name),
				Why: "the example " + e.Name + " of the document, with fresh values where two may not be equal",
			}, func(s *Source, d *Draft) string {
				if f := s.faults(m.Schema, e.Value, openapi.Request); len(f) > 0 {
					return "the example is not valid: it breaks " + clauses(f)
				}
				s.SetBody(d, &openapi.MediaType{Type: m.Type, Schema: m.Schema, Pointer: m.Pointer, Examples: []*openapi.Example{e}}, Typical)
				return ""
			}))
		}
	}
	return list
}

// bodyPresence leaves the body out, or empty.
func (s *Source) bodyPresence(op *openapi.Operation) []*proto {
	clause := openapi.Join(op.Body.Pointer, "required")
	if !op.Body.Required {
		return []*proto{simple("body", "", Variant{
			Clause: op.Body.Pointer, Keyword: "requestBody", Side: Keeps, Class: "E19", Label: "absent", Why: "without a body, which is optional",
		}, func(_ *Source, d *Draft) string {
			d.HasBody, d.Body, d.RawBody, d.ContentType = false, nil, nil, ""
			return ""
		}), simple("body", "", Variant{
			Clause: op.Body.Pointer, Keyword: "requestBody", Side: Keeps, Class: "E19", Label: "present", Why: "with a body, which is optional",
		}, withBody)}
	}
	broken := func(label, why string, change func(d *Draft)) *proto {
		return simple("body", "", Variant{
			Clause: clause, Keyword: "requestBody", Side: Breaks, Class: "O5", Label: label, Why: why,
		}, func(_ *Source, d *Draft) string { change(d); return "" })
	}
	list := []*proto{
		simple("body", "", Variant{
			Clause: clause, Keyword: "requestBody", Side: Keeps, Class: "O5", Why: "with a body, which is required",
		}, withBody),
		broken("absent", "without a body, which is required", func(d *Draft) {
			d.HasBody, d.Body, d.RawBody, d.ContentType = false, nil, nil, ""
		}),
		broken("empty", "with an empty body", func(d *Draft) { d.RawBody = []byte{} }),
	}
	if isJSON(concrete(preferred(op.Body.Content).Type)) {
		list = append(list, broken("white-space", "with nothing but white space as a body", func(d *Draft) { d.RawBody = []byte(" \n") }))
	}
	return list
}

// isXML tells whether a media type is XML (RFC 7303), of which no bodies are made:
// how a schema becomes XML is beyond this package.
func isXML(t string) bool {
	base := mediaType(concrete(t))
	return strings.HasSuffix(base, "/xml") || strings.HasSuffix(base, "+xml")
}

func withBody(s *Source, d *Draft) string {
	if !d.HasBody {
		s.SetBody(d, preferred(d.Op.Body.Content), Typical)
	}
	return ""
}

// mediaTypes sends each media type that is declared, and some that are not.
func (s *Source) mediaTypes(op *openapi.Operation) []*proto {
	var list []*proto
	for _, m := range op.Body.Content {
		if isXML(m.Type) {
			continue
		}
		list = append(list, simple("body", "", Variant{
			Clause: m.Pointer, Keyword: "mediaType", Side: Keeps, Class: "C7", Label: slug(m.Type), Why: "a body of type " + m.Type,
		}, func(s *Source, d *Draft) string {
			if d.HasBody && mediaType(d.ContentType) == mediaType(concrete(m.Type)) {
				return ""
			}
			s.SetBody(d, m, Typical)
			if _, _, err := encodeBody(d); err != nil {
				return "no body of the type can be written: " + err.Error()
			}
			return ""
		}))
	}
	first := preferred(op.Body.Content)
	typed := func(side Side, class, label, why, contentType string) *proto {
		return simple("body", "", Variant{
			Clause: first.Pointer, Keyword: "mediaType", Side: side, Class: class, Label: label, Why: why,
		}, func(s *Source, d *Draft) string {
			withBody(s, d)
			body, _, err := encodeBody(d)
			if err != nil {
				return err.Error()
			}
			d.RawBody, d.ContentType = body, contentType
			return ""
		})
	}
	for _, other := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "application/octet-stream", "application/jsonx", "multipart/form-data; boundary=x"} {
		if !declared(op.Body.Content, other) {
			list = append(list, typed(Breaks, "C2", "as-"+slug(mediaType(other)), "a body that is said to be "+other+", which is not declared", other))
		}
	}
	list = append(list, typed(Either, "C2", "no-content-type", "a body without a Content-Type", ""))
	if isJSON(concrete(first.Type)) {
		base := concrete(first.Type)
		list = append(list,
			typed(Keeps, "C7", "charset", "with the parameter charset=utf-8", base+"; charset=utf-8"),
			typed(Keeps, "C7", "capitals", "with the media type in capitals (RFC 9110, 8.3.1)", strings.ToUpper(base)),
			typed(Keeps, "C7", "no-space", "with a parameter without a space, in capitals, and quoted", base+`;CHARSET="UTF-8"`))
	}
	return list
}

// declared tells whether a media type is one of a list, or in a range of it.
func declared(list []*openapi.MediaType, contentType string) bool {
	base := mediaType(contentType)
	major, _, _ := strings.Cut(base, "/")
	return slices.ContainsFunc(list, func(m *openapi.MediaType) bool {
		t := mediaType(m.Type)
		return t == base || t == "*/*" || t == major+"/*"
	})
}
