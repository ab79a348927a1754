package openapi

import (
	"sort"
	"strconv"
	"strings"
)

// Clauses gives every clause of the document that can be kept or broken alone and
// that an operation uses, once for each place where one is written, in the order
// of the file.
//
// What cannot be broken is none: minLength: 0, the presence of a parameter of the
// path, the default of a value that only the server sends. A readOnly property is
// part of answers only, a writeOnly one of requests only.
func (d *Document) Clauses() []Clause {
	c := &collector{doc: d, byPointer: map[string]*Clause{}, own: [2]map[*Schema][]*Clause{{}, {}}}
	for _, op := range d.Operations {
		c.operation(op)
	}
	clauses := make([]Clause, 0, len(c.byPointer))
	for _, clause := range c.byPointer {
		clause.Position = d.Position(clause.Pointer)
		clauses = append(clauses, *clause)
	}
	sort.Slice(clauses, func(i, j int) bool {
		a, b := clauses[i], clauses[j]
		switch {
		case a.Position.Line != b.Position.Line:
			return a.Position.Line < b.Position.Line
		case a.Position.Column != b.Position.Column:
			return a.Position.Column < b.Position.Column
		}
		return a.Pointer < b.Pointer
	})
	return clauses
}

type collector struct {
	doc       *Document
	byPointer map[string]*Clause
	own       [2]map[*Schema][]*Clause // of a schema alone, by direction

	op   *Operation
	dir  Direction
	seen map[*Schema]bool // in this direction of this operation
}

// add notes that the operation has the clause in the direction.
func (c *collector) add(keyword, pointer string, tokens ...string) {
	c.use(c.clause(keyword, pointer, tokens...))
}

func (c *collector) clause(keyword, pointer string, tokens ...string) *Clause {
	pointer = Join(pointer, tokens...)
	clause := c.byPointer[pointer]
	if clause == nil {
		clause = &Clause{Pointer: pointer, Keyword: keyword}
		c.byPointer[pointer] = clause
	}
	return clause
}

func (c *collector) use(clause *Clause) {
	users := &clause.Requests
	if c.dir == Answer {
		users = &clause.Answers
	}
	if n := len(*users); n == 0 || (*users)[n-1] != c.op {
		*users = append(*users, c.op)
	}
}

func (c *collector) operation(op *Operation) {
	c.op, c.dir, c.seen = op, Request, map[*Schema]bool{}
	for _, p := range op.Parameters {
		c.parameter(p)
	}
	if op.SecurityPointer != "" && len(op.Security) == 0 {
		c.add("security", op.SecurityPointer)
	}
	for i := range op.Security {
		c.add("security", op.SecurityPointer, strconv.Itoa(i))
	}
	if op.Body != nil {
		if op.Body.Required {
			c.add("requestBody", op.Body.Pointer, "required")
		} else {
			c.add("requestBody", op.Body.Pointer)
		}
		c.content(op.Body.Content)
	}
	c.dir, c.seen = Answer, map[*Schema]bool{}
	for key, r := range op.Responses {
		if !protects(key) {
			c.add("status", op.StatusPointer(key))
		}
		c.content(r.Content)
		for _, h := range r.Headers {
			c.add("header", h.Pointer)
			if h.Required {
				c.add("required", h.Pointer, "required")
			}
			c.schema(h.Schema)
		}
		for _, l := range r.Links {
			c.add("link", l.Pointer)
		}
	}
}

// protects tells whether a server uses a status to protect itself: 429, 5xx, and
// what else it likes (default). That an operation may answer so is a permission,
// which no request can put to the test; what such an answer promises, its headers
// and its body, is a clause like any other.
func protects(key string) bool {
	return key == "429" || key == "default" || strings.HasPrefix(key, "5")
}

func (c *collector) parameter(p *Parameter) {
	if p.Pointer == "" {
		return // the document does not have it
	}
	c.add("parameter", p.Pointer)
	if p.Required && p.In != "path" {
		c.add("required", p.Pointer, "required")
	}
	if p.Content == "" {
		if p.Style != styles[p.In] {
			c.add("style", p.Pointer, "style")
		}
		if p.Explode != (p.Style == "form") {
			c.add("explode", p.Pointer, "explode")
		}
	}
	c.schema(p.Schema)
}

func (c *collector) content(types []*MediaType) {
	for _, m := range types {
		c.add("mediaType", m.Pointer)
		if m.Schema != nil {
			c.schema(m.Schema)
		}
	}
}

