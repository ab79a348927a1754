package contract

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// MaxFaults is how many faults of a request are told. Who mends those may be told
// of more.
const MaxFaults = 20

// collector finds the faults of a value that does not keep its schema.
//
// kin-openapi would find them all, in as much time and memory as there are. So it
// is asked of one place at a time: of what a schema says of the value itself (its
// shell), and of each part whether it is good. Only parts that are not are looked
// into, until there are enough faults.
type collector struct {
	ct     *Contract
	faults []Fault
}

func (c *collector) full() bool { return len(c.faults) >= MaxFaults }

func (c *collector) add(place []string, code, detail string) {
	f := Fault{Pointer: pointer(place), Code: code, Detail: detail}
	if !c.full() && !slices.Contains(c.faults, f) {
		c.faults = append(c.faults, f)
	}
}

// collect finds the faults of a value at a place, which does not keep a schema.
// There is at least one.
func (c *collector) collect(s *openapi3.Schema, value any, place []string) {
	before := len(c.faults)
	for _, p := range s.AllOf {
		if !c.full() && !c.ct.keeps(p.Value, value) {
			c.collect(p.Value, value, place)
		}
	}
	if alternatives := alternativesOf(s); alternatives != nil && !c.full() && !c.ct.keeps(alternatives, value) {
		c.union(alternatives, value, place)
	}
	if s.Not != nil && !c.full() && !c.ct.keeps(&openapi3.Schema{Not: s.Not, Nullable: true}, value) {
		c.add(place, "invalid", "This is what the contract excludes here.")
	}
	if len(c.faults) == before || len(s.Properties) > 0 {
		c.itself(s, value, place)
		c.members(s, value, place)
	}
	if len(c.faults) == before && !c.full() {
		// It failed, so there is a fault, whatever became of its description.
		c.faults = append(c.faults, Fault{Pointer: pointer(place), Code: "invalid", Detail: "This value breaks the contract."})
	}
}

// itself finds what is wrong with a value, whatever is in it.
func (c *collector) itself(s *openapi3.Schema, value any, place []string) {
	n, isNumber := value.(json.Number)
	if isNumber && c.ct.shell(s).VisitJSON(value, c.ct.all...) == nil {
		for _, e := range inexact(s, n) {
			c.rule(e, value, place)
		}
		return
	}
	err := c.ct.shell(s).VisitJSON(value, c.ct.all...)
	var one *openapi3.SchemaError
	if many, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // what it wraps is not asked for
		for _, err := range many {
			if errors.As(err, &one) {
				c.rule(one, value, place)
			}
		}
	} else if errors.As(err, &one) {
		c.rule(one, value, place)
	}
}

// rule tells of one rule that a value breaks.
func (c *collector) rule(e *openapi3.SchemaError, value any, place []string) {
	switch e.SchemaField {
	case "properties":
		// The error is about the object; only its text has the property's name.
		c.add(append(place, unknownProperty(e)), "unknown_property", "The contract has no such property here.")
		return
	case "required":
		place = append(place, e.JSONPointer()...)
	case "pattern", "format":
		if value == "" && e.Schema.MinLength > 0 {
			return // that it is empty is said already
		}
	}
	code, detail := describe(e)
	c.add(place, code, detail)
}

// members looks for faults in what an object or an array has.
func (c *collector) members(s *openapi3.Schema, value any, place []string) {
	look := func(s *openapi3.Schema, value any, token string) {
		if !c.full() && !c.ct.keeps(s, value) {
			c.collect(s, value, append(slices.Clone(place), token))
		}
	}
	switch v := value.(type) {
	case []any:
		if s.Items == nil || s.Type != nil && !s.Type.Includes(openapi3.TypeArray) {
			return
		}
		for i, item := range v {
			look(s.Items.Value, item, strconv.Itoa(i))
		}
	case map[string]any:
		if s.Type != nil && !s.Type.Includes(openapi3.TypeObject) {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if p := property(s, name); p != nil {
				look(p, v[name], name)
			}
		}
	}
}

