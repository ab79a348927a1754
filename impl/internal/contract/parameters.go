package contract

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// checkParameter refuses parameters of forms that are not decoded here.
func checkParameter(p *openapi3.Parameter) error {
	if p.Schema == nil || p.Schema.Value == nil || p.Schema.Value.Type == nil {
		return fmt.Errorf("parameter %s: has no schema with a type", p.Name)
	}
	if s := p.Schema.Value; !s.Type.Is(openapi3.TypeString) && !s.Type.Is(openapi3.TypeInteger) && !s.Type.Is(openapi3.TypeBoolean) {
		return fmt.Errorf("parameter %s: only strings, integers and booleans are decoded", p.Name)
	}
	switch p.In {
	case openapi3.ParameterInPath, openapi3.ParameterInQuery, openapi3.ParameterInHeader:
		return nil
	default:
		return fmt.Errorf("parameter %s: is in %s", p.Name, p.In)
	}
}

// judgeParameters judges all parameters of a request, and looks for those that
// the operation does not have.
func (ct *Contract) judgeParameters(c echo.Context, op *operation) []Fault {
	query, err := url.ParseQuery(c.Request().URL.RawQuery)
	var faults []Fault
	if err != nil {
		faults = append(faults, Fault{In: openapi3.ParameterInQuery, Name: "", Code: "malformed_query", Detail: "The query is not made of name=value pairs with valid percent-encoding."})
	}
	names := make([]string, 0, len(query))
	for name := range query {
		if !slices.Contains(op.query, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		faults = append(faults, Fault{In: openapi3.ParameterInQuery, Name: readable(name), Code: "unknown_parameter", Detail: "The contract has no such parameter here."})
	}
	for _, p := range op.parameters {
		faults = append(faults, ct.judgeParameter(p, given(c, query, p))...)
	}
	return faults
}

// given finds the values of a parameter. Those of a path are unescaped just as
// the generated handler does.
func given(c echo.Context, query url.Values, p *openapi3.Parameter) []string {
	switch p.In {
	case openapi3.ParameterInQuery:
		return query[p.Name]
	case openapi3.ParameterInHeader:
		return c.Request().Header.Values(p.Name)
	default:
		value := c.Param(p.Name)
		if c.Request().URL.RawPath == "" {
			return []string{value}
		}
		unescaped, err := url.PathUnescape(value)
		if err != nil {
			return []string{value} // which its schema will refuse, or the handler takes as it is
		}
		return []string{unescaped}
	}
}

func (ct *Contract) judgeParameter(p *openapi3.Parameter, values []string) []Fault {
	fault := func(code, detail string) []Fault {
		return []Fault{{In: p.In, Name: p.Name, Code: code, Detail: detail}}
	}
	switch {
	case len(values) == 0 && p.Required:
		return fault("required", "This parameter is required.")
	case len(values) == 0:
		return nil
	case len(values) > 1:
		return fault("repeated_parameter", "This parameter must be given once.")
	case !utf8.ValidString(values[0]):
		return fault(strictjson.CodeInvalidUTF8, "This parameter must be UTF-8.")
	case strings.ContainsRune(values[0], 0):
		return fault(strictjson.CodeNULCharacter, "Text must not have NUL characters (U+0000).")
	}
	value, ok := scalar(p.Schema.Value, values[0])
	if !ok {
		return fault("type", "This must be "+typeName(p.Schema.Value)+", in its shortest form.")
	}
	faults := ct.judge(p.Schema.Value, value)
	for i := range faults {
		faults[i].Pointer, faults[i].In, faults[i].Name = "", p.In, p.Name
	}
	return faults
}

// scalar reads a text as a value of the schema's type. Numbers have one form
// only, without + and leading zeros, so that a resource has one URL.
func scalar(s *openapi3.Schema, text string) (any, bool) {
	switch {
	case s.Type.Is(openapi3.TypeInteger):
		i, err := strconv.ParseInt(text, 10, 64)
		return json.Number(text), err == nil && strconv.FormatInt(i, 10) == text
	case s.Type.Is(openapi3.TypeBoolean):
		return text == "true", text == "true" || text == "false"
	default:
		return text, true
	}
}
