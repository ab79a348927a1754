package lying

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed openapi.yaml
var contract []byte

// Contract gives the document that the server keeps but for its fault.
func Contract() []byte { return append([]byte(nil), contract...) }

// document is as much of the contract as the server is driven by.
type document struct {
	ops     []*operation
	schemas map[string]*schema
	root    map[string]any
	derived map[string][]string // places that follow from schemas of requests, by class
}

// operation is a method of a path.
type operation struct {
	id, method, path string
	segments         []string
	params           []*parameter
	body             map[string]*schema // by media type
	bodyRequired     bool
	produces         []string // types of the success, the first is the default
	security         [][]string
	role, idempotent string
	examples         []any
	headers          map[string]map[string]bool // status to names of headers, lower case
}

// parameter is one of path, query, header or cookie.
type parameter struct {
	name, in, style   string
	required, explode bool
	schema            *schema
}

// schema is what a value is validated by.
type schema struct {
	place                 string // how faults call it, e.g. ProjectInput.name
	kind, format          string
	nullable              bool
	enum                  []any
	min, max, multiple    *big.Rat
	exMin, exMax          bool
	minLen, maxLen        int // -1: none
	pattern               *regexp.Regexp
	minItems, maxItems    int
	unique                bool
	items                 *schema
	props                 map[string]*schema
	required              []string
	closed                bool
	additional            *schema
	minProps, maxProps    int
	def                   any
	hasDefault, reference bool
	readOnly, writeOnly   bool
	oneOf                 []*schema
	discriminator         string
	alternatives          map[string]*schema
	walked                bool // by derive
}

var parsed = sync.OnceValues(parseDocument)

// loadDocument gives the contract. It is read once, and never changed.
func loadDocument() (*document, error) { return parsed() }

func parseDocument() (*document, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(contract, &node); err != nil {
		return nil, fmt.Errorf("cannot read the contract: %w", err)
	}
	root, ok := plain(node.Content[0]).(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the contract is no object")
	}
	d := &document{root: root, schemas: map[string]*schema{}, derived: map[string][]string{}}
	paths := &node
	for i, n := range node.Content[0].Content {
		if n.Value == "paths" && i%2 == 0 {
			paths = node.Content[0].Content[i+1]
		}
	}
	for i := 0; i < len(paths.Content); i += 2 {
		path := paths.Content[i].Value
		item := object(plain(paths.Content[i+1]))
		for j := 0; j < len(paths.Content[i+1].Content); j += 2 {
			method := paths.Content[i+1].Content[j].Value
			if method == "parameters" {
				continue
			}
			d.ops = append(d.ops, d.operation(path, strings.ToUpper(method), object(item[method]), item))
		}
	}
	for name := range object(object(root["components"])["schemas"]) { // none is read later
		d.schema(map[string]any{"$ref": "#/components/schemas/" + name}, "")
	}
	d.derive()
	return d, nil
}

