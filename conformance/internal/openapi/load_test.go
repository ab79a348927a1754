package openapi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T, path string) *Document {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Load(filepath.Base(path), raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func operation(t *testing.T, d *Document, id string) *Operation {
	t.Helper()
	for _, op := range d.Operations {
		if op.ID == id {
			return op
		}
	}
	t.Fatalf("there is no operation %s", id)
	return nil
}

func TestLoadReadsOperations(t *testing.T) {
	t.Parallel()
	d := load(t, "testdata/shapes.yaml")
	if diff := cmp.Diff([]string{"https://example.com/v1"}, d.ServerURLs); diff != "" {
		t.Error(diff)
	}
	get, put := operation(t, d, "getTree"), operation(t, d, "PUT /trees/{id}")
	type param struct {
		Name, In, Style, Pointer string
		Required, Explode        bool
	}
	var params []param
	for _, p := range get.Parameters {
		params = append(params, param{p.Name, p.In, p.Style, p.Pointer, p.Required, p.Explode})
	}
	want := []param{
		{"id", "path", "simple", "/components/parameters/Id", true, false},
		{"verbose", "query", "form", "/paths/~1trees~1{id}/get/parameters/0", true, true},
		{"tags", "query", "pipeDelimited", "/paths/~1trees~1{id}/get/parameters/2", false, true},
	}
	if diff := cmp.Diff(want, params); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]map[string][]string{{"Key": {}}, {}}, get.Security); diff != "" {
		t.Error(diff)
	}
	if get.SecurityPointer != "/security" || put.SecurityPointer != put.Pointer+"/security" || len(put.Security) != 0 {
		t.Errorf("security is at %q and %q", get.SecurityPointer, put.SecurityPointer)
	}
	ok := get.Responses["200"]
	if len(ok.Headers) != 1 || ok.Headers[0].Name != "ETag" || !ok.Headers[0].Required {
		t.Errorf("headers: %+v", ok.Headers)
	}
	if len(ok.Links) != 1 || ok.Links[0].OperationID != "getTree" {
		t.Errorf("links: %+v", ok.Links)
	}
	if got := get.Responses["4XX"].Pointer; got != "/components/responses/Problem" {
		t.Errorf("4XX is at %s", got)
	}
	if d.Schemes["Key"].Scheme != "bearer" {
		t.Errorf("the scheme is %q", d.Schemes["Key"].Scheme)
	}
}

func TestLoadReadsSchemas(t *testing.T) {
	t.Parallel()
	d := load(t, "testdata/shapes.yaml")
	tree := operation(t, d, "getTree").Responses["200"].Content[0].Schema
	if tree.Pointer != "/components/schemas/Tree" || !tree.Closed {
		t.Errorf("Tree is %s, closed: %t", tree.Pointer, tree.Closed)
	}
	if diff := cmp.Diff([]string{"object"}, tree.Types); diff != "" {
		t.Errorf("merge keys are not followed: %s", diff)
	}
	if tree.Property("parent") != tree || tree.Property("children").Items != tree {
		t.Error("a recursive schema does not point to itself")
	}
	if got := tree.Property("big"); got.Maximum != "123456789012345678901234567890.5" || got.MultipleOf != "0.1" {
		t.Errorf("numbers are rounded: %s, %s", got.Maximum, got.MultipleOf)
	}
	if diff := cmp.Diff([]any{"2020-01-02"}, tree.Property("born").Examples); diff != "" {
		t.Errorf("a date: %s", diff)
	}
	shape := tree.Property("shape")
	if diff := cmp.Diff([]string{"Named", "ball"}, shape.Discriminator.Names); diff != "" {
		t.Errorf("discriminator: %s", diff)
	}
	if shape.Discriminator.Mapping["ball"] != shape.OneOf[1] {
		t.Error("the mapping leads elsewhere than the alternative")
	}
	id := operation(t, d, "getTree").Parameters[0].Schema
	if id.Minimum != "0" || !id.ExclusiveMinimum || id.MinimumKeyword != "minimum" {
		t.Errorf("id: %+v", id)
	}
}

