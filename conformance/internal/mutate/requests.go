package mutate

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// request makes the flips of a clause that requests have: in both directions where
// there are two, for a server can be seen to take what the flipped document
// forbids, and to refuse what it allows.
func (p *planner) request(c *openapi.Clause) {
	switch c.Keyword {
	case "parameter":
		p.parameter(c)
	case "requestBody":
		p.body(c)
	case "mediaType":
		to := otherMedia(last(c.Pointer))
		p.add(c, "media type renamed", last(c.Pointer)+" -> "+to, rename(c.Pointer, to), openapi.Join(above(c.Pointer), to))
	case "security":
		p.security(c)
	case "style", "explode":
		p.style(c)
	default:
		if c.Keyword == "required" && p.params[above(c.Pointer)] != nil {
			p.add(c, "required removed", "the parameter is not required", remove(c.Pointer), above(c.Pointer))
			return
		}
		p.schemaRequest(c)
	}
}

func (p *planner) parameter(c *openapi.Clause) {
	param := p.params[c.Pointer]
	if param.In == "path" {
		p.leave(c, "its name is in the template of the path, too, and says nothing else")
		return
	}
	to := "flipped_" + param.Name
	if param.In == "header" {
		to = "X-Flipped-" + param.Name
	}
	p.add(c, "parameter renamed", param.Name+" -> "+to, set(openapi.Join(c.Pointer, "name"), to))
	if !param.Required {
		p.add(c, "parameter required", param.Name+" is required", set(openapi.Join(c.Pointer, "required"), true))
	}
}

func (p *planner) style(c *openapi.Clause) {
	param := p.params[above(c.Pointer)]
	if c.Keyword == "explode" {
		p.add(c, "explode changed", fmt.Sprintf("%v -> %v", param.Explode, !param.Explode), set(c.Pointer, !param.Explode))
		return
	}
	to := map[string]string{"query": "form", "cookie": "form"}[param.In]
	if to == "" {
		to = "simple"
	}
	p.add(c, "style changed", param.Style+" -> "+to, set(c.Pointer, to))
}

func (p *planner) body(c *openapi.Clause) {
	at := c.Pointer
	if last(at) == "required" {
		at = above(at)
	}
	body := p.bodies[at]
	if body == nil {
		return
	}
	if body.Required {
		p.add(c, "body not required", "the body may be left out", set(openapi.Join(at, "required"), false), at)
		return
	}
	p.add(c, "body required", "the body is required", set(openapi.Join(at, "required"), true), at)
}

// security takes a credential away that is needed, or asks for one where none is.
// Where the document has another scheme, it is put in the place of the one.
func (p *planner) security(c *openapi.Clause) {
	op := c.Requests[0]
	ids := slices.Sorted(maps.Keys(p.doc.Schemes))
	if len(op.Security) == 0 {
		if len(ids) > 0 {
			p.add(c, "security added", ids[0]+" is needed", push(op.SecurityPointer, map[string][]string{ids[0]: {}}))
		}
		return
	}
	i := index(c.Pointer)
	if i >= len(op.Security) {
		return
	}
	if len(op.Security[i]) == 0 {
		p.add(c, "alternative dropped", "a credential is needed", remove(c.Pointer), op.SecurityPointer)
		return
	}
	if len(op.Security) == 1 {
		p.add(c, "security removed", "no credential is needed", set(op.SecurityPointer, []any{}), op.SecurityPointer)
	} else {
		p.add(c, "alternative dropped", "without alternative "+strconv.Itoa(i+1), remove(c.Pointer), op.SecurityPointer)
	}
	for _, id := range ids {
		if _, has := op.Security[i][id]; !has {
			was := strings.Join(slices.Sorted(maps.Keys(op.Security[i])), " and ")
			p.add(c, "scheme changed", was+" -> "+id, set(c.Pointer, map[string][]string{id: {}}), op.SecurityPointer)
			return
		}
	}
}

// schemaRequest makes the flips of a keyword.
func (p *planner) schemaRequest(c *openapi.Clause) {
	s := p.schemaOf(c.Pointer)
	if s == nil {
		return
	}
	switch c.Keyword {
	case "type":
		p.typeRequest(c, s)
	case "nullable":
		p.add(c, "nullable removed", "null is not allowed", remove(c.Pointer), openapi.Join(s.Pointer, "type"), openapi.Join(s.Pointer, "enum"))
	case "required":
		name := s.Required[index(c.Pointer)]
		p.add(c, "required removed", name+" is not required", remove(c.Pointer), openapi.Join(s.Pointer, "required"), propertyPointer(s, name))
	case "enum":
		p.enumRequest(c, s)
	case "format":
		p.formatRequest(c, s)
	case "pattern":
		to := negateFirst(s.Pattern)
		p.add(c, "pattern changed", s.Pattern+" -> "+to, set(c.Pointer, to))
		p.add(c, "pattern removed", "any text", remove(c.Pointer), s.Pointer)
	case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		p.boundRequest(c)
	case "multipleOf":
		p.numberRequest(c, "multipleOf doubled", func(r *big.Rat) *big.Rat { return r.Mul(r, big.NewRat(2, 1)) })
	case "uniqueItems":
		p.add(c, "uniqueItems removed", "items may be repeated", remove(c.Pointer))
	case "additionalProperties", "unevaluatedProperties":
		p.add(c, c.Keyword+" opened", "further properties are allowed", set(c.Pointer, true), s.Pointer)
	case "oneOf", "anyOf":
		p.unionRequest(c, s)
	case "discriminator":
		p.discriminator(c, s)
	case "const":
		p.add(c, "const changed", fmt.Sprintf("%v -> %v", *s.Const, otherValue(*s.Const)), set(c.Pointer, otherValue(*s.Const)))
	case "default":
		p.add(c, "default changed", fmt.Sprintf("%v -> %v", *s.Default, otherValue(*s.Default)), set(c.Pointer, otherValue(*s.Default)))
	case "dependentRequired":
		p.add(c, "dependentRequired removed", "nothing else is required with it", remove(c.Pointer))
	}
}

