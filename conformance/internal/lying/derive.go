package lying

import "slices"

// derive collects the places of faults that follow from the schemas of requests.
func (d *document) derive() {
	for _, op := range d.ops {
		for _, t := range []string{"application/json", "application/merge-patch+json"} {
			if s := op.body[t]; s != nil {
				d.walk(s, true)
			}
		}
	}
	for _, op := range d.ops {
		for _, p := range op.params {
			if p.in == "query" && p.name != "cursor" {
				d.walk(p.schema, false)
			}
		}
	}
	for _, places := range d.derived {
		slices.Sort(places)
	}
}

func (d *document) place(class, place string) {
	if !slices.Contains(d.derived[class], place) {
		d.derived[class] = append(d.derived[class], place)
	}
}

// walk adds the places of a schema; body says whether it is of a body, where types
// are seen.
func (d *document) walk(s *schema, body bool) {
	if s.walked || s.readOnly {
		return
	}
	s.walked = true
	d.keywords(s)
	if body {
		d.bodyKeywords(s)
	}
	for _, p := range s.props {
		d.walk(p, body)
	}
	for _, o := range s.oneOf {
		d.walk(o, body)
	}
	if s.items != nil {
		d.walk(s.items, body)
	}
	if s.additional != nil {
		d.walk(s.additional, body)
	}
}

func (d *document) keywords(s *schema) {
	for name, bound := range map[string]bool{"minimum": s.min != nil, "maximum": s.max != nil} {
		exclusive := name == "minimum" && s.exMin || name == "maximum" && s.exMax
		switch {
		case bound && exclusive:
			d.place("E2", s.place+"."+name)
		case bound && s.place != "Limit": // that is M8
			d.place("E1", s.place+"."+name)
		}
	}
	// Discriminators choose the branch before their values are judged.
	discriminator := s.place == "Card.kind" || s.place == "Transfer.kind"
	for keyword, c := range map[string]struct {
		class string
		has   bool
	}{
		"maxLength": {"E3", s.maxLen >= 0 && s.format == ""}, "pattern": {"E4", s.pattern != nil},
		"enum": {"E5", s.enum != nil && !discriminator}, "minItems": {"E10", s.minItems > 0},
		"maxItems": {"E10", s.maxItems >= 0}, "uniqueItems": {"E10", s.unique},
		"minProperties": {"E10", s.minProps > 0}, "maxProperties": {"E10", s.maxProps >= 0},
		"multipleOf": {"E11", s.multiple != nil}, // An id that is of no form is the id of nothing, whoever judges its form.
		"format":     {"E12", s.format != "" && s.format != "int64" && !s.reference},
		"default":    {"E15", s.hasDefault}, "oneOf": {"E13", s.oneOf != nil},
	} {
		if c.has {
			d.place(c.class, s.place+"."+keyword)
		}
	}
}

func (d *document) bodyKeywords(s *schema) {
	if s.closed {
		d.place("E9", s.place+".additionalProperties")
	}
	for _, r := range s.required {
		if !s.props[r].readOnly && s.props[r].place != "Card.kind" && s.props[r].place != "Transfer.kind" {
			d.place("E6", s.place+".required."+r)
		}
	}
	for _, p := range s.props {
		if p.readOnly || p.place == "Card.kind" || p.place == "Transfer.kind" {
			continue
		}
		if !p.nullable {
			d.place("E7", p.place+".null")
		}
		if p.kind == "integer" || p.kind == "number" || p.kind == "boolean" || p.kind == "array" {
			d.place("E8", p.place+".type")
		}
	}
}