func TestLoadReadsOpenAPI31(t *testing.T) {
	t.Parallel()
	raw := `{"openapi":"3.1.0","paths":{"/x":{"post":{"requestBody":{"content":{"application/json":
		{"schema":{"$ref":"#/components/schemas/X","minProperties":1}}}},"responses":{}}}},
		"components":{"schemas":{"X":{"type":["object","null"],"patternProperties":{"^x":true},"properties":{
		"\ud83d\ude00":{"const":null},"n":{"minimum":5,"exclusiveMinimum":5,"maximum":3,"exclusiveMaximum":9},
		"l":{"prefixItems":[{"type":"null"}],"items":false},
		"d":{"if":{"type":"string"},"then":{"minLength":1},"dependentRequired":{"a":["b"]},"examples":[1,2]},
		"r":{"$ref":"#/components/schemas/X","description":"again"}}}}}}`
	d, err := Load("x.json", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	s := d.Operations[0].Body.Content[0].Schema
	if len(s.AllOf) != 1 || *s.MinProperties != 1 {
		t.Fatalf("keywords beside a reference are lost: %+v", s)
	}
	x := s.AllOf[0]
	n := x.Property("n")
	if !n.ExclusiveMinimum || n.MinimumKeyword != "exclusiveMinimum" || n.Maximum != "3" || n.ExclusiveMaximum {
		t.Errorf("bounds: %+v", n)
	}
	if c := x.Property("😀"); c == nil || c.Const == nil || *c.Const != nil {
		t.Errorf("const: %+v", c)
	}
	if !x.Nullable || len(x.Types) != 1 || x.Types[0] != "object" {
		t.Errorf("types: %v, nullable: %t", x.Types, x.Nullable)
	}
	if l := x.Property("l"); !l.Items.Never || l.PrefixItems[0].Types[0] != "null" {
		t.Errorf("items: %+v", l)
	}
	if x.Property("r") != x {
		t.Error("a description beside a reference makes a schema of its own")
	}
	if got := x.Property("d"); len(got.Examples) != 2 || got.Then == nil || got.DependentRequired["a"][0] != "b" {
		t.Errorf("d: %+v", got)
	}
	if pos := d.Position("/paths/~1x/post/requestBody/content"); pos != (Position{1, 58}) {
		t.Errorf("a key of JSON is at %v", pos)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	operation := "openapi: 3.0.3\npaths:\n  /x:\n    get:\n      responses: {}\n      "
	tests := map[string]struct{ raw, want string }{
		"nothing":             {"", "f:1: the file is empty"},
		"no document":         {"a: b", "f:1: this is no OpenAPI document"},
		"Swagger":             {"swagger: '2.0'", `f:1: this is a document of version "2.0"`},
		"broken YAML":         {"a: [", "f: yaml: "},
		"a key twice":         {"openapi: 3.0.3\nopenapi: 3.0.3", `f:2: the key "openapi" is there twice`},
		"an alias to itself":  {"openapi: &a\n  - *a", "nested too deeply"},
		"another file":        {operation + "parameters:\n        - $ref: p.yaml#/P", `f:7: the reference "p.yaml#/P" leads out of this file`},
		"nowhere":             {operation + "parameters:\n        - $ref: '#/P'", `f:7: the reference "#/P" leads nowhere`},
		"a circle":            {operation + "parameters:\n        - $ref: '#/a'\na: {$ref: '#/b'}\nb: {$ref: '#/a'}", "leads to itself"},
		"a circle of schemas": {operation + "requestBody: {content: {a/b: {schema: {$ref: '#/a'}}}}\na: {$ref: '#/b'}\nb: {$ref: '#/a'}", "leads to itself"},
		"no list":             {operation + "parameters: {}", "f:6: parameters must be a list"},
		"an unknown type":     {operation + "requestBody: {content: {a/b: {schema: {type: int}}}}", `"int" is no type of JSON`},
		"a negative length":   {operation + "requestBody: {content: {a/b: {schema: {maxLength: -1}}}}", "f:6: maxLength must be a whole number"},
		"a huge exponent":     {operation + "requestBody: {content: {a/b: {schema: {maximum: 1e999999999}}}}", "f:6: maximum must be a number"},
		"no status":           {"openapi: 3.0.3\npaths: {/x: {get: {responses: {OK: {}}}}}", `"OK" is no status`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load("f", []byte(test.raw))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestLoadWarns(t *testing.T) {
	t.Parallel()
	raw := `openapi: 3.0.3
paths:
  /x/{id}:
    get:
      security: [{Key: []}]
      parameters: [{name: q, in: query}]
      responses: {'200': {links: {a: {operationId: b}}}}`
	d, err := Load("f", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"f:6: neither schema nor content says what it looks like",
		`f:5: the path "/x/{id}" has no parameter "id"`,
		`f:5: there is no security scheme "Key"`,
		`f:7: the link "a" leads to no operation of this document`,
	}
	if diff := cmp.Diff(want, d.Warnings); diff != "" {
		t.Error(diff)
	}
	op := d.Operations[0]
	if len(op.Responses["200"].Links) != 0 || len(op.Parameters) != 2 || d.Schemes["Key"] == nil {
		t.Errorf("got %+v", op)
	}
	for _, c := range d.Clauses() {
		if d.At(c.Pointer) == nil {
			t.Errorf("the document has no %s", c.Pointer)
		}
	}
}

func TestReferencesThroughReferences(t *testing.T) {
	t.Parallel()
	raw := `openapi: 3.0.3
paths:
  /x:
    get:
      responses: {'200': {content: {a/b: {schema: {$ref: '#/components/schemas/A/properties/b/properties/c'}}}}}
components:
  schemas:
    A: {properties: {b: {$ref: '#/components/schemas/B'}}}
    B: {properties: {c: {type: string}}}`
	d, err := Load("f", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Operations[0].Responses["200"].Content[0].Schema.Pointer; got != "/components/schemas/B/properties/c" {
		t.Errorf("it leads to %s", got)
	}
}

func TestClauses(t *testing.T) {
	t.Parallel()
	d := load(t, "testdata/shapes.yaml")
	got := map[string]string{}
	for _, c := range d.Clauses() {
		users := ""
		for range c.Requests {
			users += "r"
		}
		for range c.Answers {
			users += "a"
		}
		if _, twice := got[c.Pointer]; twice {
			t.Errorf("%s is there twice", c.Pointer)
		}
		got[c.Pointer] = c.Keyword + " " + users
		if c.Position.Line == 0 {
			t.Errorf("%s has no line", c.Pointer)
		}
	}
	const tree, get = "/components/schemas/Tree", "/paths/~1trees~1{id}/get"
	want := map[string]string{
		"/security/0":                                       "security r",
		"/security/1":                                       "security r",
		"/paths/~1trees~1{id}/put/security":                 "security r",
		"/components/parameters/Id":                         "parameter rr",
		"/components/parameters/Id/schema/minimum":          "minimum rr",
		get + "/parameters/2/style":                         "style r",
		get + "/parameters/2/explode":                       "explode r",
		get + "/parameters/0/required":                      "required r",
		get + "/responses/4XX":                              "status a",
		get + "/responses/200/headers/ETag":                 "header a",
		get + "/responses/200/headers/ETag/required":        "required a",
		get + "/responses/200/links/again":                  "link a",
		get + "/responses/200/content/application~1json":    "mediaType a",
		"/paths/~1trees~1{id}/put/requestBody/required":     "requestBody r",
		tree + "/additionalProperties":                      "additionalProperties ra",
		tree + "/required/0":                                "required a",
		tree + "/required/1":                                "required ra",
		tree + "/required/2":                                "required r",
		tree + "/properties/id/readOnly":                    "readOnly r",
		tree + "/properties/id/minimum":                     "minimum a",
		tree + "/properties/secret/writeOnly":               "writeOnly a",
		tree + "/properties/secret/minLength":               "minLength r",
		tree + "/properties/name/nullable":                  "nullable ra",
		tree + "/properties/shape/discriminator":            "discriminator ra",
		"/components/schemas/Named/properties/name/default": "default r",
		"/components/schemas/Round/properties/not/not":      "not ra",
	}
	for pointer, users := range want {
		if got[pointer] != users {
			t.Errorf("%s: got %q, want %q", pointer, got[pointer], users)
		}
	}
	for _, none := range []string{
		"/components/parameters/Id/required",
		"/components/schemas/Named/properties/name/minLength",
		"/components/schemas/Round/properties/not/not/maxLength",
		get + "/parameters/1",
	} {
		if users, ok := got[none]; ok {
			t.Errorf("%s cannot be broken alone, and is a clause: %q", none, users)
		}
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	d := load(t, "testdata/shapes.yaml")
	lines := strings.Split(string(d.Raw), "\n")
	for _, c := range d.Clauses() {
		tokens := Split(c.Pointer)
		rest := lines[c.Position.Line-1][c.Position.Column-1:]
		last := tokens[len(tokens)-1]
		key := strings.HasPrefix(rest, last) || strings.HasPrefix(rest, "'"+last)
		if _, err := json.Number(last).Int64(); !key && err != nil {
			t.Errorf("%s is at %v, where %q is", c.Pointer, c.Position, rest)
		}
	}
	if got := d.Position("/info/title/x/y"); got != d.Position("/info/title") {
		t.Errorf("what is not there is at %v", got)
	}
}

func FuzzLoad(f *testing.F) {
	for _, path := range []string{"testdata/shapes.yaml"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/x":{"post":{"requestBody":{"content":{"a/b":{"schema":{"$ref":"#/a","type":["string","null"]}}}}}}},"a":{"enum":[1e5,"\ud83d\ude00",null]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := Load("f", raw)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("the error does not say where it is: %v", err)
			}
			return
		}
		for _, c := range d.Clauses() {
			if d.At(c.Pointer) == nil || c.Position.Line == 0 {
				t.Errorf("there is no clause at %s", c.Pointer)
			}
		}
	})
}
