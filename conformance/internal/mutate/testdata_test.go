package mutate

import (
	"testing"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// small is a document with a clause of most kinds.
const small = `
openapi: 3.0.3
info: {title: Widgets, version: '1'}
paths:
  /widgets:
    post:
      operationId: createWidget
      security: [{key: []}]
      parameters:
        - {name: dry, in: query, schema: {type: boolean}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewWidget'}
            examples: {one: {value: {name: abc, kind: round, size: 3}}}
      responses:
        '201':
          description: made
          headers:
            Location: {required: true, schema: {type: string, maxLength: 100}}
            X-Note: {schema: {type: string}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Widget'}}}
        '400': {description: wrong, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
        '401': {description: who, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
        '415': {description: media, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
        '408': {description: late}
        '500': {description: broken, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
  /widgets/{id}:
    get:
      operationId: getWidget
      security: []
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
      responses:
        '200': {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Widget'}}}}
        '400': {description: wrong, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
        '404': {description: none, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
  schemas:
    NewWidget:
      type: object
      required: [name, kind]
      additionalProperties: false
      properties:
        name: {type: string, minLength: 1, maxLength: 8, pattern: '^[a-z]{2,8}$'}
        kind: {type: string, enum: [round, square]}
        size: {type: integer, format: int32, minimum: 1, maximum: 5}
        note: {type: string, nullable: true, maxLength: 20}
    Widget:
      type: object
      required: [id, name, kind]
      properties:
        id: {type: integer, minimum: 1, example: 7}
        name: {type: string, minLength: 2, maxLength: 8, example: abc}
        kind: {type: string, enum: [round, square], example: round}
        note: {type: string, nullable: true, example: null}
        lost: {type: string, format: date, example: '2024-02-29'}
    Error:
      type: object
      required: [code]
      properties:
        code: {type: string, pattern: '^[a-z_]+$', example: invalid}
`

func load(t *testing.T, text string) *openapi.Document {
	t.Helper()
	doc, err := openapi.Load("small.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func flipsOf(t *testing.T, text string) []Flip {
	t.Helper()
	flips, err := Flips(load(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return flips
}
