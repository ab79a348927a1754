package mutate

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// otherTypes are what a type is changed to: one that no text of a header is taken
// for, either.
var otherTypes = map[string]string{
	"string": "boolean", "integer": "boolean", "number": "boolean",
	"boolean": "integer", "object": "boolean", "array": "boolean",
}

const (
	unseenWhy = "only a server that fails, or throttles, answers with it"
	looseWhy  = "it can only be loosened, which no answer contradicts"
	valueWhy  = "what was seen in answers keeps every narrower one as well"
	nullWhy   = "no answer that was seen has anything but null there"
)

// answer makes the flips of a clause that only answers have: such that an honest
// answer contradicts the flipped document.
func (p *planner) answer(c *openapi.Clause) {
	if p.unreachable(c.Pointer) {
		p.leave(c, unseenWhy)
		return
	}
	switch c.Keyword {
	case "status":
		p.status(c)
	case "mediaType":
		who := p.seen.at(c.Pointer)
		p.saw(p.add(c, "media type renamed", last(c.Pointer)+" -> "+otherMedia(last(c.Pointer)), rename(c.Pointer, otherMedia(last(c.Pointer)))), who)
	case "header":
		p.header(c)
	case "link":
		p.leave(c, "what a link leads to is a request: its clauses are flipped there")
	default:
		p.schemaAnswer(c)
	}
}

// saw notes who saw what contradicts a flip.
func (p *planner) saw(f *Flip, who []string) { f.Seen = who }

// otherMedia is a media type that no one answers with, of the same syntax.
func otherMedia(t string) string {
	kind, sub, _ := strings.Cut(t, "/")
	if _, suffix, ok := strings.Cut(sub, "+"); ok {
		return kind + "/vnd.flipped+" + suffix
	}
	return kind + "/vnd.flipped+" + sub
}

// unreachable tells whether a clause is only of answers that nobody can ask for,
// and that nobody got.
func (p *planner) unreachable(pointer string) bool {
	of, only := false, true
	for _, op := range p.doc.Operations {
		for key, response := range op.Responses {
			status := op.StatusPointer(key)
			if pointer != status && !within(pointer, response.Pointer) && !within(pointer, status) {
				continue
			}
			who := p.seen.at(status)
			of, only = true, only && beyond(key) && len(who) == 0
		}
	}
	return of && only
}

// within tells whether a pointer is another one, or below it.
func within(pointer, of string) bool { return pointer == of || strings.HasPrefix(pointer, of+"/") }

func (p *planner) status(c *openapi.Clause) {
	key := last(c.Pointer)
	op := c.Answers[0]
	if key != "default" && (op.Responses["default"] != nil || !strings.HasSuffix(strings.ToUpper(key), "XX") && op.Responses[key[:1]+"XX"] != nil) {
		p.leave(c, "a wider key of responses allows the status as well")
		return
	}
	if ofHTTP(key) {
		p.leave(c, "HTTP answers with it before an operation is reached, declared or not")
		return
	}
	who := p.seen.at(c.Pointer)
	p.saw(p.add(c, "status removed", key+" is not declared", remove(c.Pointer)), who)
}

func (p *planner) header(c *openapi.Clause) {
	h := p.heads[c.Pointer]
	if !h.Required {
		who := p.seen.at(c.Pointer + absent)
		p.saw(p.add(c, "header required", h.Name+" is required", set(openapi.Join(c.Pointer, "required"), true)), who)
		return
	}
	var edits []func(*yaml.Node) error
	done := map[string]bool{}
	for _, op := range p.doc.Operations {
		for _, response := range op.Responses {
			for _, x := range response.Headers {
				key := openapi.Join(response.Pointer, "headers", x.Name)
				if x.Pointer == c.Pointer && !done[key] {
					done[key] = true
					edits = append(edits, rename(key, "X-Flipped-"+x.Name))
				}
			}
		}
	}
	who := p.seen.at(c.Pointer)
	p.saw(p.add(c, "header renamed", h.Name+" -> X-Flipped-"+h.Name, all(edits...)), who)
}

