package generate

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// A document may contradict itself: an example breaks the schema that it is of. Who
// is right is told by the server. If it takes the example, the clause is not what it
// keeps.

// classes are those of what is wrong with a server that does not notice what breaks
// a keyword.
var classes = map[string]string{
	"type": "E8", "nullable": "E7", "enum": "E5", "const": "E5", "format": "E12", "pattern": "E4",
	"minLength": "E3", "maxLength": "E3", "minimum": "E1", "maximum": "E1", "exclusiveMinimum": "E2", "exclusiveMaximum": "E2",
	"multipleOf": "E11", "required": "E6", "additionalProperties": "E9", "unevaluatedProperties": "E9",
	"minItems": "E10", "maxItems": "E10", "uniqueItems": "E10", "minProperties": "E10", "maxProperties": "E10",
}

// ClassOf is the class of what is wrong with a server that does not notice what
// breaks a keyword.
func ClassOf(keyword string) string {
	if c := classes[keyword]; c != "" {
		return c
	}
	return "E13"
}

// breach is a clause that a value breaks.
type breach struct{ clause, keyword string }

// breaches are the clauses that faults are of, each once.
func breaches(faults []schema.Fault) []breach {
	var list []breach
	for _, f := range faults {
		if b := (breach{f.Clause, f.Keyword}); !slices.Contains(list, b) {
			list = append(list, b)
		}
	}
	return list
}

// mostBreaches is how many clauses an example may break that is tried: one that
// breaks more is of another schema.
const mostBreaches = 3

// contrary writes down examples that break what they are examples of.
func (w *walker) contrary(sp spot, p *openapi.Schema) {
	var also []string
	for _, q := range sp.shape.parts {
		for _, k := range []string{"discriminator", "oneOf", "anyOf"} {
			also = append(also, openapi.Join(q.Pointer, k))
		}
	}
	also = append(also, w.tags[sp.at]...)
	for _, r := range w.src.contraryTo(p, p.Examples, sp.recipe(p, Breaks, "", ""), w.dir) {
		r.also = also
		w.add(*r)
	}
}

// contraryTo makes recipes of examples that break a schema: for each clause that one
// breaks.
func (s *Source) contraryTo(p *openapi.Schema, examples []any, like recipe, dir openapi.Direction) []*recipe {
	var list []*recipe
	for _, v := range examples {
		broken := breaches(s.faults(p, v, dir))
		if len(broken) > mostBreaches {
			continue
		}
		var all []string
		for _, b := range broken {
			all = append(all, b.clause)
		}
		for _, b := range broken {
			r := like.with("example", "the example of the document, which breaks "+b.keyword, func(*generation, any) []any { return []any{v} })
			r.class, r.keyword, r.claims = ClassOf(b.keyword), b.keyword, append([]string{b.clause}, all...)
			list = append(list, &r)
		}
	}
	return list
}

// contraryParameter sends examples of a parameter that break its schema.
func (s *Source) contraryParameter(p *openapi.Parameter) []*proto {
	var list []*proto
	start := spot{plan: plan{}.with(func(*plan) {})}
	for _, r := range s.contraryTo(p.Schema, p.Examples, start.recipe(p.Schema, Breaks, "", ""), openapi.Request) {
		list = append(list, s.parameterVariant(p, r))
	}
	return list
}

// contraryExample sends an example of a body that is not valid.
func (s *Source) contraryExample(m *openapi.MediaType, e *openapi.Example) []*proto {
	broken := breaches(s.faults(m.Schema, e.Value, openapi.Request))
	if len(broken) > mostBreaches {
		return nil
	}
	var list []*proto
	for _, b := range broken {
		list = append(list, simple("body", "", Variant{
			Clause: b.clause, Keyword: b.keyword, Side: Breaks, Class: ClassOf(b.keyword), Label: "example-" + slug(e.Name),
			Why: "the example " + e.Name + " of the document, which breaks " + b.keyword,
		}, func(s *Source, d *Draft) string {
			g := s.generation(d.Op.ID+m.Pointer, openapi.Request, Typical)
			g.fresh = uniquePlaces(d.Op)
			d.HasBody, d.ContentType, d.RawBody = true, concrete(m.Type), nil
			d.Body = g.renewed("", []*openapi.Schema{m.Schema}, e.Value, 0)
			if len(breaches(s.faults(m.Schema, d.Body, openapi.Request))) == 0 {
				return "it breaks nothing any more"
			}
			return ""
		}))
	}
	return list
}