// plain makes values as JSON has them, numbers as they are written.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		s := []any{}
		for _, c := range n.Content {
			s = append(s, plain(c))
		}
		return s
	default: // the document has no aliases
	}
	switch n.Tag {
	case "!!int", "!!float":
		return json.Number(n.Value)
	case "!!bool":
		return n.Value == "true"
	case "!!null":
		return nil
	}
	return n.Value
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func array(v any) []any {
	a, _ := v.([]any)
	return a
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// resolve follows a reference, and gives the name of what it refers to.
func (d *document) resolve(m map[string]any) (map[string]any, string) {
	ref := text(m["$ref"])
	if ref == "" {
		return m, ""
	}
	at := d.root
	parts := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	for _, p := range parts {
		at = object(at[p])
	}
	return at, parts[len(parts)-1]
}

func (d *document) operation(path, method string, m, item map[string]any) *operation {
	op := &operation{
		id: text(m["operationId"]), method: method, path: path, segments: strings.Split(path[1:], "/"),
		role: text(m["x-conformance-role"]), idempotent: text(m["x-conformance-idempotency-key"]),
		body: map[string]*schema{}, headers: map[string]map[string]bool{},
	}
	for _, p := range append(array(item["parameters"]), array(m["parameters"])...) {
		op.params = append(op.params, d.parameter(op, object(p)))
	}
	body := object(m["requestBody"])
	op.bodyRequired = body["required"] == true
	for t, media := range object(body["content"]) {
		op.body[t] = d.schema(object(object(media)["schema"]), op.id)
		if e, ok := object(media)["example"]; ok {
			op.examples = append(op.examples, e)
		}
		for _, e := range object(object(media)["examples"]) {
			op.examples = append(op.examples, object(e)["value"])
		}
	}
	for status, r := range object(m["responses"]) {
		r, _ := d.resolve(object(r))
		op.headers[status] = map[string]bool{}
		for h := range object(r["headers"]) {
			op.headers[status][strings.ToLower(h)] = true
		}
		if status[0] != '2' {
			continue
		}
		for _, t := range []string{"application/json", "text/csv", "text/event-stream"} {
			if media, ok := object(r["content"])[t]; ok && !contains(op.produces, t) {
				op.produces = append(op.produces, t)
				d.schema(object(object(media)["schema"]), op.id+".answer")
			}
		}
	}
	security, ok := m["security"]
	if !ok {
		security = d.root["security"]
	}
	for _, alternative := range array(security) {
		names := []string{}
		for n := range object(alternative) {
			names = append(names, n)
		}
		op.security = append(op.security, names)
	}
	return op
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func (d *document) parameter(op *operation, m map[string]any) *parameter {
	m, name := d.resolve(m)
	if name == "" {
		name = op.id + "." + text(m["name"])
	}
	p := &parameter{name: text(m["name"]), in: text(m["in"]), style: text(m["style"]), required: m["required"] == true}
	if p.style == "" {
		p.style = map[string]string{"query": "form", "cookie": "form"}[p.in]
	}
	p.explode = p.style == "form"
	if e, ok := m["explode"]; ok {
		p.explode = e == true
	}
	p.schema = d.schema(object(m["schema"]), name)
	return p
}

// schema reads a schema; place is what it is called if it has no name.
func (d *document) schema(m map[string]any, place string) *schema {
	m, name := d.resolve(m)
	if name != "" {
		place = name
		if s := d.schemas[name]; s != nil {
			return s
		}
	}
	s := &schema{
		place: place, kind: text(m["type"]), format: text(m["format"]), nullable: m["nullable"] == true,
		enum: array(m["enum"]), min: rational(m["minimum"]), max: rational(m["maximum"]),
		multiple: rational(m["multipleOf"]), exMin: m["exclusiveMinimum"] == true, exMax: m["exclusiveMaximum"] == true,
		minLen: count(m["minLength"]), maxLen: count(m["maxLength"]), minItems: count(m["minItems"]),
		maxItems: count(m["maxItems"]), unique: m["uniqueItems"] == true, closed: m["additionalProperties"] == false,
		minProps: count(m["minProperties"]), maxProps: count(m["maxProperties"]),
		readOnly: m["readOnly"] == true, writeOnly: m["writeOnly"] == true, props: map[string]*schema{},
	}
	if name != "" {
		d.schemas[name] = s
	}
	s.def, s.hasDefault = m["default"]
	_, s.reference = m["x-conformance-reference"]
	if p := text(m["pattern"]); p != "" {
		s.pattern = regexp.MustCompile(p)
	}
	for _, r := range array(m["required"]) {
		s.required = append(s.required, text(r))
	}
	for n, p := range object(m["properties"]) {
		s.props[n] = d.schema(object(p), place+"."+n)
	}
	if i, ok := m["items"]; ok {
		s.items = d.schema(object(i), place+".item")
	}
	if a := object(m["additionalProperties"]); a != nil {
		s.additional = d.schema(a, place+".any")
	}
	for _, o := range array(m["oneOf"]) {
		s.oneOf = append(s.oneOf, d.schema(object(o), place))
	}
	if disc := object(m["discriminator"]); disc != nil {
		s.discriminator, s.alternatives = text(disc["propertyName"]), map[string]*schema{}
		for k, ref := range object(disc["mapping"]) {
			s.alternatives[k] = d.schema(map[string]any{"$ref": ref}, place)
		}
	}
	return s
}

func rational(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	r, _ := new(big.Rat).SetString(string(n))
	return r
}

func count(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return -1
	}
	i, err := n.Int64()
	if err != nil {
		return -1
	}
	return int(i)
}
