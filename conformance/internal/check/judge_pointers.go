package check

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Errors say where they are in many ways: by a JSON Pointer (RFC 9457 3, JSON:API),
// by a path with dots and brackets (Jakarta, .NET), by a list of keys (FastAPI), or
// by the key of the fault itself. All are read as JSON Pointers into the request
// body; the name of a parameter is one without the slash.

// pointers gives the places that an error names, without repetition.
func (r *Runner) pointers(ex *wire.Exchange) []string {
	if ex.Response == nil || ex.Response.Status < 400 || !saysJSON(bare(ex.Response.Get("Content-Type"))) {
		return nil
	}
	body, err := decode(ex.Response.Body)
	if err != nil {
		return nil
	}
	var places []string
	add := func(place string) {
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	declared := false
	for extension, parameter := range map[string]bool{openapi.ExtErrorPointer: false, openapi.ExtErrorParameter: true} {
		pattern, ok := r.Document.Extensions[extension].(string)
		if !ok {
			continue
		}
		declared = true
		for _, value := range selected(body, openapi.Split(pattern)) {
			if text, isText := value.(string); isText && parameter {
				add(text)
			} else if isText {
				add(strings.TrimPrefix(text, "#")) // anything but a pointer is wrong
			}
		}
	}
	if declared {
		return places
	}
	object, _ := body.(map[string]any)
	for _, name := range []string{"errors", "error", "invalid-params", "invalid_params", "invalidParams", "violations", "details", "detail", "fieldErrors", "field_errors", "validation_errors", "issues"} {
		for _, place := range listedPlaces(object[name], name) {
			add(place)
		}
	}
	if nested, ok := object["error"].(map[string]any); ok {
		for _, name := range []string{"details", "errors"} {
			for _, place := range listedPlaces(nested[name], name) {
				add(place)
			}
		}
	}
	return places
}

// selected gives what a pointer with * for any index leads to.
func selected(value any, tokens []string) []any {
	if len(tokens) == 0 {
		return []any{value}
	}
	switch x := value.(type) {
	case map[string]any:
		if member, ok := x[tokens[0]]; ok {
			return selected(member, tokens[1:])
		}
	case []any:
		var all []any
		for i, item := range x {
			if tokens[0] == "*" || tokens[0] == itoa(i) {
				all = append(all, selected(item, tokens[1:])...)
			}
		}
		return all
	}
	return nil
}

// keyed are the members of an error by which it says where it is, the exactest
// first.
var keyed = []string{"pointer", "instancePath", "field", "propertyPath", "property", "path", "name", "param", "parameter", "attribute"}

// listedPlaces reads a list of errors, or an object with one by field.
func listedPlaces(value any, name string) []string {
	var places []string
	switch x := value.(type) {
	case []any:
		for _, item := range x {
			if object, ok := item.(map[string]any); ok {
				if place, says := itemPlace(object); says {
					places = append(places, place)
				}
			}
		}
	case map[string]any:
		if place, says := itemPlace(x); says && name != "errors" {
			return []string{place}
		}
		for field, fault := range x {
			switch fault.(type) {
			case []any, string: // {"email": ["is required"]}
				places = append(places, pointed(field))
			}
		}
		if name == "detail" || name == "error" || name == "details" {
			return nil // any object
		}
		slices.Sort(places)
	}
	return places
}

// itemPlace reads where one error is.
func itemPlace(object map[string]any) (string, bool) {
	if source, ok := object["source"].(map[string]any); ok { // JSON:API
		if text, ok := source["pointer"].(string); ok {
			// To RFC 6901 / is a member without a name, but who writes it means that the
			// fault is somewhere in the body.
			return pointed(text), text != "/"
		}
		if text, ok := source["parameter"].(string); ok {
			return text, true
		}
	}
	if loc, ok := object["loc"].([]any); ok {
		return located(loc), true
	}
	in, _ := object["in"].(string)
	for _, key := range keyed {
		switch x := object[key].(type) {
		case string:
			if key == "parameter" || in == "query" || in == "path" || in == "header" || in == "cookie" {
				return x, true
			}
			return pointed(x), true
		case []any: // zod, ajv
			return located(append([]any{"body"}, x...)), true
		}
	}
	return "", false
}

// located reads a list of keys, of which the first says where: ["body", "email"].
func located(loc []any) string {
	var tokens []string
	for _, token := range loc {
		switch x := token.(type) {
		case string:
			tokens = append(tokens, x)
		case json.Number:
			tokens = append(tokens, string(x))
		}
	}
	if len(tokens) == 0 {
		return ""
	}
	switch tokens[0] {
	case "query", "path", "header", "cookie":
		return strings.Join(tokens[1:], ".")
	case "body":
		return openapi.Join("", tokens[1:]...)
	}
	return openapi.Join("", tokens...)
}

var brackets = regexp.MustCompile(`\[['"]?([^\]'"]*)['"]?\]`)

// pointed reads a pointer, or a path with dots and brackets, as a pointer.
func pointed(text string) string {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "#"), "$")
	if text == "" || strings.HasPrefix(text, "/") {
		for _, prefix := range []string{"/body", "/data/attributes"} {
			if rest, ok := strings.CutPrefix(text, prefix); ok && (rest == "" || rest[0] == '/') {
				return rest
			}
		}
		return text
	}
	text = strings.TrimPrefix(brackets.ReplaceAllString(text, ".$1"), ".")
	tokens := strings.Split(text, ".")
	if tokens[0] == "body" {
		tokens = tokens[1:]
	}
	return openapi.Join("", tokens...)
}

// namesFault tells whether an error says where the fault is, and whether that is
// right: where it was put is at, a pointer into the request body, or the name of a
// parameter. Right is the place, its object or array (of what is missing or must
// not be there), or a part of it.
func (r *Runner) namesFault(op *openapi.Operation, ex *wire.Exchange, at string) (says, right bool) {
	places := r.pointers(ex)
	if op == nil || len(places) == 0 {
		return false, false
	}
	want := folded(at)
	for _, place := range places {
		got := folded(place)
		switch {
		case parameterNamed(op, got) && (strings.HasPrefix(want, "/") || want == ""): // which at may be a part of
			return true, true
		case got != "" && !strings.HasPrefix(want, "/") && strings.HasPrefix(strings.TrimPrefix(got, "/")+"/", want+"/"):
			return true, true
		case got == want,
			strings.HasPrefix(got, want+"/"),
			got == above(want) && strings.HasPrefix(want, "/"),
			got != "" && strings.HasPrefix(want, got+"/"):
			return true, true
		case want == "" && strings.Count(got, "/") <= 1: // the body as a whole
			return true, true
		}
	}
	return true, false
}

// parameterNamed tells whether a place is a parameter of an operation, and not a
// property of its body.
func parameterNamed(op *openapi.Operation, place string) bool {
	name := strings.TrimPrefix(place, "/")
	if s := bodySchema(op); s != nil && slices.ContainsFunc(s.Properties, func(p *openapi.Property) bool { return folded(p.Name) == name }) {
		return false
	}
	return slices.ContainsFunc(op.Parameters, func(p *openapi.Parameter) bool { return folded(p.Name) == name })
}

// folded is a place without what servers' naming conventions change.
func folded(place string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(place))
}