// propertyPointer is where the schema of a property is written.
func propertyPointer(s *openapi.Schema, name string) string {
	if p := s.Property(name); p != nil {
		return p.Pointer
	}
	return s.Pointer
}

// typeRequest changes a type, and allows null.
func (p *planner) typeRequest(c *openapi.Clause, s *openapi.Schema) {
	if len(s.Types) != 1 {
		p.leave(c, "it allows several types")
		return
	}
	to := otherTypes[s.Types[0]]
	if to == "" {
		p.leave(c, "it allows nothing but null")
		return
	}
	if len(s.Enum) > 0 || s.Const != nil {
		p.leave(c, "the values that are listed say the type, too")
		return
	}
	p.add(c, "type changed", s.Types[0]+" -> "+to, set(c.Pointer, typeValue(p.doc, s, to)), s.Pointer)
	if s.Nullable || p.ofText(s) {
		return
	}
	edit := set(openapi.Join(s.Pointer, "nullable"), true)
	if !p.doc.V30() {
		edit = set(c.Pointer, []any{s.Types[0], "null"})
	}
	p.add(c, "nullable added", "null is allowed", edit, openapi.Join(s.Pointer, "nullable"))
}

// ofText tells whether a schema is of a parameter: text cannot say null.
func (p *planner) ofText(s *openapi.Schema) bool {
	for pointer := range p.params {
		if within(s.Pointer, pointer) {
			return true
		}
	}
	return false
}

func (p *planner) enumRequest(c *openapi.Clause, s *openapi.Schema) {
	if len(s.Enum) == 0 {
		return
	}
	n := len(s.Enum) - 1
	v := s.Enum[n]
	if n > 0 {
		p.add(c, "enum value dropped", fmt.Sprintf("without %v", v), remove(openapi.Join(c.Pointer, strconv.Itoa(n))))
	} else {
		p.add(c, "enum value changed", fmt.Sprintf("%v -> %v", v, otherValue(v)), set(openapi.Join(c.Pointer, "0"), otherValue(v)))
	}
	p.add(c, "enum value added", fmt.Sprintf("%v is allowed", otherValue(v)), push(c.Pointer, otherValue(v)))
}

func (p *planner) formatRequest(c *openapi.Clause, s *openapi.Schema) {
	if !s.Allows("string") {
		if s.Format == "int64" {
			p.add(c, "format changed", "int64 -> int32", set(c.Pointer, "int32"), s.Pointer)
		} else {
			p.add(c, "format removed", "any number", remove(c.Pointer), s.Pointer)
		}
		return
	}
	to := "uuid"
	if s.Format == to {
		to = "date-time"
	}
	p.add(c, "format changed", s.Format+" -> "+to, set(c.Pointer, to), s.Pointer)
	p.add(c, "format removed", "any text", remove(c.Pointer), s.Pointer)
}

// boundRequest moves a bound by one, to each side.
func (p *planner) boundRequest(c *openapi.Clause) {
	one := big.NewRat(1, 1)
	p.numberRequest(c, c.Keyword+"+1", func(r *big.Rat) *big.Rat { return r.Add(r, one) })
	p.numberRequest(c, c.Keyword+"-1", func(r *big.Rat) *big.Rat { return r.Sub(r, one) })
}

func (p *planner) numberRequest(c *openapi.Clause, operator string, change func(*big.Rat) *big.Rat) {
	was := p.doc.At(c.Pointer).Value
	r, ok := new(big.Rat).SetString(was)
	if !ok {
		return
	}
	to := change(r)
	size := !strings.Contains(strings.ToLower(c.Keyword), "imum") && c.Keyword != "multipleOf"
	if size && to.Sign() < 0 {
		return
	}
	p.add(c, operator, fmt.Sprintf("%s %s -> %s", c.Keyword, was, to.RatString()), set(c.Pointer, plainNumber(to)), above(c.Pointer))
}

