package mutate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

// bounds is a document whose request body has bounds that others make void.
const bounds = `
openapi: 3.0.3
info: {title: Bounds, version: '1'}
paths:
  /x:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                exact: {type: string, minLength: 2, maxLength: 2, pattern: '^[A-Z]{2}$'}
                loose: {type: string, minLength: 1, maxLength: 9, pattern: '^[A-Z]+$'}
                bare: {type: string, minLength: 1, maxLength: 9}
                id: {type: string, format: uuid, maxLength: 36}
                mail: {type: string, format: email, minLength: 6}
                secret: {type: string, format: password}
                one: {type: string, enum: [a, bb], maxLength: 2}
                small: {type: integer, format: int32, minimum: -2147483648, maximum: 100}
                tight: {type: integer, format: int64, minimum: 0, maximum: 100}
                wide: {type: integer, format: int64, minimum: 0, maximum: 99999999999}
      responses: {'200': {description: ok}}
`

func TestEquivalents(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	for _, f := range flipsOf(t, bounds) {
		if f.Equivalent != "" {
			got[f.Pointer[len(above(above(f.Pointer)))+1:]+" "+f.Operator] = true
		}
	}
	want := map[string]bool{
		"exact/minLength minLength-1":  true,
		"exact/maxLength maxLength+1":  true,
		"loose/minLength minLength-1":  true,
		"id/maxLength maxLength+1":     true,
		"secret/format format removed": true,
		"one/maxLength maxLength+1":    true,
		"small/format format removed":  true,
		"small/minimum minimum-1":      true,
		"tight/format format changed":  true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("equivalent flips (-want +got):\n%s", diff)
	}
}

// What is called equivalent is tried: no value that is generated for either of the
// documents is judged otherwise by the other.
func TestNoGeneratedValueRefutesAProof(t *testing.T) {
	t.Parallel()
	doc := load(t, bounds)
	set, err := schema.New(doc)
	if err != nil {
		t.Fatal(err)
	}
	body := doc.Operations[0].Body.Content[0].Schema
	refuted := 0
	for _, f := range flipsOf(t, bounds) {
		raw, err := f.Document()
		if err != nil {
			t.Fatal(err)
		}
		flipped := load(t, string(raw))
		flippedSet, err := schema.New(flipped)
		if err != nil {
			t.Fatal(err)
		}
		flippedBody := flipped.Operations[0].Body.Content[0].Schema
		differ := false
		for _, source := range []*generate.Source{{Doc: doc}, {Doc: flipped}} {
			for _, v := range source.Variants(source.Doc.Operations[0].Body.Content[0].Schema, openapi.Request) {
				if v.Raw == nil && schema.Valid(set.ValidateValue(body, openapi.Request, v.Value)) != schema.Valid(flippedSet.ValidateValue(flippedBody, openapi.Request, v.Value)) {
					differ = true
					if f.Equivalent != "" {
						t.Errorf("%s is called equivalent, but %v tells the documents apart (%s)", f.Name(), v.Value, v.Why)
					}
				}
			}
		}
		if differ {
			refuted++
		}
	}
	if refuted < 15 {
		t.Errorf("only %d flips are told apart by generated values: the test is too weak", refuted)
	}
}
