package docs

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"gopkg.in/yaml.v3"
)

// contract is what the pages say of the OpenAPI document.
type contract struct {
	root        *yaml.Node
	Title       string
	Version     string
	Description string
	Groups      []group
	operations  map[string]*operation
	schemas     []schema
}

// group is a tag, with its operations in the document's order.
type group struct {
	Name, Description string
	Operations        []*operation
}

// operation is one of the contract's.
type operation struct {
	ID, Method, Path, Group string
	Summary, Description    string
	requests                []example
	responses               []response
	node                    *yaml.Node
}

// response is what an operation answers with.
type response struct {
	status   string
	examples []example
}

// example is one of the document's, of a body.
type example struct {
	name  string
	value *yaml.Node
}

// schema is a named one. Its values are those of its enumeration, if it has one.
type schema struct {
	Name, Description string
	Values            []string
}

// verbs are the members of a path item that are operations, in lower case.
var verbs = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// readContract takes from an OpenAPI document what the pages say of it.
func readContract(document []byte) (*contract, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(document, &file); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	if len(file.Content) != 1 {
		return nil, errors.New("docs: the contract is empty")
	}
	c := &contract{root: file.Content[0], operations: map[string]*operation{}}
	c.Title, c.Version, c.Description = c.text(c.root, "info", "title"), c.text(c.root, "info", "version"), c.text(c.root, "info", "description")
	for _, tag := range c.items(c.root, "tags") {
		c.Groups = append(c.Groups, group{Name: c.text(tag, "name"), Description: c.text(tag, "description")})
	}
	for path, item := range c.members(c.root, "paths") {
		for verb, node := range c.members(item) {
			if slices.Contains(verbs, verb) {
				c.add(c.readOperation(path, verb, node))
			}
		}
	}
	for name, node := range c.members(c.root, "components", "schemas") {
		s := schema{Name: name, Description: c.text(node, "description")}
		for _, value := range c.items(node, "enum") {
			s.Values = append(s.Values, value.Value)
		}
		c.schemas = append(c.schemas, s)
	}
	return c, nil
}

func (c *contract) add(o *operation) {
	c.operations[o.ID] = o
	if i := slices.IndexFunc(c.Groups, func(g group) bool { return g.Name == o.Group }); i >= 0 {
		c.Groups[i].Operations = append(c.Groups[i].Operations, o)
	}
}

func (c *contract) readOperation(path, verb string, node *yaml.Node) *operation {
	o := &operation{
		ID: c.text(node, "operationId"), Method: strings.ToUpper(verb), Path: path, node: node,
		Summary: c.text(node, "summary"), Description: c.text(node, "description"),
	}
	if tags := c.items(node, "tags"); len(tags) > 0 {
		o.Group = tags[0].Value
	}
	o.requests = c.examples(c.at(node, "requestBody", "content"))
	for status, answer := range c.members(node, "responses") {
		o.responses = append(o.responses, response{status, c.examples(c.at(answer, "content"))})
	}
	return o
}

// examples gives those of the first media type.
func (c *contract) examples(content *yaml.Node) []example {
	var found []example
	for _, media := range c.members(content) {
		for name, e := range c.members(media, "examples") {
			found = append(found, example{name, c.at(e, "value")})
		}
		if one := c.at(media, "example"); one != nil {
			found = append(found, example{"", one})
		}
		break
	}
	return found
}

// Anchor is the fragment that the reference explains the operation at. reference.js
// tells the reference so.
func (o *operation) Anchor() string { return "tag/" + strings.ToLower(o.Group) + "/" + o.ID }

// Anchor is the fragment that the reference explains the schema at.
func (s schema) Anchor() string { return "models/" + s.Name }

// at follows names, and references on the way. It is nil if there is no such
// node.
func (c *contract) at(n *yaml.Node, names ...string) *yaml.Node {
	n = c.resolve(n)
	for _, name := range names {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var next *yaml.Node
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				next = n.Content[i+1]
			}
		}
		n = c.resolve(next)
	}
	return n
}

// resolve follows references ("$ref") within the document.
func (c *contract) resolve(n *yaml.Node) *yaml.Node {
	for range 10 { // more than that is a circle
		if n == nil || n.Kind != yaml.MappingNode || len(n.Content) == 0 || n.Content[0].Value != "$ref" {
			return n
		}
		pointer, local := strings.CutPrefix(n.Content[1].Value, "#/")
		if !local {
			return nil
		}
		next := c.root
		for name := range strings.SplitSeq(pointer, "/") {
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
			if next = c.at(next, name); next == nil {
				return nil
			}
		}
		n = next
	}
	return nil
}

func (c *contract) text(n *yaml.Node, names ...string) string {
	if n = c.at(n, names...); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

func (c *contract) items(n *yaml.Node, names ...string) []*yaml.Node {
	if n = c.at(n, names...); n != nil && n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return nil
}

// members goes through the names and values of an object, in their order.
func (c *contract) members(n *yaml.Node, names ...string) func(func(string, *yaml.Node) bool) {
	n = c.at(n, names...)
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, c.resolve(n.Content[i+1])) {
				return
			}
		}
	}
}

// asJSON writes a node of the document as indented JSON.
func asJSON(n *yaml.Node) (string, error) {
	var out bytes.Buffer
	encoder := jsontext.NewEncoder(&out, jsontext.WithIndent("  "))
	if err := encode(encoder, n); err != nil {
		return "", fmt.Errorf("docs: %w", err)
	}
	return strings.TrimSpace(out.String()), nil
}

// exampleOf finds an example of an operation: of its request by its name, or of
// a response by the status and a name, of which an empty one takes the first.
func (c *contract) exampleOf(id string, names ...string) (string, error) {
	o := c.operations[id]
	if o == nil {
		return "", fmt.Errorf("docs: the contract has no operation %q", id)
	}
	examples, name := o.requests, names[0]
	if i := slices.IndexFunc(o.responses, func(r response) bool { return r.status == names[0] }); i >= 0 {
		examples, name = o.responses[i].examples, ""
		if len(names) > 1 {
			name = names[1]
		}
	}
	for _, e := range examples {
		if name == "" || e.name == name {
			return asJSON(e.value)
		}
	}
	return "", fmt.Errorf("docs: %s has no example %q", id, names)
}

// codeExample is the body of a problem, as the document has it.
type codeExample struct {
	kind       string // the type's URI
	body       string // JSON
	operations []*operation
}

// problemExamples gives for each code the first example of its body, and the
// operations that have one.
func (c *contract) problemExamples() (map[string]codeExample, error) {
	found := map[string]codeExample{}
	for _, g := range c.Groups {
		for _, o := range g.Operations {
			for _, r := range o.responses {
				for _, e := range r.examples {
					code := c.text(e.value, "code")
					if code == "" || !isError(r.status) {
						continue
					}
					entry := found[code]
					if entry.body == "" {
						var err error
						entry.kind = c.text(e.value, "type")
						if entry.body, err = asJSON(e.value); err != nil {
							return nil, err
						}
					}
					if !slices.Contains(entry.operations, o) {
						entry.operations = append(entry.operations, o)
					}
					found[code] = entry
				}
			}
		}
	}
	return found, nil
}

// isError tells it of a status, or of a range of them such as 4XX.
func isError(status string) bool {
	return strings.HasPrefix(status, "4") || strings.HasPrefix(status, "5")
}
