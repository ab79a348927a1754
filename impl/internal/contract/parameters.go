package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// form is how a text is read as a value of a schema.
type form struct {
	schema *schema
	kind   string // of the value, or of each of a list: a type of OpenAPI
	list   bool   // of values with commas between them
}

// parameter is one of a request.
type parameter struct {
	form
	name, in   string
	key        string // canonical name of a header
	index      int    // of a path's parameter
	required   bool
	allowEmpty bool
	explode    bool // a list is given by repeating the parameter
}

// header is one of a response.
type header struct {
	form
	required bool
}

var errForm = errors.New("only strings, integers, numbers, booleans and lists of them are read")

// form finds out how a text is read.
func (d *compiler) form(ref *openapi3.SchemaRef, responses bool, place string) (form, error) {
	if ref == nil || ref.Value == nil {
		return form{}, fmt.Errorf("%s: has no schema", place)
	}
	s, err := d.schema(ref.Value, responses, place)
	if err != nil {
		return form{}, err
	}
	f := form{schema: s}
	f.kind, err = kindOf(s.kin)
	if f.kind == openapi3.TypeArray {
		f.list = true
		if f.kind, err = "", errForm; s.kin.Items != nil {
			f.kind, err = kindOf(s.kin.Items.Value)
		}
		if f.kind == openapi3.TypeArray {
			err = errForm
		}
	}
	if err != nil {
		return form{}, fmt.Errorf("%s: %w", place, err)
	}
	return f, nil
}

// kindOf finds the one type that a schema has, if need be in what it is made of.
func kindOf(s *openapi3.Schema) (string, error) {
	if len(s.Type.Slice()) == 1 {
		if t := s.Type.Slice()[0]; t != openapi3.TypeObject {
			return t, nil
		}
		return "", errForm
	}
	kind := ""
	for _, p := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf) {
		of, err := kindOf(p.Value)
		if err != nil || kind != "" && of != kind {
			return "", errForm
		}
		kind = of
	}
	if kind == "" {
		return "", errForm
	}
	return kind, nil
}

// ofItsOwn are headers that OpenAPI describes elsewhere than in parameters.
var ofItsOwn = map[string]bool{"Accept": true, "Content-Type": true, "Authorization": true}

func (d *compiler) parameters(o *operation, template string, item *openapi3.PathItem, op *openapi3.Operation) error {
	for _, ref := range item.Parameters {
		if op.Parameters.GetByInAndName(ref.Value.In, ref.Value.Name) == nil {
			if err := d.parameter(o, template, ref.Value); err != nil {
				return err
			}
		}
	}
	for _, ref := range op.Parameters {
		if err := d.parameter(o, template, ref.Value); err != nil {
			return err
		}
	}
	// A credential in the query is judged by who recognises it.
	for _, requirement := range o.security {
		for name := range requirement {
			if s := d.doc.Components.SecuritySchemes[name]; s != nil && s.Value.In == openapi3.ParameterInQuery {
				o.query = append(o.query, s.Value.Name)
			}
		}
	}
	return nil
}

func (d *compiler) parameter(o *operation, template string, p *openapi3.Parameter) error {
	made := &parameter{name: p.Name, in: p.In, key: http.CanonicalHeaderKey(p.Name), required: p.Required, allowEmpty: p.AllowEmptyValue}
	if p.In == openapi3.ParameterInHeader && ofItsOwn[made.key] {
		return nil
	}
	place := "parameter " + p.Name
	var err error
	if made.form, err = d.form(p.Schema, false, place); err != nil {
		return err
	}
	style, err := p.SerializationMethod()
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	made.explode = made.list && style.Explode && p.In == openapi3.ParameterInQuery
	want := openapi3.SerializationForm
	if p.In == openapi3.ParameterInPath || p.In == openapi3.ParameterInHeader {
		want = openapi3.SerializationSimple
	}
	if style.Style != want || made.list && style.Explode && p.In == openapi3.ParameterInCookie {
		return fmt.Errorf("%s: is in a style that is not read", place)
	}
	switch p.In {
	case openapi3.ParameterInQuery:
		o.query = append(o.query, p.Name)
	case openapi3.ParameterInPath:
		segments := slices.DeleteFunc(strings.Split(template, "/"), func(s string) bool { return !strings.HasPrefix(s, "{") })
		made.index = slices.Index(segments, "{"+p.Name+"}")
	}
	o.parameters = append(o.parameters, made)
	return nil
}

func (d *compiler) header(name string, h *openapi3.Header) (*header, error) {
	f, err := d.form(h.Schema, true, "header "+name)
	return &header{f, h.Required}, err
}

// judgeParameters judges all parameters of a request, and looks for those that
// the operation does not have.
func (ct *Contract) judgeParameters(c echo.Context, op *operation) []Fault {
	var faults []Fault
	var query url.Values
	if raw := c.Request().URL.RawQuery; raw != "" {
		var err error
		if query, err = url.ParseQuery(raw); err != nil {
			faults = append(faults, Fault{In: openapi3.ParameterInQuery, Name: "", Code: "malformed_query", Detail: "The query is not made of name=value pairs with valid percent-encoding."})
		}
		faults = append(faults, unknown(query, op)...)
	}
	for _, p := range op.parameters {
		faults = append(faults, ct.judgeParameter(p, given(c, query, p))...)
	}
	return faults
}

