package schema

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// at is where the schemas of these tests are written.
const root = "/components/schemas/S"

// prepare makes a document of a version with schemas, of which S is used in a
// request and its answer.
func prepare(t testing.TB, version, schemas string) (*Set, *openapi.Schema) {
	t.Helper()
	raw := "openapi: " + version + `
paths:
  /x:
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}
      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}
components:
  schemas:
` + indent(schemas)
	d, err := openapi.Load("s.yaml", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return s, d.Operations[0].Body.Content[0].Schema
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

// short writes faults as "at clause", the clause without what all have.
func short(faults []Fault) []string {
	list := []string{}
	for _, f := range faults {
		line := strings.TrimSpace(f.At + " " + strings.TrimPrefix(f.Clause, root+"/"))
		if f.Advice {
			line += " (advice)"
		}
		list = append(list, line)
	}
	sort.Strings(list)
	return list
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const pet = `
S:
  oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
  discriminator: {propertyName: kind, mapping: {cat: Cat}}
Cat: {type: object, required: [kind, lives], properties: {kind: {type: string}, lives: {type: integer, maximum: 9}}}
Dog: {type: object, required: [kind], properties: {kind: {type: string}}}`
	tests := map[string]struct {
		version, schemas, value string
		want                    []string
	}{
		"all faults of a string": {"3.0.3", `S: {type: string, format: date, maxLength: 3, minLength: 90, pattern: '^x', enum: [a]}`, `"2020-01-01"`,
			[]string{"enum", "maxLength", "minLength", "pattern"}},
		"a day that is none":          {"3.0.3", `S: {type: string, format: date, maxLength: 3}`, `"2021-02-30"`, []string{"format", "maxLength"}},
		"another type, and no enum":   {"3.0.3", `S: {type: string, enum: ['1']}`, `1`, []string{"type", "enum"}},
		"null":                        {"3.0.3", `S: {type: string}`, `null`, []string{"type"}},
		"null where nullable":         {"3.0.3", `S: {type: string, nullable: true, minLength: 1}`, `null`, nil},
		"null that enum has not":      {"3.0.3", `S: {type: string, nullable: true, enum: [a]}`, `null`, []string{"enum"}},
		"null that enum has":          {"3.0.3", `S: {type: string, nullable: true, enum: [a, null]}`, `null`, nil},
		"null beside allOf":           {"3.0.3", "S: {nullable: true, allOf: [{$ref: '#/components/schemas/T'}]}\nT: {type: object, required: [a]}", `null`, nil},
		"allOf of nullable":           {"3.0.3", "S: {nullable: true, allOf: [{$ref: '#/components/schemas/T'}]}\nT: {type: object, required: [a]}", `{}`, []string{"/components/schemas/T/required/0"}},
		"null of a list of types":     {"3.1.0", `S: {type: [string, 'null'], minLength: 1}`, `null`, nil},
		"nullable is nothing in 3.1":  {"3.1.0", `S: {properties: {a: {type: string}}}`, `{"a":null}`, []string{"/a properties/a/type"}},
		"1.0 is an integer":           {"3.0.3", `S: {type: integer}`, `1.0`, nil},
		"1.5 is none":                 {"3.0.3", `S: {type: integer}`, `1.5`, []string{"type"}},
		"an exclusive bound of 3.0":   {"3.0.3", `S: {type: integer, minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false}`, `1`, []string{"minimum"}},
		"an inclusive bound":          {"3.0.3", `S: {type: integer, minimum: 1, maximum: 5, exclusiveMaximum: false}`, `5`, nil},
		"an exclusive bound of 3.1":   {"3.1.0", `S: {type: integer, exclusiveMaximum: 5}`, `5`, []string{"exclusiveMaximum"}},
		"beyond what a float64 holds": {"3.0.3", `S: {type: integer, maximum: 9007199254740993}`, `9007199254740994`, []string{"maximum"}},
		"a multiple of decimals":      {"3.0.3", `S: {type: number, multipleOf: 0.01}`, `4.35`, nil},
		"no multiple":                 {"3.0.3", `S: {type: number, multipleOf: 0.01}`, `4.351`, []string{"multipleOf"}},
		"an endless exponent":         {"3.0.3", `S: {type: number, maximum: 10}`, `1e999999999999999999999`, []string{"maximum"}},
		"too small an exponent":       {"3.0.3", `S: {type: number, minimum: 0, exclusiveMinimum: true}`, `1e-99999999`, nil},
		"int32":                       {"3.0.3", `S: {type: integer, format: int32}`, `2147483648`, []string{"format"}},
		"lengths are of code points":  {"3.0.3", `S: {type: string, maxLength: 1}`, `"😀"`, nil},
		"properties": {"3.0.3", `S: {type: object, required: [a, b], additionalProperties: false, properties: {a: {}, c/d: {type: string}}}`, `{"a":1,"c/d":2,"x":3,"y":4}`,
			[]string{"required/1", "/c~1d properties/c~1d/type", "/x additionalProperties", "/y additionalProperties"}},
		"a map":          {"3.0.3", `S: {type: object, additionalProperties: {type: integer}}`, `{"a":"b"}`, []string{"/a additionalProperties/type"}},
		"items":          {"3.0.3", `S: {type: array, uniqueItems: true, maxItems: 2, items: {type: number}}`, `[1,1.0,true]`, []string{"/2 items/type", "maxItems", "uniqueItems"}},
		"a union, none":  {"3.0.3", `S: {oneOf: [{type: string, maxLength: 1}, {type: integer}]}`, `"ab"`, []string{"oneOf"}},
		"a union, both":  {"3.0.3", `S: {oneOf: [{type: number}, {type: integer}]}`, `1`, []string{"oneOf"}},
		"anyOf":          {"3.0.3", `S: {anyOf: [{type: number}, {type: integer}]}`, `true`, []string{"anyOf"}},
		"not":            {"3.0.3", `S: {not: {type: number}}`, `1`, []string{"not"}},
		"a named one":    {"3.0.3", pet, `{"kind":"cat","lives":10}`, []string{"/lives /components/schemas/Cat/properties/lives/maximum"}},
		"an implied one": {"3.0.3", pet, `{"kind":"Dog"}`, nil},
		"no such name":   {"3.0.3", pet, `{"kind":"cow"}`, []string{"discriminator"}},
		"not the one that it says": {"3.0.3", pet, `{"kind":"cat"}`,
			[]string{"/components/schemas/Cat/required/1"}},
		"no name":                    {"3.0.3", pet, `{}`, []string{"discriminator", "oneOf"}},
		"both of them":               {"3.0.3", pet, `{"kind":"cat","lives":1}`, []string{"oneOf"}},
		"recursion":                  {"3.0.3", `S: {type: object, properties: {s: {$ref: '#/components/schemas/S'}}}`, `{"s":{"s":1}}`, []string{"/s/s type"}},
		"beside a reference in 3.0":  {"3.0.3", "S: {properties: {a: {$ref: '#/components/schemas/T', minLength: 5}}}\nT: {type: string}", `{"a":"b"}`, nil},
		"beside a reference in 3.1":  {"3.1.0", "S: {properties: {a: {$ref: '#/components/schemas/T', minLength: 5}}}\nT: {type: string}", `{"a":"b"}`, []string{"/a properties/a/minLength"}},
		"through a reference":        {"3.0.3", "S: {properties: {a: {$ref: '#/components/schemas/T/properties/b/properties/c'}}}\nT: {properties: {b: {$ref: '#/components/schemas/U'}}}\nU: {properties: {c: {type: string}}}", `{"a":1}`, []string{"/a /components/schemas/U/properties/c/type"}},
		"const":                      {"3.1.0", `S: {const: {a: 1}}`, `{"a":1.0}`, nil},
		"not const":                  {"3.1.0", `S: {const: null}`, `0`, []string{"const"}},
		"conditions":                 {"3.1.0", `S: {if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}`, `{"a":1}`, []string{"then/required/0"}},
		"names that need others":     {"3.1.0", `S: {dependentRequired: {a: [b, c]}}`, `{"a":1,"b":1}`, []string{"dependentRequired/a"}},
		"names of properties":        {"3.1.0", `S: {propertyNames: {maxLength: 1}}`, `{"ab":1}`, []string{"/ab propertyNames/maxLength"}},
		"a tuple":                    {"3.1.0", `S: {prefixItems: [{type: string}], items: false}`, `[1,2]`, []string{"/0 prefixItems/0/type", "/1 items"}},
		"nothing unevaluated":        {"3.1.0", `S: {allOf: [{properties: {a: true}}], unevaluatedProperties: false}`, `{"a":1,"b":2}`, []string{"/b unevaluatedProperties"}},
		"contains":                   {"3.1.0", `S: {contains: {type: string}}`, `[1]`, []string{"contains"}},
		"a pattern of ECMA 262":      {"3.0.3", `S: {type: string, pattern: '^(?=.*\d)[a-z\d]+$'}`, `"abc"`, []string{"pattern"}},
		"a newline after a pattern":  {"3.0.3", `S: {type: string, pattern: '^[a-z]+$'}`, `"abc\n"`, []string{"pattern"}},
		"a property named like one":  {"3.0.3", `S: {type: object, properties: {type: {type: string}, required: {type: string}, $ref: {type: integer}}}`, `{"type":1,"$ref":""}`, []string{"/$ref properties/$ref/type", "/type properties/type/type"}},
		"an escaped pointer":         {"3.0.3", "S: {properties: {a: {$ref: '#/components/schemas/T~1%7Bx%7D%25'}}}\nT/{x}%: {type: string}", `{"a":1}`, []string{"/a /components/schemas/T~1{x}%/type"}},
		"no JSON":                    {"3.0.3", `S: {}`, `{"a":1,"a":1}`, []string{""}},
		"a format that is not known": {"3.0.3", `S: {type: string, format: colour}`, `"x"`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, m := prepare(t, test.version, test.schemas)
			faults := s.Validate(m, openapi.Answer, []byte(test.value))
			want := append([]string{}, test.want...)
			sort.Strings(want)
			if diff := cmp.Diff(want, short(faults)); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, faults)
			}
			for _, f := range faults {
				if f.Clause != "" && s.doc.At(f.Clause) == nil {
					t.Errorf("the document has no %s", f.Clause)
				}
				if f.Keyword == "" || f.Message == "" {
					t.Errorf("nothing is said of %+v", f)
				}
			}
		})
	}
}