// schemaAnswer narrows a keyword until what was seen contradicts it.
func (p *planner) schemaAnswer(c *openapi.Clause) {
	s := p.schemaOf(c.Pointer)
	if s == nil || c.Keyword == "required" && p.heads[above(c.Pointer)] != nil {
		p.leave(c, looseWhy)
		return
	}
	values := p.seen.of(s.Pointer)
	switch c.Keyword {
	case "type":
		p.typeAnswer(c, s, values)
	case "nullable":
		p.narrow(c, s, "nullable removed", "null is not allowed", remove(c.Pointer), func(v any) bool { return v == nil })
	case "required":
		name := child(s.Node(), "required").Content[index(c.Pointer)].Value
		p.narrow(c, s, "required renamed", "flipped_"+name+" is required", set(c.Pointer, "flipped_"+name), isKind("object"))
	case "enum":
		p.enumAnswer(c, s, values)
	case "format":
		p.formatAnswer(c, s)
	case "pattern":
		p.patternAnswer(c, s, values)
	case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
		p.sizeAnswer(c, s, values)
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		p.boundAnswer(c, s, values)
	case "oneOf", "anyOf":
		p.unionAnswer(c, s)
	default:
		p.leave(c, looseWhy)
	}
}

// index is the number that a pointer ends in.
func index(pointer string) int {
	n, err := strconv.Atoi(last(pointer))
	if err != nil {
		return 0
	}
	return n
}

// narrow makes a flip that values of a test contradict.
func (p *planner) narrow(c *openapi.Clause, s *openapi.Schema, operator, description string, edit func(*yaml.Node) error, test func(any) bool) {
	if !slices.ContainsFunc(p.seen.of(s.Pointer), test) {
		if c.Keyword != "required" {
			p.leave(c, valueWhy)
			return
		}
	}
	p.saw(p.add(c, operator, description, edit), p.seen.who(s.Pointer, test))
}

// isKind tests the type of a value.
func isKind(want string) func(any) bool {
	return func(v any) bool { return kindOf(v) == want }
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case shape:
		return v.Kind
	default:
		return "number"
	}
}

func notNull(v any) bool { return v != nil }

func (p *planner) typeAnswer(c *openapi.Clause, s *openapi.Schema, values []any) {
	if len(s.Types) != 1 {
		p.leave(c, "it allows several types")
		return
	}
	to := otherTypes[s.Types[0]]
	if to == "" {
		p.leave(c, "it allows nothing but null")
		return
	}
	if !slices.ContainsFunc(values, notNull) {
		p.leave(c, nullWhy)
		return
	}
	p.narrow(c, s, "type changed", s.Types[0]+" -> "+to, set(c.Pointer, typeValue(p.doc, s, to)), notNull)
}

// typeValue writes a type, with the null of 3.1 if there was one.
func typeValue(doc *openapi.Document, s *openapi.Schema, to string) any {
	if !doc.V30() && s.Nullable {
		return []any{to, "null"}
	}
	return to
}

// enumAnswer drops a value that was seen; where there is but one, it puts another
// in its place.
func (p *planner) enumAnswer(c *openapi.Clause, s *openapi.Schema, values []any) {
	for _, v := range values {
		for i, listed := range s.Enum {
			if !schema.Equal(listed, v) {
				continue
			}
			same := func(x any) bool { return schema.Equal(x, v) }
			if len(s.Enum) == 1 {
				p.narrow(c, s, "enum value changed", fmt.Sprintf("%v -> %v", v, otherValue(v)), set(openapi.Join(c.Pointer, "0"), otherValue(v)), same)
			} else {
				p.narrow(c, s, "enum value dropped", fmt.Sprintf("without %v", v), remove(openapi.Join(c.Pointer, strconv.Itoa(i))), same)
			}
			return
		}
	}
	p.leave(c, valueWhy)
}

// otherValue is another value of the same type.
func otherValue(v any) any {
	switch v := v.(type) {
	case string:
		return "flipped_" + v
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			return plainNumber(r.Add(r, big.NewRat(1000, 1)))
		}
	case bool:
		return !v
	}
	return "flipped"
}

// plainNumber is a rational number, as YAML writes it.
func plainNumber(r *big.Rat) any {
	if r.IsInt() && r.Num().IsInt64() {
		return r.Num().Int64()
	}
	f, _ := r.Float64()
	return f
}

func (p *planner) formatAnswer(c *openapi.Clause, s *openapi.Schema) {
	if !s.Allows("string") {
		p.leave(c, "no narrower format of numbers is contradicted by those that were seen")
		return
	}
	to := "uuid"
	if s.Format == to {
		to = "date-time"
	}
	p.narrow(c, s, "format changed", s.Format+" -> "+to, set(c.Pointer, to), isKind("string"))
}

