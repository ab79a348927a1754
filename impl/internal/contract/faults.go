package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// describe puts a broken rule into words that say how to mend it. The words
// come from the schema alone, never from the value.
func describe(e *openapi3.SchemaError) (code, detail string) {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "required", "This property is required."
	case "boolean":
		if s.WriteOnly {
			return "write_only", "This property is only ever sent to the service."
		}
		return "read_only", "This property is set by the service: leave it out."
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
	case "exclusiveMinimum":
		return "minimum", fmt.Sprintf("This must be more than %s.", number(*s.Min))
	case "exclusiveMaximum":
		return "maximum", fmt.Sprintf("This must be less than %s.", number(*s.Max))
	case "multipleOf":
		return "multiple_of", fmt.Sprintf("This must be a multiple of %s.", number(*s.MultipleOf))
	case "minItems":
		return "min_items", fmt.Sprintf("This must have at least %d items.", s.MinItems)
	case "maxItems":
		return "max_items", fmt.Sprintf("This must have at most %d items.", *s.MaxItems)
	case "uniqueItems":
		return "unique_items", "Every item must be another."
	case "minProperties":
		return "min_properties", fmt.Sprintf("This must have at least %d properties.", s.MinProps)
	case "maxProperties":
		return "max_properties", fmt.Sprintf("This must have at most %d properties.", *s.MaxProps)
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
	case "int32":
		return "an integer from -2147483648 to 2147483647"
	case "int64":
		return "an integer from -9223372036854775808 to 9223372036854775807"
	case "byte":
		return "base64 (RFC 4648, section 4)"
	case "ipv4":
		return "an IPv4 address, such as 192.0.2.1"
	case "ipv6":
		return "an IPv6 address, such as 2001:db8::1"
	case "hostname":
		return "a host name, such as www.example.com"
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
