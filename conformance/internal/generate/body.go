package generate

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// boundary parts multipart bodies. It is fixed, so that the same draft gives the
// same bytes; no value that is made contains it.
const boundary = "conformance-f1c9e7d24b"

// encodeBody writes the body of a draft, and tells its Content-Type in full.
func encodeBody(d *Draft) (body []byte, contentType string, err error) {
	if d.RawBody != nil {
		return d.RawBody, d.ContentType, nil
	}
	switch {
	case isJSON(d.ContentType) || d.ContentType == "":
		body, err = MarshalJSON(d.Body)
		return body, d.ContentType, err
	case isForm(d.ContentType):
		body, err = encodeForm(d)
		return body, d.ContentType, err
	case isMultipart(d.ContentType):
		body, err = encodeMultipart(d)
		return body, "multipart/form-data; boundary=" + boundary, err
	}
	text, err := plainText(d.Body)
	if err != nil { // no form is known: JSON is the best guess
		body, err = MarshalJSON(d.Body)
		return body, d.ContentType, err
	}
	return []byte(text), d.ContentType, nil
}

// encodingOf is how a property of a form is sent; without a word of the document,
// in the style form, exploded (OpenAPI 3.0.3, 4.7.15.1).
func encodingOf(d *Draft, name string) (style string, explode bool, contentType string) {
	if d.Op.Body != nil {
		for _, m := range d.Op.Body.Content {
			if e := m.Encodings[name]; e != nil && mediaType(m.Type) == mediaType(d.ContentType) {
				return e.Style, e.Explode, e.ContentType
			}
		}
	}
	return "form", true, ""
}

func encodeForm(d *Draft) ([]byte, error) {
	fields, ok := d.Body.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("form: %w", errCannotWrite)
	}
	var pairs []string
	for _, name := range sortedNames(fields) {
		style, explode, contentType := encodingOf(d, name)
		p := &openapi.Parameter{Name: name, In: "query", Style: style, Explode: explode, Content: contentType}
		if m, isMap := fields[name].(map[string]any); isMap && contentType == "" && style != "deepObject" || nested(fields[name], m) {
			p.Content = "application/json"
		}
		list, err := writeQuery(p, fields[name])
		if err != nil {
			return nil, fmt.Errorf("form field %s: %w", name, err)
		}
		if empty(fields[name]) {
			continue
		}
		pairs = append(pairs, list...)
	}
	return []byte(strings.Join(pairs, "&")), nil
}

// nested tells whether a value has values in it that have values in them.
func nested(v any, m map[string]any) bool {
	for _, w := range m {
		switch w.(type) {
		case map[string]any, []any:
			return true
		}
	}
	if list, ok := v.([]any); ok {
		for _, w := range list {
			switch w.(type) {
			case map[string]any, []any:
				return true
			}
		}
	}
	return false
}

func empty(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) == 0
}

func encodeMultipart(d *Draft) ([]byte, error) {
	fields, ok := d.Body.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("multipart: %w", errCannotWrite)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, fmt.Errorf("multipart: %w", err)
	}
	for _, name := range sortedNames(fields) {
		values, isList := fields[name].([]any)
		if !isList {
			values = []any{fields[name]}
		}
		_, _, contentType := encodingOf(d, name)
		for _, v := range values {
			if err := writePart(w, name, contentType, v, isBinary(d, name)); err != nil {
				return nil, fmt.Errorf("multipart field %s: %w", name, err)
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("multipart: %w", err)
	}
	return b.Bytes(), nil
}

// isBinary tells whether a property is a file.
func isBinary(d *Draft, name string) bool {
	if d.Op.Body == nil {
		return false
	}
	for _, m := range d.Op.Body.Content {
		if mediaType(m.Type) != mediaType(d.ContentType) || m.Schema == nil {
			continue
		}
		p := m.Schema.Property(name)
		if p != nil && p.Items != nil {
			p = p.Items
		}
		return p != nil && (p.Format == "binary" || p.ContentMediaType == "application/octet-stream")
	}
	return false
}

func writePart(w *multipart.Writer, name, contentType string, v any, file bool) error {
	text, err := plainText(v)
	content := []byte(text)
	if err != nil || isJSON(contentType) {
		if content, err = MarshalJSON(v); err != nil {
			return err
		}
		if contentType == "" {
			contentType = "application/json"
		}
	}
	head := textproto.MIMEHeader{}
	disposition := `form-data; name="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "%0D", "\n", "%0A").Replace(name) + `"`
	if file {
		disposition += `; filename="conformance.bin"`
		if contentType == "" {
			contentType = "application/octet-stream"
		}
	}
	head.Set("Content-Disposition", disposition)
	if contentType != "" {
		first, _, _ := strings.Cut(contentType, ",")
		head.Set("Content-Type", strings.TrimSpace(first))
	}
	part, err := w.CreatePart(head)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if _, err := part.Write(content); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// readBody gives what a server reads from a body that a draft has, for media types
// in which values become text; JSON is what it is.
func readBody(contentType string, schema *openapi.Schema, v any) (any, bool) {
	if isJSON(contentType) {
		return v, true
	}
	if !isForm(contentType) && !isMultipart(contentType) {
		text, err := plainText(v)
		return text, err == nil
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	out := map[string]any{}
	for name, w := range fields {
		if empty(w) || w == nil {
			return nil, false
		}
		var at []*openapi.Schema
		if p := schema.Property(name); p != nil {
			at = append(at, p)
		} else if schema.Additional != nil {
			at = append(at, schema.Additional)
		}
		r, ok := readValue(at, w)
		if !ok {
			return nil, false
		}
		out[name] = r
	}
	return out, true
}

// readValue reads back a value whose parts were sent as text.
func readValue(whole []*openapi.Schema, v any) (any, bool) {
	switch v := v.(type) {
	case map[string]any: // is sent as JSON
		return v, true
	case []any:
		items := itemsOf(whole)
		if !typesOf(whole).has("array") {
			return nil, false // would be sent as one field several times
		}
		list := make([]any, 0, len(v))
		for _, w := range v {
			r, ok := readValue(items, w)
			if !ok {
				return nil, false
			}
			list = append(list, r)
		}
		return list, true
	default:
		text, err := plainText(v)
		if err != nil {
			return nil, false
		}
		if typesOf(whole).has("array") {
			return []any{coerce(itemsOf(whole), text)}, true
		}
		return coerce(whole, text), true
	}
}
