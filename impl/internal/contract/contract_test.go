package contract_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/contract"
)

const bodyLimit = 64 << 10

// bundle is a server that keeps testdata/widgets.yaml.
type bundle struct {
	url        string
	create     echo.HandlerFunc // of createWidget
	got        any              // the value that createWidget was bound to
	mu         sync.Mutex
	violations []contract.ResponseError // guarded by mu
}

var kinds = map[contract.Kind]int{
	contract.NotFound: 404, contract.MethodNotAllowed: 405, contract.BodyTooLarge: 413, contract.UnsupportedMediaType: 415,
	contract.NotAcceptable: 406, contract.Timeout: 408, contract.MalformedBody: 400, contract.Invalid: 400,
}

var errNoKey = errors.New("no key")

// problem is the error handler: it writes each fault as "pointer code".
func problem(err error, c echo.Context) {
	status, faults := http.StatusInternalServerError, []string(nil)
	var request *contract.RequestError
	switch {
	case errors.As(err, &request):
		status = kinds[request.Kind]
		for _, f := range request.Faults {
			faults = append(faults, strings.TrimSpace(f.In+" "+f.Name+f.Pointer+" "+f.Code))
		}
		if request.Allow != nil {
			c.Response().Header().Set("Allow", strings.Join(request.Allow, ", "))
		}
	case errors.Is(err, errNoKey):
		status = http.StatusUnauthorized
	}
	slices.Sort(faults)
	body, _ := json.Marshal(map[string]any{"code": fmt.Sprint(status), "errors": append([]string{}, faults...)})
	_ = c.Blob(status, "application/problem+json", body)
}

func setup(t *testing.T) *bundle {
	t.Helper()
	document, err := os.ReadFile("testdata/widgets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{create: func(c echo.Context) error {
		c.Response().Header().Set("X-Request-Id", "r")
		return c.JSONBlob(http.StatusCreated, []byte(`{"name":"bolt"}`))
	}}
	ct, err := contract.New(document, contract.Options{
		BodyLimit: bodyLimit,
		Authenticate: func(c echo.Context, _ openapi3.SecurityRequirements) error {
			if c.Request().Header.Get("Authorization") == "" {
				return errNoKey
			}
			return nil
		},
		Violation: func(_ echo.Context, err *contract.ResponseError) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.violations = append(b.violations, *err)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.HTTPErrorHandler = problem
	e.Use(ct.Middleware)
	e.POST("/v1/widgets", func(c echo.Context) error {
		if v, ok := c.Request().Body.(interface{ ValidatedValue() any }); ok {
			b.got = v.ValidatedValue()
		}
		return b.create(c)
	})
	e.GET("/v1/widgets/:id", func(c echo.Context) error {
		return c.JSONBlob(http.StatusOK, []byte(`{"name":"nut"}`))
	})
	e.GET("/page", func(c echo.Context) error { return c.HTML(http.StatusOK, "<p>page") })
	e.GET("/broken", func(echo.Context) error { panic("personal data") })
	server := httptest.NewUnstartedServer(ct.Handler(e))
	server.Config.ReadTimeout = time.Second
	server.Start()
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// answer is what came back.
type answer struct {
	Status int
	Faults []string
}

func do(t *testing.T, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func ask(t *testing.T, r *http.Request) answer {
	t.Helper()
	response, body := do(t, r)
	a := answer{Status: response.StatusCode}
	if response.StatusCode >= 400 {
		if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("Content-Type %q, body %s", got, body)
		}
		var p struct{ Errors []string }
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		a.Faults = p.Errors
	}
	return a
}

func (b *bundle) post(t *testing.T, body string, edit ...func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/v1/widgets", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer k")
	for _, e := range edit {
		e(r)
	}
	return r
}

func (b *bundle) get(t *testing.T, path string, edit ...func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edit {
		e(r)
	}
	return r
}

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func method(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }

func query(q string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery = q } }

func TestBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct {
		name, body string
		want       answer
	}{
		{"good", `{"name":"bolt"}`, answer{201, nil}},
		{"white space around", " \n{\"name\":\"bolt\"}\r\n\t", answer{201, nil}},
		{"all kept", `{"name":"bolt","size":3,"weight":"4 kg","made_on":"2024-02-29","made_at":"2024-02-29T10:00:00Z","key":"018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081","link":"https://example.com/","kind":"big","part":null,"tags":["a"],"more":1}`, answer{201, nil}},
		{"other branch", `{"name":"bolt","weight":4}`, answer{201, nil}},

		{"empty", ``, answer{400, []string{"malformed_json"}}},
		{"white space", " \n", answer{400, []string{"malformed_json"}}},
		{"cut short", `{"name":"bolt"`, answer{400, []string{"malformed_json"}}},
		{"cut short inside", `{"part":{"code":"x`, answer{400, []string{"/part/code malformed_json"}}},
		{"trailing garbage", `{"name":"bolt"}}`, answer{400, []string{"malformed_json"}}},
		{"two documents", `{"name":"bolt"} {"name":"bolt"}`, answer{400, []string{"malformed_json"}}},
		{"byte order mark", "\ufeff{\"name\":\"bolt\"}", answer{400, []string{"malformed_json"}}},
		{"not JSON", `name=bolt`, answer{400, []string{"malformed_json"}}},
		{"comment", `{"name":"bolt"/**/}`, answer{400, []string{"malformed_json"}}},
		{"NaN", `{"name":"bolt","size":NaN}`, answer{400, []string{"/size malformed_json"}}},
		{"leading zero", `{"name":"bolt","size":01}`, answer{400, []string{"malformed_json"}}},
		{"repeated name", `{"name":"bolt","name":"nut"}`, answer{400, []string{"/name duplicate_property"}}},
		{"repeated name, escaped", `{"name":"bolt","\u006eame":"nut"}`, answer{400, []string{"/name duplicate_property"}}},
		{"repeated name inside", `{"name":"bolt","part":{"code":"a","code":"a"}}`, answer{400, []string{"/part/code duplicate_property"}}},
		{"invalid UTF-8", "{\"name\":\"b\xff\"}", answer{400, []string{"invalid_utf8"}}},
		{"lone surrogate", `{"name":"\ud800"}`, answer{400, []string{"/name malformed_json"}}},
		{"NUL", `{"name":"a\u0000b"}`, answer{400, []string{"/name nul_character"}}},
		{"NUL in a name", `{"name":"a","x\u0000":1}`, answer{400, []string{"/x\uFFFD nul_character"}}},
		{"two faults of form", `{"name":"\u0000","name":"\u0000"}`, answer{400, []string{"/name duplicate_property", "/name nul_character", "/name nul_character"}}},
		{"number too large", `{"name":"bolt","size":1e999}`, answer{400, []string{"/size number_out_of_range"}}},
		{"number too long", `{"name":"bolt","size":` + strings.Repeat("9", 65) + `}`, answer{400, []string{"/size number_out_of_range"}}},
		{"number that is nearly zero", `{"name":"bolt","weight":1e-400}`, answer{400, []string{"/weight number_out_of_range"}}},
		{"number that is nearly whole", `{"name":"bolt","weight":1.00000000000000000001}`, answer{400, []string{"/weight number_out_of_range"}}},
		{"number with a huge exponent", `{"name":"bolt","weight":1e-999999999999}`, answer{400, []string{"/weight number_out_of_range"}}},
		{"zero in other ways", `{"name":"bolt","weight":-0.0e-999999999}`, answer{201, nil}},
		{"whole in other ways", `{"name":"bolt","size":1.50e1}`, answer{201, nil}},
		{"deep", strings.Repeat("[", 33) + strings.Repeat("]", 33), answer{400, []string{strings.Repeat("/0", 31) + " too_deep"}}},
		{"100,000 deep", strings.Repeat("[", 60_000), answer{400, []string{strings.Repeat("/0", 31) + " too_deep"}}},
		{"too many items", `[` + strings.Repeat("1,", 256) + `1]`, answer{400, []string{"/255 too_many_members"}}},

		{"null", `null`, answer{400, []string{"type"}}},
		{"array", `[]`, answer{400, []string{"type"}}},
		{"string", `"name"`, answer{400, []string{"type"}}},
		{"nothing required", `{}`, answer{400, []string{"/name required"}}},
		{"name in another case", `{"Name":"bolt"}`, answer{400, []string{"/name required"}}},
		{"null for a string", `{"name":null}`, answer{400, []string{"/name type"}}},
		{"number for a string", `{"name":1}`, answer{400, []string{"/name type"}}},
		{"empty string", `{"name":""}`, answer{400, []string{"/name min_length"}}},
		{"empty string of a format", `{"name":"bolt","serial":""}`, answer{400, []string{"/serial min_length"}}},
		{"short and not of the format", `{"name":"bolt","serial":"x"}`, answer{400, []string{"/serial format", "/serial min_length", "/serial pattern"}}},
		{"long and not of the pattern", `{"name":"ABCDEFGHIJK"}`, answer{400, []string{"/name max_length", "/name pattern"}}},
		{"length is in characters", `{"name":"bolt","weight":"αβγδ"}`, answer{201, nil}},
		{"fraction for an integer", `{"name":"bolt","size":1.5}`, answer{400, []string{"/size type"}}},
		{"below", `{"name":"bolt","size":0}`, answer{400, []string{"/size minimum"}}},
		{"above", `{"name":"bolt","size":101}`, answer{400, []string{"/size maximum"}}},
		{"string too long for a union", `{"name":"bolt","weight":"abcde"}`, answer{400, []string{"/weight max_length"}}},
		{"integer too small for a union", `{"name":"bolt","weight":-1}`, answer{400, []string{"/weight minimum"}}},
		{"neither branch of a union", `{"name":"bolt","weight":true}`, answer{400, []string{"/weight type"}}},
		{"31 February", `{"name":"bolt","made_on":"2024-02-31"}`, answer{400, []string{"/made_on format"}}},
		{"31 February, with time", `{"name":"bolt","made_at":"2024-02-31T00:00:00Z"}`, answer{400, []string{"/made_at format"}}},
		{"no UUID", `{"name":"bolt","key":"{018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081}"}`, answer{400, []string{"/key format"}}},
		{"no URI", `{"name":"bolt","link":"//example.com"}`, answer{400, []string{"/link format"}}},
		{"not in the enumeration", `{"name":"bolt","kind":"Big"}`, answer{400, []string{"/kind enum"}}},
		{"unknown inside", `{"name":"bolt","part":{"code":"a","b/c~d":1}}`, answer{400, []string{"/part/b~1c~0d unknown_property"}}},
		{"name to be escaped", `{"name":"bolt","part":{"code":"a","a/b~c":"x"}}`, answer{400, []string{"/part/a~1b~0c type"}}},
		{"too many tags", `{"name":"bolt","tags":["a","b","c","d"]}`, answer{400, []string{"/tags max_items"}}},
		{"everything at once", `{"size":0,"weight":true,"part":{"x":1,"y":2},"tags":[1]}`, answer{400, []string{"/name required", "/part/code required", "/part/x unknown_property", "/part/y unknown_property", "/size minimum", "/tags/0 type", "/weight type"}}},
		{"too large", `{"name":"` + strings.Repeat("a", bodyLimit) + `"}`, answer{413, []string{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, b.post(t, tt.body))
			if len(got.Faults) == 0 && len(tt.want.Faults) == 0 {
				got.Faults = tt.want.Faults
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if len(b.violations) > 0 {
		t.Errorf("violations %v", b.violations)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const good = `{"name":"bolt"}`
	tests := []struct {
		name    string
		request *http.Request
		want    answer
	}{
		{"no credential comes before everything else", b.post(t, `{`, header("Authorization"), header("Content-Type", "text/plain")), answer{401, []string{}}},
		{"charset", b.post(t, good, header("Content-Type", "Application/JSON; charset=UTF-8")), answer{201, nil}},
		{"other charset", b.post(t, good, header("Content-Type", "application/json; charset=iso-8859-1")), answer{415, []string{}}},
		{"no content type", b.post(t, good, header("Content-Type")), answer{415, []string{}}},
		{"two content types", b.post(t, good, header("Content-Type", "application/json", "application/json")), answer{415, []string{}}},
		{"form", b.post(t, good, header("Content-Type", "application/x-www-form-urlencoded")), answer{415, []string{}}},
		{"other JSON", b.post(t, good, header("Content-Type", "application/vnd.api+json")), answer{415, []string{}}},
		{"broken content type", b.post(t, good, header("Content-Type", "application/json;;=")), answer{415, []string{}}},
		{"coding", b.post(t, good, header("Content-Encoding", "gzip")), answer{415, []string{}}},
		{"no coding", b.post(t, good, header("Content-Encoding", "identity")), answer{201, nil}},
		{"accepts it", b.post(t, good, header("Accept", "text/html, application/json;q=0.5")), answer{201, nil}},
		{"accepts everything", b.post(t, good, header("Accept", "*/*")), answer{201, nil}},
		{"accepts it with parameters", b.post(t, good, header("Accept", "application/json; charset=utf-8")), answer{201, nil}},
		{"accepts as old Java does", b.post(t, good, header("Accept", "text/html, image/gif, *; q=.2, */*; q=.2")), answer{201, nil}},
		{"accept that cannot be read", b.post(t, good, header("Accept", ";;;,,,")), answer{201, nil}},
		{"accepts the kind", b.post(t, good, header("Accept", "text/html", "application/*")), answer{201, nil}},
		{"refuses it by name", b.post(t, good, header("Accept", "application/json;q=0, */*")), answer{406, []string{}}},
		{"quality that is none", b.post(t, good, header("Accept", "application/json;q=nan, */*")), answer{201, nil}},
		{"quality below", b.post(t, good, header("Accept", "application/json;q=-1")), answer{201, nil}},
		{"quality above", b.post(t, good, header("Accept", "text/html, application/json;q=2")), answer{406, []string{}}},
		{"accepts nothing of it", b.post(t, good, header("Accept", "text/html")), answer{406, []string{}}},
		{"refuses it", b.post(t, good, header("Accept", "application/json;q=0, text/html")), answer{406, []string{}}},
		{"parameter", b.post(t, good, header("X-Tag", "abc")), answer{201, nil}},
		{"parameter too long", b.post(t, good, header("X-Tag", "abcdef")), answer{400, []string{"header X-Tag max_length"}}},
		{"parameter twice", b.post(t, good, header("X-Tag", "a", "b")), answer{400, []string{"header X-Tag repeated_parameter"}}},
		{"parameter in Latin-1", b.post(t, good, header("X-Tag", "\xe9")), answer{400, []string{"header X-Tag invalid_utf8"}}},
		{"query", b.post(t, good, query("dry_run=true")), answer{201, nil}},
		{"query of another type", b.post(t, good, query("dry_run=1")), answer{400, []string{"query dry_run type"}}},
		{"query twice", b.post(t, good, query("dry_run=true&dry_run=true")), answer{400, []string{"query dry_run repeated_parameter"}}},
		{"unknown query", b.post(t, good, query("dryrun=true")), answer{400, []string{"query dryrun unknown_parameter"}}},
		{"broken query", b.post(t, good, query("dry_run=%zz")), answer{400, []string{"query  malformed_query"}}},
		{"faults of parameters and body together", b.post(t, `{}`, query("x=1"), header("X-Tag", "abcdef")), answer{400, []string{"/name required", "header X-Tag max_length", "query x unknown_parameter"}}},
		{"faults of parameters and of the body's form together", b.post(t, `{"name":"a","name":"b"}`, query("x=1")), answer{400, []string{"/name duplicate_property", "query x unknown_parameter"}}},
		{"path", b.get(t, "/v1/widgets/5"), answer{200, nil}},
		{"escaped path", b.get(t, "/v1/widgets/%35"), answer{200, nil}},
		{"leading zero", b.get(t, "/v1/widgets/05"), answer{400, []string{"path id type"}}},
		{"plus", b.get(t, "/v1/widgets/+5"), answer{400, []string{"path id type"}}},
		{"word", b.get(t, "/v1/widgets/five"), answer{400, []string{"path id type"}}},
		{"zero", b.get(t, "/v1/widgets/0"), answer{400, []string{"path id minimum"}}},
		{"more than int64", b.get(t, "/v1/widgets/9223372036854775808"), answer{400, []string{"path id type"}}},
		{"NUL in a path", b.get(t, "/v1/widgets/%00"), answer{400, []string{"path id nul_character"}}},
		{"slash in a path", b.get(t, "/v1/widgets/1%2F2"), answer{400, []string{"path id type"}}},
		{"empty path parameter", b.get(t, "/v1/widgets/"), answer{404, []string{}}},
		{"body where there is none", b.get(t, "/v1/widgets/5", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2 }), answer{400, []string{"unexpected_body"}}},
		{"chunked body where there is none", b.get(t, "/v1/widgets/5", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), -1 }), answer{400, []string{"unexpected_body"}}},
		{"large body where there is none", b.get(t, "/v1/widgets/5", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, 10<<20))), 10<<20
		}), answer{400, []string{"unexpected_body"}}},
		{"chunked body that is too large", b.post(t, `"`+strings.Repeat("a", bodyLimit), func(r *http.Request) { r.ContentLength = -1 }), answer{413, []string{}}},
		{"unknown path", b.get(t, "/v1/gadgets"), answer{404, []string{}}},
		{"trailing slash", b.get(t, "/v1/widgets/5/"), answer{404, []string{}}},
		{"method that echo has no route for", b.get(t, "/page", method(http.MethodDelete)), answer{405, []string{}}},
		{"panic elsewhere", b.get(t, "/broken"), answer{500, []string{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ask(t, tt.request)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if len(b.violations) > 0 {
		t.Errorf("violations %v", b.violations)
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct{ method, path, allow string }{
		{http.MethodPut, "/v1/widgets", "POST"},
		{http.MethodHead, "/v1/widgets", "POST"},
		{http.MethodOptions, "/v1/widgets/5", "GET, HEAD"},
		{http.MethodDelete, "/v1/widgets/5", "GET, HEAD"},
		{http.MethodPost, "/page", "GET, HEAD"},
		{http.MethodOptions, "/v1/widgets", "POST"},
		{http.MethodOptions, "/page", "GET, HEAD"},
	}
	for _, tt := range tests {
		response, _ := do(t, b.get(t, tt.path, method(tt.method)))
		if got := response.Header.Get("Allow"); response.StatusCode != http.StatusMethodNotAllowed || got != tt.allow {
			t.Errorf("%s %s: %d, Allow %q; want 405, %q", tt.method, tt.path, response.StatusCode, got, tt.allow)
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for path, want := range map[string]int{"/v1/widgets/5": 200, "/v1/widgets/x": 400, "/page": 200, "/nowhere": 404} {
		got, _ := do(t, b.get(t, path))
		head, body := do(t, b.get(t, path, method(http.MethodHead)))
		if got.StatusCode != want || head.StatusCode != want || len(body) > 0 || head.ContentLength != got.ContentLength || head.Header.Get("Content-Type") != got.Header.Get("Content-Type") {
			t.Errorf("%s: GET %d with %d bytes, HEAD %d with %d, %d of them sent; want %d", path, got.StatusCode, got.ContentLength, head.StatusCode, head.ContentLength, len(body), want)
		}
	}
}

// TestJudgedValue checks that the handler sees the value that was judged.
func TestJudgedValue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ask(t, b.post(t, `{"name":"bolt","size":3,"NAME":"nut"}`))
	want := map[string]any{"name": "bolt", "size": json.Number("3"), "NAME": "nut"}
	if diff := cmp.Diff(want, b.got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestViolations makes handlers answer what the contract does not know, and sees
// the declared 500 each time, with nothing of the refused answer.
func TestViolations(t *testing.T) {
	t.Parallel()
	write := func(status int, contentType, body string, headers ...string) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("X-Request-Id", "r")
			for i := 0; i < len(headers); i += 2 {
				h.Add(headers[i], headers[i+1])
			}
			return c.Blob(status, contentType, []byte(body))
		}
	}
	const (
		asJSON = "application/json"
		good   = `{"name":"bolt"}`
	)
	tests := []struct {
		name    string
		handler echo.HandlerFunc
		status  int
		pointer string
		reason  string
	}{
		{"body", write(201, asJSON, `{"name":7}`), 201, "/name", "the body breaks the rule type"},
		{"undeclared property", write(201, asJSON, `{"name":"bolt","secret":"s3cret"}`), 201, "/secret", "the body breaks the rule unknown_property"},
		{"undeclared property inside", write(201, asJSON, `{"name":"bolt","part":{"code":"a","secret":1}}`), 201, "/part/secret", "the body breaks the rule unknown_property"},
		{"missing property", write(201, asJSON, `{}`), 201, "/name", "the body breaks the rule required"},
		{"repeated property", write(201, asJSON, `{"name":"bolt","name":"s3cret"}`), 201, "/name", "the body is not one JSON document: duplicate_property"},
		{"trailing data", write(201, asJSON, good+good), 201, "", "the body is not one JSON document: malformed_json"},
		{"no JSON", write(201, asJSON, `s3cret`), 201, "", "the body is not one JSON document: malformed_json"},
		{"no body", write(201, asJSON, ``), 201, "", "the body is not one JSON document: malformed_json"},
		{"status", write(202, asJSON, good), 202, "", "the operation declares no such status"},
		{"redirect", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/s3cret") }, 302, "", "the operation declares no such status"},
		{"not modified", func(c echo.Context) error { return c.NoContent(http.StatusNotModified) }, 304, "", "the operation declares no such status"},
		{"nothing written", func(echo.Context) error { return nil }, 0, "", "the operation declares no such status"},
		{"undeclared header", write(201, asJSON, good, "X-Secret", "s3cret"), 201, "", "the response declares no header X-Secret"},
		{"cookie", write(201, asJSON, good, "Set-Cookie", "session=s3cret"), 201, "", "the response declares no header Set-Cookie"},
		{"header of another type", write(201, asJSON, good, "X-Count", "s3cret"), 201, "", "header X-Count: is not an integer"},
		{"header beyond its schema", write(201, asJSON, good, "X-Count", "10"), 201, "", "header X-Count: breaks the rule maximum"},
		{"repeated header", write(201, asJSON, good, "X-Count", "1", "X-Count", "2"), 201, "", "header X-Count: is repeated"},
		{"header left out", func(c echo.Context) error { return c.JSONBlob(201, []byte(good)) }, 201, "", "header X-Request-Id: is required"},
		{"content type", write(201, "text/html", good), 201, "", "the response does not declare its content type"},
		{"body where there is none", func(c echo.Context) error { return c.JSONBlob(204, []byte(good)) }, 204, "", "the response declares no body"},
		{"undeclared error", func(c echo.Context) error {
			return c.JSONBlob(http.StatusConflict, []byte(`{"message":"s3cret"}`))
		}, 409, "", "the operation declares no such status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.create = tt.handler
			response, body := do(t, b.post(t, good))
			if response.StatusCode != 500 || response.Header.Get("Content-Type") != "application/problem+json" || !json.Valid(body) {
				t.Errorf("status %d, %q, %s; want the declared 500", response.StatusCode, response.Header.Get("Content-Type"), body)
			}
			want := []contract.ResponseError{{Operation: "createWidget", Status: tt.status, Pointer: tt.pointer, Reason: tt.reason}}
			if diff := cmp.Diff(want, b.violations); diff != "" {
				t.Errorf("violations (-want +got)\n%s", diff)
			}
			if all := fmt.Sprint(response.Header, string(body), b.violations[0].Error()); strings.Contains(all, "s3cret") {
				t.Errorf("something of the refused answer is left: %s", all)
			}
		})
	}
}

// TestFailures checks what becomes of handlers that fail by themselves.
func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		handler echo.HandlerFunc
	}{
		{"error", func(echo.Context) error { return errors.New("broken") }},
		{"panic", func(echo.Context) error { panic("s3cret") }},
		{"runtime error", func(c echo.Context) error { return c.String(200, []string{}[len(c.ParamNames())]) }},
		{"error after half an answer", func(c echo.Context) error {
			c.Response().Header().Set("X-Secret", "s3cret")
			_, _ = c.Response().Write([]byte("s3cret"))
			return errors.New("broken")
		}},
		{"echo's own error", func(echo.Context) error { return echo.NewHTTPError(http.StatusTeapot, "s3cret") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.create = tt.handler
			response, body := do(t, b.post(t, `{"name":"bolt"}`))
			if response.StatusCode != 500 || response.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("status %d, %s", response.StatusCode, body)
			}
			if all := fmt.Sprint(response.Header, string(body)); strings.Contains(all, "s3cret") {
				t.Errorf("something of the failure is left: %s", all)
			}
			if len(b.violations) > 0 {
				t.Errorf("violations %v", b.violations)
			}
		})
	}
}

// TestBrokenErrorHandler checks that not even the error handler can send what
// the contract does not know.
func TestBrokenErrorHandler(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create = func(c echo.Context) error {
		c.Echo().HTTPErrorHandler = func(_ error, c echo.Context) { _ = c.String(http.StatusTeapot, "s3cret") }
		return errors.New("broken")
	}
	response, body := do(t, b.post(t, `{"name":"bolt"}`))
	if response.StatusCode != 500 || len(body) > 0 || len(b.violations) != 2 {
		t.Errorf("status %d, body %q, %d violations", response.StatusCode, body, len(b.violations))
	}
}

// TestMissingBody checks that a body which was announced and is not wanted is
// not waited for.
func TestMissingBody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for path, status := range map[string]int{"/v1/widgets/5": 400, "/page": 200, "/nowhere": 404} {
		began := time.Now()
		answered := raw(t, b, "GET "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
		if answered.StatusCode != status || time.Since(began) > time.Second/2 {
			t.Errorf("%s: %d after %v", path, answered.StatusCode, time.Since(began))
		}
	}
}

// raw sends bytes as they are, and reads the answer's head only when all are
// sent.
func raw(t *testing.T, b *bundle, request string) *http.Response {
	t.Helper()
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// TestUnreadBody refuses large requests of a client that writes everything
// before it reads anything: it must get its answer each time.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const size = 10 << 20
	body := strings.Repeat(" ", size)
	declared := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body)
	chunked := fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body)
	for name, tt := range map[string]struct {
		request string
		status  int
	}{
		"size":                 {"POST /v1/widgets HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nContent-Type: application/json\r\n" + declared, 413},
		"size as it comes":     {"POST /v1/widgets HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nContent-Type: application/json\r\n" + chunked, 413},
		"credential":           {"POST /v1/widgets HTTP/1.1\r\nHost: x\r\n" + declared, 401},
		"content type":         {"POST /v1/widgets HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\n" + chunked, 415},
		"body that is unasked": {"GET /v1/widgets/5 HTTP/1.1\r\nHost: x\r\n" + declared, 400},
		"method":               {"PUT /v1/widgets HTTP/1.1\r\nHost: x\r\n" + declared, 405},
		"route":                {"POST /nowhere HTTP/1.1\r\nHost: x\r\n" + chunked, 404},
		"HTTP/1.0":             {"POST /nowhere HTTP/1.0\r\n" + declared, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 20 {
				answered := raw(t, b, tt.request)
				if body, err := io.ReadAll(answered.Body); answered.StatusCode != tt.status || err != nil || !json.Valid(body) {
					t.Fatalf("%d %v %s; want %d", answered.StatusCode, err, body, tt.status)
				}
			}
		})
	}
}

