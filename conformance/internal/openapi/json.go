package openapi

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"gopkg.in/yaml.v3"
)

// jsonReader makes nodes of JSON.
type jsonReader struct {
	name  string
	raw   []byte
	lines []int // offset of each line's beginning
	dec   *jsontext.Decoder
}

func parseJSON(name string, raw []byte) (*yaml.Node, error) {
	r := jsonReader{name: name, raw: raw, lines: []int{0}, dec: jsontext.NewDecoder(bytes.NewReader(raw))}
	for i, b := range raw {
		if b == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	return r.value(0)
}

// fail says where the reader is.
func (r *jsonReader) fail(err error) error {
	line, _ := r.position(int(r.dec.InputOffset()))
	return fmt.Errorf("%s:%d: %w", r.name, line, err)
}

func (r *jsonReader) position(offset int) (line, column int) {
	line = sort.SearchInts(r.lines, offset+1)
	return line, offset - r.lines[line-1] + 1
}

func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, r.fail(errLarge)
	}
	token, err := r.dec.ReadToken()
	if err != nil {
		return nil, r.fail(err)
	}
	n := &yaml.Node{Kind: yaml.ScalarNode}
	end := int(r.dec.InputOffset())
	switch token.Kind() {
	case '{', '[':
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		if token.Kind() == '[' {
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		}
		n.Line, n.Column = r.position(end - 1)
		return n, r.content(n, depth)
	case 'n':
		n.Tag, n.Value = "!!null", "null"
	case 't', 'f':
		n.Tag, n.Value = "!!bool", token.String()
	case '0':
		n.Tag, n.Value = "!!float", token.String()
		if !strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!int"
		}
	default:
		n.Tag, n.Value, n.Style = "!!str", token.String(), yaml.DoubleQuotedStyle
	}
	n.Line, n.Column = r.position(r.begin(end))
	return n, nil
}

// begin finds where the scalar begins that ends before the offset.
func (r *jsonReader) begin(end int) int {
	if r.raw[end-1] != '"' {
		i := end - 1
		for i > 0 && !bytes.ContainsRune([]byte(" \t\r\n,:[{"), rune(r.raw[i-1])) {
			i--
		}
		return i
	}
	for i := end - 2; i > 0; i-- {
		if r.raw[i] != '"' {
			continue
		}
		backslashes := 0
		for j := i - 1; j >= 0 && r.raw[j] == '\\'; j-- {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i
		}
	}
	return 0
}

func (r *jsonReader) content(n *yaml.Node, depth int) error {
	for r.dec.PeekKind() != '}' && r.dec.PeekKind() != ']' {
		x, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, x)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return r.fail(err)
	}
	return nil
}
