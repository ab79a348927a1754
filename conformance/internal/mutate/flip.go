package mutate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// Flip is a document that differs from another in one clause.
type Flip struct {
	// Pointer is where the document is changed, in it as it was: a clause of it,
	// or the place where one is added.
	Pointer string
	Keyword string // as in [openapi.Clause]; property, if one is renamed
	// Operator is what is done, e.g. "maxLength-1".
	Operator    string
	Description string // for people: "maxLength 100 -> 99"
	Direction   openapi.Direction
	Operations  []string // IDs of those that use the clause in that direction
	Position    openapi.Position

	// Equivalent is the proof that both documents say the same, of everything that
	// may be sent. Empty: there is none, so that the flip counts.
	Equivalent string
	// Seen are the probes that saw an answer which the flipped document forbids,
	// the cheapest first. A clause of requests has none.
	Seen []string

	// touches are the pointers of clauses, in the flipped document, whose probes
	// may see it: themselves, and all below.
	touches []string
	doc     *openapi.Document
	edit    func(root *yaml.Node) error
}

// Name tells a flip from all others of its document: the pointer and the operator.
func (f *Flip) Name() string { return f.Pointer + " " + f.Operator }

// Document is the changed document, as YAML.
func (f *Flip) Document() ([]byte, error) {
	raw, err := f.doc.With("", f.edit)
	if err != nil {
		return nil, fmt.Errorf("flip %s: %w", f.Name(), err)
	}
	return raw, nil
}

// Left is a clause of which no flip is made.
type Left struct {
	Pointer, Keyword string
	Position         openapi.Position
	Why              string
}

// Flips gives all flips of a document, in the order of its file, with values of
// answers that are taken from its examples. Those of a run are chosen by what the
// server really answers: see [Run].
func Flips(doc *openapi.Document) ([]Flip, error) {
	seen, err := examples(doc)
	if err != nil {
		return nil, err
	}
	flips, _ := plan(doc, seen)
	return flips, nil
}

// planner makes the flips of a document.
type planner struct {
	doc    *openapi.Document
	seen   *sightings
	places map[string]*openapi.Schema
	params map[string]*openapi.Parameter // by pointer
	bodies map[string]*openapi.RequestBody
	heads  map[string]*openapi.Header // by pointer

	flips []Flip
	left  []Left
	made  int // flips of the clause that is at hand
}

// plan makes the flips, and tells of which clauses there are none.
func plan(doc *openapi.Document, seen *sightings) ([]Flip, []Left) {
	p := &planner{
		doc: doc, seen: seen, places: doc.Places(), params: map[string]*openapi.Parameter{},
		bodies: map[string]*openapi.RequestBody{}, heads: map[string]*openapi.Header{},
	}
	for _, op := range doc.Operations {
		for _, param := range op.Parameters {
			p.params[param.Pointer] = param
		}
		if op.Body != nil {
			p.bodies[op.Body.Pointer] = op.Body
		}
		for _, response := range op.Responses {
			for _, h := range response.Headers {
				p.heads[h.Pointer] = h
			}
		}
	}
	clauses := doc.Clauses()
	for i := range clauses {
		c := &clauses[i]
		before := len(p.left)
		p.made = 0
		if len(c.Requests) > 0 {
			p.request(c)
		} else {
			p.answer(c)
		}
		if p.made == 0 && len(p.left) == before {
			p.leave(c, "there is no operator for "+c.Keyword)
		}
	}
	p.objects(clauses)
	slices.SortStableFunc(p.flips, func(a, b Flip) int { return a.Position.Line - b.Position.Line })
	for i := range p.flips {
		p.prove(&p.flips[i])
	}
	return p.flips, p.left
}

// leave notes that a clause has no flip.
func (p *planner) leave(c *openapi.Clause, why string) {
	p.left = append(p.left, Left{Pointer: c.Pointer, Keyword: c.Keyword, Position: c.Position, Why: why})
}

// add takes a flip of a clause.
func (p *planner) add(c *openapi.Clause, operator, description string, edit func(root *yaml.Node) error, touches ...string) *Flip {
	dir, users := openapi.Request, c.Requests
	if len(users) == 0 {
		dir, users = openapi.Answer, c.Answers
	}
	f := Flip{
		Pointer: c.Pointer, Keyword: c.Keyword, Operator: operator, Description: description,
		Direction: dir, Position: c.Position, touches: append([]string{c.Pointer}, touches...), doc: p.doc, edit: edit,
	}
	for _, op := range users {
		f.Operations = append(f.Operations, op.ID)
	}
	p.flips = append(p.flips, f)
	p.made++
	return &p.flips[len(p.flips)-1]
}