// unionRequest drops the last alternative, and adds one.
func (p *planner) unionRequest(c *openapi.Clause, s *openapi.Schema) {
	of := s.OneOf
	if c.Keyword == "anyOf" {
		of = s.AnyOf
	}
	if n := len(of); n > 1 {
		edit := remove(openapi.Join(c.Pointer, strconv.Itoa(n-1)))
		if s.Discriminator != nil { // a mapping is no demand of its own
			edit = all(edit, unmap(p.doc, openapi.Join(s.Pointer, "discriminator", "mapping"), s.Discriminator, of[n-1]))
		}
		p.add(c, "alternative dropped", "without alternative "+strconv.Itoa(n), edit, s.Pointer)
	}
	if s.Discriminator == nil {
		p.add(c, "alternative added", "true and false are allowed", push(c.Pointer, map[string]any{"type": "boolean"}), s.Pointer)
	}
}

// unmap takes the names of an alternative out of a mapping.
func unmap(doc *openapi.Document, mapping string, d *openapi.Discriminator, alternative *openapi.Schema) func(*yaml.Node) error {
	var edits []func(*yaml.Node) error
	for _, name := range d.Names {
		if d.Mapping[name] == alternative && doc.At(openapi.Join(mapping, name)) != nil {
			edits = append(edits, remove(openapi.Join(mapping, name)))
		}
	}
	return all(edits...)
}

// discriminator swaps the schemas of two names.
func (p *planner) discriminator(c *openapi.Clause, s *openapi.Schema) {
	mapping := openapi.Join(c.Pointer, "mapping")
	n := p.doc.At(mapping)
	if n == nil || len(n.Content) < 4 {
		p.leave(c, "it has no mapping that could be changed")
		return
	}
	first, second := n.Content[0].Value, n.Content[2].Value
	p.add(c, "mapping swapped", first+" <-> "+second, all(
		set(openapi.Join(mapping, first), n.Content[3].Value), set(openapi.Join(mapping, second), n.Content[1].Value)), s.Pointer)
}

// objects makes the flips of properties: one renamed; one required that was not.
func (p *planner) objects(clauses []openapi.Clause) {
	byPointer := map[string]*openapi.Clause{}
	for i := range clauses {
		byPointer[clauses[i].Pointer] = &clauses[i]
	}
	for _, pointer := range slices.Sorted(maps.Keys(p.places)) {
		s := p.places[pointer]
		if s.Pointer != pointer || len(s.Properties) == 0 {
			continue
		}
		c := byPointer[openapi.Join(pointer, "type")]
		if c == nil {
			continue
		}
		for _, x := range s.Properties {
			p.property(c, s, x)
		}
	}
}

// problems are media types whose objects may have further members (RFC 9457 3.2).
const problems = "application/problem+"

func (p *planner) property(of *openapi.Clause, s *openapi.Schema, x *openapi.Property) {
	c := *of
	c.Pointer, c.Keyword = openapi.Join(s.Pointer, "properties", x.Name), "property"
	c.Position = p.doc.Position(c.Pointer)
	to := "flipped_" + x.Name
	edit := rename(c.Pointer, to)
	at := slices.Index(s.Required, x.Name)
	if len(c.Requests) == 0 {
		if p.unreachable(c.Pointer) || x.Schema.WriteOnly || p.problem(s) {
			return
		}
		who := p.seen.at(c.Pointer)
		p.saw(p.add(&c, "property renamed", x.Name+" -> "+to, edit), who)
		return
	}
	if x.Schema.ReadOnly {
		return
	}
	required := openapi.Join(s.Pointer, "required")
	if at >= 0 {
		edit = all(edit, set(openapi.Join(required, strconv.Itoa(at)), to))
	}
	p.add(&c, "property renamed", x.Name+" -> "+to, edit, openapi.Join(s.Pointer, "properties", to), x.Schema.Pointer,
		openapi.Join(required, strconv.Itoa(at)), openapi.Join(s.Pointer, "additionalProperties"))
	if at < 0 {
		c.Keyword = "required"
		p.add(&c, "required added", x.Name+" is required", push(required, x.Name),
			openapi.Join(required, strconv.Itoa(len(s.Required))), x.Schema.Pointer)
	}
}

// problem tells whether a schema is of the bodies of errors by RFC 9457, or below
// one.
func (p *planner) problem(s *openapi.Schema) bool {
	var below func(t *openapi.Schema, seen map[*openapi.Schema]bool) bool
	below = func(t *openapi.Schema, seen map[*openapi.Schema]bool) bool {
		if t == nil || seen[t] {
			return false
		}
		seen[t] = true
		return t == s || slices.ContainsFunc(t.Subschemas(), func(u *openapi.Schema) bool { return below(u, seen) })
	}
	for _, op := range p.doc.Operations {
		for _, r := range op.Responses {
			for _, m := range r.Content {
				if strings.HasPrefix(m.Type, problems) && below(m.Schema, map[*openapi.Schema]bool{}) {
					return true
				}
			}
		}
	}
	return false
}

// decimal is a number of a document as a rational one.
func decimal(text string) (*big.Rat, bool) {
	if text == "" {
		return nil, false
	}
	return new(big.Rat).SetString(json.Number(text).String())
}