func TestFaultsAreClauses(t *testing.T) {
	t.Parallel()
	s, m := prepare(t, "3.0.3", `
S:
  type: object
  required: [a]
  additionalProperties: false
  minProperties: 3
  properties:
    a: {type: integer, minimum: 3, exclusiveMinimum: true, multipleOf: 2, format: int32}
    b: {type: string, enum: [x], pattern: '^x$', format: uuid, minLength: 9, nullable: true}
    c: {oneOf: [{type: string}, {type: boolean, not: {enum: [true]}}]}`)
	clauses := map[string]string{}
	for _, c := range s.doc.Clauses() {
		clauses[c.Pointer] = c.Keyword
	}
	for _, value := range []string{`{}`, `{"a":1,"b":"y","c":1,"d":1}`, `{"a":"1","b":1}`} {
		for _, f := range s.Validate(m, openapi.Request, []byte(value)) {
			if clauses[f.Clause] != f.Keyword {
				t.Errorf("%s: keyword %q, but of the clause %q", f.Clause, f.Keyword, clauses[f.Clause])
			}
		}
	}
}

func TestUnionsSayWhy(t *testing.T) {
	t.Parallel()
	s, m := prepare(t, "3.0.3", `S: {oneOf: [{type: string, maxLength: 1}, {type: integer}]}`)
	faults := s.ValidateValue(m, openapi.Request, "ab")
	const clause = root + "/oneOf/0/maxLength"
	if Broken(faults, clause, false) || !Broken(faults, clause, true) || !Broken(faults, root+"/oneOf", false) {
		t.Errorf("got %+v", faults)
	}
}

