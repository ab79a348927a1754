package generate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// errCannotWrite means that a value has no form as text in its place.
var errCannotWrite = errors.New("the value cannot be written there")

// MarshalJSON writes a decoded value as JSON: names in order, no escapes that are
// not needed, so that what is sent can be read.
func MarshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Encode writes a draft as it is sent: the target of the request line, without the
// base path of the server, header fields and the body. Parameters are written in
// the styles of OpenAPI 3.0.3, 4.7.12.3.
func (s *Source) Encode(d *Draft) (target string, header []wire.Field, body []byte, err error) {
	target, err = encodePath(d)
	if err != nil {
		return "", nil, nil, err
	}
	query, err := encodeQuery(d)
	if err != nil {
		return "", nil, nil, err
	}
	if query != "" {
		target += "?" + query
	}
	header, err = encodeHeader(d)
	if err != nil {
		return "", nil, nil, err
	}
	contentType := d.ContentType
	if d.HasBody {
		body, contentType, err = encodeBody(d)
		if err != nil {
			return "", nil, nil, err
		}
	}
	if contentType != "" && (d.HasBody || d.RawBody != nil) {
		header = append(header, wire.Field{Name: "Content-Type", Value: contentType})
	}
	return target, append(header, d.ExtraHeader...), body, nil
}

// parametersOf are those of one place: the document's, and then those that only
// the draft has, as simple text.
func parametersOf(d *Draft, in string) []*openapi.Parameter {
	var list []*openapi.Parameter
	described := map[string]bool{}
	for _, p := range d.Op.Parameters {
		if p.In == in {
			list = append(list, p)
			described[p.Name] = true
		}
	}
	var others []string
	for name := range d.Values(in) {
		if !described[name] {
			others = append(others, name)
		}
	}
	sort.Strings(others)
	for _, name := range others {
		style, explode := "simple", false
		if in == "query" || in == "cookie" {
			style, explode = "form", true
		}
		list = append(list, &openapi.Parameter{Name: name, In: in, Style: style, Explode: explode})
	}
	return list
}

func encodePath(d *Draft) (string, error) {
	path := d.Op.Path
	for _, p := range parametersOf(d, "path") {
		text, ok := d.RawPath[p.Name]
		if !ok {
			v, has := d.Path[p.Name]
			if !has {
				continue
			}
			var err error
			if text, err = writePath(p, v); err != nil {
				return "", fmt.Errorf("path parameter %s: %w", p.Name, err)
			}
		}
		path = strings.ReplaceAll(path, "{"+p.Name+"}", text)
	}
	return path, nil
}

func encodeQuery(d *Draft) (string, error) {
	if d.RawQuery != nil {
		return *d.RawQuery, nil
	}
	var pairs []string
	for _, p := range parametersOf(d, "query") {
		v, ok := d.Query[p.Name]
		if !ok {
			continue
		}
		list, err := writeQuery(p, v)
		if err != nil {
			return "", fmt.Errorf("query parameter %s: %w", p.Name, err)
		}
		pairs = append(pairs, list...)
	}
	return strings.Join(append(pairs, d.ExtraQuery...), "&"), nil
}

func encodeHeader(d *Draft) ([]wire.Field, error) {
	var header []wire.Field
	for _, p := range parametersOf(d, "header") {
		v, ok := d.Header[p.Name]
		if !ok {
			continue
		}
		text, err := writeSimple(p, v, func(s string) string { return s })
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", p.Name, err)
		}
		header = append(header, wire.Field{Name: p.Name, Value: text})
	}
	var cookies []string
	for _, p := range parametersOf(d, "cookie") {
		v, ok := d.Cookie[p.Name]
		if !ok {
			continue
		}
		pairs, err := writeCookie(p, v)
		if err != nil {
			return nil, fmt.Errorf("cookie %s: %w", p.Name, err)
		}
		cookies = append(cookies, pairs...)
	}
	if len(cookies) > 0 {
		header = append(header, wire.Field{Name: "Cookie", Value: strings.Join(cookies, "; ")})
	}
	return header, nil
}

// escape percent-encodes all but unreserved characters (RFC 3986, 2.3) and those
// of keep.
func escape(text, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

func escapeAll(text string) string { return escape(text, "") }

// plainText writes a value that is not made of others.
func plainText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		if v {
			return "true", nil
		}
		return "false", nil
	case nil:
		return "null", nil
	default:
		return "", errCannotWrite
	}
}

