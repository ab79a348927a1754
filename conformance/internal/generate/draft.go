package generate

import (
	"maps"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Draft is a request for an operation, in parts that can be changed. Credentials
// are not part of it.
type Draft struct {
	Op *openapi.Operation
	// Decoded values of parameters, by name. A parameter that is not there is not
	// sent; one of the path that is not there is left as the template has it.
	Path, Query, Header, Cookie map[string]any
	// HasBody tells whether a body is sent: Body, in the media type ContentType.
	HasBody     bool
	Body        any
	ContentType string // with parameters, if any; empty: no Content-Type is sent
	// RawBody replaces what is made of Body, if it is not nil.
	RawBody []byte
	// RawQuery replaces what is made of Query, if it is not nil; without "?".
	RawQuery *string
	// RawPath replaces what is made of the template and Path, by parameter: text as
	// it is sent, escaped.
	RawPath map[string]string
	// ExtraQuery is added to the query as it is: name=value pairs, escaped.
	ExtraQuery []string
	// ExtraHeader is added to the header.
	ExtraHeader []wire.Field
}

// Clone copies a draft, so that the copy can be changed.
func (d *Draft) Clone() *Draft {
	c := *d
	copyOf := func(m map[string]any) map[string]any {
		out := make(map[string]any, len(m))
		for k, v := range m {
			out[k] = clone(v)
		}
		return out
	}
	c.Path, c.Query, c.Header, c.Cookie = copyOf(d.Path), copyOf(d.Query), copyOf(d.Header), copyOf(d.Cookie)
	c.Body = clone(d.Body)
	c.RawBody = slices.Clone(d.RawBody)
	c.RawPath = maps.Clone(d.RawPath)
	c.ExtraQuery = slices.Clone(d.ExtraQuery)
	c.ExtraHeader = slices.Clone(d.ExtraHeader)
	return &c
}

// Values gives the parameters of one place: "path", "query", "header" or "cookie".
func (d *Draft) Values(in string) map[string]any {
	switch in {
	case "path":
		return d.Path
	case "query":
		return d.Query
	case "header":
		return d.Header
	default:
		return d.Cookie
	}
}

// Draft makes a valid request for an operation. Values of the path are made up:
// that there is such a resource is for the caller to see to. A parameter that is
// a credential's is left out, and so are optional ones whose values come from an
// answer: preconditions and cursors.
func (s *Source) Draft(op *openapi.Operation, mode Mode) *Draft {
	d := &Draft{
		Op: op, Path: map[string]any{}, Query: map[string]any{},
		Header: map[string]any{}, Cookie: map[string]any{},
	}
	for _, p := range op.Parameters {
		if s.reserved(p) || !p.Required && (mode == Minimal || bound(op, p)) {
			continue
		}
		if v, ok := s.parameter(op, p, mode); ok {
			d.Values(p.In)[p.Name] = v
		}
	}
	if op.Body != nil && len(op.Body.Content) > 0 && (op.Body.Required || mode != Minimal) {
		s.SetBody(d, preferred(op.Body.Content), mode)
	}
	return d
}

// reserved tells whether a parameter is none: these headers are described
// elsewhere in a document (OpenAPI 3.0.3, 4.7.12.2), and credentials are added by
// who sends the request.
func (s *Source) reserved(p *openapi.Parameter) bool {
	if p.In == "header" {
		switch strings.ToLower(p.Name) {
		case "accept", "content-type", "authorization", "content-length", "host", "transfer-encoding", "connection":
			return true
		}
	}
	if s.Doc == nil {
		return false
	}
	for _, scheme := range s.Doc.Schemes {
		if scheme.Type == "apiKey" && scheme.In == p.In && strings.EqualFold(scheme.Name, p.Name) {
			return true
		}
	}
	return false
}

// bound tells whether a parameter only has valid values that come from an answer:
// preconditions, and cursors.
func bound(op *openapi.Operation, p *openapi.Parameter) bool {
	name := strings.ToLower(p.Name)
	switch p.In {
	case "header":
		return strings.HasPrefix(name, "if-") || name == "range" || name == "last-event-id"
	case "query":
		if pages, ok := op.Extensions[openapi.ExtPagination].(map[string]any); ok && pages["cursor"] == p.Name {
			return true
		}
		switch strings.NewReplacer("_", "", "-", "").Replace(name) {
		case "cursor", "pagetoken", "nexttoken", "continuation", "continuationtoken", "after", "before", "startingafter", "endingbefore":
			return true
		}
	}
	return false
}

// Opaque tells whether only an answer can tell valid values of a parameter of an
// operation: the document allows more than the server can accept.
func Opaque(op *openapi.Operation, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p *openapi.Parameter) bool { return p.Name == name && bound(op, p) })
}