func TestDirections(t *testing.T) {
	t.Parallel()
	s, m := prepare(t, "3.0.3", `
S:
  type: object
  required: [id, secret]
  properties:
    id: {type: integer, readOnly: true}
    secret: {type: string, writeOnly: true}
    more: {allOf: [{type: object, properties: {at: {type: string, readOnly: true}}}, {required: [at, x]}]}`)
	tests := map[string]struct {
		dir   openapi.Direction
		value string
		want  []string
	}{
		"a request without what is read only":  {openapi.Request, `{"secret":"a"}`, []string{}},
		"a request without what is required":   {openapi.Request, `{}`, []string{"required/1"}},
		"a request with what is read only":     {openapi.Request, `{"id":1,"secret":"a"}`, []string{"/id properties/id/readOnly (advice)"}},
		"a request, within":                    {openapi.Request, `{"secret":"a","more":{"at":"a","x":1}}`, []string{"/more/at properties/more/allOf/0/properties/at/readOnly (advice)"}},
		"a request, required by another part":  {openapi.Request, `{"secret":"a","more":{}}`, []string{"/more properties/more/allOf/1/required/1"}},
		"an answer without what is write only": {openapi.Answer, `{"id":1}`, []string{}},
		"an answer with what is write only":    {openapi.Answer, `{"id":1,"secret":"a"}`, []string{"/secret properties/secret/writeOnly (advice)"}},
		"an answer without what is required":   {openapi.Answer, `{}`, []string{"required/0"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := s.Validate(m, test.dir, []byte(test.value))
			if diff := cmp.Diff(test.want, short(faults)); diff != "" {
				t.Error(diff)
			}
			advice := strings.Contains(fmt.Sprint(test.want), "advice")
			if got, want := Valid(faults), len(test.want) == 0 || advice; got != want {
				t.Errorf("valid: %t, want %t", got, want)
			}
		})
	}
}

