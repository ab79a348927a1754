package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of a document, so that aliases cannot make it grow without end.
const (
	maxDepth = 400
	maxNodes = 2_000_000
)

// place is a node and where it is.
type place struct {
	ptr  string
	node *yaml.Node
}

// field is a key of a mapping and what is there.
type field struct {
	key string
	place
}

// Join makes a pointer (RFC 6901) of a pointer and tokens, which are escaped.
func Join(pointer string, tokens ...string) string {
	var b strings.Builder
	b.WriteString(pointer)
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(escaper.Replace(t))
	}
	return b.String()
}

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// Split gives the tokens of a pointer, unescaped.
func Split(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, t := range tokens {
		tokens[i] = unescaper.Replace(t)
	}
	return tokens
}

// fields gives the fields of a mapping, in order; none of anything else.
func (p place) fields() []field {
	if p.node.Kind != yaml.MappingNode {
		return nil
	}
	fields := make([]field, 0, len(p.node.Content)/2)
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key := p.node.Content[i].Value
		fields = append(fields, field{key, place{Join(p.ptr, key), p.node.Content[i+1]}})
	}
	return fields
}

// items gives the elements of a sequence; none of anything else.
func (p place) items() []place {
	if p.node.Kind != yaml.SequenceNode {
		return nil
	}
	items := make([]place, len(p.node.Content))
	for i, n := range p.node.Content {
		items[i] = place{Join(p.ptr, strconv.Itoa(i)), n}
	}
	return items
}

// get gives what is under the key of a mapping.
func (p place) get(key string) (place, bool) {
	if p.node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(p.node.Content); i += 2 {
			if p.node.Content[i].Value == key {
				return place{Join(p.ptr, key), p.node.Content[i+1]}, true
			}
		}
	}
	return place{}, false
}

// text gives the string under the key; empty, if there is none.
func (p place) text(key string) string {
	if q, ok := p.get(key); ok && q.node.Kind == yaml.ScalarNode {
		return q.node.Value
	}
	return ""
}

// truth gives the boolean under the key; false, if there is none.
func (p place) truth(key string) bool { return p.text(key) == "true" }

// At gives the node of a pointer, or nil. It must not be changed.
func (d *Document) At(pointer string) *yaml.Node {
	value, _, ok := find(d.root, pointer)
	if !ok {
		return nil
	}
	return value
}

// Position gives the place of the key that the pointer ends in, or of the element
// of a list. Where there is no such node, it is that of the nearest one above.
func (d *Document) Position(pointer string) Position {
	_, key, _ := find(d.root, pointer)
	return Position{Line: key.Line, Column: key.Column}
}

// find goes along a pointer as far as there are nodes; key is the one that names
// the last node that there is.
func find(root *yaml.Node, pointer string) (value, key *yaml.Node, ok bool) {
	value, key = root, root
	for _, token := range Split(pointer) {
		v, k := step(value, token)
		if v == nil {
			return value, key, false
		}
		value, key = v, k
	}
	return value, key, true
}

func step(n *yaml.Node, token string) (value, key *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == token {
				return n.Content[i+1], n.Content[i]
			}
		}
	case yaml.SequenceNode:
		i, err := strconv.Atoi(token)
		if err == nil && 0 <= i && i < len(n.Content) && strconv.Itoa(i) == token {
			return n.Content[i], n.Content[i]
		}
	default: // a scalar has nothing below it
	}
	return nil, nil
}

// Decode gives the JSON value of a node of a [Document]: nil, bool, string,
// [json.Number], []any or map[string]any. A date of YAML is a string, as in JSON.
func Decode(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = Decode(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = Decode(c)
		}
		return list
	default: // a scalar
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if number, ok := decimal(n.Value); ok {
			return json.Number(number)
		}
	}
	return n.Value
}

// decimal gives a number of YAML as JSON writes it. Infinities are none.
func decimal(text string) (string, bool) {
	if json.Valid([]byte(text)) {
		return text, true
	}
	plain := strings.ReplaceAll(strings.TrimPrefix(text, "+"), "_", "")
	if json.Valid([]byte(plain)) {
		return plain, true
	}
	if i, ok := new(big.Int).SetString(plain, 0); ok { // 0x1F, 0o17, 017
		return i.String(), true
	}
	f, err := strconv.ParseFloat(plain, 64) // .5, 1.
	if err != nil {
		return "", false
	}
	b, err := json.Marshal(f)
	return string(b), err == nil
}

// fragment gives the pointer that a local reference holds.
func fragment(ref string) (string, error) {
	rest, ok := strings.CutPrefix(ref, "#")
	switch {
	case !ok:
		return "", fmt.Errorf("the reference %q leads out of this file: bundle the files into one first", ref)
	case rest != "" && rest[0] != '/':
		return "", fmt.Errorf("the reference %q is none by JSON pointer (#/…)", ref)
	}
	ptr, err := url.PathUnescape(rest)
	if err != nil {
		return "", fmt.Errorf("the reference %q is no URI: %w", ref, err)
	}
	return ptr, nil
}

// parse reads a file into nodes, without aliases and merge keys.
func parse(name string, raw []byte) (*yaml.Node, error) {
	if text := bytes.TrimLeft(raw, " \t\r\n"); len(text) > 0 && text[0] == '{' && json.Valid(text) {
		// yaml.v3 refuses what JSON allows: pairs of surrogates, tabs.
		return parseJSON(name, raw)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s:1: the file is empty", name)
	}
	e := expander{name: name}
	return e.expand(doc.Content[0], 0)
}

// expander copies nodes, and writes out aliases and merge keys.
type expander struct {
	name  string
	count int
}

var errLarge = errors.New("the document is nested too deeply, or too large")

func (e *expander) expand(n *yaml.Node, depth int) (*yaml.Node, error) {
	if e.count++; e.count > maxNodes || depth > maxDepth {
		return nil, fmt.Errorf("%s:%d: %w", e.name, n.Line, errLarge)
	}
	if n.Kind == yaml.AliasNode {
		return e.expand(n.Alias, depth+1)
	}
	c := *n
	c.Anchor, c.Alias, c.Content = "", nil, nil
	if n.Kind != yaml.MappingNode {
		for _, item := range n.Content {
			x, err := e.expand(item, depth+1)
			if err != nil {
				return nil, err
			}
			c.Content = append(c.Content, x)
		}
		return &c, nil
	}
	return &c, e.mapping(&c, n, depth)
}

func (e *expander) mapping(c, n *yaml.Node, depth int) error {
	seen := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		x, err := e.expand(value, depth+1)
		if err != nil {
			return err
		}
		switch {
		case key.ShortTag() == "!!merge":
			merged = append(merged, x)
			continue
		case key.Kind != yaml.ScalarNode:
			return fmt.Errorf("%s:%d: a key must be a string", e.name, key.Line)
		case seen[key.Value]:
			return fmt.Errorf("%s:%d: the key %q is there twice", e.name, key.Line, key.Value)
		}
		seen[key.Value] = true
		k := *key
		k.Anchor = ""
		c.Content = append(c.Content, &k, x)
	}
	for len(merged) > 0 {
		m := merged[0]
		merged = merged[1:]
		if m.Kind == yaml.SequenceNode {
			merged = append(m.Content, merged...)
			continue
		}
		for i := 0; i+1 < len(m.Content); i += 2 {
			if key := m.Content[i]; !seen[key.Value] {
				seen[key.Value] = true
				c.Content = append(c.Content, key, m.Content[i+1])
			}
		}
	}
	return nil
}
