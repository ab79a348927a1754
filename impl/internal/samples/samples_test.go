package samples_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/samples"
)

const serverURL = "http://127.0.0.1:8080/api/v1/escrow"

var labels = []string{"curl", "Go", "PHP", "Python", "TypeScript", "Java", "Rust", "Ruby"}

// contractOperations lists the operations of the contract, read in another way.
func contractOperations(t *testing.T) (ids []string) {
	t.Helper()
	var doc struct{ Paths yaml.Node }
	if err := yaml.Unmarshal(spec.YAML, &doc); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(doc.Paths.Content); i += 2 {
		item := doc.Paths.Content[i]
		for j := 1; j < len(item.Content); j += 2 {
			var op struct {
				ID string `yaml:"operationId"`
			}
			if item.Content[j].Kind == yaml.MappingNode && item.Content[j].Decode(&op) == nil && op.ID != "" {
				ids = append(ids, op.ID)
			}
		}
	}
	return ids
}

// TestFor checks that every operation has a sample in every language, each with
// the server's URL and with the credential from the environment.
func TestFor(t *testing.T) {
	t.Parallel()
	operations, err := samples.For(spec.YAML, serverURL)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, op := range operations {
		ids = append(ids, op.ID)
		var got []string
		for _, s := range op.Samples {
			got = append(got, s.Label)
			for _, want := range []string{`http://127.0.0.1:8080/api/v1/escrow/`} {
				if !strings.Contains(s.Source, want) {
					t.Errorf("%s in %s has no %s:\n%s", op.ID, s.Label, want, s.Source)
				}
			}
			if strings.HasPrefix(op.Path, "/partner/") != strings.Contains(s.Source, "ESCROW_KEY") {
				t.Errorf("%s in %s and the key:\n%s", op.ID, s.Label, s.Source)
			}
			if strings.TrimSpace(s.Source) != s.Source || strings.Contains(s.Source, " \n") || strings.Contains(s.Source, "<no value>") {
				t.Errorf("%s in %s is not well laid out:\n%s", op.ID, s.Label, s.Source)
			}
		}
		if diff := cmp.Diff(labels, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", op.ID, diff)
		}
	}
	if diff := cmp.Diff(contractOperations(t), ids); diff != "" || len(ids) != 30 {
		t.Errorf("%d operations (-want +got)\n%s", len(ids), diff)
	}
}

// small is a contract of one operation, with parts that a test replaces.
const small = `
openapi: 3.0.3
paths:
  /things/{id}:
    put:
      operationId: putThing
      security: [{Key: []}]
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, example: a b}}
        - {name: q, in: query, required: true, example: "x&y"}
        - {name: optional, in: query, example: "left out"}
      requestBody:
        content:
          application/json:
            examples:
              first: {$ref: '#/components/examples/First'}
              second: {value: {a: 2}}
      responses:
        '204': {description: Put}
        default: {description: Error}
components:
  examples:
    First: {value: {a: 1, b: null, c: [true, 0x10, 1.50, 8885118600], d: {}, e: []}}
  securitySchemes:
    Key: {type: http, scheme: Bearer}
`

// TestSmall writes a sample of everything that a request can have.
func TestSmall(t *testing.T) {
	t.Parallel()
	operations, err := samples.For([]byte(small), "https://example.com")
	if err != nil {
		t.Fatal(err)
	}
	want := `curl 'https://example.com/things/a%20b?q=x%26y' \
  --fail-with-body \
  -X PUT \
  -H "Authorization: Bearer $ESCROW_KEY" \
  -H 'Content-Type: application/json' \
  -d '{
    "a": 1,
    "b": null,
    "c": [true, 16, 1.50, 8885118600],
    "d": {},
    "e": []
  }'`
	if diff := cmp.Diff(want, operations[0].Samples[0].Source); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRefuses checks that what a sample cannot be made of is named.
func TestRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ old, replacement, want string }{
		{small, "", "the contract is empty"},
		{small, "a: [", "yaml"},
		{small, "openapi: 3.0.3", "no operations"},
		{"operationId: putThing", "summary: A", "PUT /things/{id}: no operationId"},
		{"schema: {type: string, example: a b}", "schema: {type: string}", "the parameter id has no example"},
		{"in: path", "in: cookie", `the parameter id is in "cookie"`},
		{"{id}:", "{id}/{other}:", "not declared: /things/a%20b/{other}"},
		{"scheme: Bearer", "scheme: basic", "credential Key"},
		{"application/json", "text/plain", "not JSON"},
		{"#/components/examples/First", "#/components/examples/Last", "no #/components/examples/Last"},
		{"#/components/examples/First", "other.yaml#/First", "outside of the document"},
		{"First: {value", "First: {$ref: '#/components/examples/First', value", "circle"},
		{"            examples:\n              first: {$ref: '#/components/examples/First'}\n              second: {value: {a: 2}}", "            schema: {}", "the body has no example"},
		{"'204'", "'404'", "no success"},
		{"c: [true, 0x10", "c: [.inf", "no number of JSON"},
	}
	for _, tt := range tests {
		if !strings.Contains(small, tt.old) {
			t.Fatalf("the contract has no %q", tt.old)
		}
		_, err := samples.For([]byte(strings.Replace(small, tt.old, tt.replacement, 1)), serverURL)
		if err == nil || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%q for %q: %v, want %q", tt.replacement, tt.old, err, tt.want)
		}
	}
}