// schema adds the clauses of a schema, and of those that it holds.
func (c *collector) schema(s *Schema) {
	if c.seen[s] {
		return
	}
	c.seen[s] = true
	own, ok := c.own[c.dir][s]
	if !ok {
		for _, k := range s.keywords(c.dir) {
			own = append(own, c.clause(k.name, s.Pointer, k.path...))
		}
		for _, name := range c.required(s) {
			own = append(own, c.clause("required", s.Pointer, "required", name))
		}
		c.own[c.dir][s] = own
	}
	for _, clause := range own {
		c.use(clause)
	}
	for _, t := range s.Subschemas() {
		switch {
		case t == s.Not || t == s.If: // what is in them cannot be broken: it is no demand
		case t.unused(c.dir) && c.dir == Request:
			c.add("readOnly", t.Pointer, "readOnly")
		case t.unused(c.dir):
			c.add("writeOnly", t.Pointer, "writeOnly")
		default:
			c.schema(t)
		}
	}
	if d := s.Discriminator; d != nil {
		for _, name := range d.Names {
			c.schema(d.Mapping[name])
		}
	}
}

// required gives the indexes of the names that are required in the direction.
func (c *collector) required(s *Schema) []string {
	var indexes []string
	for i, name := range s.Required {
		if p := s.Property(name); p == nil || !p.unused(c.dir) {
			indexes = append(indexes, strconv.Itoa(i))
		}
	}
	return indexes
}

// unused says whether a property with this schema has no place in the direction.
func (s *Schema) unused(dir Direction) bool {
	return dir == Request && s.ReadOnly || dir == Answer && s.WriteOnly
}

// keyword is one that a schema has, and where.
type keyword struct {
	name string
	path []string
}

// keywords gives those of a schema that can be broken in the direction, but for
// required.
func (s *Schema) keywords(dir Direction) []keyword {
	var list []keyword
	has := func(yes bool, name string) {
		if yes {
			list = append(list, keyword{name, []string{name}})
		}
	}
	positive := func(n *int64) bool { return n != nil && *n > 0 }
	_, written := (place{node: s.node}).get("nullable")
	if s.Never {
		list = append(list, keyword{"false", nil})
	}
	has(len(s.Types) > 0, "type")
	has(s.Nullable && written, "nullable")
	has(s.Format != "", "format")
	has(s.Enum != nil, "enum")
	has(s.Const != nil, "const")
	has(s.Minimum != "", s.MinimumKeyword)
	has(s.Maximum != "", s.MaximumKeyword)
	has(s.MultipleOf != "", "multipleOf")
	has(positive(s.MinLength), "minLength")
	has(s.MaxLength != nil, "maxLength")
	has(s.Pattern != "", "pattern")
	has(s.ContentEncoding != "", "contentEncoding")
	has(positive(s.MinItems), "minItems")
	has(s.MaxItems != nil, "maxItems")
	has(s.UniqueItems, "uniqueItems")
	has(s.Contains != nil && (s.MinContains == nil || *s.MinContains > 0), "contains")
	has(s.Contains != nil && s.MinContains != nil && *s.MinContains > 1, "minContains")
	has(s.Contains != nil && s.MaxContains != nil, "maxContains")
	has(positive(s.MinProperties), "minProperties")
	has(s.MaxProperties != nil, "maxProperties")
	has(s.Closed, "additionalProperties")
	has(s.UnevaluatedProperties != nil && s.UnevaluatedProperties.Never, "unevaluatedProperties")
	has(s.UnevaluatedItems != nil && s.UnevaluatedItems.Never, "unevaluatedItems")
	has(len(s.OneOf) > 0, "oneOf")
	has(len(s.AnyOf) > 0, "anyOf")
	has(s.Not != nil, "not")
	has(s.Discriminator != nil, "discriminator")
	has(s.Default != nil && dir == Request, "default")
	names := make([]string, 0, len(s.DependentRequired))
	for name := range s.DependentRequired {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		list = append(list, keyword{"dependentRequired", []string{"dependentRequired", name}})
	}
	return list
}

// Subschemas gives the schemas that are applied to a value or to its parts, but
// for those that only a discriminator names.
func (s *Schema) Subschemas() []*Schema {
	var list []*Schema
	for _, one := range []*Schema{
		s.Items, s.Contains, s.PropertyNames, s.Additional, s.Not, s.If, s.Then, s.Else,
	} {
		if one != nil {
			list = append(list, one)
		}
	}
	for _, t := range []*Schema{s.UnevaluatedProperties, s.UnevaluatedItems} {
		if t != nil && !t.Never { // false is a clause of the schema that has it
			list = append(list, t)
		}
	}
	for _, many := range [][]*Schema{s.PrefixItems, s.AllOf, s.OneOf, s.AnyOf} {
		list = append(list, many...)
	}
	for _, many := range [][]*Property{s.Properties, s.PatternProperties, s.DependentSchemas} {
		for _, p := range many {
			list = append(list, p.Schema)
		}
	}
	return list
}
