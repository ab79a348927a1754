package samples

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// request is what a sample sends, and what it takes for success.
type request struct {
	ID      string
	Method  string
	URL     string   // with the parameters' examples
	Key     bool     // a key is sent, as a bearer token
	Cookie  string   // name of the cookie that a session is sent as, or empty
	Headers []header // others than the credential and the type of the body
	Body    *yaml.Node
	Status  int  // of the success
	Answer  bool // the success has a body
	Begins  bool // the success begins a session, or replaces it

	path string // as the contract has it
}

type header struct{ Name, Value string }

// Verb is the method in small letters.
func (r request) Verb() string { return strings.ToLower(r.Method) }

// StatusName is the success's status as a constant of Go's net/http has it,
// without its prefix: Created of 201.
func (r request) StatusName() string {
	return strings.ReplaceAll(http.StatusText(r.Status), " ", "")
}

// document is the contract as a tree.
type document struct{ root *yaml.Node }

// read takes the requests out of the contract.
func read(contract []byte, serverURL string) ([]request, error) {
	var tree yaml.Node
	if err := yaml.Unmarshal(contract, &tree); err != nil {
		return nil, err
	}
	if len(tree.Content) == 0 {
		return nil, errors.New("the contract is empty")
	}
	d := document{tree.Content[0]}
	var requests []request
	for path, item := range members(child(d.root, "paths")) {
		for method, operation := range members(item) {
			if !slices.Contains(methods, method) {
				continue
			}
			r, err := d.request(strings.ToUpper(method), path, item, operation)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", strings.ToUpper(method), path, err)
			}
			r.URL = serverURL + r.URL
			requests = append(requests, r)
		}
	}
	if len(requests) == 0 {
		return nil, errors.New("the contract has no operations")
	}
	return requests, nil
}

