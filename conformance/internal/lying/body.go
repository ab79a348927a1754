package lying

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// readBody reads and judges the body.
func (c *call) readBody() *answer {
	if len(c.op.body) == 0 {
		return nil
	}
	if c.tooLarge {
		return c.lieTooLarge()
	}
	// No body at all is no body of a wrong type.
	bare := len(c.raw) == 0 && c.r.Header.Get("Content-Type") == ""
	typ := typeJSON
	if !bare {
		t, refused := c.mediaType()
		if refused != nil {
			return refused
		}
		typ = t
	}
	var value any
	if typ == "application/x-www-form-urlencoded" {
		m, ok := form(string(c.raw))
		if !ok {
			return problem(http.StatusBadRequest, "malformed", "the body is no form")
		}
		value = m
	} else {
		if len(c.raw) == 0 && c.lies("O5") {
			c.body = sample(c.op.schema())
			return nil
		}
		if a := c.lieHuge(); a != nil {
			return a
		}
		v, err := c.parse(c.raw)
		if err != nil {
			return c.lieMalformed(err)
		}
		value = v
	}
	return c.judge(c.op.schema(), value)
}

// schema gives the schema of the body, which is one for all types.
func (op *operation) schema() *schema {
	for _, s := range op.body {
		return s
	}
	return nil
}

// judge validates the body, and keeps what is stored of it.
func (c *call) judge(s *schema, value any) *answer {
	c.given = value
	if a := c.lieValid(); a != nil {
		return a
	}
	v := &validation{s: c.s}
	c.body = v.value(s, value, "")
	if v.faults == nil {
		return nil
	}
	return c.lieInvalid(s, v.faults)
}

// form reads application/x-www-form-urlencoded.
func form(body string) (map[string]any, bool) {
	m := map[string]any{}
	for _, e := range strings.Split(body, "&") {
		if e == "" {
			continue
		}
		k, v, _ := strings.Cut(e, "=")
		name, err := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if _, twice := m[name]; err != nil || err2 != nil || twice || !utf8.ValidString(name+value) {
			return nil, false
		}
		m[name] = value
	}
	return m, true
}

var (
	errTrailing = errors.New("something follows the value")
	errDeep     = errors.New("it is nested too deeply")
)

// maxDepth is how deep a body may be nested.
const maxDepth = 200

// parse reads JSON (RFC 8259): in UTF-8, no name twice, nothing but one value.
func (c *call) parse(raw []byte) (any, error) {
	raw = c.lieSyntax(raw)
	d := jsontext.NewDecoder(bytes.NewReader(raw),
		jsontext.AllowDuplicateNames(c.lies("E18") && c.s.mode() == "body"),
		jsontext.AllowInvalidUTF8(c.lies("K3")))
	v, err := decode(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) && !c.breaks("K7", "trailing") {
		return nil, errTrailing
	}
	return v, nil
}

func decode(d *jsontext.Decoder) (any, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.StackDepth() > maxDepth {
		return nil, errDeep
	}
	switch t.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return t.Bool(), nil
	case '"':
		return t.String(), nil
	case '0':
		return json.Number(t.String()), nil
	case '[':
		a := []any{}
		for d.PeekKind() != ']' {
			v, err := decode(d)
			if err != nil {
				return nil, err
			}
			a = append(a, v)
		}
		_, err = d.ReadToken()
		return a, err
	default: // an object: the decoder gives no end without a beginning
	}
	m := map[string]any{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		if m[key], err = decode(d); err != nil {
			return nil, err
		}
	}
	_, err = d.ReadToken()
	return m, err
}
