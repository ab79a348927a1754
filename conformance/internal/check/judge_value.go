package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// value judges a body by its schema, and notes which clauses it was judged by.
func (v *verdict) value(s *openapi.Schema, value any) {
	faults := v.r.schemas.ValidateValue(s, openapi.Answer, value)
	v.other, v.missing = v.another(s, value, faults), map[string]int{}
	for _, f := range faults {
		if i := strings.LastIndex(f.Clause, "/required/"); f.Keyword == "required" && i >= 0 {
			v.missing[f.At+" "+f.Clause[:i]]++
		}
	}
	misnamed := v.walk(s, value, true)
	for _, fault := range telling(faults) {
		if !slices.ContainsFunc(misnamed, func(place string) bool { return strings.HasPrefix(fault.At+"/", place+"/") }) {
			v.fault(s, fault, value)
		}
	}
}

// another tells that an error is no instance of its schema, but one of another: it
// lacks what is required, and has nothing that is declared. Empty: it is one.
func (v *verdict) another(s *openapi.Schema, value any, faults []schema.Fault) string {
	object, _ := value.(map[string]any)
	lacks := slices.ContainsFunc(faults, func(f schema.Fault) bool { return f.At == "" && f.Keyword == "required" })
	if v.answer.Status < 400 || len(object) == 0 || !lacks {
		return ""
	}
	names := slices.Sorted(maps.Keys(object))
	w := &walker{v: &verdict{r: v.r, answer: v.answer}}
	sc := scope{names: map[string]bool{}}
	w.apply(s, map[string]any{}, &sc) // which declares the names, and has no parts to go through
	if slices.ContainsFunc(names, func(name string) bool { return sc.names[name] }) {
		return ""
	}
	for i, name := range names {
		names[i] = strconv.Quote(name)
	}
	return "Errors are not of the schema that is declared for them, but have " + strings.Join(names, ", ") + "."
}

// hollow gives the schema of which most required properties are missing in a place, if
// a fault is that one of them is; empty: it is not. It is as if another schema had been
// declared.
func (v *verdict) hollow(f schema.Fault) string {
	i := strings.LastIndex(f.Clause, "/required/")
	if f.Keyword != "required" || i < 0 {
		return ""
	}
	of := f.Clause[:i]
	s := v.r.Document.Places()[of]
	if s == nil || v.missing[f.At+" "+of] < 2 || 2*v.missing[f.At+" "+of] <= len(s.Required) {
		return ""
	}
	return of
}

// telling gives the faults that say what is wrong: of a value of the wrong type
// nothing but that, and of a union that no alternative of is kept those of the
// alternative that is meant, if there is but one that has the value's type and its
// constants.
func telling(faults []schema.Fault) []schema.Fault {
	var all []schema.Fault
	also := func(f schema.Fault, keyword string) bool {
		return f.Keyword != keyword && slices.ContainsFunc(faults, func(g schema.Fault) bool { return g.Keyword == keyword && g.At == f.At })
	}
	for _, f := range faults {
		if also(f, "type") || (f.Keyword == "oneOf" || f.Keyword == "anyOf") && also(f, "discriminator") {
			continue
		}
		if branch := meant(f); branch != nil {
			all = append(all, telling(branch)...)
			continue
		}
		all = append(all, f)
	}
	return all
}

// meant gives the faults by the one alternative of a union that can be meant.
func meant(f schema.Fault) []schema.Fault {
	rest := f.Branches
	for _, keywords := range [][]string{{"type"}, {"const", "enum"}} {
		rest = slices.DeleteFunc(slices.Clone(rest), func(branch []schema.Fault) bool {
			return slices.ContainsFunc(branch, func(g schema.Fault) bool {
				if keywords[0] == "type" && g.At != f.At {
					return false
				}
				return slices.Contains(keywords, g.Keyword)
			})
		})
		if len(rest) == 1 {
			return rest[0]
		}
	}
	return nil
}

