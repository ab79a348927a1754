package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// deepest is how deep a value is walked through.
const deepest = 64

// walker goes through a value and its schema together. It notes the clauses that
// the value was judged by: those of keywords that apply to what is there, and of
// unions those of the alternatives that the value keeps. It finds what a validator
// does not look for: properties that nobody declared, and numbers that have gone
// through a float64.
type walker struct {
	v     *verdict
	body  bool // not a header: what is not declared is looked for
	depth int
	at    []string // where in the value
	// misnamed are the places of what is said to be one alternative, and is another.
	misnamed []string
}

// walk goes through a value. It gives the places whose faults are found already.
func (v *verdict) walk(s *openapi.Schema, value any, body bool) []string {
	w := &walker{v: v, body: body}
	w.value(s, value)
	return w.misnamed
}

// part goes through a part of a value.
func (w *walker) part(token string, s *openapi.Schema, value any) {
	w.at = append(w.at, token)
	w.value(s, value)
	w.at = w.at[:len(w.at)-1]
}

// scope is what all schemas that apply to one object say of its properties.
type scope struct {
	names map[string]bool
	open  bool // others are allowed expressly, or judged by a schema
}

func (w *walker) value(s *openapi.Schema, value any) {
	if s == nil || w.depth >= deepest {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	sc := scope{names: map[string]bool{}}
	w.apply(s, value, &sc)
	if object, ok := value.(map[string]any); ok && w.body && !sc.open && len(sc.names) > 0 {
		w.undeclared(s, object, &sc)
	}
}

// undeclared judges properties that no schema has, of an object that does not say
// whether there may be others.
func (w *walker) undeclared(s *openapi.Schema, object map[string]any, sc *scope) {
	v := w.v
	if strings.HasPrefix(bare(v.answer.Get("Content-Type")), "application/problem+") {
		return // RFC 9457 3.2: problem types have members of their own
	}
	if v.other != "" && len(w.at) == 0 {
		return // which is told by what it lacks
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if sc.names[name] {
			continue
		}
		v.add(finding.Finding{
			Class: "D3", Severity: finding.Should, Pointer: s.Pointer,
			Claim:    fmt.Sprintf("The answer with %d has properties that its schema does not declare.", v.answer.Status),
			Expected: "the properties of the schema, or additionalProperties, if there may be others", Got: strconv.Quote(name),
		})
		return
	}
}

// apply notes what one schema demands of a value, and goes on to its parts.
func (w *walker) apply(s *openapi.Schema, value any, sc *scope) {
	if s == nil || w.depth >= deepest {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	if len(s.Types) > 0 {
		w.mark(s, "type")
	}
	if value == nil && s.Nullable {
		w.mark(s, "nullable")
		return
	}
	if s.Enum != nil {
		w.mark(s, "enum")
	}
	if s.Const != nil {
		w.mark(s, "const")
	}
	switch x := value.(type) {
	case string:
		w.text(s)
	case json.Number:
		w.number(s, x)
	case []any:
		w.array(s, x)
	case map[string]any:
		w.object(s, x, sc)
	}
	w.combined(s, value, sc)
}

func (w *walker) mark(s *openapi.Schema, tokens ...string) {
	w.v.mark(openapi.Join(s.Pointer, tokens...))
}

// when notes a keyword if the schema has it.
func (w *walker) when(has bool, s *openapi.Schema, keyword string) {
	if has {
		w.mark(s, keyword)
	}
}

func (w *walker) text(s *openapi.Schema) {
	w.when(s.Format != "", s, "format")
	w.when(s.MinLength != nil, s, "minLength")
	w.when(s.MaxLength != nil, s, "maxLength")
	w.when(s.Pattern != "", s, "pattern")
	w.when(s.ContentEncoding != "", s, "contentEncoding")
}

func (w *walker) number(s *openapi.Schema, n json.Number) {
	w.when(s.Format != "", s, "format")
	w.when(s.Minimum != "", s, s.MinimumKeyword)
	w.when(s.Maximum != "", s, s.MaximumKeyword)
	w.when(s.MultipleOf != "", s, "multipleOf")
	if !w.body || !slices.Equal(s.Types, []string{"integer"}) || !strings.ContainsAny(string(n), "eE") || len(n) > 40 {
		return
	}
	if r, ok := new(big.Rat).SetString(string(n)); ok && r.IsInt() && r.Num().BitLen() > 53 {
		w.v.add(finding.Finding{
			Class: "D13", Severity: finding.Should, Pointer: openapi.Join(s.Pointer, "type"),
			Claim:    fmt.Sprintf("In the answer with %d, an integer is written as a rounded number.", w.v.answer.Status),
			Expected: "all digits", Got: string(n),
		})
	}
}

func (w *walker) array(s *openapi.Schema, list []any) {
	w.when(s.MinItems != nil, s, "minItems")
	w.when(s.MaxItems != nil, s, "maxItems")
	w.when(s.UniqueItems && len(list) > 1, s, "uniqueItems")
	w.when(s.Contains != nil, s, "contains")
	w.when(s.Contains != nil && s.MinContains != nil, s, "minContains")
	w.when(s.Contains != nil && s.MaxContains != nil, s, "maxContains")
	w.when(s.UnevaluatedItems != nil, s, "unevaluatedItems")
	for i, item := range list {
		if i < len(s.PrefixItems) {
			w.part(strconv.Itoa(i), s.PrefixItems[i], item)
			continue
		}
		w.part(strconv.Itoa(i), s.Items, item)
	}
	if s.Contains == nil {
		return
	}
	for i, item := range list {
		if w.keeps(s.Contains, item) {
			w.part(strconv.Itoa(i), s.Contains, item)
		}
	}
}

func (w *walker) object(s *openapi.Schema, object map[string]any, sc *scope) {
	w.when(s.MinProperties != nil, s, "minProperties")
	w.when(s.MaxProperties != nil, s, "maxProperties")
	w.when(s.Closed, s, "additionalProperties")
	w.when(s.UnevaluatedProperties != nil && s.UnevaluatedProperties.Never, s, "unevaluatedProperties")
	sc.open = sc.open || s.Open || s.Closed || s.Additional != nil || s.UnevaluatedProperties != nil
	for i, name := range s.Required {
		if p := s.Property(name); p == nil || !p.WriteOnly {
			w.mark(s, "required", strconv.Itoa(i))
		}
	}
	for name := range s.DependentRequired {
		if _, ok := object[name]; ok {
			w.mark(s, "dependentRequired", name)
		}
	}
	declared := map[string]bool{}
	for _, p := range s.Properties {
		declared[p.Name], sc.names[p.Name] = true, true
		if p.Schema.WriteOnly {
			w.mark(p.Schema, "writeOnly")
			continue
		}
		if part, ok := object[p.Name]; ok {
			w.part(p.Name, p.Schema, part)
		}
	}
	for name, part := range object {
		if declared[name] {
			continue
		}
		if matched := w.patterned(s, name, part); matched {
			sc.names[name] = true
		} else if s.Additional != nil {
			w.part(name, s.Additional, part)
		}
		if s.PropertyNames != nil {
			w.value(s.PropertyNames, name)
		}
	}
	for _, p := range s.DependentSchemas {
		if _, ok := object[p.Name]; ok {
			w.apply(p.Schema, object, sc)
		}
	}
}

// patterned goes through a property whose name has a pattern of its schema.
func (w *walker) patterned(s *openapi.Schema, name string, part any) bool {
	matched := false
	for _, p := range s.PatternProperties {
		if pattern, err := schema.CompilePattern(p.Name); err == nil && pattern.MatchString(name) {
			matched = true
			w.part(name, p.Schema, part)
		}
	}
	return matched
}

// combined goes through the schemas that are applied to the same value.
func (w *walker) combined(s *openapi.Schema, value any, sc *scope) {
	for _, t := range s.AllOf {
		w.apply(t, value, sc)
	}
	w.when(s.Not != nil, s, "not")
	if s.If != nil {
		branch := s.Else
		if w.keeps(s.If, value) {
			branch = s.Then
		}
		w.apply(branch, value, sc)
		for _, t := range []*openapi.Schema{s.If, s.Then, s.Else} {
			propertyNames(t, sc.names)
		}
	}
	w.when(len(s.OneOf) > 0, s, "oneOf")
	w.when(len(s.AnyOf) > 0, s, "anyOf")
	if d := s.Discriminator; d != nil {
		w.mark(s, "discriminator")
		object, _ := value.(map[string]any)
		name, _ := object[d.Property].(string)
		if t := d.Mapping[name]; t != nil {
			w.apply(t, value, sc)
			w.alternative(s, t, object)
			return
		}
	}
	kept := false
	for _, t := range append(slices.Clone(s.OneOf), s.AnyOf...) {
		if w.keeps(t, value) {
			kept = true
			w.apply(t, value, sc)
		}
	}
	sc.open = sc.open || !kept && len(s.OneOf)+len(s.AnyOf) > 0 // which is found already
}

// alternative judges that an object is what it says it is: not one that keeps
// another alternative in all but the name.
func (w *walker) alternative(s, named *openapi.Schema, object map[string]any) {
	if !w.body || w.keeps(named, object) {
		return
	}
	d := s.Discriminator
	for _, name := range d.Names {
		other := maps.Clone(object)
		other[d.Property] = name
		if d.Mapping[name] == named || !w.keeps(d.Mapping[name], other) {
			continue
		}
		place := openapi.Join("", w.at...)
		w.misnamed = append(w.misnamed, place)
		class := "D9"
		if w.v.answer.Status >= 400 {
			class = "L1"
		}
		w.v.add(finding.Finding{
			Class: class, Severity: finding.Must, Pointer: openapi.Join(s.Pointer, "discriminator"),
			Claim:    fmt.Sprintf("In the answer with %d, %s says that it is another alternative than it is.", w.v.answer.Status, w.v.r.place(schema.Fault{At: place})),
			Expected: fmt.Sprintf("%s: %q, by its other properties", d.Property, name), Got: shown(object),
		})
		return
	}
}

// propertyNames adds the properties that a schema mentions.
func propertyNames(s *openapi.Schema, to map[string]bool) {
	if s == nil {
		return
	}
	for _, p := range s.Properties {
		to[p.Name] = true
	}
}

func (w *walker) keeps(s *openapi.Schema, value any) bool {
	return schema.Valid(w.v.r.schemas.ValidateValue(s, openapi.Answer, value))
}
