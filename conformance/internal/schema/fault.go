package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// faults gives the library's errors as faults. Those of names of properties are
// of a value of their own, which is at prefix.
func (s *Set) faults(e *jsonschema.ValidationError, prefix []string) []Fault {
	place := append(slices.Clone(prefix), e.InstanceLocation...)
	at, where := openapi.Join("", place...), s.pointer(e.SchemaURL)
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference:
		return s.causes(e, prefix)
	case *kind.PropertyNames:
		return s.causes(e, append(place, k.Property))
	case *kind.OneOf:
		return []Fault{s.union(e, prefix, at, openapi.Join(where, "oneOf"), k.Subschemas)}
	case *kind.AnyOf:
		return []Fault{s.union(e, prefix, at, openapi.Join(where, "anyOf"), nil)}
	case *kind.Not:
		return []Fault{{At: at, Clause: openapi.Join(where, "not"), Keyword: "not", Message: "it is what it must not be"}}
	case *kind.Required:
		return s.missing(at, where, k.Missing)
	case *kind.DependentRequired:
		var list []Fault
		for _, name := range k.Missing {
			list = append(list, Fault{
				At: at, Clause: openapi.Join(where, "dependentRequired", k.Prop), Keyword: "dependentRequired",
				Property: name, Message: strconv.Quote(name) + " is missing, which " + strconv.Quote(k.Prop) + " needs",
			})
		}
		return list
	case *kind.AdditionalProperties:
		var list []Fault
		slices.Sort(k.Properties)
		for _, name := range k.Properties {
			list = append(list, Fault{
				At: openapi.Join(at, name), Clause: openapi.Join(where, "additionalProperties"),
				Keyword: "additionalProperties", Property: name, Message: strconv.Quote(name) + " is not declared, and others are not allowed",
			})
		}
		return list
	case *kind.FalseSchema:
		return []Fault{forbidden(at, where, place)}
	}
	return []Fault{s.plain(e, at, where)}
}

func (s *Set) causes(e *jsonschema.ValidationError, prefix []string) []Fault {
	var list []Fault
	for _, cause := range e.Causes {
		list = append(list, s.faults(cause, prefix)...)
	}
	return list
}

// union is the fault of a union; matched are the two alternatives that are kept,
// where only one may be.
func (s *Set) union(e *jsonschema.ValidationError, prefix []string, at, clause string, matched []int) Fault {
	f := Fault{At: at, Clause: clause, Keyword: clause[strings.LastIndexByte(clause, '/')+1:]}
	if len(matched) == 2 {
		f.Message = "it is both alternative " + strconv.Itoa(matched[0]+1) + " and " + strconv.Itoa(matched[1]+1) + ", and may be only one"
		return f
	}
	f.Message = "it is none of the alternatives"
	for _, cause := range e.Causes {
		f.Branches = append(f.Branches, s.faults(cause, prefix))
	}
	return f
}

func (s *Set) missing(at, where string, names []string) []Fault {
	var list []Fault
	for _, name := range names {
		clause := openapi.Join(where, "required")
		if m := s.places[where]; m != nil {
			if i := slices.Index(m.Required, name); i >= 0 {
				clause = openapi.Join(clause, strconv.Itoa(i))
			}
		}
		list = append(list, Fault{
			At: at, Clause: clause, Keyword: "required", Property: name, Message: strconv.Quote(name) + " is missing",
		})
	}
	return list
}

// forbidden is the fault of what the schema false refuses.
func forbidden(at, where string, place []string) Fault {
	f := Fault{At: at, Clause: where, Keyword: "false", Message: "it must not be there"}
	for _, k := range []string{"unevaluatedProperties", "unevaluatedItems"} {
		if strings.HasSuffix(where, "/"+k) {
			f.Keyword = k
		}
	}
	if len(place) > 0 {
		f.Property = place[len(place)-1]
	}
	return f
}

func (s *Set) plain(e *jsonschema.ValidationError, at, where string) Fault {
	path := e.ErrorKind.KeywordPath()
	f := Fault{At: at, Clause: openapi.Join(where, path...), Message: e.ErrorKind.LocalizedString(message.NewPrinter(language.English))}
	if len(path) > 0 {
		f.Keyword = path[0]
	}
	if m := s.places[where]; m != nil {
		// Where the bound is written, which 3.0 writes elsewhere than 2020-12.
		switch f.Keyword {
		case "minimum", "exclusiveMinimum":
			f.Keyword, f.Clause = m.MinimumKeyword, openapi.Join(where, m.MinimumKeyword)
		case "maximum", "exclusiveMaximum":
			f.Keyword, f.Clause = m.MaximumKeyword, openapi.Join(where, m.MaximumKeyword)
		}
	}
	return f
}