// flat takes a value apart: the texts of a list, or the names and texts of an
// object in turn.
func flat(v any) (texts []string, object bool, err error) {
	var values []any
	switch v := v.(type) {
	case []any:
		values = v
	case map[string]any:
		object = true
		for _, name := range sortedNames(v) {
			values = append(values, name, v[name])
		}
	default:
		values = []any{v}
	}
	for _, w := range values {
		t, err := plainText(w)
		if err != nil {
			return nil, false, err
		}
		texts = append(texts, t)
	}
	return texts, object, nil
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// joined joins texts; those of an object as name=value with explode.
func joined(texts []string, object, explode bool, separator string, esc func(string) string) string {
	var parts []string
	if object && explode {
		for i := 0; i+1 < len(texts); i += 2 {
			parts = append(parts, esc(texts[i])+"="+esc(texts[i+1]))
		}
	} else {
		for _, t := range texts {
			parts = append(parts, esc(t))
		}
	}
	return strings.Join(parts, separator)
}

func writeSimple(p *openapi.Parameter, v any, esc func(string) string) (string, error) {
	if p.Content != "" {
		text, err := writeContent(p, v)
		return esc(text), err
	}
	texts, object, err := flat(v)
	if err != nil {
		return "", err
	}
	return joined(texts, object, p.Explode, ",", esc), nil
}

// writeContent writes a parameter that is described by a media type.
func writeContent(p *openapi.Parameter, v any) (string, error) {
	if isJSON(p.Content) {
		text, err := MarshalJSON(v)
		return string(text), err
	}
	return plainText(v)
}

func writePath(p *openapi.Parameter, v any) (string, error) {
	if p.Content != "" || p.Style != "label" && p.Style != "matrix" {
		return writeSimple(p, v, escapeAll)
	}
	texts, object, err := flat(v)
	if err != nil {
		return "", err
	}
	_, list := v.([]any)
	if p.Style == "label" {
		separator := ","
		if p.Explode {
			separator = "."
		}
		return "." + joined(texts, object, p.Explode, separator, escapeAll), nil
	}
	name := escapeAll(p.Name)
	switch {
	case object && p.Explode:
		return ";" + joined(texts, true, true, ";", escapeAll), nil
	case list && p.Explode:
		out := ""
		for _, t := range texts {
			out += ";" + name + "=" + escapeAll(t)
		}
		return out, nil
	default:
		return ";" + name + "=" + joined(texts, object, false, ",", escapeAll), nil
	}
}

// reservedMarks are the reserved characters that a query may have as they are
// with allowReserved, and that do not part it.
const reservedMarks = ":/?@!$'()*,;"

func writeQuery(p *openapi.Parameter, v any) ([]string, error) {
	esc := escapeAll
	if p.AllowReserved {
		esc = func(s string) string { return escape(s, reservedMarks) }
	}
	name := escape(p.Name, "[]")
	if p.Content != "" {
		text, err := writeContent(p, v)
		return []string{name + "=" + esc(text)}, err
	}
	texts, object, err := flat(v)
	if err != nil {
		return nil, err
	}
	_, list := v.([]any)
	if p.Style == "deepObject" && object {
		var pairs []string
		for i := 0; i+1 < len(texts); i += 2 {
			pairs = append(pairs, name+escapeAll("["+texts[i]+"]")+"="+esc(texts[i+1]))
		}
		return pairs, nil
	}
	switch {
	case object && p.Explode:
		return strings.Split(joined(texts, true, true, "&", esc), "&"), nil
	case list && p.Explode:
		var pairs []string
		for _, t := range texts {
			pairs = append(pairs, name+"="+esc(t))
		}
		return pairs, nil
	}
	separator := map[string]string{"spaceDelimited": "%20", "pipeDelimited": "%7C"}[p.Style]
	if separator == "" {
		separator = ","
	}
	return []string{name + "=" + joined(texts, object, false, separator, esc)}, nil
}

func writeCookie(p *openapi.Parameter, v any) ([]string, error) {
	asIs := func(s string) string { return s }
	if p.Content != "" {
		text, err := writeContent(p, v)
		return []string{p.Name + "=" + escapeAll(text)}, err
	}
	texts, object, err := flat(v)
	if err != nil {
		return nil, err
	}
	if _, list := v.([]any); p.Explode && (object || list) {
		var pairs []string
		for i := range texts {
			switch {
			case list:
				pairs = append(pairs, p.Name+"="+texts[i])
			case i%2 == 1:
				pairs = append(pairs, texts[i-1]+"="+texts[i])
			}
		}
		return pairs, nil
	}
	return []string{p.Name + "=" + joined(texts, object, false, ",", asIs)}, nil
}