func TestUndeclared(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		schemas, value string
		want           []string
	}{
		"declared":           {`S: {properties: {a: {}}}`, `{"a":{"b":1}}`, nil},
		"not declared":       {`S: {properties: {a: {properties: {b: {}}}}}`, `{"a":{"c":1},"d":2}`, []string{"/a/c", "/d"}},
		"by a part":          {`S: {allOf: [{properties: {a: {}}}, {properties: {b: {}}}]}`, `{"a":1,"b":1,"c":1}`, []string{"/c"}},
		"by the alternative": {`S: {oneOf: [{required: [a], properties: {a: {}}}, {required: [b], properties: {b: {}}}]}`, `{"b":1,"c":1}`, []string{"/c"}},
		"expressly allowed":  {`S: {properties: {a: {}}, additionalProperties: true}`, `{"b":1}`, nil},
		"a map":              {`S: {properties: {a: {}}, additionalProperties: {type: integer}}`, `{"b":1}`, nil},
		"forbidden already":  {`S: {properties: {a: {}}, additionalProperties: false}`, `{"b":1}`, nil},
		"any object":         {`S: {type: object}`, `{"b":1}`, nil},
		"in a list":          {`S: {type: array, items: {properties: {a: {}}}}`, `[{"a":1},{"b/c":1}]`, []string{"/1/b~1c"}},
		"no alternative":     {`S: {properties: {x: {}}, oneOf: [{required: [a]}, {required: [b]}]}`, `{"c":1}`, nil},
		"by a reference":     {"S: {properties: {a: {$ref: '#/components/schemas/S'}}}", `{"a":{"a":{"b":1}}}`, []string{"/a/a/b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, m := prepare(t, "3.0.3", test.schemas)
			value, err := Parse([]byte(test.value))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, s.Undeclared(m, openapi.Answer, value)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnjudgedPatternsAccuseNobody(t *testing.T) {
	t.Parallel()
	s, m := prepare(t, "3.0.3", `S: {type: string, pattern: '(', maxLength: 1}`)
	if got := short(s.ValidateValue(m, openapi.Answer, "ab")); len(got) != 1 || got[0] != "maxLength" {
		t.Errorf("got %v", got)
	}
	if got := s.Unjudged(); len(got) != 1 || got[0].Clause != root+"/pattern" {
		t.Errorf("not judged: %v", got)
	}
}

func TestSchemaOfAnotherDocument(t *testing.T) {
	t.Parallel()
	s, _ := prepare(t, "3.0.3", `S: {type: string}`)
	if got := s.ValidateValue(&openapi.Schema{Pointer: "/nowhere"}, openapi.Answer, "a"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := s.ValidateValue(nil, openapi.Answer, "a"); got != nil {
		t.Errorf("no schema allows any value, but: %v", got)
	}
}
