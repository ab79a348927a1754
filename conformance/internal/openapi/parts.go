package openapi

import (
	"strings"
)

// ignored header parameters and headers are no part of the contract, as they are
// described elsewhere (OpenAPI 3.0.3, 4.7.12.1 and 4.7.16.1).
var (
	ignoredParameters = map[string]bool{"accept": true, "content-type": true, "authorization": true}
	styles            = map[string]string{"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
)

func (l *loader) parameters(p place) ([]*Parameter, error) {
	list, ok := p.get("parameters")
	if !ok {
		return nil, nil
	}
	if err := l.sequence(list, "parameters"); err != nil {
		return nil, err
	}
	var params []*Parameter
	for _, item := range list.items() {
		q, err := l.follow(item, "a parameter")
		if err != nil {
			return nil, err
		}
		param, err := l.parameter(q)
		if err != nil {
			return nil, err
		}
		if param.In == "header" && ignoredParameters[strings.ToLower(param.Name)] {
			continue
		}
		params = append(params, param)
	}
	return params, nil
}

func (l *loader) parameter(p place) (*Parameter, error) {
	param := &Parameter{
		Name: p.text("name"), In: p.text("in"), Required: p.truth("required"), Style: p.text("style"),
		AllowReserved: p.truth("allowReserved"), AllowEmptyValue: p.truth("allowEmptyValue"),
		Deprecated: p.truth("deprecated"), Pointer: p.ptr,
	}
	if param.Name == "" || styles[param.In] == "" {
		return nil, l.errorf(p.node, "a parameter must have a name, and be in path, query, header or cookie")
	}
	if param.Style == "" {
		param.Style = styles[param.In]
	}
	param.Explode = param.Style == "form"
	if _, ok := p.get("explode"); ok {
		param.Explode = p.truth("explode")
	}
	var err error
	param.Schema, param.Content, err = l.shape(p)
	if err != nil {
		return nil, err
	}
	param.Examples, err = l.values(p)
	return param, err
}

// shape gives the schema of a parameter or header; by content, the media type too.
func (l *loader) shape(p place) (*Schema, string, error) {
	if q, ok := p.get("schema"); ok {
		s, err := l.schema(q)
		return s, "", err
	}
	if content, ok := p.get("content"); ok && len(content.fields()) == 1 {
		f := content.fields()[0]
		if q, ok := f.get("schema"); ok {
			s, err := l.schema(q)
			return s, f.key, err
		}
		return &Schema{Pointer: f.ptr, node: f.node}, f.key, nil
	}
	l.warn(p.node, "neither schema nor content says what it looks like")
	return &Schema{Pointer: p.ptr, node: p.node}, "", nil
}

// values gives the values of example and examples.
func (l *loader) values(p place) ([]any, error) {
	examples, err := l.examples(p)
	var values []any
	for _, e := range examples {
		values = append(values, e.Value)
	}
	return values, err
}

// examples gives those of example and examples. Examples of a parameter with
// content are with the media type.
func (l *loader) examples(p place) ([]*Example, error) {
	if content, ok := p.get("content"); ok && len(content.fields()) == 1 {
		p = content.fields()[0].place
	}
	var list []*Example
	if e, ok := p.get("example"); ok {
		list = append(list, &Example{Value: Decode(e.node), Pointer: e.ptr})
	}
	all, _ := p.get("examples")
	if all.node == nil {
		return list, nil
	}
	for _, f := range all.fields() {
		q, err := l.follow(f.place, "an example")
		if err != nil {
			return nil, err
		}
		if v, ok := q.get("value"); ok {
			list = append(list, &Example{Name: f.key, Value: Decode(v.node), Pointer: v.ptr})
		}
	}
	return list, nil
}

func (l *loader) body(p place) (*RequestBody, error) {
	p, err := l.follow(p, "a request body")
	if err != nil {
		return nil, err
	}
	content, err := l.content(p)
	return &RequestBody{Required: p.truth("required"), Content: content, Pointer: p.ptr}, err
}

func (l *loader) content(p place) ([]*MediaType, error) {
	list, ok := p.get("content")
	if !ok {
		return nil, nil
	}
	var types []*MediaType
	for _, f := range list.fields() {
		if strings.HasPrefix(f.key, "x-") {
			continue
		}
		if err := l.mapping(f.place, "a media type"); err != nil {
			return nil, err
		}
		m := &MediaType{Type: f.key, Pointer: f.ptr}
		if q, ok := f.get("schema"); ok {
			s, err := l.schema(q)
			if err != nil {
				return nil, err
			}
			m.Schema = s
		}
		var err error
		if m.Examples, err = l.examples(f.place); err != nil {
			return nil, err
		}
		if m.Encodings, err = l.encodings(f.place); err != nil {
			return nil, err
		}
		types = append(types, m)
	}
	return types, nil
}

func (l *loader) encodings(p place) (map[string]*Encoding, error) {
	list, ok := p.get("encoding")
	if !ok {
		return nil, nil
	}
	encodings := map[string]*Encoding{}
	for _, f := range list.fields() {
		if err := l.mapping(f.place, "an encoding"); err != nil {
			return nil, err
		}
		e := &Encoding{ContentType: f.text("contentType"), Style: f.text("style"), Pointer: f.ptr}
		if e.Style == "" {
			e.Style = "form"
		}
		e.Explode = e.Style == "form"
		if _, ok := f.get("explode"); ok {
			e.Explode = f.truth("explode")
		}
		encodings[f.key] = e
	}
	return encodings, nil
}

func (l *loader) responses(op *Operation, p place) error {
	list, ok := p.get("responses")
	if !ok || list.node.ShortTag() == "!!null" {
		l.warn(p.node, "%s has no responses", op.ID)
		return nil
	}
	if err := l.mapping(list, "responses"); err != nil {
		return err
	}
	for _, f := range list.fields() {
		if strings.HasPrefix(f.key, "x-") {
			continue
		}
		if !statusKey(f.key) {
			return l.errorf(f.node, "%q is no status: three digits, 4XX or default", f.key)
		}
		q, err := l.follow(f.place, "a response")
		if err != nil {
			return err
		}
		r, err := l.response(f.key, q)
		if err != nil {
			return err
		}
		op.Responses[f.key] = r
	}
	return nil
}

func statusKey(key string) bool {
	if key == "default" {
		return true
	}
	if len(key) != 3 || key[0] < '1' || key[0] > '5' {
		return false
	}
	rest := key[1:]
	return rest == "XX" || '0' <= rest[0] && rest[0] <= '9' && '0' <= rest[1] && rest[1] <= '9'
}

func (l *loader) response(key string, p place) (*Response, error) {
	r := &Response{Key: key, Pointer: p.ptr}
	headers, _ := p.get("headers")
	if headers.node != nil {
		for _, f := range headers.fields() {
			if strings.EqualFold(f.key, "Content-Type") {
				continue
			}
			h, err := l.header(f)
			if err != nil {
				return nil, err
			}
			r.Headers = append(r.Headers, h)
		}
	}
	var err error
	if r.Content, err = l.content(p); err != nil {
		return nil, err
	}
	links, ok := p.get("links")
	if !ok {
		return r, nil
	}
	for _, f := range links.fields() {
		link, err := l.link(f)
		if err != nil {
			return nil, err
		}
		r.Links = append(r.Links, link)
	}
	return r, nil
}

func (l *loader) header(f field) (*Header, error) {
	p, err := l.follow(f.place, "a header")
	if err != nil {
		return nil, err
	}
	h := &Header{Name: f.key, Required: p.truth("required"), Explode: p.truth("explode"), Pointer: p.ptr}
	if h.Schema, h.Content, err = l.shape(p); err != nil {
		return nil, err
	}
	h.Examples, err = l.values(p)
	return h, err
}

func (l *loader) link(f field) (*Link, error) {
	p, err := l.follow(f.place, "a link")
	if err != nil {
		return nil, err
	}
	link := &Link{Name: f.key, OperationID: p.text("operationId"), Parameters: map[string]any{}, Pointer: p.ptr}
	if q, ok := p.get("parameters"); ok {
		for _, f := range q.fields() {
			link.Parameters[f.key] = Decode(f.node)
		}
	}
	if q, ok := p.get("requestBody"); ok {
		link.Body = Decode(q.node)
	}
	return link, nil
}
