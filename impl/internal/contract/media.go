package contract

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// content is what a body may be: the schemas by media type.
type content struct {
	exact  map[string]*media // by the usual ways to write a Content-Type
	ranges []*media          // those with *, and those with parameters, the most specific first
	names  []string          // in order
}

// media is one media type of a document, and what is asked of a body of it.
type media struct {
	kind, sub  string // type and subtype; * for any
	parameters map[string]string
	schema     *schema // nil if there is none
}

// reading is how the bytes of a body become a value.
type reading int

const (
	asBytes reading = iota // judged by nothing but their type and number
	asText
	asJSON
)

// compileContent compiles the content of a body. place is for errors.
func (d *compiler) compileContent(declared openapi3.Content, responses bool, place string) (*content, error) {
	c := &content{exact: make(map[string]*media), names: slices.Sorted(maps.Keys(declared))}
	for _, name := range c.names {
		at := place + " as " + name
		full, parameters, err := mime.ParseMediaType(name)
		kind, sub, ok := strings.Cut(full, "/")
		if err != nil || !ok || kind == "*" && sub != "*" {
			return nil, fmt.Errorf("%s: is no media type", at)
		}
		m := &media{kind: kind, sub: sub, parameters: parameters}
		if ref := declared[name].Schema; ref != nil && ref.Value != nil {
			if m.schema, err = d.schema(ref.Value, responses, at); err != nil {
				return nil, err
			}
		}
		if !strings.Contains(full, "*") && !m.readable(kind, sub) {
			return nil, fmt.Errorf("%s: only JSON, text and bytes are judged", at)
		}
		c.add(m, full)
	}
	slices.SortStableFunc(c.ranges, func(a, b *media) int { return b.specific() - a.specific() })
	return c, nil
}

func (c *content) add(m *media, full string) {
	if len(m.parameters) > 0 || m.sub == "*" {
		c.ranges = append(c.ranges, m)
		return
	}
	c.exact[full] = m
	for _, charset := range []string{"; charset=utf-8", ";charset=utf-8", "; charset=UTF-8", ";charset=UTF-8"} {
		c.exact[full+charset] = m
	}
	c.ranges = append(c.ranges, m)
}

// specific orders media types: those with parameters before those without, and
// ranges last.
func (m *media) specific() int {
	switch {
	case m.kind == "*":
		return 0
	case m.sub == "*":
		return 1
	default:
		return 2 + len(m.parameters)
	}
}

// readable tells whether a body of a media type can be judged by the schema.
func (m *media) readable(kind, sub string) bool {
	return m.schema == nil || isJSON(kind, sub) || m.read(kind, sub) != asJSON
}

// read tells how a body of a media type is read.
func (m *media) read(kind, sub string) reading {
	switch {
	case m.schema == nil:
		return asBytes
	case isJSON(kind, sub):
		return asJSON
	case m.schema.kin.Type.Is(openapi3.TypeString) && m.schema.kin.Format == "binary":
		return asBytes
	case m.schema.kin.Type.Is(openapi3.TypeString) && kind == "text":
		return asText
	default:
		return asJSON
	}
}

func isJSON(kind, sub string) bool {
	return kind == "application" && sub == "json" || strings.HasSuffix(sub, "+json")
}

var (
	errUndeclared = errors.New("not declared")
	errCharset    = errors.New("not UTF-8")
)

// find finds what is asked of a body with a Content-Type. Parameters that the
// document does not have make it another type, except a charset of UTF-8.
func (c *content) find(contentType string) (*media, reading, error) {
	if m := c.exact[contentType]; m != nil {
		return m, m.read(m.kind, m.sub), nil
	}
	full, parameters, err := mime.ParseMediaType(contentType)
	kind, sub, ok := strings.Cut(full, "/")
	if err != nil || !ok {
		return nil, 0, errUndeclared
	}
	err = errUndeclared
	for _, m := range c.ranges {
		if m.kind != "*" && m.kind != kind || m.sub != "*" && m.sub != sub || !m.readable(kind, sub) {
			continue
		}
		read := m.read(kind, sub)
		if err = m.takes(parameters, read); err == nil {
			return m, read, nil
		}
	}
	return nil, 0, err
}

// takes checks the parameters of a media type.
func (m *media) takes(parameters map[string]string, read reading) error {
	for name, value := range m.parameters {
		if !strings.EqualFold(parameters[name], value) {
			return errUndeclared
		}
	}
	for name, value := range parameters {
		if _, declared := m.parameters[name]; declared || read == asBytes {
			continue
		}
		if name != "charset" {
			return errUndeclared
		}
		if !strings.EqualFold(value, "utf-8") {
			return errCharset
		}
	}
	return nil
}

// text reads a body as one string.
func text(body []byte) (any, []Fault) {
	if !utf8.Valid(body) {
		return nil, []Fault{{Code: strictjson.CodeInvalidUTF8, Detail: "The body is not UTF-8."}}
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return nil, []Fault{{Code: strictjson.CodeNULCharacter, Detail: "Text must not have NUL characters (U+0000)."}}
	}
	return string(body), nil
}
