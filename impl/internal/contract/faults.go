package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// judge tells whether value keeps schema. kin-openapi decides; it is asked
// twice at most, first to fail fast and, only if it fails, for all that is
// wrong, because describing faults costs more than finding one.
func (ct *Contract) judge(schema *openapi3.Schema, value any) []Fault {
	if schema.VisitJSON(value, ct.failFast...) == nil {
		return nil
	}
	err := schema.VisitJSON(value, ct.all...)
	faults := ct.faults(err, nil)
	if len(faults) == 0 {
		// It failed, so there is a fault, whatever became of its description.
		return []Fault{{Code: "invalid", Detail: "This value breaks the contract."}}
	}
	return faults
}

// faults turns kin-openapi's errors into faults. at is the place of the value
// that was judged, in front of the places that the errors name.
func (ct *Contract) faults(err error, at []string) []Fault {
	// Not errors.As: the error of a union wraps those of all its branches, which
	// are not to be found here.
	if many, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // see above
		var faults []Fault
		for _, e := range many {
			faults = append(faults, ct.faults(e, at)...)
		}
		return faults
	}
	one, ok := err.(*openapi3.SchemaError) //nolint:errorlint // see above
	if !ok {
		return nil
	}
	place := append(slices.Clone(at), one.JSONPointer()...)
	switch one.SchemaField {
	case "properties":
		// The error is about the object; only its text has the property's name.
		return []Fault{{Pointer: pointer(append(place, unknownProperty(one))), Code: "unknown_property", Detail: "The contract has no such property here."}}
	case "discriminator":
		return []Fault{undiscriminated(one, place)}
	case "oneOf", "anyOf":
		if object, ok := one.Value.(map[string]any); ok && one.Schema.Discriminator != nil {
			return ct.discriminated(one.Schema, object, place)
		}
		if branch := branchOfType(one); branch != nil {
			return ct.faults(branch.VisitJSON(one.Value, ct.all...), place)
		}
	case "pattern", "format":
		if one.Value == "" && one.Schema.MinLength > 0 {
			return nil // that it is empty is said already
		}
	}
	code, detail := describe(one)
	return []Fault{{Pointer: pointer(place), Code: code, Detail: detail}}
}

// undiscriminated is the fault of an object that does not tell its kind, by the
// property that is there for it. The error's value is that property's.
func undiscriminated(e *openapi3.SchemaError, place []string) Fault {
	d := e.Schema.Discriminator
	at := pointer(append(slices.Clone(place), d.PropertyName))
	if e.Value == nil {
		return Fault{Pointer: at, Code: "required", Detail: "This property is required."}
	}
	kinds := make([]any, 0, len(d.Mapping))
	for _, kind := range slices.Sorted(maps.Keys(d.Mapping)) {
		kinds = append(kinds, kind)
	}
	return Fault{Pointer: at, Code: "enum", Detail: "This must be one of the declared values: " + values(kinds) + "."}
}

// discriminated finds the faults of an object against the schema of its kind.
func (ct *Contract) discriminated(s *openapi3.Schema, object map[string]any, place []string) []Fault {
	kind, _ := object[s.Discriminator.PropertyName].(string)
	ref := s.Discriminator.Mapping[kind]
	for _, branch := range s.OneOf {
		if branch.Ref == ref.Ref && branch.Value != nil {
			return ct.faults(branch.Value.VisitJSON(object, ct.all...), place)
		}
	}
	return nil
}

// unknownProperty finds the name that an error is about. kin-openapi visits the
// names in order and quotes each in its text with %q.
func unknownProperty(e *openapi3.SchemaError) string {
	object, ok := e.Value.(map[string]any)
	if !ok {
		return ""
	}
	for name := range object {
		if e.Reason == fmt.Sprintf("property %q is unsupported", name) {
			return name
		}
	}
	return ""
}

// branchOfType finds the one branch of a union that takes the value's type, so
// that a string that is too long is not told to become a number.
func branchOfType(e *openapi3.SchemaError) *openapi3.Schema {
	var found *openapi3.Schema
	for _, ref := range slices.Concat(e.Schema.OneOf, e.Schema.AnyOf) {
		if ref.Value == nil || ref.Value.Type == nil || !takes(ref.Value, e.Value) {
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

// describe puts a broken rule into words that say how to mend it. The words
// come from the schema alone, never from the value.
func describe(e *openapi3.SchemaError) (code, detail string) {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "required", "This property is required."
	case "nullable":
		return "type", "This must not be null: it must be " + typeName(s) + ", or be left out."
	case "type", "oneOf", "anyOf":
		return "type", "This must be " + typeName(s) + "."
	case "minLength":
		if s.MinLength == 1 {
			return "min_length", "This must not be empty."
		}
		return "min_length", fmt.Sprintf("This must have at least %d characters.", s.MinLength)
	case "maxLength":
		return "max_length", fmt.Sprintf("This must have at most %d characters.", *s.MaxLength)
	case "minimum":
		return "minimum", fmt.Sprintf("This must be at least %s.", number(*s.Min))
	case "maximum":
		return "maximum", fmt.Sprintf("This must be at most %s.", number(*s.Max))
	case "minItems":
		return "min_items", fmt.Sprintf("This must have at least %d items.", s.MinItems)
	case "maxItems":
		return "max_items", fmt.Sprintf("This must have at most %d items.", *s.MaxItems)
	case "enum":
		return "enum", "This must be one of the declared values: " + values(s.Enum) + "."
	case "pattern":
		return "pattern", "This must be " + patternName(s) + "."
	case "format":
		return "format", "This must be " + formatName(s.Format) + "."
	default:
		return "invalid", "This breaks the rule " + e.SchemaField + " of the contract."
	}
}

// patternDescription is the extension of a schema that says in words what its
// pattern says: not everybody reads those.
const patternDescription = "x-pattern-description"

func patternName(s *openapi3.Schema) string {
	if words, ok := s.Extensions[patternDescription].(string); ok {
		return words
	}
	return "text that matches " + s.Pattern
}

func number(f float64) string { b, _ := json.Marshal(f); return string(b) }

func values(enum []any) string {
	texts := make([]string, len(enum))
	for i, v := range enum {
		b, _ := json.Marshal(v)
		texts[i] = string(b)
	}
	return strings.Join(texts, ", ")
}

func typeName(s *openapi3.Schema) string {
	var names []string
	add := func(s *openapi3.Schema) {
		for _, t := range s.Type.Slice() {
			switch t {
			case openapi3.TypeInteger, openapi3.TypeArray, openapi3.TypeObject:
				names = append(names, "an "+t)
			default:
				names = append(names, "a "+t)
			}
		}
	}
	add(s)
	for _, branch := range slices.Concat(s.OneOf, s.AnyOf) {
		if branch.Value != nil {
			add(branch.Value)
		}
	}
	if len(names) == 0 {
		return "of a declared type"
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " or ")
}

func formatName(format string) string {
	switch format {
	case "email", "idn-email":
		return "an e-mail address, such as name@example.com"
	case "uuid":
		return "a UUID (RFC 9562)"
	case "date":
		return "a date, such as 2022-08-01 (RFC 3339)"
	case "date-time":
		return "a date and time, such as 2022-08-01T21:38:51Z (RFC 3339)"
	case "uri":
		return "a URI (RFC 3986)"
	default:
		return "of the format " + format
	}
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// pointer writes a place as a JSON Pointer (RFC 6901).
func pointer(place []string) string {
	var b strings.Builder
	for _, token := range place {
		b.WriteByte('/')
		b.WriteString(escape.Replace(token))
	}
	return b.String()
}
