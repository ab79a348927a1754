package check

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

func refused(body string) *wire.Exchange {
	return &wire.Exchange{Request: &wire.Request{Method: "PUT", Target: "/v1/things/7"}, Response: &wire.Response{
		Status: 422, Header: []wire.Field{{Name: "Content-Type", Value: "application/problem+json"}}, Body: []byte(body),
	}}
}

func TestPointers(t *testing.T) {
	t.Parallel()
	r := newJudge(t)
	for name, test := range map[string]struct {
		body string
		want []string
	}{
		"pointer":          {`{"errors":[{"pointer":"/a/b"},{"pointer":"#/c"},{"pointer":"/a/b"}]}`, []string{"/a/b", "/c"}},
		"whole":            {`{"errors":[{"pointer":""}]}`, []string{""}},
		"invalid params":   {`{"invalid-params":[{"name":"a.b[0].c","reason":"r"}]}`, []string{"/a/b/0/c"}},
		"field":            {`{"errors":[{"field":"a['b']"}]}`, []string{"/a/b"}},
		"JSON path":        {`{"errors":[{"path":"$.a.b"}]}`, []string{"/a/b"}},
		"FastAPI":          {`{"detail":[{"loc":["body","a",0,"b"],"msg":"m"},{"loc":["query","limit"]}]}`, []string{"/a/0/b", "limit"}},
		"JSON:API":         {`{"errors":[{"source":{"pointer":"/data/attributes/a"}},{"source":{"parameter":"q"}}]}`, []string{"/a", "q"}},
		"by field":         {`{"errors":{"a.b":["is required"],"c":["is short"]}}`, []string{"/a/b", "/c"}},
		"violations":       {`{"violations":[{"propertyPath":"a","message":"m"}]}`, []string{"/a"}},
		"nested":           {`{"error":{"details":[{"field":"a"}]}}`, []string{"/a"}},
		"list of keys":     {`{"issues":[{"path":["a",1],"message":"m"}]}`, []string{"/a/1"}},
		"parameter":        {`{"errors":[{"in":"query","name":"q"}]}`, []string{"q"}},
		"says nothing":     {`{"title":"t","detail":"no"}`, nil},
		"detail is a text": {`{"detail":{"message":"no"}}`, nil},
		"no JSON":          {`no`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, r.pointers(refused(test.body))); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPointersDeclared(t *testing.T) {
	t.Parallel()
	r := newJudge(t)
	r.Document.Extensions = map[string]any{openapi.ExtErrorPointer: "/faults/*/at", openapi.ExtErrorParameter: "/faults/*/parameter"}
	got := r.pointers(refused(`{"faults":[{"at":"/a"},{"parameter":"q"}],"errors":[{"pointer":"/c"}]}`))
	slices.Sort(got)
	if diff := cmp.Diff([]string{"/a", "q"}, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestNamesFault(t *testing.T) {
	t.Parallel()
	r := newJudge(t)
	put := r.routesOf("/v1/things/7")[0].op("PUT")
	for name, test := range map[string]struct {
		body, at    string
		says, right bool
	}{
		"the place":                 {`{"errors":[{"pointer":"/address/city"}]}`, "/address/city", true, true},
		"its object":                {`{"errors":[{"pointer":"/address"}]}`, "/address/city", true, true},
		"the body":                  {`{"errors":[{"pointer":""}]}`, "/city", true, true},
		"the body, of what is deep": {`{"errors":[{"pointer":""}]}`, "/address/city", true, false},
		"a part of it":              {`{"errors":[{"pointer":"/address/city"}]}`, "/address", true, true},
		"another convention":        {`{"errors":{"FirstName":["no"]}}`, "/first_name", true, true},
		"among others":              {`{"errors":[{"pointer":"/a"},{"pointer":"/b"}]}`, "/b", true, true},
		"another place":             {`{"errors":[{"pointer":"/name"}]}`, "/city", true, false},
		"one that begins alike":     {`{"errors":[{"pointer":"/city_code"}]}`, "/city", true, false},
		"a parameter":               {`{"errors":[{"parameter":"q"}]}`, "/0", true, true},
		"nothing":                   {`{"title":"t"}`, "/city", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says, right := r.namesFault(put, refused(test.body), test.at)
			if says != test.says || right != test.right {
				t.Errorf("says %v, right %v; want %v, %v", says, right, test.says, test.right)
			}
		})
	}
}

func TestJudgeCoverage(t *testing.T) {
	t.Parallel()
	r := newJudge(t)
	a := answer{status: 200, header: right, body: `{"id":7,"name":"n","active":true,"note":null,"tags":[],"method":{"kind":"card","number":"1"}}`}
	ex := a.exchange(t)
	if findings := r.judge(a.operation(r, ex), ex); len(findings) > 0 {
		t.Fatalf("found in what is right: %+v", findings)
	}
	const schemas = "/components/schemas"
	for pointer, want := range map[string]bool{
		"/paths/~1things~1{id}/get/responses/200":                               true,
		"/paths/~1things~1{id}/get/responses/404":                               false,
		"/paths/~1things~1{id}/get/responses/200/content/application~1json":     true,
		"/components/headers/RequestId/required":                                true,
		"/components/headers/RequestId/schema/format":                           true,
		"/paths/~1things~1{id}/get/responses/200/headers/X-Left/schema/maximum": false,
		schemas + "/Thing/required/0":                                           true,
		schemas + "/Thing/additionalProperties":                                 true,
		schemas + "/Thing/properties/id/minimum":                                true,
		schemas + "/Thing/properties/note/nullable":                             true,
		schemas + "/Thing/properties/kind/enum":                                 false, // it is not there
		schemas + "/Thing/properties/tags/maxItems":                             true,
		schemas + "/Thing/properties/tags/uniqueItems":                          false, // of fewer than two nothing can be seen
		schemas + "/Thing/properties/tags/items/pattern":                        false,
		schemas + "/Thing/properties/secret/writeOnly":                          true,
		schemas + "/Thing/properties/method/oneOf":                              true,
		schemas + "/Card/properties/number/type":                                true,
		schemas + "/Transfer/properties/account/type":                           false,
	} {
		marks, _ := r.Coverage.Of(pointer)
		if got := marks&(Observed|Judged) != 0; got != want {
			t.Errorf("%s: judged %v, want %v", pointer, got, want)
		}
	}
	clauses := map[string]bool{}
	for _, c := range r.Coverage.Clauses {
		clauses[c.Pointer] = true
	}
	for pointer := range r.Coverage.marks {
		if !clauses[pointer] {
			t.Errorf("%s is marked and no clause", pointer)
		}
	}
}
