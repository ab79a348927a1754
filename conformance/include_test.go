package conformance_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/conformance"
)

// two is a document of two operations, whose schemas are apart but for one.
const two = `openapi: 3.0.3
info: {title: Two, version: "1"}
paths:
  /left:
    get:
      operationId: left
      tags: [hand]
      responses:
        "200": {description: well, content: {application/json: {schema: {$ref: "#/components/schemas/Both"}}}}
        "404": {description: no}
  /right:
    post:
      operationId: right
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: string, maxLength: 3}}}}}}
      responses:
        "200": {description: well, content: {application/json: {schema: {$ref: "#/components/schemas/Both"}}}}
        "400": {description: no}
components:
  schemas:
    Both: {type: object, properties: {b: {type: integer, minimum: 1}}}
`

func twoServer(t *testing.T) (url, document string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"b": 1}`)) // the test fails if nothing arrives
	}))
	t.Cleanup(server.Close)
	document = filepath.Join(t.TempDir(), "two.yaml")
	if err := os.WriteFile(document, []byte(two), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, document
}

// TestIncludeCounts: of what is left out, no clause is counted, and no operation
// listed.
func TestIncludeCounts(t *testing.T) {
	t.Parallel()
	url, document := twoServer(t)
	for name, test := range map[string]struct {
		include, exclude []string
		left, right      bool
	}{
		"all":           {nil, nil, true, true},
		"one by its id": {[]string{"left"}, nil, true, false},
		"by its method": {[]string{"POST"}, nil, false, true},
		"by its tag":    {[]string{"hand"}, nil, true, false},
		"all but one":   {nil, []string{"/left"}, false, true},
		"by a class":    {[]string{"G1"}, nil, true, true},
		"class and tag": {[]string{"G1", "hand"}, nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := conformance.Run(t.Context(), conformance.Config{URL: url, Spec: document, Include: test.include, Exclude: test.exclude})
			if err != nil {
				t.Fatal(err)
			}
			var left, right, both bool
			for _, c := range r.Clauses {
				left = left || strings.HasPrefix(c.Pointer, "/paths/~1left/")
				right = right || strings.HasPrefix(c.Pointer, "/paths/~1right/")
				both = both || strings.HasPrefix(c.Pointer, "/components/schemas/Both/")
				for _, id := range c.Operations {
					if id == "left" && !test.left || id == "right" && !test.right {
						t.Errorf("%s is counted for %s", c.Pointer, id)
					}
				}
			}
			if left != test.left || right != test.right || !both {
				t.Errorf("left %v, right %v, both %v", left, right, both)
			}
			var listed []string
			for _, o := range r.Operations {
				listed = append(listed, o.ID)
			}
			want := map[[2]bool]string{{true, true}: "left right", {true, false}: "left", {false, true}: "right"}[[2]bool{test.left, test.right}]
			if got := strings.Join(listed, " "); got != want {
				t.Errorf("operations %q, want %q", got, want)
			}
		})
	}
}

// TestBudgetCoversGeneration: a budget that is used up before a request is made ends
// the run, and says so.
func TestBudgetCoversGeneration(t *testing.T) {
	t.Parallel()
	url, document := twoServer(t)
	r, err := conformance.Run(t.Context(), conformance.Config{URL: url, Spec: document, TimeBudget: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	if r.Ended == "" || r.Requests != 0 || len(r.Checks) != 0 {
		t.Errorf("ended %q, %d requests, %d checks", r.Ended, r.Requests, len(r.Checks))
	}
}