// TestRefusedConnection checks that a connection whose body was read after all
// takes the next request, and that one which does not end is given up.
func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	reader := bufio.NewReader(connection)
	head := "POST /v1/widgets HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
	for _, size := range []int{bodyLimit + 1, 10 << 20, 1 << 30} {
		fits := size <= 10<<20
		fmt.Fprintf(connection, head, size)
		if fits {
			fmt.Fprint(connection, strings.Repeat(" ", size))
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 413 || response.Close == fits {
			t.Errorf("%d bytes: %d %v, closes: %v", size, response.StatusCode, err, response.Close)
		}
	}
	if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is open: %v", err)
	}
}

func TestSlowBody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "POST /v1/widgets HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	answered, err := io.ReadAll(connection)
	if err != nil && !bytes.HasPrefix(answered, []byte("HTTP/1.1 408")) {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(answered, []byte("HTTP/1.1 408 Request Timeout\r\n")) {
		t.Errorf("answered %s", answered)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("testdata/widgets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const widget = "\n    Widget:\n      type: object\n"
	with := func(schema string) string { return "\n    Part: " + schema + widget }
	tests := []struct{ name, old, new, want string }{
		{"other version", "openapi: 3.0.3", "openapi: 3.1.0", "OpenAPI 3.1.0, want 3.0"},
		{"no YAML", "openapi: 3.0.3", "\t", "cannot start any token"},
		{"broken reference", "'#/components/schemas/Widget'", "'#/components/schemas/Gadget'", "Gadget"},
		{"object parameter", "schema: {type: boolean}", "schema: {type: object}", "path /widgets: POST: parameter dry_run: only strings"},
		{"parameter of any type", "schema: {type: boolean}", "schema: {enum: [1, a]}", "path /widgets: POST: parameter dry_run: only strings"},
		{"list of lists", "schema: {type: boolean}", "schema: {type: array, items: {type: array, items: {type: string}}}", "path /widgets: POST: parameter dry_run: only strings"},
		{"parameter with content", "schema: {type: boolean}", "content: {application/json: {schema: {type: boolean}}}", "path /widgets: POST: parameter dry_run: has no schema"},
		{"style", "schema: {type: boolean}", "style: spaceDelimited, explode: false, schema: {type: array, items: {type: string}}", "path /widgets: POST: parameter dry_run: is in a style"},
		{"object header", "{type: integer, maximum: 9}", "{type: object}", "path /widgets: POST: response 201: header X-Count: only strings"},
		{"form", "requestBody:\n        required: true\n        content:\n          application/json", "requestBody:\n        required: true\n        content:\n          multipart/form-data", "path /widgets: POST: request body as multipart/form-data: only JSON"},
		{"XML", "content:\n            application/json:\n              schema: {$ref: '#/components/schemas/Widget'}\n        '400'", "content:\n            application/xml:\n              schema: {$ref: '#/components/schemas/Widget'}\n        '400'", "path /widgets/{id}: GET: response 200: body as application/xml: only JSON"},
		{"no media type", "application/problem+json:", "problem:", "body as problem: is no media type"},
		{"informational status", "'204': {description: nothing}", "'103': {description: nothing}", "response 103: is no status that can be answered"},
		{"body without a body", "'204': {description: nothing}", "'204': {description: nothing, content: {text/plain: {schema: {type: string}}}}", "response 204: has no body in HTTP"},
		{"unknown format", "format: uuid}", "format: shoe-size}", "there is no check for the format shoe-size"},
		{"unknown format of integers", "format: int64", "format: int128", "path /widgets/{id}: GET: parameter id: integers have no format int128"},
		{"bound that is not exact", "minimum: 1, maximum: 100", "minimum: 1, maximum: 9007199254740993", "line 71: the bound 9007199254740993 has more digits"},
		{"part of a segment", "/widgets/{id}:", "/widgets/{id}.json:", "path /widgets/{id}.json: only whole segments"},
		{"colon", "/widgets:", "/widgets:make:", "path /widgets:make: only whole segments"},
		{"server of an operation", "operationId: getWidget", "operationId: getWidget\n      servers: [{url: https://elsewhere.example.com}]", "path /widgets/{id}: GET: has servers of its own"},
		{"body of GET", "operationId: getWidget", "operationId: getWidget\n      requestBody: {content: {application/json: {}}}", "GET: has a body, which HTTP gives no meaning"},
		{"discriminator of nothing", widget, widget + "      discriminator: {propertyName: name}\n", "a discriminator without oneOf or anyOf"},
		{"discriminator of an alternative without a name", "        weight:\n", "        weight:\n          discriminator: {propertyName: name}\n", "an alternative without a name"},
		{"discriminator of something else", widget, with("{oneOf: [{$ref: '#/components/schemas/Problem'}], discriminator: {propertyName: code, mapping: {x: Widget}}}") + "      properties: {p: {$ref: '#/components/schemas/Part'}}\n    Other:\n", "maps x to no alternative"},
		{"two alternatives that come again", widget, with("{oneOf: [{type: object, properties: {next: {$ref: '#/components/schemas/Part'}}}, {type: object, properties: {next: {$ref: '#/components/schemas/Part'}}}]}") + "      properties: {p: {$ref: '#/components/schemas/Part'}}\n    Other:\n", "is in itself by more than one of its parts"},
		{"any of what comes again", widget, with("{anyOf: [{type: object, properties: {next: {$ref: '#/components/schemas/Part'}}}]}") + "      properties: {p: {$ref: '#/components/schemas/Part'}}\n    Other:\n", "is in itself by more than one of its parts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.ReplaceAll(string(document), tt.old, tt.new)
			if changed == string(document) {
				t.Fatalf("the document has no %q", tt.old)
			}
			options := contract.Options{Authenticate: func(echo.Context, openapi3.SecurityRequirements) error { return nil }}
			if _, err := contract.New([]byte(changed), options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := contract.New(document, contract.Options{}); err == nil || !strings.Contains(err.Error(), "path /widgets: POST: asks for a credential") {
		t.Errorf("without Authenticate: %v", err)
	}
}