// patternAnswer changes a pattern so that a string that was seen is none of it.
func (p *planner) patternAnswer(c *openapi.Clause, s *openapi.Schema, values []any) {
	for _, flipped := range []string{negateFirst(s.Pattern), "^(?!(?:" + s.Pattern + "))"} {
		re, err := schema.CompilePattern(flipped)
		if err != nil || flipped == s.Pattern {
			continue
		}
		missed := func(v any) bool {
			text, ok := v.(string)
			return ok && !re.MatchString(text)
		}
		if slices.ContainsFunc(values, missed) {
			p.narrow(c, s, "pattern changed", s.Pattern+" -> "+flipped, set(c.Pointer, flipped), missed)
			return
		}
	}
	p.leave(c, valueWhy)
}

// sizeOf is what a keyword counts of a value.
func sizeOf(keyword string, v any) (int64, bool) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), strings.HasSuffix(keyword, "Length")
	case shape:
		return int64(v.Size), (v.Kind == "array") == strings.HasSuffix(keyword, "Items") && !strings.HasSuffix(keyword, "Length")
	}
	return 0, false
}

// sizeAnswer puts a bound of a size on the other side of all that was seen, but for
// what is empty, which no bound is too low for.
func (p *planner) sizeAnswer(c *openapi.Clause, s *openapi.Schema, values []any) {
	most := strings.HasPrefix(c.Keyword, "max")
	to := int64(-1)
	for _, v := range values {
		switch n, ok := sizeOf(c.Keyword, v); {
		case !ok || most && n == 0:
		case most && (to < 0 || n-1 < to):
			to = n - 1
		case !most && n+1 > to:
			to = n + 1
		}
	}
	if to < 0 {
		p.leave(c, valueWhy)
		return
	}
	word := "raised"
	if most {
		word = "lowered"
	}
	p.narrow(c, s, c.Keyword+" "+word, fmt.Sprintf("%s %d", c.Keyword, to), set(c.Pointer, to), func(v any) bool {
		size, ok := sizeOf(c.Keyword, v)
		return ok && (most && size > to || !most && size < to)
	})
}

// beyondSeen is how many times as much as what was seen is beyond what will be: a run
// makes tens of thousands of things that are counted.
const beyondSeen = 1_000_000

// boundAnswer puts a bound of a number on the other side of all that was seen; a
// lower one far beyond, for numbers that count grow from run to run.
func (p *planner) boundAnswer(c *openapi.Clause, s *openapi.Schema, values []any) {
	most := strings.Contains(strings.ToLower(c.Keyword), "max")
	var least, greatest *big.Rat
	for _, v := range values {
		r, ok := rational(v)
		if !ok {
			continue
		}
		if least == nil || r.Cmp(least) < 0 {
			least = r
		}
		if greatest == nil || r.Cmp(greatest) > 0 {
			greatest = r
		}
	}
	if least == nil {
		p.leave(c, valueWhy)
		return
	}
	far := new(big.Rat).Add(new(big.Rat).Mul(new(big.Rat).Abs(greatest), big.NewRat(beyondSeen, 1)), big.NewRat(beyondSeen+1, 1))
	to, word := far, "raised"
	switch {
	case c.Keyword == "multipleOf":
		word = "changed"
	case most:
		to, word = new(big.Rat).Sub(least, big.NewRat(1, 1)), "lowered"
	}
	p.narrow(c, s, c.Keyword+" "+word, fmt.Sprintf("%s %s", c.Keyword, to.RatString()), set(c.Pointer, plainNumber(to)), func(v any) bool {
		x, ok := rational(v)
		switch {
		case !ok:
			return false
		case c.Keyword == "multipleOf":
			return !new(big.Rat).Quo(x, to).IsInt()
		case most:
			return x.Cmp(to) > 0
		}
		return x.Cmp(to) < 0
	})
}

// rational is a number that was seen.
func rational(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

// unionAnswer drops an alternative that was seen.
func (p *planner) unionAnswer(c *openapi.Clause, s *openapi.Schema) {
	of := s.OneOf
	if c.Keyword == "anyOf" {
		of = s.AnyOf
	}
	for i, alternative := range of {
		if len(of) > 1 && len(p.seen.of(alternative.Pointer)) > 0 {
			f := p.add(c, "alternative dropped", "without alternative "+strconv.Itoa(i+1), remove(openapi.Join(c.Pointer, strconv.Itoa(i))))
			p.saw(f, p.seen.who(alternative.Pointer, func(any) bool { return true }))
			return
		}
	}
	p.leave(c, valueWhy)
}
