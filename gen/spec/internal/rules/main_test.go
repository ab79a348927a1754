package main

import "testing"

// TestExtract checks that a property may have the name of a field that goes.
func TestExtract(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.0.3
info: {title: A, version: 1.0.0, description: goes}
paths:
  /a:
    summary: goes
    get:
      tags: [goes]
      responses:
        '200':
          description: goes
          content:
            application/json:
              example: {goes: 1}
              schema:
                type: object
                description: goes
                required: [example, description]
                properties:
                  example: {type: string, maxLength: 3, x-order: 2}
                  description: {type: string, enum: [example], example: goes}
`
	const want = `{"info":{"title":"A","version":"1.0.0"},"openapi":"3.0.3","paths":{"/a":{"get":{"responses":{"200":{"content":{"application/json":{"schema":{"properties":{"description":{"enum":["example"],"type":"string"},"example":{"maxLength":3,"type":"string"}},"required":["example","description"],"type":"object"}}},"description":""}}}}}}`
	got, err := extract([]byte(document))
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}