// idempotent tells whether a parameter makes repeated requests one.
func idempotent(op *openapi.Operation, p *openapi.Parameter) bool {
	name, _ := op.Extensions[openapi.ExtIdempotencyKey].(string) // what is no name is none
	return p.In == "header" && (strings.EqualFold(p.Name, name) || strings.EqualFold(p.Name, "Idempotency-Key"))
}

// parameter makes the value of a parameter: one that is the same after it was
// sent as text.
func (s *Source) parameter(op *openapi.Operation, p *openapi.Parameter, mode Mode) (any, bool) {
	if p.Schema == nil {
		return "conformance", true
	}
	if idempotent(op, p) {
		g := s.generation(op.ID+p.Pointer, openapi.Request, mode)
		g.fresh = map[string]bool{"": true}
		if v := g.value("", []*openapi.Schema{p.Schema}, nil, 0, 0); s.survives(p, v) {
			return v, true
		}
	}
	for _, v := range p.Examples {
		if len(s.faults(p.Schema, v, openapi.Request)) == 0 && s.survives(p, v) {
			g := s.generation(op.ID+p.Pointer, openapi.Request, mode)
			v = g.value("", []*openapi.Schema{p.Schema}, &v, 0, 0)
			if s.survives(p, v) {
				return v, true
			}
		}
	}
	v := s.Valid(p.Schema, openapi.Request, mode)
	if !s.survives(p, v) {
		g := s.generation(op.ID+p.Pointer, openapi.Request, Full)
		sh := g.shape("", []*openapi.Schema{p.Schema}, nil, 0)
		v = g.scalarOrValue(sh, p.Schema)
	}
	return v, p.Required || s.survives(p, v)
}

// scalarOrValue makes a value that is not null: text cannot say null.
func (g *generation) scalarOrValue(sh shape, schema *openapi.Schema) any {
	switch sh.kind() {
	case "object", "array":
		g.mode = Full
		g.plan = plan{present: map[string]bool{"": true}}
		return g.value("", []*openapi.Schema{schema}, nil, 0, 0)
	default:
		return g.scalar("", sh, 0)
	}
}

// preferred is the media type that a body is sent in: JSON, or the first that can
// be written.
func preferred(types []*openapi.MediaType) *openapi.MediaType {
	for _, test := range []func(string) bool{isJSON, isForm, isMultipart, isText} {
		for _, m := range types {
			if test(m.Type) {
				return m
			}
		}
	}
	return types[0]
}

// SetBody gives a draft a valid body of a media type. The first example that is
// valid is what it is like; what must be unique is made anew.
func (s *Source) SetBody(d *Draft, m *openapi.MediaType, mode Mode) {
	d.HasBody, d.ContentType, d.RawBody = true, concrete(m.Type), nil
	if m.Schema == nil {
		d.Body = "conformance"
		if isJSON(d.ContentType) {
			d.Body = map[string]any{}
		}
		if len(m.Examples) > 0 {
			d.Body = clone(m.Examples[0].Value)
		}
		return
	}
	g := s.generation(d.Op.ID+m.Pointer, openapi.Request, mode)
	g.fresh = uniquePlaces(d.Op)
	d.Body, _ = g.whole(m.Schema, s.bodyExample(m, mode))
}

// bodyExample is the valid example of a media type that says most; in the minimal
// mode, least.
func (s *Source) bodyExample(m *openapi.MediaType, mode Mode) *any {
	var best *any
	size := 0
	for _, e := range m.Examples {
		if len(s.faults(m.Schema, e.Value, openapi.Request)) > 0 {
			continue
		}
		n := len(mustJSON(e.Value))
		if best == nil || mode != Minimal && n > size || mode == Minimal && n < size {
			v := e.Value
			best, size = &v, n
		}
	}
	return best
}

// uniquePlaces are those of the request body that the document says are unique.
func uniquePlaces(op *openapi.Operation) map[string]bool {
	list, _ := op.Extensions[openapi.ExtUnique].([]any) // what is no list is none
	places := map[string]bool{}
	for _, v := range list {
		if p, ok := v.(string); ok {
			places[p] = true
		}
	}
	return places
}

// mediaType is a media type without its parameters, in lower case.
func mediaType(contentType string) string {
	base, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

func isJSON(contentType string) bool {
	t := mediaType(contentType)
	return t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json")
}

func isForm(contentType string) bool {
	return mediaType(contentType) == "application/x-www-form-urlencoded"
}
func isMultipart(contentType string) bool { return mediaType(contentType) == "multipart/form-data" }
func isText(contentType string) bool      { return strings.HasPrefix(mediaType(contentType), "text/") }

// concrete is a media type of a range of them.
func concrete(rng string) string {
	switch rng {
	case "*/*", "application/*":
		return "application/json"
	case "text/*":
		return "text/plain"
	case "image/*":
		return "image/png"
	}
	return strings.Replace(rng, "/*", "/octet-stream", 1)
}
