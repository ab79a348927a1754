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
//  5. one strict pass over the bytes, which decodes them once (package strictjson)
//  6. parameters and that value by their schemas; up to 20 faults are told at once
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
// Problem. Where the document has none, nothing describes such answers: their
// status is sent, with Allow and without a body. Routes that the document does not
// have at all (pages, health) pass through untouched as long as they return no
// error.
//
// # Who judges
//
// kin-openapi has the last word on every value. It is not asked where the answer
// is known: each schema is compiled into a checker that says of bytes that
// kin-openapi would accept them, or that it does not know (package checker, which
// says why that is so). Of what a checker accepts, a sample is put to kin-openapi
// all the same; see [Options] and [Contract.Counts].
//
// kin-openapi is given copies of the document's schemas, one for each direction,
// that say what it would otherwise leave open (see deriver), and checks for all
// formats. What it accepts by rounding is compared exactly (see exact.go).
//
// # What is kept between requests
//
// The derived schemas, their checkers, and what is left of a schema without its
// parts (see collector), all made of the document alone, which does not change.
// Buffers, which are emptied before others use them. No value and no verdict on
// one is kept.
//
// # Documents
//
// OpenAPI 3.0: parameters in paths, queries, headers and cookies that are scalars
// or lists of scalars, in the styles form and simple; bodies of JSON, text and
// bytes, by media types and their ranges; responses by status, class of statuses
// and default. [New] refuses all else, and what nobody could enforce: formats
// without a check, bounds of more digits than are judged, schemas that take
// exponentially long. Routes of Echo must be those of the document, each segment
// a word or a parameter, by whatever names.
//
// # Benchmarks
//
// Built with the tag unvalidated, nothing is judged, and everything else is as
// ever. That is for benchmarks that tell what judging costs, and for nothing else.
package contract

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// Options are what a document does not say.
type Options struct {
	// BodyLimit is how many bytes of a body are read.
	BodyLimit int64
	// BodyBudget is how many bytes of large bodies are held at a time, all
	// together; 0 for no limit. Small ones do not count.
	BodyBudget int64
	// Formats check the formats of strings that the document names, beside those
	// that this package knows (see formats.go). They must be safe for concurrent
	// use.
	Formats map[string]func(string) error
	// Authenticate recognises the caller by one of the security requirements,
	// or returns the error to be answered with. It may replace the request of
	// the context. A document without security needs none.
	Authenticate func(c echo.Context, required openapi3.SecurityRequirements) error
	// Violation is told of each response that broke the contract.
	Violation func(c echo.Context, err *ResponseError)
	// Sample is of how many bodies that a compiled checker accepts one is judged
	// by kin-openapi as well; 0 for none.
	Sample uint64
	// Disagreement is told where the two disagree. kin-openapi's verdict rules.
	Disagreement func(c echo.Context, d Disagreement)
}

// Contract enforces one document. It is safe for concurrent use.
type Contract struct {
	options  Options
	budget   *budget
	basePath string
	paths    map[string]*path // by Echo's form of the path, with and without names
	problem  *content         // nil if the document has no schema for problems
	// Options for kin-openapi: to find one fault quickly, or all.
	failFast, all       []openapi3.SchemaValidationOption
	shells              sync.Map // by schema: see shell
	requests, responses counters
}

// ProblemSchema is the name of the schema of an answer without an operation. A
// document may have none; such answers then have no body.
const ProblemSchema = "Problem"

// New compiles a document in YAML or JSON. It refuses what it could not enforce,
// with an error that says where that is.
func New(document []byte, o Options) (*Contract, error) {
	doc, err := load(document)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	if err := inexactBound(document); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	checks := maps.Clone(formats)
	maps.Copy(checks, o.Formats)
	visit := visitOptions(checks)
	ct := &Contract{
		options:  o,
		budget:   newBudget(o.BodyBudget),
		paths:    make(map[string]*path),
		failFast: slices.Concat(visit, []openapi3.SchemaValidationOption{openapi3.FailFast()}),
		all:      slices.Concat(visit, []openapi3.SchemaValidationOption{openapi3.MultiErrors()}),
	}
	if ct.basePath, err = basePath(doc); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	d := newCompiler(doc, checks)
	for _, template := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		if err := ct.add(d, template, doc.Paths.Value(template)); err != nil {
			return nil, fmt.Errorf("contract: path %s: %w", template, err)
		}
	}
	if doc.Components == nil || doc.Components.Schemas[ProblemSchema] == nil {
		return ct, nil
	}
	problem := openapi3.Content{problemJSON: {Schema: doc.Components.Schemas[ProblemSchema]}}
	if ct.problem, err = d.compileContent(problem, true, "schema "+ProblemSchema); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return ct, nil
}

func (ct *Contract) add(d *compiler, template string, item *openapi3.PathItem) error {
	p, err := d.path(template, item)
	if err != nil {
		return err
	}
	for method, op := range p.operations {
		if len(op.security) > 0 && ct.options.Authenticate == nil {
			return fmt.Errorf("%s: asks for a credential, and there is nobody to recognise it", method)
		}
		if op.body != nil && (method == "HEAD" || method == "TRACE" || method == "GET") {
			return fmt.Errorf("%s: has a body, which HTTP gives no meaning", method)
		}
	}
	route, err := echoPath(template)
	if err != nil {
		return err
	}
	if ct.paths[ct.basePath+anonymous(route)] != nil {
		return errors.New("is another path's in other words")
	}
	ct.paths[ct.basePath+route] = p
	ct.paths[ct.basePath+anonymous(route)] = p
	return nil
}

// BasePath is where the document's first server puts the paths, such as
// /api/v1/escrow.
func (ct *Contract) BasePath() string { return ct.basePath }

// at finds the path that a route of Echo is of; nil if it is of none.
func (ct *Contract) at(route string) *path {
	if p := ct.paths[route]; p != nil {
		return p
	}
	return ct.paths[anonymous(route)]
}