// union finds the faults of a value that none, or more than one, of several
// alternatives takes.
func (c *collector) union(s *openapi3.Schema, value any, place []string) {
	object, isObject := value.(map[string]any)
	if isObject && s.Discriminator != nil {
		c.discriminated(s, object, place)
		return
	}
	branch := branchOfType(s, value)
	switch {
	case branch != nil && !c.ct.keeps(branch, value):
		c.collect(branch, value, place)
	case value == nil:
		c.add(place, "type", "This must not be null: it must be "+typeName(s)+", or be left out.")
	case len(s.OneOf) > 0 && accepting(c.ct, s.OneOf, value) > 1:
		c.add(place, "ambiguous", "This must be of one of the declared kinds, not of several.")
	default:
		c.add(place, "type", "This must be "+typeName(s)+".")
	}
}

func accepting(ct *Contract, alternatives openapi3.SchemaRefs, value any) int {
	n := 0
	for _, p := range alternatives {
		if ct.keeps(p.Value, value) {
			n++
		}
	}
	return n
}

// discriminated finds the faults of an object against the schema of its kind. One
// that does not tell its kind is told so by the property that is there for it.
func (c *collector) discriminated(s *openapi3.Schema, object map[string]any, place []string) {
	d := s.Discriminator
	given, is := object[d.PropertyName]
	if !is {
		c.add(append(slices.Clone(place), d.PropertyName), "required", "This property is required.")
		return
	}
	kind, _ := given.(string)
	for _, branch := range slices.Concat(s.OneOf, s.AnyOf) {
		if ref, known := d.Mapping[kind]; known && branch.Ref == ref.Ref && !c.ct.keeps(branch.Value, object) {
			c.collect(branch.Value, object, place)
			return
		}
	}
	kinds := make([]any, 0, len(d.Mapping))
	for _, kind := range slices.Sorted(maps.Keys(d.Mapping)) {
		kinds = append(kinds, kind)
	}
	c.add(append(slices.Clone(place), d.PropertyName), "enum", "This must be one of the declared values: "+values(kinds)+".")
}

// shell is a schema without what it says of parts of a value. There is one for
// each schema of the document.
func (ct *Contract) shell(s *openapi3.Schema) *openapi3.Schema {
	if made, ok := ct.shells.Load(s); ok {
		return made.(*openapi3.Schema)
	}
	shell := *s
	shell.AllOf, shell.OneOf, shell.AnyOf, shell.Not, shell.Discriminator, shell.Items = nil, nil, nil, nil, nil, nil
	shell.AdditionalProperties.Schema = nil
	shell.Properties = make(openapi3.Schemas, len(s.Properties))
	for name := range s.Properties {
		shell.Properties[name] = &openapi3.SchemaRef{Value: anything}
	}
	made, _ := ct.shells.LoadOrStore(s, &shell)
	return made.(*openapi3.Schema)
}

// alternativesOf has the unions of a schema, and nothing else that it says; nil
// if there are none.
func alternativesOf(s *openapi3.Schema) *openapi3.Schema {
	if len(s.OneOf) == 0 && len(s.AnyOf) == 0 {
		return nil
	}
	return &openapi3.Schema{OneOf: s.OneOf, AnyOf: s.AnyOf, Discriminator: s.Discriminator, Nullable: s.Nullable}
}

// unknownProperty finds the name that an error is about. kin-openapi quotes it in
// its text with %q.
func unknownProperty(e *openapi3.SchemaError) string {
	quoted, _ := strings.CutPrefix(e.Reason, "property ")
	name, err := strconv.Unquote(strings.TrimSuffix(quoted, " is unsupported"))
	if err != nil {
		return ""
	}
	return name
}

// branchOfType finds the one branch of a union that takes the value's type, so
// that a string that is too long is not told to become a number.
func branchOfType(s *openapi3.Schema, value any) *openapi3.Schema {
	var found *openapi3.Schema
	for _, ref := range slices.Concat(s.OneOf, s.AnyOf) {
		if ref.Value == nil || ref.Value.Type == nil || !takes(ref.Value, value) {
			continue
		}
		if found != nil {
			return nil
		}
		found = ref.Value
	}
	return found
}

func takes(s *openapi3.Schema, value any) bool {
	switch value.(type) {
	case string:
		return s.Type.Includes(openapi3.TypeString)
	case json.Number:
		return s.Type.Includes(openapi3.TypeInteger) || s.Type.Includes(openapi3.TypeNumber)
	case bool:
		return s.Type.Includes(openapi3.TypeBoolean)
	case []any:
		return s.Type.Includes(openapi3.TypeArray)
	case map[string]any:
		return s.Type.Includes(openapi3.TypeObject)
	default:
		return false
	}
}
