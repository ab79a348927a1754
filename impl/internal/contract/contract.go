// Package contract holds a service to its OpenAPI document: every request
// before its handler, and every response before its first byte leaves.
//
// It is an Echo middleware around kin-openapi, which judges every value; what
// is written here is what comes before and after that judgement. It knows
// nothing of the service: the document is handed in, and so are the means to
// authenticate a caller.
//
// # Requests
//
// A request is checked in this order, and the first step that fails answers:
//
//  1. route: 404, or 405 with Allow, for what the document does not have
//  2. credential: by the Authenticate option, before anything is read
//  3. size: the declared length, and later the bytes as they come
//  4. content type and content coding; then what the caller accepts
//  5. one strict pass over the bytes, which decodes them once (see decode)
//  6. kin-openapi, on the parameters and that value; all faults are told at once
//  7. the handler, which is bound to the very value that was judged
//
// # Responses
//
// The handler and Echo's error handler write into a buffer with headers of its
// own. What is in it is judged: status, headers, content type and body, each
// of which the operation must declare. An answer that breaks the contract is
// thrown away with its headers, reported without its values, and replaced by
// what the error handler makes of a [*ResponseError], which is judged in turn.
// Objects in responses are closed: a property that the document does not
// declare never leaves, though clients are told to expect new ones later.
//
// An answer without an operation (404, 405) is judged against the schema named
// Problem. Routes that the document does not have at all (pages, health) pass
// through untouched as long as they return no error.
package contract

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// Options are what a document does not say.
type Options struct {
	// BodyLimit is how many bytes of a body are read.
	BodyLimit int64
	// Formats check the formats of strings that the document names.
	Formats map[string]func(string) error
	// Authenticate recognises the caller by one of the security requirements,
	// or returns the error to be answered with. It may replace the request of
	// the context.
	Authenticate func(c echo.Context, required openapi3.SecurityRequirements) error
	// Violation is told of each response that broke the contract.
	Violation func(c echo.Context, err *ResponseError)
}

// Contract enforces one document. It is safe for concurrent use.
type Contract struct {
	options  Options
	basePath string
	paths    map[string]path // by Echo's form of the path
	problem  *openapi3.Schema
	// Options for kin-openapi: to find one fault quickly, or all.
	failFast, all []openapi3.SchemaValidationOption
}

type path struct {
	operations map[string]*operation // by method
	allow      []string
}

// operation is what the document says of one operation, in the form in which
// it is needed for each request.
type operation struct {
	id         string
	security   openapi3.SecurityRequirements
	parameters []*openapi3.Parameter
	query      []string // names of the query parameters
	body       *body    // nil if there must be none
	produces   []string // media types of what is answered if all goes well
	responses  map[int]*response
}

type body struct {
	required bool
	schemas  map[string]*openapi3.Schema // by media type
}

type response struct {
	headers map[string]*openapi3.Header // by canonical name
	schemas map[string]*openapi3.Schema // by media type; empty if there is no body
}

// ProblemSchema is the name of the schema of an answer without an operation.
const ProblemSchema = "Problem"

// New compiles a document in YAML or JSON. It refuses what it could not
// enforce.
func New(document []byte, o Options) (*Contract, error) {
	requests, err := load(document)
	if err != nil {
		return nil, err
	}
	// Responses are judged by a copy, whose objects are closed.
	responses, err := load(document)
	if err != nil {
		return nil, err
	}
	closeObjects(responses)
	problem := responses.Components.Schemas[ProblemSchema]
	if problem == nil {
		return nil, fmt.Errorf("contract: no schema %s", ProblemSchema)
	}
	base, err := basePath(requests)
	if err != nil {
		return nil, err
	}
	visit := visitOptions(o.Formats)
	ct := &Contract{
		options:  o,
		basePath: base,
		paths:    make(map[string]path),
		problem:  problem.Value,
		failFast: slices.Concat(visit, []openapi3.SchemaValidationOption{openapi3.FailFast()}),
		all:      slices.Concat(visit, []openapi3.SchemaValidationOption{openapi3.MultiErrors()}),
	}
	for template, item := range requests.Paths.Map() {
		p, err := compilePath(requests, item, responses.Paths.Value(template))
		if err != nil {
			return nil, fmt.Errorf("contract: path %s: %w", template, err)
		}
		ct.paths[base+echoPath(template)] = p
	}
	return ct, nil
}