// fault makes a finding of a fault.
func (v *verdict) fault(s *openapi.Schema, f schema.Fault, value any) {
	status := v.answer.Status
	part, _ := pick(value, f.At)
	place := v.r.place(f)
	class := classOf(f, part)
	severity := finding.Must
	what := "breaks " + f.Keyword
	switch class {
	case "D1":
		what = "lacks " + strconv.Quote(f.Property)
	case "D3":
		what = "is not declared, and others are not allowed"
	case "D4":
		what = "is null"
	case "D10":
		what = "comes back, though it is writeOnly"
		severity = finding.Should // OpenAPI 3.0.3 4.7.24.1: it SHOULD NOT be sent
	case "D13":
		what = "has lost its type"
	}
	claim := fmt.Sprintf("In the answer with %d, %s %s.", status, place, what)
	if status >= 400 {
		claim = fmt.Sprintf("In the error %d, %s %s.", status, place, what)
		if class != "D10" {
			class = "L1"
		}
	}
	pointer := f.Clause
	if pointer == "" {
		pointer = s.Pointer
	}
	cause := ""
	switch {
	case v.other != "" && class == "L1":
		cause = v.other
	case v.hollow(f) != "":
		cause = "What is described at " + v.hollow(f) + " lacks most of what is required."
	case strings.HasPrefix(pointer, "/components/") && status >= 400:
		cause = fmt.Sprintf("In errors, what is described at %s %s.", pointer, what)
	case strings.HasPrefix(pointer, "/components/"):
		cause = fmt.Sprintf("In answers, what is described at %s %s.", pointer, what)
	}
	v.add(finding.Finding{
		Class: class, Severity: severity, Pointer: pointer, Claim: claim, Cause: cause,
		Expected: f.Message, Got: strings.TrimSpace(quoted(f.At) + " " + shown(part)),
	})
}

// quoted is a place in a value, for people.
func quoted(at string) string {
	if at == "" {
		return ""
	}
	return at + ":"
}

// shown is a value as JSON, shortened.
func shown(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return clip(text)
}

// place says where a fault is without random data: indexes, and names that the
// document does not have, are *.
func (r *Runner) place(f schema.Fault) string {
	r.prepare()
	tokens := openapi.Split(f.At)
	for i, t := range tokens {
		if !r.judging.properties[t] {
			tokens[i] = "*"
		}
	}
	if len(tokens) == 0 {
		return "the body"
	}
	return strings.Join(append([]string{""}, tokens...), "/")
}

// classes of the catalogue by the keyword that is broken in an answer.
var classes = map[string]string{
	"required": "D1", "dependentRequired": "D1",
	"additionalProperties": "D3", "unevaluatedProperties": "D3", "propertyNames": "D3", "false": "D3",
	"format": "D5", "pattern": "D5", "contentEncoding": "D5",
	"enum": "D6", "const": "D6",
	"minimum": "D7", "maximum": "D7", "exclusiveMinimum": "D7", "exclusiveMaximum": "D7", "multipleOf": "D7",
	"minLength": "D7", "maxLength": "D7", "minItems": "D7", "maxItems": "D7", "unevaluatedItems": "D7",
	"minProperties": "D7", "maxProperties": "D7", "contains": "D7", "minContains": "D7", "maxContains": "D7",
	"uniqueItems": "D8",
	"oneOf":       "D9", "anyOf": "D9", "not": "D9", "discriminator": "D9",
	"writeOnly": "D10",
}

// classOf gives the class of a fault at a part of an answer.
func classOf(f schema.Fault, part any) string {
	if f.Advice {
		return "D10"
	}
	if part == nil && (f.Keyword == "oneOf" || f.Keyword == "anyOf") {
		return "D4"
	}
	if f.Keyword != "type" && f.Keyword != "nullable" {
		if class := classes[f.Keyword]; class != "" {
			return class
		}
		return "D2"
	}
	switch x := part.(type) {
	case nil:
		if strings.Contains(f.Message, "must be array") {
			return "D13"
		}
		return "D4"
	case string:
		numeric := strings.Contains(f.Message, "integer") || strings.Contains(f.Message, "number")
		if _, err := strconv.ParseFloat(x, 64); err == nil && numeric {
			return "D13"
		}
		if (x == "true" || x == "false") && strings.Contains(f.Message, "must be boolean") {
			return "D13"
		}
	}
	return "D2"
}

// coerce reads the value of a header by its schema, and judges it.
func (v *verdict) coerce(h *openapi.Header, text string) (any, []schema.Fault) {
	if saysJSON(bare(h.Content)) {
		value, err := decode([]byte(text))
		if err != nil {
			return nil, []schema.Fault{{Clause: h.Pointer, Keyword: "content", Message: err.Error()}}
		}
		return value, v.r.schemas.ValidateValue(h.Schema, openapi.Answer, value)
	}
	value, err := v.r.schemas.Coerce(h.Schema, text, "simple", h.Explode)
	if err != nil {
		return text, nil // it cannot be read, which is no fault of the value
	}
	return value, v.r.schemas.ValidateValue(h.Schema, openapi.Answer, value)
}
