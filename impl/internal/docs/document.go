package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
	"gopkg.in/yaml.v3"
)

// serverEntry is the first entry in the document's list of servers.
var serverEntry = regexp.MustCompile(`(?m)^servers:\n  - url: (\S+)\n    description: .*\n`)

// withServer replaces the document's server by the one that publishes it,
// wherever the document names it, and leaves every other byte as it is. Without a
// URL nothing is replaced; the server is given in any case.
func withServer(document []byte, url string) ([]byte, string, error) {
	entry := serverEntry.FindSubmatch(document)
	if entry == nil {
		return nil, "", errors.New("docs: the contract does not begin its servers with a URL and a description")
	}
	if url == "" {
		return document, string(entry[1]), nil
	}
	block := "servers:\n  - url: " + string(entry[1]) + "\n    description: This server\n"
	document = bytes.Replace(document, entry[0], []byte(block), 1)
	return bytes.ReplaceAll(document, entry[1], []byte(url)), url, nil
}

// toJSON writes a YAML document as JSON. Names keep their order, in which
// people read them.
func toJSON(document []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	var out bytes.Buffer
	encoder := jsontext.NewEncoder(&out, jsontext.WithIndent("  "))
	if err := encode(encoder, &root); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	return out.Bytes(), nil
}

func encode(e *jsontext.Encoder, n *yaml.Node) error {
	switch n.Kind {
	case yaml.DocumentNode:
		return encode(e, n.Content[0])
	case yaml.MappingNode:
		return encodeAll(e, jsontext.BeginObject, n.Content, jsontext.EndObject)
	case yaml.SequenceNode:
		return encodeAll(e, jsontext.BeginArray, n.Content, jsontext.EndArray)
	case yaml.AliasNode:
		return encode(e, n.Alias)
	default:
		return encodeScalar(e, n)
	}
}

func encodeAll(e *jsontext.Encoder, begin jsontext.Token, nodes []*yaml.Node, end jsontext.Token) error {
	if err := e.WriteToken(begin); err != nil {
		return err
	}
	for i, n := range nodes {
		// Names are strings in JSON, whatever YAML takes them for.
		if isName := begin.Kind() == '{' && i%2 == 0; isName {
			if err := e.WriteToken(jsontext.String(n.Value)); err != nil {
				return err
			}
			continue
		}
		if err := encode(e, n); err != nil {
			return err
		}
	}
	return e.WriteToken(end)
}

func encodeScalar(e *jsontext.Encoder, n *yaml.Node) error {
	var v any = n.Value
	switch n.Tag {
	case "!!int", "!!float", "!!bool", "!!null":
		if err := n.Decode(&v); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return e.WriteValue(raw)
}