// methods are the keys of a path item that are operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (d document) request(method, path string, item, operation *yaml.Node) (request, error) {
	r := request{ID: text(child(operation, "operationId")), Method: method, path: path}
	if r.ID == "" {
		return r, errors.New("no operationId")
	}
	for _, step := range []func() error{
		func() error { return d.parameters(&r, item, operation) },
		func() error { return d.credential(&r, operation) },
		func() error { return d.body(&r, operation) },
		func() error { return d.success(&r, operation) },
	} {
		if err := step(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// parameters fills in those that are required, and an Idempotency-Key wherever
// it is known: a create that is sent without cannot be sent again.
func (d document) parameters(r *request, item, operation *yaml.Node) error {
	const idempotencyKey = "Idempotency-Key"
	filled, query := r.path, []string(nil)
	for _, holder := range []*yaml.Node{item, operation} {
		for _, p := range elements(child(holder, "parameters")) {
			p, err := d.resolve(p)
			if err != nil {
				return err
			}
			name, in := text(child(p, "name")), text(child(p, "in"))
			if text(child(p, "required")) != "true" && name != idempotencyKey {
				continue
			}
			example, err := d.example(p)
			if err != nil {
				return err
			}
			if example == nil {
				example = child(child(p, "schema"), "example")
			}
			if example == nil || example.Kind != yaml.ScalarNode {
				return fmt.Errorf("the parameter %s has no example", name)
			}
			switch in {
			case "path":
				filled = strings.ReplaceAll(filled, "{"+name+"}", url.PathEscape(example.Value))
			case "query":
				query = append(query, url.QueryEscape(name)+"="+url.QueryEscape(example.Value))
			case "header":
				r.Headers = append(r.Headers, header{name, example.Value})
			default:
				return fmt.Errorf("the parameter %s is in %q", name, in)
			}
		}
	}
	if strings.ContainsAny(filled, "{}") {
		return fmt.Errorf("the path has a parameter that is not declared: %s", filled)
	}
	r.URL = filled
	if query != nil {
		r.URL += "?" + strings.Join(query, "&")
	}
	return nil
}

// credential takes the first of the ways to authenticate that are declared.
func (d document) credential(r *request, operation *yaml.Node) error {
	security := child(operation, "security")
	if security == nil {
		security = child(d.root, "security")
	}
	alternatives := elements(security)
	if len(alternatives) == 0 {
		return nil
	}
	for name := range members(alternatives[0]) {
		scheme := child(child(child(d.root, "components"), "securitySchemes"), name)
		kind, in := text(child(scheme, "type")), text(child(scheme, "in"))
		switch {
		case kind == "http" && strings.EqualFold(text(child(scheme, "scheme")), "bearer"):
			r.Key = true
		case kind == "apiKey" && in == "cookie":
			r.Cookie = text(child(scheme, "name"))
		default:
			return fmt.Errorf("no sample knows how to send the credential %s", name)
		}
	}
	return nil
}

func (d document) body(r *request, operation *yaml.Node) error {
	body := child(operation, "requestBody")
	if body == nil {
		return nil
	}
	body, err := d.resolve(body)
	if err != nil {
		return err
	}
	media := child(child(body, "content"), "application/json")
	if media == nil {
		return errors.New("the body is not JSON")
	}
	r.Body, err = d.example(media)
	if err == nil && r.Body == nil {
		err = errors.New("the body has no example")
	}
	return err
}

// success takes the lowest of the statuses that are one.
func (d document) success(r *request, operation *yaml.Node) error {
	var response *yaml.Node
	for status, declared := range members(child(operation, "responses")) {
		code, err := strconv.Atoi(status)
		if err == nil && code/100 == 2 && (r.Status == 0 || code < r.Status) {
			r.Status, response = code, declared
		}
	}
	if response == nil {
		return errors.New("no success is declared")
	}
	response, err := d.resolve(response)
	if err != nil {
		return err
	}
	r.Answer = child(response, "content") != nil
	cookie := child(child(response, "headers"), "Set-Cookie")
	if cookie == nil {
		return nil
	}
	if cookie, err = d.resolve(cookie); err != nil {
		return err
	}
	example, err := d.example(cookie)
	if err != nil || example == nil {
		return err
	}
	// A cookie that ends a session has no value.
	_, value, _ := strings.Cut(example.Value, "=")
	r.Begins = value != "" && value[0] != ';'
	return nil
}

// example gives the example of a parameter, a header or a media type, or the
// first of several; or nil.
func (d document) example(n *yaml.Node) (*yaml.Node, error) {
	if example := child(n, "example"); example != nil {
		return example, nil
	}
	for _, example := range members(child(n, "examples")) {
		example, err := d.resolve(example)
		if err != nil {
			return nil, err
		}
		return child(example, "value"), nil
	}
	return nil, nil //nolint:nilnil // what need not have an example has none
}

// resolve follows a reference within the document.
func (d document) resolve(n *yaml.Node) (*yaml.Node, error) {
	const most = 20
	for range most {
		reference := child(n, "$ref")
		if reference == nil {
			return n, nil
		}
		pointer, local := strings.CutPrefix(reference.Value, "#/")
		if !local {
			return nil, fmt.Errorf("%s is outside of the document", reference.Value)
		}
		n = d.root
		for part := range strings.SplitSeq(pointer, "/") {
			n = child(n, strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
		}
		if n == nil {
			return nil, fmt.Errorf("there is no %s", reference.Value)
		}
	}
	return nil, errors.New("references go in a circle")
}

// child gives what a mapping has under a name, or nil.
func child(n *yaml.Node, name string) *yaml.Node {
	for key, value := range members(n) {
		if key == name {
			return value
		}
	}
	return nil
}

// members gives the pairs of a mapping in their order; none of another node.
func members(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n = direct(n); n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, direct(n.Content[i+1])) {
				return
			}
		}
	}
}

// elements gives those of a sequence; none of another node.
func elements(n *yaml.Node) []*yaml.Node {
	if n = direct(n); n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// direct gives the node that an alias stands for.
func direct(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// text is a scalar's, or empty.
func text(n *yaml.Node) string {
	if n = direct(n); n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}