// schemaOf is the schema that a keyword's pointer is of.
func (p *planner) schemaOf(pointer string) *openapi.Schema {
	for at := above(pointer); at != ""; at = above(at) {
		if s := p.places[at]; s != nil {
			return s
		}
	}
	return nil
}

// above is the pointer of what a pointer's place is in.
func above(pointer string) string { return pointer[:max(strings.LastIndexByte(pointer, '/'), 0)] }

// last is the last token of a pointer, unescaped.
func last(pointer string) string {
	tokens := openapi.Split(pointer)
	if len(tokens) == 0 {
		return ""
	}
	return tokens[len(tokens)-1]
}

var errPlace = errors.New("the document has no such place")

// at finds a node.
func at(root *yaml.Node, pointer string) (*yaml.Node, error) {
	n := root
	for _, token := range openapi.Split(pointer) {
		next := child(n, token)
		if next == nil {
			return nil, fmt.Errorf("%w: %s", errPlace, pointer)
		}
		n = next
	}
	return n, nil
}

func child(n *yaml.Node, token string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == token {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			if fmt.Sprint(i) == token {
				return c
			}
		}
	default: // a scalar has nothing below it
	}
	return nil
}

// node writes a value.
func node(value any) (*yaml.Node, error) {
	var n yaml.Node
	if err := n.Encode(value); err != nil {
		return nil, fmt.Errorf("write %v: %w", value, err)
	}
	return &n, nil
}

// set puts a value under a pointer, whose last token need not be there yet if it
// is of an object.
func set(pointer string, value any) func(*yaml.Node) error {
	return func(root *yaml.Node) error {
		v, err := node(value)
		if err != nil {
			return err
		}
		if n, err := at(root, pointer); err == nil {
			*n = *v
			return nil
		}
		in, err := at(root, above(pointer))
		if err != nil {
			return err
		}
		if in.Kind != yaml.MappingNode {
			return fmt.Errorf("%w: %s", errPlace, pointer)
		}
		in.Content = append(in.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: last(pointer)}, v)
		return nil
	}
}

// remove takes away what is under a pointer.
func remove(pointer string) func(*yaml.Node) error {
	return func(root *yaml.Node) error {
		in, err := at(root, above(pointer))
		if err != nil {
			return err
		}
		token := last(pointer)
		switch in.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(in.Content); i += 2 {
				if in.Content[i].Value == token {
					in.Content = slices.Delete(in.Content, i, i+2)
					return nil
				}
			}
		case yaml.SequenceNode:
			for i := range in.Content {
				if fmt.Sprint(i) == token {
					in.Content = slices.Delete(in.Content, i, i+1)
					return nil
				}
			}
		default: // a scalar has nothing below it
		}
		return fmt.Errorf("%w: %s", errPlace, pointer)
	}
}

// rename gives a key of an object another name.
func rename(pointer, name string) func(*yaml.Node) error {
	return func(root *yaml.Node) error {
		in, err := at(root, above(pointer))
		if err != nil {
			return err
		}
		for i := 0; in.Kind == yaml.MappingNode && i+1 < len(in.Content); i += 2 {
			if in.Content[i].Value == last(pointer) {
				key := *in.Content[i]
				key.Value = name
				in.Content[i] = &key
				return nil
			}
		}
		return fmt.Errorf("%w: %s", errPlace, pointer)
	}
}

// push adds an element to a list, which is made if it is not there.
func push(pointer string, value any) func(*yaml.Node) error {
	return func(root *yaml.Node) error {
		list, err := at(root, pointer)
		if err != nil {
			return set(pointer, []any{value})(root)
		}
		v, err := node(value)
		if err != nil {
			return err
		}
		list.Content = append(list.Content, v)
		return nil
	}
}

// all makes several changes.
func all(edits ...func(*yaml.Node) error) func(*yaml.Node) error {
	return func(root *yaml.Node) error {
		for _, e := range edits {
			if err := e(root); err != nil {
				return err
			}
		}
		return nil
	}
}
