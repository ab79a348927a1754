package generate

import (
	"slices"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// contradicting is a document whose example and prose are not what its schema says.
const contradicting = `
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /a:
    post:
      operationId: a
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [country, kind]
              properties:
                country: {type: string, minLength: 3, pattern: '^[A-Z]{2}$', example: US}
                kind: {type: string, enum: [red, green], description: 'One of red, green and blue.'}
      responses: {'200': {description: ok}}
`

func TestContradictions(t *testing.T) {
	t.Parallel()
	doc, err := openapi.Load("t.yaml", []byte(contradicting))
	if err != nil {
		t.Fatal(err)
	}
	s := &Source{Doc: doc, Seed: 1}
	var got []string
	for _, c := range s.Cases(doc.Operations[0]) {
		if body, ok := c.Draft.Body.(map[string]any); ok && c.Side == Breaks && (body["country"] == "US" && c.Label == "example" || body["kind"] == "blue") {
			got = append(got, c.At+" "+c.Keyword)
		}
	}
	// That no country is valid leaves no way to try a kind alone.
	if want := []string{"/country minLength"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	doc, err = openapi.Load("t.yaml", []byte(strings.Replace(contradicting, "minLength: 3", "minLength: 2", 1)))
	if err != nil {
		t.Fatal(err)
	}
	s = &Source{Doc: doc, Seed: 1}
	got = nil
	for _, c := range s.Cases(doc.Operations[0]) {
		body, ok := c.Draft.Body.(map[string]any)
		switch {
		case ok && c.Side == Breaks && body["kind"] == "blue":
			got = append(got, c.At+" "+c.Keyword)
		case c.Label == "example" && c.Side == Breaks:
			t.Errorf("a valid example is sent as one that breaks %s", c.Clause)
		}
	}
	if want := []string{"/kind enum"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
