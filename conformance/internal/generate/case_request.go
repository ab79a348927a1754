package generate

import (
	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// requestCases are those of the request as a whole.
func (s *Source) requestCases(op *openapi.Operation) []*proto {
	v := func(side Side, class, label, why string) Variant {
		return Variant{Clause: op.Pointer, Keyword: "operation", Side: side, Class: class, Label: label, Why: why}
	}
	list := []*proto{
		simple("request", "", v(Keeps, "E19", "full", "with everything that is optional"), func(s *Source, d *Draft) string {
			full := s.Draft(op, Full)
			full.Path, full.RawPath = d.Path, d.RawPath
			for _, p := range op.Parameters {
				if old, ok := d.Values(p.In)[p.Name]; ok && p.In != "path" {
					full.Values(p.In)[p.Name] = old
				}
			}
			if d.HasBody { // what the base says of itself is known to be good
				full.HasBody, full.Body, full.ContentType, full.RawBody = true, d.Body, d.ContentType, d.RawBody
			}
			*d = *full
			return ""
		}),
		simple("request", "", v(Keeps, "E19", "minimal", "with no parameter that is optional"), func(_ *Source, d *Draft) string {
			for _, p := range op.Parameters {
				if !p.Required {
					delete(d.Values(p.In), p.Name)
				}
			}
			return ""
		}),
		simple("request", "", v(s.sideBy(openapi.StrictUnknownQuery), "E20", "unknown-query", "with a query parameter that is not declared"),
			func(_ *Source, d *Draft) string {
				d.ExtraQuery = append(d.ExtraQuery, "conformance_unknown=1")
				return ""
			}),
	}
	for _, p := range op.Parameters {
		if p.In == "query" && !s.reserved(p) {
			list = append(list, simple("request", "", v(Either, "K2", "nul-in-"+slug(p.Name), "with %00 in the query parameter "+p.Name),
				func(_ *Source, d *Draft) string {
					delete(d.Query, p.Name)
					d.ExtraQuery = append(d.ExtraQuery, escape(p.Name, "[]")+"=a%00b")
					return ""
				}),
				simple("request", "", v(Either, "K3", "invalid-utf-8-in-"+slug(p.Name), "with bytes in the query parameter "+p.Name+" that are not of UTF-8"),
					func(_ *Source, d *Draft) string {
						delete(d.Query, p.Name)
						d.ExtraQuery = append(d.ExtraQuery, escape(p.Name, "[]")+"=a%FFb")
						return ""
					}))
		}
	}
	return list
}