// unknown finds the parameters that an operation does not have.
func unknown(query url.Values, op *operation) []Fault {
	var names []string
	for name := range query {
		if !slices.Contains(op.query, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var faults []Fault
	for _, name := range names[:min(len(names), MaxFaults)] {
		faults = append(faults, Fault{In: openapi3.ParameterInQuery, Name: readable(name), Code: "unknown_parameter", Detail: "The contract has no such parameter here."})
	}
	return faults
}

// given finds the values of a parameter. Those of a path are unescaped just as
// the generated handler does; headers that are lists are made one.
func given(c echo.Context, query url.Values, p *parameter) []string {
	switch p.in {
	case openapi3.ParameterInQuery:
		return query[p.name]
	case openapi3.ParameterInHeader:
		values := c.Request().Header[p.key]
		if p.list && len(values) > 0 || len(values) > 1 && p.key == "Prefer" { // RFC 7240 §2
			values = []string{joined(values, p.list)}
			c.Request().Header[p.key] = values
		}
		return values
	case openapi3.ParameterInCookie:
		var values []string
		for _, cookie := range c.Request().CookiesNamed(p.name) {
			values = append(values, cookie.Value)
		}
		return values
	default:
		values := c.ParamValues()
		if p.index < 0 || p.index >= len(values) {
			return nil
		}
		value := values[p.index : p.index+1]
		// Without a RawPath, Echo takes values from the path that is unescaped
		// already; a % in them is one.
		if c.Request().URL.RawPath == "" || !strings.Contains(value[0], "%") {
			return value
		}
		unescaped, err := url.PathUnescape(value[0])
		if err != nil {
			return value // which its schema will refuse, or the handler takes as it is
		}
		return []string{unescaped}
	}
}

// joined makes one header of several (RFC 9110 §5.3). In a list of values, the
// white space around them goes.
func joined(values []string, list bool) string {
	all := strings.Join(values, ", ")
	if !list {
		return all
	}
	items := strings.Split(all, ",")
	for i := range items {
		items[i] = strings.Trim(items[i], " \t")
	}
	return strings.Join(items, ",")
}

func (ct *Contract) judgeParameter(p *parameter, values []string) []Fault {
	fault := func(code, detail string) []Fault {
		return []Fault{{In: p.in, Name: p.name, Code: code, Detail: detail}}
	}
	switch {
	case len(values) == 0 && p.required:
		return fault("required", "This parameter is required.")
	case len(values) == 0:
		return nil
	case len(values) > 1 && !p.explode:
		return fault("repeated_parameter", "This parameter must be given once.")
	case p.allowEmpty && len(values) == 1 && values[0] == "":
		return nil
	}
	for _, v := range values {
		switch {
		case !utf8.ValidString(v):
			return fault(strictjson.CodeInvalidUTF8, "This parameter must be UTF-8.")
		case strings.IndexByte(v, 0) >= 0:
			return fault(strictjson.CodeNULCharacter, "Text must not have NUL characters (U+0000).")
		}
	}
	faults, ok := ct.judgeText(p.form, values, !p.explode)
	if !ok {
		return fault("type", "This must be "+typeName(p.schema.kin)+", in its shortest form.")
	}
	for i := range faults {
		faults[i].Pointer, faults[i].In, faults[i].Name = "", p.in, p.name
	}
	return faults
}

// judgeText judges a value that is given as text; it is not ok if it cannot be
// read as one. A list is in several texts, or in one with commas.
func (ct *Contract) judgeText(f form, texts []string, commas bool) (faults []Fault, ok bool) {
	if !f.list {
		if f.kind == openapi3.TypeString && f.schema.accepts(texts[0], true) {
			return nil, true
		}
		value, ok := scalar(f.kind, texts[0])
		if !ok || f.kind != openapi3.TypeString && f.schema.accepts(texts[0], false) {
			return nil, ok
		}
		return ct.judge(f.schema.kin, value), true
	}
	if commas {
		texts = strings.Split(texts[0], ",")
	}
	list := make([]any, len(texts))
	for i, text := range texts {
		if list[i], ok = scalar(f.kind, text); !ok {
			return nil, false
		}
	}
	return ct.judge(f.schema.kin, list), true
}

// scalar reads a text as a value of a type. Integers have one form only, without
// + and leading zeros, so that a resource has one URL; other numbers are as in
// JSON.
func scalar(kind, text string) (any, bool) {
	switch kind {
	case openapi3.TypeInteger:
		i, err := strconv.ParseInt(text, 10, 64)
		return json.Number(text), err == nil && strconv.FormatInt(i, 10) == text
	case openapi3.TypeNumber:
		value, faults := strictjson.Decode([]byte(text))
		_, is := value.(json.Number)
		return value, len(faults) == 0 && is && strings.Trim(text, " \t\r\n") == text
	case openapi3.TypeBoolean:
		return text == "true", text == "true" || text == "false"
	default:
		return text, true
	}
}
