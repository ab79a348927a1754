package contract

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/impl/internal/checker"
)

// path is what the document has at one path.
type path struct {
	operations map[string]*operation // by method
	allow      []string
}

// operation is what the document says of one operation, in the form in which
// it is needed for each request.
type operation struct {
	id         string
	method     string
	security   openapi3.SecurityRequirements
	parameters []*parameter
	query      []string // names that the query may have
	body       *body    // nil if there must be none
	produces   []string // media types of what is answered if all goes well
	responses  map[int]*response
	ranges     [6]*response // by the first digit of the status
	fallback   *response    // for all other statuses
}

type body struct {
	*content
	required bool
}

type response struct {
	headers map[string]*header // by canonical name
	content *content           // empty if there is no body
}

// response finds what is declared for a status; nil if nothing is. Informational
// statuses are no answer, and what is not of HTTP cannot be sent.
func (o *operation) response(status int) *response {
	if status < 200 || status > 599 {
		return nil
	}
	if r := o.responses[status]; r != nil {
		return r
	}
	if r := o.ranges[status/100]; r != nil {
		return r
	}
	return o.fallback
}

// compiler makes of a document what is needed to enforce it.
type compiler struct {
	doc                 *openapi3.T
	formats             map[string]func(string) error
	requests, responses *deriver
	schemas             map[*openapi3.Schema]*schema // by what was derived
	bounded             map[*openapi3.Schema]bool
}

func newCompiler(doc *openapi3.T, formats map[string]func(string) error) *compiler {
	derives := func(responses bool) *deriver {
		return &deriver{responses: responses, formats: formats, made: make(map[derivation]*openapi3.Schema)}
	}
	return &compiler{
		doc: doc, formats: formats, requests: derives(false), responses: derives(true),
		schemas: make(map[*openapi3.Schema]*schema), bounded: make(map[*openapi3.Schema]bool),
	}
}

// schema makes the schema by which one direction is judged.
func (d *compiler) schema(from *openapi3.Schema, responses bool, place string) (*schema, error) {
	if err := bounded(from, place, d.bounded); err != nil {
		return nil, err
	}
	derives := d.requests
	if responses {
		derives = d.responses
	}
	kin := derives.schema(from, whole, nil, place)
	if derives.err != nil {
		return nil, derives.err
	}
	if d.schemas[kin] == nil {
		d.schemas[kin] = &schema{kin, checker.Compile(kin, d.formats)}
	}
	return d.schemas[kin], nil
}

// basePath is the path of the first server, with its variables as they are by
// default.
func basePath(doc *openapi3.T) (string, error) {
	if len(doc.Servers) == 0 {
		return "", nil
	}
	address := doc.Servers[0].URL
	for name, variable := range doc.Servers[0].Variables {
		address = strings.ReplaceAll(address, "{"+name+"}", variable.Default)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("server: %w", err)
	}
	return strings.TrimSuffix(u.Path, "/"), nil
}

// echoPath turns /a/{b} into /a/:b.
func echoPath(template string) (string, error) {
	segments := strings.Split(template, "/")
	for i, s := range segments {
		name, opened := strings.CutPrefix(s, "{")
		name, closed := strings.CutSuffix(name, "}")
		switch {
		case opened && closed && !strings.ContainsAny(name, "{}"):
			segments[i] = ":" + name
		case strings.ContainsAny(s, "{}:*"):
			return "", errors.New("only whole segments are parameters, and no others have a colon or an asterisk")
		}
	}
	return strings.Join(segments, "/"), nil
}

// anonymous leaves the names out of Echo's form of a path.
func anonymous(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, ":") {
			segments[i] = ":"
		}
	}
	return strings.Join(segments, "/")
}

func (d *compiler) path(template string, item *openapi3.PathItem) (*path, error) {
	if len(item.Servers) > 0 {
		return nil, errors.New("has servers of its own")
	}
	p := &path{operations: make(map[string]*operation)}
	for method, op := range item.Operations() {
		compiled, err := d.operation(template, method, item, op)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", method, err)
		}
		p.operations[method] = compiled
		p.allow = append(p.allow, method)
		if method == http.MethodGet && item.Head == nil {
			p.allow = append(p.allow, http.MethodHead)
		}
	}
	slices.Sort(p.allow)
	return p, nil
}

func (d *compiler) operation(template, method string, item *openapi3.PathItem, op *openapi3.Operation) (*operation, error) {
	if op.Servers != nil && len(*op.Servers) > 0 {
		return nil, errors.New("has servers of its own")
	}
	o := &operation{id: op.OperationID, method: method, security: d.doc.Security, responses: make(map[int]*response)}
	if op.Security != nil {
		o.security = *op.Security
	}
	if err := d.parameters(o, template, item, op); err != nil {
		return nil, err
	}
	if op.RequestBody != nil {
		c, err := d.compileContent(op.RequestBody.Value.Content, false, "request body")
		if err != nil {
			return nil, err
		}
		o.body = &body{c, op.RequestBody.Value.Required}
	}
	for _, key := range slices.Sorted(maps.Keys(op.Responses.Map())) {
		if err := d.response(o, key, op.Responses.Value(key).Value); err != nil {
			return nil, fmt.Errorf("response %s: %w", key, err)
		}
	}
	if len(o.produces) == 0 && o.fallback != nil {
		o.produces = slices.Clone(o.fallback.content.names)
	}
	slices.Sort(o.produces)
	o.produces = slices.Compact(o.produces)
	return o, nil
}

func (d *compiler) response(o *operation, key string, declared *openapi3.Response) error {
	r := &response{headers: make(map[string]*header)}
	var err error
	if r.content, err = d.compileContent(declared.Content, true, "body"); err != nil {
		return err
	}
	for name, ref := range declared.Headers {
		canonical := http.CanonicalHeaderKey(name)
		if r.headers[canonical], err = d.header(name, ref.Value); err != nil {
			return err
		}
	}
	class := int(key[0] - '0')
	switch status, err := strconv.Atoi(key); {
	case key == "default":
		o.fallback = r
		return nil
	case strings.HasSuffix(key, "XX") && class >= 2 && class <= 5:
		o.ranges[class] = r
	case err != nil || status < 200 || status > 599:
		return errors.New("is no status that can be answered")
	case bodiless(status) && len(declared.Content) > 0:
		return errors.New("has no body in HTTP")
	default:
		o.responses[status] = r
	}
	if class == 2 {
		o.produces = append(o.produces, r.content.names...)
	}
	return nil
}

// bodiless tells whether HTTP knows no body with a status.
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
