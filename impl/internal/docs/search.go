package docs

import (
	"encoding/json"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/impl/internal/samples"
)

// entry is something that the search finds.
type entry struct {
	URL   string `json:"u"` // from the root of the site
	Kind  string `json:"k"` // Guide, Problem, Operation or Schema
	Title string `json:"t"`
	Where string `json:"w"` // what it is in: the guide of a section, the method and path of an operation
	Text  string `json:"b"`
}

// writeIndex writes what the search knows, for search.js.
func (s *Site) writeIndex(l linker) ([]byte, error) {
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	entries, err := s.entries(b, l)
	if err != nil {
		return nil, err
	}
	return script("escrowIndex", entries)
}

// script gives a name to a value, in JavaScript.
func script(name string, value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	return fmt.Appendf(nil, "globalThis.%s = %s;\n", name, raw), nil
}

func (s *Site) entries(b *book, l linker) ([]entry, error) {
	var list []entry
	add := func(e entry, path, fragment string) error {
		var err error
		e.URL, err = l.below(path, fragment)
		list = append(list, e)
		return err
	}
	for _, p := range s.config.Problems {
		e := entry{Kind: "Problem", Title: p.Code, Where: fmt.Sprint(p.Status), Text: words(p.Meaning, p.Cause, p.Remedy)}
		if err := add(e, problemsPath+"/"+p.Code, ""); err != nil {
			return nil, err
		}
	}
	for _, name := range guides {
		a, err := b.guide(name, l)
		if err != nil {
			return nil, err
		}
		ofProblem := false
		for _, part := range a.Sections {
			ofProblem = s.config.problem(part.ID) != nil || ofProblem && part.Level > 3
			if ofProblem {
				continue // it has an entry of its own
			}
			e := entry{Kind: "Guide", Title: part.Title, Where: a.Title, Text: part.Text}
			fragment := part.ID
			if part.Level == 1 {
				e.Where, fragment = "", ""
			}
			if err := add(e, guidesPath+"/"+name, fragment); err != nil {
				return nil, err
			}
		}
	}
	for _, g := range b.Groups {
		for _, o := range g.Operations {
			e := entry{Kind: "Operation", Title: o.Summary, Where: o.Method + " " + o.Path, Text: words(o.ID, o.Description)}
			if err := add(e, referencePath, o.Anchor()); err != nil {
				return nil, err
			}
		}
	}
	for _, schema := range b.schemas {
		if err := add(entry{Kind: "Schema", Title: schema.Name, Text: words(schema.Description)}, referencePath, schema.Anchor()); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// words are those of texts in Markdown, without its marks.
func words(texts ...string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("`", "", "**", "").Replace(strings.Join(texts, " "))), " ")
}

// writeContract writes the document that the reference shows, for reference.js:
// the published one, with samples of every operation in every language.
func (s *Site) writeContract(linker) ([]byte, error) {
	c, err := readContract(s.yaml)
	if err != nil {
		return nil, err
	}
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	for _, o := range c.operations {
		setSamples(o.node, b.samples[o.ID])
	}
	document, err := asJSON(c.root)
	if err != nil {
		return nil, err
	}
	return script("escrowContract", json.RawMessage(document))
}

// setSamples puts samples where x-codeSamples are kept.
func setSamples(operation *yaml.Node, all []samples.Sample) {
	text := func(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value} }
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, sample := range all {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			text("lang"), text(sample.Lang), text("label"), text(sample.Label), text("source"), text(sample.Source),
		}})
	}
	const name = "x-codeSamples"
	for i := 0; i < len(operation.Content); i += 2 {
		if operation.Content[i].Value == name {
			operation.Content[i+1] = list
			return
		}
	}
	operation.Content = append(operation.Content, text(name), list)
}
