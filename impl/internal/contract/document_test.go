package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
)

// TestDocument checks that the contract which is published documents all that
// it has, with examples that keep it.
func TestDocument(t *testing.T) {
	t.Parallel()
	doc, err := load(spec.YAML)
	if err != nil {
		t.Fatal(err)
	}
	ct := ours(t)
	c := &examiner{T: t, ct: ct, compiler: newCompiler(doc, formats), seen: make(map[*openapi3.Schema]bool)}
	for name, s := range doc.Components.Schemas {
		c.examine("schema "+name, s)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			c.inspect(method+" "+path, item, op)
		}
	}
	if c.examples < 100 {
		t.Errorf("only %d examples were found: does this test look at them?", c.examples)
	}
	t.Logf("%d examples keep the contract", c.examples)
}

// ours is the contract that is published.
func ours(t testing.TB) *Contract {
	t.Helper()
	ct, err := New(spec.YAML, Options{
		BodyLimit:    256 << 10,
		Formats:      map[string]func(string) error{"idn-email": emailaddr.Check},
		Authenticate: func(echo.Context, openapi3.SecurityRequirements) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

// TestRefusalsAreDeclared checks that every operation declares what this package
// may refuse a request with, so that no refusal breaks the contract.
func TestRefusalsAreDeclared(t *testing.T) {
	t.Parallel()
	for route, p := range ours(t).paths {
		for method, op := range p.operations {
			statuses := []int{400, 500} // a body that is not asked for is 400 as well
			if len(op.produces) > 0 {
				statuses = append(statuses, 406)
			}
			if op.body != nil {
				statuses = append(statuses, 408, 413, 415)
			}
			for _, status := range statuses {
				if op.response(status) == nil {
					t.Errorf("%s %s declares no %d", method, route, status)
				}
			}
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		ours(b)
	}
}

type examiner struct {
	*testing.T
	*compiler
	ct       *Contract
	seen     map[*openapi3.Schema]bool
	examples int
}

func (c *examiner) said(place, what, text string) {
	if text == "" {
		c.Errorf("%s has no %s", place, what)
	}
}

// example judges an example as if it had come as JSON.
func (c *examiner) example(place string, s *openapi3.Schema, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		c.Errorf("%s: %v", place, err)
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		c.Errorf("%s: %v", place, err)
		return
	}
	c.examples++
	// An example with a property that does not exist is wrong.
	made, err := c.schema(s, true, place)
	if err != nil {
		c.Error(err)
		return
	}
	for _, f := range c.ct.judge(made.kin, decoded) {
		c.Errorf("%s: its example breaks the contract at %q: %s", place, f.Pointer, f.Detail)
	}
}

func (c *examiner) examine(place string, ref *openapi3.SchemaRef) {
	s := ref.Value
	if c.seen[s] {
		return
	}
	c.seen[s] = true
	c.said(place, "description", s.Description)
	// An example that is null is one where null is all that there can be.
	onlyNull := s.Nullable && s.MaxLength != nil && *s.MaxLength == 0
	switch {
	case s.Example != nil || onlyNull:
		c.example(place, s, s.Example)
	case s.Type.Is(openapi3.TypeArray) && s.Items.Value.Example != nil:
	default:
		c.Errorf("%s has no example", place)
	}
	if s.Type.Is(openapi3.TypeString) && s.MaxLength == nil && len(s.Enum) == 0 {
		c.Errorf("%s has no maximum length", place)
	}
	for name, p := range s.Properties {
		c.examine(place+"."+name, p)
	}
	for i, b := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		c.examine(fmt.Sprintf("%s[%d]", place, i), b)
	}
	if s.Items != nil {
		c.examine(place+"[]", s.Items)
	}
}

func (c *examiner) inspect(place string, item *openapi3.PathItem, op *openapi3.Operation) {
	c.said(place, "operationId", op.OperationID)
	c.said(place, "summary", op.Summary)
	c.said(place, "description", op.Description)
	for _, p := range slices.Concat(item.Parameters, op.Parameters) {
		at := place + ", parameter " + p.Value.Name
		c.said(at, "description", p.Value.Description)
		c.given(at, p.Value.Schema.Value, p.Value.Example)
	}
	if op.RequestBody != nil {
		c.said(place+", body", "description", op.RequestBody.Value.Description)
		c.bodies(place+", body", op.RequestBody.Value.Content)
	}
	for status, r := range op.Responses.Map() {
		at := place + ", " + status
		c.said(at, "description", *r.Value.Description)
		c.bodies(at, r.Value.Content)
		for name, h := range r.Value.Headers {
			at := at + ", header " + name
			c.said(at, "description", h.Value.Description)
			c.given(at, h.Value.Schema.Value, h.Value.Example)
		}
	}
}

func (c *examiner) given(place string, s *openapi3.Schema, example any) {
	if example == nil {
		c.Errorf("%s has no example", place)
		return
	}
	c.example(place, s, example)
}

func (c *examiner) bodies(place string, content openapi3.Content) {
	for mediaType, media := range content {
		at := place + " as " + mediaType
		if len(media.Examples) == 0 {
			c.Errorf("%s has no examples", at)
		}
		for _, name := range slices.Sorted(maps.Keys(media.Examples)) {
			c.said(at+", "+name, "summary", media.Examples[name].Value.Summary)
			c.example(at+", "+name, media.Schema.Value, media.Examples[name].Value.Value)
		}
		c.examine(at, media.Schema)
	}
}

// TestLoadJSON checks that JSON which is read in parts is read as a whole would be,
// and that what cannot be is left to kin-openapi.
func TestLoadJSON(t *testing.T) {
	t.Parallel()
	const head = `{"openapi":"3.0.3","info":{"title":"A","version":"1"}`
	const path = `"/a":{"get":{"responses":{"200":{"$ref":"#/components/responses/OK"}}}}`
	const components = `"components":{"responses":{"OK":{"description":"","x-b":1}}}`
	for name, document := range map[string]string{
		"whole":         head + `,"paths":{` + path + `},` + components + `}`,
		"no components": head + `,"paths":{"/a":{}}}`,
		"extensions":    head + `,"x-a":1,"paths":{"x-c":2,` + path + `},` + components + `}`,
		"no paths":      head + `}`,
		"paths null":    head + `,"paths":null}`,
		"path null":     head + `,"paths":{"/a":null}}`,
		"no object":     head + `,"paths":[]}`,
		"no reference":  head + `,"paths":{` + path + `}}`,
	} {
		loader := openapi3.NewLoader()
		want, refused := loader.LoadFromData([]byte(document))
		if refused == nil {
			refused = want.Validate(loader.Context)
		}
		got, err := load([]byte(document))
		if (err == nil) != (refused == nil) {
			t.Errorf("%s: %v; as a whole: %v", name, err, refused)
			continue
		}
		if err != nil {
			continue
		}
		parts, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := json.Marshal(want)
		if err != nil || !bytes.Equal(parts, whole) {
			t.Errorf("%s: %s, %v\nas a whole: %s", name, parts, err, whole)
		}
	}
}
