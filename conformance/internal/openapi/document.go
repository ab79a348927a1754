// Package openapi reads an OpenAPI document (3.0 or 3.1, YAML or JSON) as those
// who test against it need it: references resolved, every part with the place in
// the file that a person is led to, and every clause listed that can be kept or
// broken.
//
// It is a reader of its own, on YAML nodes, and shares no code with the server:
// a fault of the server's library must not hide itself. A part's Pointer is where
// it is written, after references: two uses of one component have one clause.
package openapi

import "gopkg.in/yaml.v3"

// Document is an OpenAPI document. It is not changed after [Load].
type Document struct {
	Name       string // of the file, as in messages
	Raw        []byte // the file
	OpenAPI    string // its version of OpenAPI, e.g. 3.0.3
	Title      string
	Version    string
	ServerURLs []string
	Operations []*Operation // in the order of the file
	Schemes    map[string]*SecurityScheme
	Extensions map[string]any // x-…

	root *yaml.Node
}

// Operation is a method of a path.
type Operation struct {
	ID         string // operationId, or "GET /path" where there is none
	Method     string // in capitals
	Path       string // as a template
	Tags       []string
	Pointer    string // RFC 6901, of the operation
	Parameters []*Parameter
	Body       *RequestBody // nil: none
	Responses  map[string]*Response
	// Security has alternatives, each of which names schemes that are needed
	// together. Empty, or with an empty alternative: no credential is needed.
	Security   []map[string][]string
	Extensions map[string]any // x-…
}

// Parameter is one of path, query, header or cookie.
type Parameter struct {
	Name     string
	In       string
	Required bool
	Style    string // with OpenAPI's default filled in
	Explode  bool   // with OpenAPI's default filled in
	Schema   *Schema
	Content  string // media type, if it is described by content
	Examples []any
	Pointer  string
}

// RequestBody is what may be sent.
type RequestBody struct {
	Required bool
	Content  []*MediaType
	Pointer  string
}

// MediaType is a body of one type.
type MediaType struct {
	Type     string // e.g. application/json, or application/*
	Schema   *Schema
	Examples []*Example
	Pointer  string
}

// Example is an example of a body.
type Example struct {
	Name    string
	Value   any
	Pointer string
}

// Response is what may be answered under a key of responses.
type Response struct {
	Key     string // 200, 4XX or default
	Headers []*Header
	Content []*MediaType
	Links   []*Link
	Pointer string
}

// Header is a header of a response.
type Header struct {
	Name     string
	Required bool
	Schema   *Schema
	Pointer  string
}

// Link is an OpenAPI link: what of a response leads to another operation.
type Link struct {
	Name        string
	OperationID string
	Parameters  map[string]any // expressions, or constants
	Body        any
	Pointer     string
}

// SecurityScheme is how a credential is sent.
type SecurityScheme struct {
	ID      string // in components
	Type    string // apiKey, http, oauth2, openIdConnect, mutualTLS
	Scheme  string // of http: basic, bearer
	In      string // of apiKey: header, query, cookie
	Name    string // of apiKey
	Pointer string
}

// Schema is a schema with its references followed. Recursive schemas point to
// themselves. Numbers are kept as they are written, for a float64 cannot hold
// them all.
type Schema struct {
	Pointer string
	Types   []string // empty: any. null of OpenAPI 3.1, and nullable of 3.0, are Nullable
	// Nullable allows null in addition to Types.
	Nullable bool
	Format   string
	Enum     []any
	Const    *any

	Minimum, Maximum, MultipleOf       string // decimal; empty: none
	ExclusiveMinimum, ExclusiveMaximum bool   // of Minimum and Maximum

	MinLength, MaxLength         *int64 // code points
	Pattern                      string // ECMA 262
	MinItems, MaxItems           *int64
	UniqueItems                  bool
	MinProperties, MaxProperties *int64

	Items      *Schema
	Properties []*Property // in the order of the file
	Required   []string
	// Additional is the schema of further properties; nil: any. Closed: none.
	Additional *Schema
	Closed     bool

	AllOf, OneOf, AnyOf []*Schema
	Not                 *Schema
	Discriminator       *Discriminator

	ReadOnly, WriteOnly bool
	Deprecated          bool
	Default             *any
	Examples            []any
	Extensions          map[string]any // x-…

	node *yaml.Node
}

// Property is a property of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// Discriminator tells alternatives apart by a property.
type Discriminator struct {
	Property string
	Mapping  map[string]*Schema
}

// Position is a place in the file, from 1.
type Position struct{ Line, Column int }

// Direction is the way in which a value goes.
type Direction int

// The two ways.
const (
	Request Direction = iota
	Answer
)

// Clause is one thing that the document demands or promises and that can be
// broken alone: a keyword of a schema, a status, a header, a media type, an
// alternative of security.
type Clause struct {
	Pointer string // of the keyword, e.g. /components/schemas/NewCustomer/properties/email/maxLength
	Keyword string // e.g. maxLength; required has a clause for each name: Pointer ends in its index
	// Directions in which the clause is used, and by whom.
	Requests, Answers []*Operation
	Position          Position
}
