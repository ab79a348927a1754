// Package openapi reads an OpenAPI document (3.0 or 3.1, YAML or JSON) as those
// who test against it need it: references resolved, every part with the place in
// the file that a person is led to, and every clause listed that can be kept or
// broken.
//
// It is a reader of its own, on YAML nodes, and shares no code with the server:
// a fault of the server's library must not hide itself. A part's Pointer is where
// it is written, after references: two uses of one component have one clause.
package openapi

import (
	"strings"

	"gopkg.in/yaml.v3"
)

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
	// Warnings are mistakes of the document that it can be read in spite of, as
	// "name:line: …".
	Warnings []string

	root   *yaml.Node         // with aliases and merge keys written out
	places map[string]*Schema // every place where a schema is written or referred to
}

// V30 says whether the document is of OpenAPI 3.0, whose schemas are a dialect of
// their own; those of 3.1 are JSON Schema 2020-12.
func (d *Document) V30() bool { return strings.HasPrefix(d.OpenAPI, "3.0.") }

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
	Security []map[string][]string
	// SecurityPointer is where Security is written: /security, if it is inherited.
	// Empty: nowhere.
	SecurityPointer string
	ServerURLs      []string // of the path or the operation, instead of the document's; nil: the document's
	Deprecated      bool
	Extensions      map[string]any // x-…
}

// StatusPointer is where the key of a response is written, which is the clause of
// that status: [Response.Pointer] may be of a component that many share.
func (o *Operation) StatusPointer(key string) string {
	return Join(o.Pointer, "responses", key)
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
	Pointer  string // empty: the path needs it, and the document has it not

	AllowReserved, AllowEmptyValue, Deprecated bool
}

// RequestBody is what may be sent.
type RequestBody struct {
	Required bool
	Content  []*MediaType
	Pointer  string
}

// MediaType is a body of one type.
type MediaType struct {
	Type     string  // e.g. application/json, or application/*
	Schema   *Schema // nil: any
	Examples []*Example
	// Encodings are of the properties of forms, where the document has any.
	Encodings map[string]*Encoding
	Pointer   string
}

// Encoding is how a property of a form is sent.
type Encoding struct {
	ContentType string
	Style       string // with OpenAPI's default filled in
	Explode     bool   // with OpenAPI's default filled in
	Pointer     string
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

// Header is a header of a response. Its style is simple, always (OpenAPI 3.0.3,
// 4.7.21).
type Header struct {
	Name     string
	Required bool
	Explode  bool
	Schema   *Schema
	Content  string // media type, if it is described by content
	Examples []any
	Pointer  string
}

// Link is an OpenAPI link: what of a response leads to another operation.
type Link struct {
	Name        string
	OperationID string         // found from operationRef too
	Parameters  map[string]any // expressions, or constants
	Body        any
	Pointer     string
}

// SecurityScheme is how a credential is sent.
type SecurityScheme struct {
	ID      string // in components
	Type    string // apiKey, http, oauth2, openIdConnect, mutualTLS; empty: an operation needs it, and the document has it not
	Scheme  string // of http: basic, bearer
	In      string // of apiKey: header, query, cookie
	Name    string // of apiKey
	Pointer string

	Extensions map[string]any // x-…
}

// Schema is a schema with its references followed. Recursive schemas point to
// themselves. Numbers are kept as they are written, for a float64 cannot hold
// them all.
//
// A reference with keywords beside it, which OpenAPI 3.1 has, is a schema with the
// keywords, and the referred one as the first of AllOf; in 3.0 they are ignored.
type Schema struct {
	Pointer string
	Types   []string // empty: any. null of OpenAPI 3.1, and nullable of 3.0, are Nullable
	// Nullable allows null in addition to Types. A schema of nothing but null has
	// null in Types.
	Nullable bool
	Never    bool // the schema false of OpenAPI 3.1, that nothing keeps
	Format   string
	Enum     []any
	Const    *any

	Minimum, Maximum, MultipleOf       string // decimal; empty: none
	ExclusiveMinimum, ExclusiveMaximum bool   // of Minimum and Maximum
	// MinimumKeyword and MaximumKeyword are where they are written: minimum, or
	// exclusiveMinimum of 3.1.
	MinimumKeyword, MaximumKeyword string

	MinLength, MaxLength         *int64 // code points
	Pattern                      string // ECMA 262
	ContentEncoding              string // of 3.1, e.g. base64
	ContentMediaType             string
	MinItems, MaxItems           *int64
	UniqueItems                  bool
	MinContains, MaxContains     *int64
	MinProperties, MaxProperties *int64

	Items             *Schema
	PrefixItems       []*Schema
	Contains          *Schema
	Properties        []*Property // in the order of the file
	PatternProperties []*Property // by pattern
	PropertyNames     *Schema
	Required          []string
	DependentRequired map[string][]string
	DependentSchemas  []*Property
	// Additional is the schema of further properties; nil: any. Closed: none.
	// Open: the document says expressly that there may be any.
	Additional *Schema
	Closed     bool
	Open       bool
	// UnevaluatedProperties and UnevaluatedItems are of 3.1.
	UnevaluatedProperties, UnevaluatedItems *Schema

	AllOf, OneOf, AnyOf []*Schema
	Not                 *Schema
	If, Then, Else      *Schema
	Discriminator       *Discriminator

	ReadOnly, WriteOnly bool
	Deprecated          bool
	Default             *any
	Examples            []any
	Extensions          map[string]any // x-…

	node *yaml.Node
}

// Node is what is written at the schema's Pointer. It must not be changed.
func (s *Schema) Node() *yaml.Node { return s.node }

// Property finds a property by name: of the schema, or of what it must keep as
// well (allOf). Nil: there is none of that name.
func (s *Schema) Property(name string) *Schema { return s.property(name, map[*Schema]bool{}) }

func (s *Schema) property(name string, seen map[*Schema]bool) *Schema {
	if seen[s] {
		return nil
	}
	seen[s] = true
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Schema
		}
	}
	for _, t := range s.AllOf {
		if p := t.property(name, seen); p != nil {
			return p
		}
	}
	return nil
}

// Allows says whether values of a type of JSON are allowed: it is one of Types, or
// there are none. An integer is a number as well, not the other way round.
func (s *Schema) Allows(typ string) bool {
	if len(s.Types) == 0 || typ == "null" && s.Nullable {
		return true
	}
	for _, t := range s.Types {
		if t == typ || t == "number" && typ == "integer" {
			return true
		}
	}
	return false
}

// Property is a property of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// Discriminator tells alternatives apart by a property.
//
// Mapping has the names of the document, and those that it implies: the last part
// of the reference of an alternative that it does not name.
type Discriminator struct {
	Property string
	Mapping  map[string]*Schema
	Names    []string // of Mapping, in order
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