// BasePath is where the document's first server puts the paths, such as
// /api/v1/escrow.
func (ct *Contract) BasePath() string { return ct.basePath }

func load(document []byte) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	if err := doc.Validate(loader.Context, openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.0.") {
		return nil, fmt.Errorf("contract: OpenAPI %s, want 3.0", doc.OpenAPI)
	}
	return doc, nil
}

func basePath(doc *openapi3.T) (string, error) {
	if len(doc.Servers) == 0 {
		return "", nil
	}
	u, err := url.Parse(doc.Servers[0].URL)
	if err != nil {
		return "", fmt.Errorf("contract: server: %w", err)
	}
	return strings.TrimSuffix(u.Path, "/"), nil
}

// echoPath turns /a/{b} into /a/:b.
func echoPath(template string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(template)
}

func compilePath(doc *openapi3.T, item, closed *openapi3.PathItem) (path, error) {
	p := path{operations: make(map[string]*operation)}
	for method, op := range item.Operations() {
		compiled, err := compileOperation(doc, item, op, closed.GetOperation(method))
		if err != nil {
			return path{}, fmt.Errorf("%s: %w", method, err)
		}
		p.operations[method] = compiled
		p.allow = append(p.allow, method)
		if method == http.MethodGet {
			p.allow = append(p.allow, http.MethodHead)
		}
	}
	slices.Sort(p.allow)
	return p, nil
}

func compileOperation(doc *openapi3.T, item *openapi3.PathItem, op, closed *openapi3.Operation) (*operation, error) {
	o := &operation{id: op.OperationID, security: doc.Security, responses: make(map[int]*response)}
	if op.Security != nil {
		o.security = *op.Security
	}
	for _, ref := range slices.Concat(item.Parameters, op.Parameters) {
		if err := checkParameter(ref.Value); err != nil {
			return nil, err
		}
		o.parameters = append(o.parameters, ref.Value)
		if ref.Value.In == openapi3.ParameterInQuery {
			o.query = append(o.query, ref.Value.Name)
		}
	}
	if op.RequestBody != nil {
		o.body = &body{required: op.RequestBody.Value.Required, schemas: schemas(op.RequestBody.Value.Content)}
	}
	for key, ref := range closed.Responses.Map() {
		status, err := strconv.Atoi(key)
		if err != nil {
			return nil, fmt.Errorf("response %s: only single statuses are enforced", key)
		}
		r := &response{headers: make(map[string]*openapi3.Header), schemas: schemas(ref.Value.Content)}
		for name, header := range ref.Value.Headers {
			r.headers[http.CanonicalHeaderKey(name)] = header.Value
		}
		o.responses[status] = r
		if status < http.StatusMultipleChoices {
			o.produces = slices.AppendSeq(o.produces, maps.Keys(r.schemas))
		}
	}
	slices.Sort(o.produces)
	o.produces = slices.Compact(o.produces)
	return o, nil
}

func schemas(content openapi3.Content) map[string]*openapi3.Schema {
	m := make(map[string]*openapi3.Schema, len(content))
	for mediaType, media := range content {
		m[mediaType] = media.Schema.Value
	}
	return m
}

// closeObjects makes every object that lists its properties and does not say
// otherwise have no others. Parts of an allOf stay open, for each of them sees
// the properties of all.
func closeObjects(doc *openapi3.T) {
	seen := make(map[*openapi3.Schema]bool)
	var visit func(ref *openapi3.SchemaRef, part bool)
	visit = func(ref *openapi3.SchemaRef, part bool) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		if len(s.Properties) > 0 && !part && len(s.AllOf) == 0 && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
			s.AdditionalProperties.Has = new(bool)
		}
		for _, p := range s.Properties {
			visit(p, false)
		}
		for _, b := range slices.Concat(s.OneOf, s.AnyOf) {
			visit(b, part)
		}
		for _, b := range s.AllOf {
			visit(b, true)
		}
		visit(s.Items, false)
		visit(s.AdditionalProperties.Schema, false)
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, r := range op.Responses.Map() {
				for _, media := range r.Value.Content {
					visit(media.Schema, false)
				}
			}
		}
	}
	visit(doc.Components.Schemas[ProblemSchema], false)
}
