package openapi

import (
	"errors"
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"
)

// ErrNoNode is returned for a pointer where the document has nothing.
var ErrNoNode = errors.New("the document has nothing there")

// With gives the file with one node changed, as YAML. The node may be changed in
// every way: replaced by `*n = …`, its Content shortened or lengthened. Comments
// and layout need not survive; pointers of what is not changed do.
func (d *Document) With(pointer string, change func(*yaml.Node) error) ([]byte, error) {
	root := clone(d.root)
	n, _, ok := find(root, pointer)
	if !ok {
		return nil, fmt.Errorf("change %s: %w", pointer, ErrNoNode)
	}
	if err := change(n); err != nil {
		return nil, fmt.Errorf("change %s: %w", pointer, err)
	}
	b, err := yaml.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("change %s: %w", pointer, err)
	}
	return b, nil
}

// Without gives the file with one node, and its key, removed.
func (d *Document) Without(pointer string) ([]byte, error) {
	tokens := Split(pointer)
	if len(tokens) == 0 {
		return nil, fmt.Errorf("remove the whole document: %w", ErrNoNode)
	}
	last := tokens[len(tokens)-1]
	return d.With(Join("", tokens[:len(tokens)-1]...), func(n *yaml.Node) error {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == last {
					n.Content = append(n.Content[:i], n.Content[i+2:]...)
					return nil
				}
			}
		case yaml.SequenceNode:
			i, err := strconv.Atoi(last)
			if err == nil && 0 <= i && i < len(n.Content) {
				n.Content = append(n.Content[:i], n.Content[i+1:]...)
				return nil
			}
		default: // a scalar has nothing below it
		}
		return ErrNoNode
	})
}

func clone(n *yaml.Node) *yaml.Node {
	c := *n
	c.HeadComment, c.LineComment, c.FootComment = "", "", ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, x := range n.Content {
		c.Content[i] = clone(x)
	}
	return &c
}