// renewed is a value with fresh ones in place of those that must be no one else's.
// All else stays as it is, valid or not.
func (g *generation) renewed(at string, whole []*openapi.Schema, v any, depth int) any {
	if depth > maxDepth {
		return v
	}
	sh := g.shape(at, whole, &v, depth)
	switch v := v.(type) {
	case map[string]any:
		m := maps.Clone(v)
		for _, p := range sh.properties(g.dir) {
			if old, has := m[p.name]; has {
				m[p.name] = g.renewed(pointer(at, p.name), p.whole, old, depth+1)
			}
		}
		return m
	case string:
		if g.isFresh(at, sh) && g.fits(whole, v) {
			return g.text(at, sh, 0)
		}
	}
	return v
}

// mentioned are the words that a document has beside a value of a list: in the prose
// of descriptions, and in examples that are lists. What is meant for the list, and is
// not in it, is found there.
func mentioned(doc *openapi.Document, values []any) []any {
	listed := map[string]bool{}
	for _, v := range values {
		if t, ok := v.(string); ok && len(t) > 1 {
			listed[t] = true
		}
	}
	var found []any
	for _, words := range enumerations(doc) {
		if !slices.ContainsFunc(words, func(w string) bool { return listed[w] }) {
			continue
		}
		for _, w := range words {
			if !listed[w] && !slices.Contains(found, any(w)) {
				found = append(found, w)
			}
		}
	}
	return found
}

// enumerated are words of prose that stand beside each other: a, b and c; and those in
// backticks are one list of a description.
var (
	enumerated = regexp.MustCompile(`[\w.-]+(?:(?:, (?:and |or )?| or | and |/)[\w.-]+)+`)
	separated  = regexp.MustCompile(`, (?:and |or )?| or | and |/`)
	quotedWord = regexp.MustCompile("`([^`\\s]+)`")
)

// enumerations of documents that were asked for last.
var lists struct {
	sync.Mutex
	doc  *openapi.Document
	list [][]string
}

func enumerations(doc *openapi.Document) [][]string {
	lists.Lock()
	defer lists.Unlock()
	if lists.doc == doc {
		return lists.list
	}
	var all [][]string
	var walk func(n *yaml.Node, depth int)
	walk = func(n *yaml.Node, depth int) {
		if n == nil || depth > 4*maxDepth {
			return
		}
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				switch key, value := n.Content[i].Value, n.Content[i+1]; {
				case key == "description" && value.Kind == yaml.ScalarNode:
					all = append(all, ofProse(value.Value)...)
				case key == "example" && value.Kind == yaml.SequenceNode:
					var words []string
					for _, item := range value.Content {
						if item.Kind == yaml.ScalarNode {
							words = append(words, item.Value)
						}
					}
					all = append(all, words)
				}
			}
		}
		for _, c := range n.Content {
			walk(c, depth+1)
		}
	}
	walk(doc.At(""), 0)
	lists.doc, lists.list = doc, all
	return all
}

func ofProse(text string) [][]string {
	var all [][]string
	for _, run := range enumerated.FindAllString(strings.ReplaceAll(text, "`", ""), -1) {
		all = append(all, separated.Split(strings.TrimRight(run, "."), -1))
	}
	var quoted []string
	for _, m := range quotedWord.FindAllStringSubmatch(text, -1) {
		quoted = append(quoted, m[1])
	}
	return append(all, quoted)
}

// besides are values that are not in a list, but beside some of it elsewhere: those of
// other lists first.
func (w *walker) besides(values []any) []any {
	others := w.listedElsewhere(values)
	if w.src.Doc == nil {
		return others
	}
	for _, v := range mentioned(w.src.Doc, values) {
		if !slices.ContainsFunc(others, func(o any) bool { return bytes.Equal(mustJSON(o), mustJSON(v)) }) {
			others = append(others, v)
		}
	}
	return others[:min(len(others), mostOthers)]
}

// mostOthers is how many values are tried that another list has.
const mostOthers = 4

// number of a value that is tried, for its label.
func nth(i int) string {
	if i == 0 {
		return "elsewhere"
	}
	return fmt.Sprintf("elsewhere-%d", i+1)
}
