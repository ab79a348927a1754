package contract_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/contract"
)

// shop is a server that keeps testdata/bookshop.yaml.
type shop struct {
	handler http.Handler
	answer  echo.HandlerFunc
	value   any // that the handler was given
	body    string
	reason  string // of the last violation
}

// shopError answers with the codes of faults.
func shopError(err error, c echo.Context) {
	status, message := 500, "broken"
	var request *contract.RequestError
	if errors.As(err, &request) {
		status, message = kinds[request.Kind], ""
		for _, f := range request.Faults {
			message += strings.TrimSpace(f.In+" "+f.Name+f.Pointer+" "+f.Code) + "\n"
		}
		message = strings.TrimSpace(message)
	}
	_ = c.JSON(status, map[string]string{"message": message})
}

func newShop(t testing.TB) *shop {
	t.Helper()
	document, err := os.ReadFile("testdata/bookshop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{}
	ct, err := contract.New(document, contract.Options{
		BodyLimit: bodyLimit,
		Violation: func(_ echo.Context, err *contract.ResponseError) { s.reason = err.Reason },
	})
	if err != nil {
		t.Fatal(err)
	}
	if ct.BasePath() != "/v2" {
		t.Errorf("base path %s", ct.BasePath())
	}
	e := echo.New()
	e.HTTPErrorHandler = shopError
	e.Use(ct.Middleware)
	handle := func(c echo.Context) error {
		if v, ok := c.Request().Body.(interface{ ValidatedValue() any }); ok {
			s.value = v.ValidatedValue()
		}
		body, err := io.ReadAll(c.Request().Body)
		s.body = string(body)
		if err != nil {
			return err
		}
		return s.answer(c)
	}
	e.GET("/v2/books", handle)
	e.POST("/v2/books", handle)
	// A server may have names of its own for what is in a path.
	e.Match([]string{"GET", "HEAD", "OPTIONS", "TRACE"}, "/v2/books/:number/editions/:n", handle)
	e.POST("/v2/orders", handle)
	s.handler = ct.Handler(e)
	return s
}

func (s *shop) do(t testing.TB, method, target, body string, headers ...string) *http.Response {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, reader)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result()
}

func blob(status int, contentType, body string, headers ...string) echo.HandlerFunc {
	return func(c echo.Context) error {
		for i := 0; i < len(headers); i += 2 {
			c.Response().Header().Add(headers[i], headers[i+1])
		}
		if contentType == "" {
			return c.NoContent(status)
		}
		return c.Blob(status, contentType, []byte(body))
	}
}

func TestBookshopRequests(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const edition, asJSON = "/v2/books/9780141439518/editions/1", "application/json"
	none, fine := blob(204, "", ""), blob(200, "text/plain", "text")
	list := blob(200, asJSON, "[]", "X-Total", "0")
	tests := []struct {
		name, method, target, body string
		headers                    []string
		answer                     echo.HandlerFunc
		status                     int
		faults                     string
	}{
		{"list by repeating", "GET", "/v2/books?genre=crime&genre=poetry", "", nil, list, 200, ""},
		{"item not in the enumeration", "GET", "/v2/books?genre=crime&genre=prose", "", nil, list, 400, "query genre enum"},
		{"comma where a list is by repeating", "GET", "/v2/books?genre=crime,poetry", "", nil, list, 400, "query genre enum"},
		{"too many items", "GET", "/v2/books?genre=crime&genre=crime&genre=crime", "", nil, list, 400, "query genre max_items"},
		{"list by commas", "GET", "/v2/books?sort=a,b", "", nil, list, 200, ""},
		{"list by commas, repeated", "GET", "/v2/books?sort=a&sort=b", "", nil, list, 400, "query sort repeated_parameter"},
		{"list by commas, with an empty item", "GET", "/v2/books?sort=a,,b", "", nil, list, 400, "query sort pattern"},
		{"number", "GET", "/v2/books?max_price=1.50", "", nil, list, 200, ""},
		{"number with an exponent", "GET", "/v2/books?max_price=5e-1", "", nil, list, 200, ""},
		{"number below", "GET", "/v2/books?max_price=0.4999999999999999999", "", nil, list, 400, "query max_price minimum"},
		{"no number", "GET", "/v2/books?max_price=%22a%22", "", nil, list, 400, "query max_price type"},
		{"number in white space", "GET", "/v2/books?max_price=+1", "", nil, list, 400, "query max_price type"},
		{"infinite number", "GET", "/v2/books?max_price=Infinity", "", nil, list, 400, "query max_price type"},
		{"boolean", "GET", "/v2/books?in_stock=true", "", nil, list, 200, ""},
		{"no boolean", "GET", "/v2/books?in_stock=True", "", nil, list, 400, "query in_stock type"},
		{"empty value that is allowed", "GET", "/v2/books?text=", "", nil, list, 200, ""},
		{"value that is not empty", "GET", "/v2/books?text=a", "", nil, list, 400, "query text min_length"},
		{"list in a header", "GET", "/v2/books", "", []string{"X-Shelves", "1, 2", "X-Shelves", "3"}, list, 200, ""},
		{"list in a header, of something else", "GET", "/v2/books", "", []string{"X-Shelves", "1, 10"}, list, 400, "header X-Shelves maximum"},
		{"cookie", "GET", "/v2/books", "", []string{"Cookie", "basket=018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081; other=x"}, list, 200, ""},
		{"cookie of something else", "GET", "/v2/books", "", []string{"Cookie", "basket=x"}, list, 400, "cookie basket format"},
		{"cookie twice", "GET", "/v2/books", "", []string{"Cookie", "basket=x; basket=y"}, list, 400, "cookie basket repeated_parameter"},
		{"accept", "GET", "/v2/books", "", []string{"Accept", "text/html"}, list, 406, ""},

		{"optional body", "POST", "/v2/books", "", nil, none, 204, ""},
		{"JSON", "POST", "/v2/books", `{"title":"Emma"}`, []string{"Content-Type", asJSON}, none, 204, ""},
		{"other JSON", "POST", "/v2/books", `{"title":"Emma","secret":"x","price":1.1}`, []string{"Content-Type", "application/vnd.shop.book+json"}, none, 204, ""},
		{"JSON that is none", "POST", "/v2/books", `{"title":""}`, []string{"Content-Type", "application/vnd.shop.book+json; charset=utf-8"}, none, 400, "/title min_length"},
		{"JSON without a type", "POST", "/v2/books", `{"title":"Emma"}`, nil, none, 415, ""},
		{"empty JSON", "POST", "/v2/books", ``, []string{"Content-Type", asJSON}, none, 400, "malformed_json"},
		{"readOnly", "POST", "/v2/books", `{"title":"Emma","id":1}`, []string{"Content-Type", asJSON}, none, 400, "/id read_only"},
		{"readOnly, null", "POST", "/v2/books", `{"title":"Emma","id":null}`, []string{"Content-Type", asJSON}, none, 400, "/id read_only"},
		{"bounds", "POST", "/v2/books", `{"title":"Emma","price":0}`, []string{"Content-Type", asJSON}, none, 400, "/price minimum"},
		{"multiple", "POST", "/v2/books", `{"title":"Emma","price":0.015}`, []string{"Content-Type", asJSON}, none, 400, "/price multiple_of"},
		{"more than float32", "POST", "/v2/books", `{"title":"Emma","price":1e39}`, []string{"Content-Type", asJSON}, none, 400, "/price maximum"},
		{"text", "POST", "/v2/books", "Emma", []string{"Content-Type", "text/plain"}, none, 204, ""},
		{"text in UTF-8", "POST", "/v2/books", "Emma", []string{"Content-Type", "text/plain; charset=UTF-8"}, none, 204, ""},
		{"text in something else", "POST", "/v2/books", "Emma", []string{"Content-Type", "text/plain; charset=latin1"}, none, 415, ""},
		{"long text", "POST", "/v2/books", "Mansfield Park", []string{"Content-Type", "text/plain"}, none, 400, "max_length"},
		{"text that is none", "POST", "/v2/books", "\xff", []string{"Content-Type", "text/plain"}, none, 400, "invalid_utf8"},
		{"text with NUL", "POST", "/v2/books", "a\x00", []string{"Content-Type", "text/plain"}, none, 400, "nul_character"},
		{"bytes", "POST", "/v2/books", "\x00\xff", []string{"Content-Type", "application/octet-stream"}, none, 204, ""},
		{"range", "POST", "/v2/books", "\x89PNG", []string{"Content-Type", "image/png"}, none, 204, ""},
		{"beside the range", "POST", "/v2/books", "\x89PNG", []string{"Content-Type", "audio/ogg"}, none, 415, ""},
		{"parameter of a type", "POST", "/v2/books", "<a/>", []string{"Content-Type", "application/xml; version=1"}, none, 204, ""},
		{"other parameter of a type", "POST", "/v2/books", "<a/>", []string{"Content-Type", "application/xml; version=2"}, none, 415, ""},

		{"path", "GET", edition, "", nil, fine, 200, ""},
		{"operation's own parameter", "GET", "/v2/books/9780141439518/editions/10", "", nil, fine, 400, "path edition maximum"},
		{"path's parameter", "GET", "/v2/books/978/editions/1", "", nil, fine, 400, "path isbn pattern"},
		{"both", "GET", "/v2/books/978/editions/0", "", nil, fine, 400, "path edition minimum\npath isbn pattern"},
		{"declared HEAD", "HEAD", edition, "", nil, blob(200, "text/plain", "", "X-Length", "4"), 200, ""},
		{"HEAD of what has none", "HEAD", "/v2/books", "", nil, list, 200, ""},
		{"declared OPTIONS", "OPTIONS", edition, "", nil, blob(204, "", "", "Allow", "GET"), 204, ""},
		{"declared TRACE", "TRACE", edition, "", nil, blob(200, "message/http", "TRACE"), 200, ""},
		{"undeclared OPTIONS", "OPTIONS", "/v2/books", "", nil, nil, 405, "-"},
		{"undeclared path", "GET", "/v2/shelves", "", nil, nil, 404, "-"},

		{"order", "POST", "/v2/orders", `{"books":["a"],"password":"p","to":{"street":"s"},"extra":{"a":1},"free":{"b":{}},"gift":{"wrap":true,"from":"me"}}`, []string{"Content-Type", asJSON}, blob(200, asJSON, `{"id":1,"books":["a"]}`), 200, ""},
		{"readOnly in another part", "POST", "/v2/orders", `{"books":["a"],"password":"p","id":1}`, []string{"Content-Type", asJSON}, nil, 400, "/id read_only"},
		{"writeOnly is required", "POST", "/v2/orders", `{"books":[]}`, []string{"Content-Type", asJSON}, nil, 400, "/books min_items\n/password required"},
		{"same item twice", "POST", "/v2/orders", `{"books":["a","a"],"password":"p"}`, []string{"Content-Type", asJSON}, nil, 400, "/books unique_items"},
		{"no kind of anyOf", "POST", "/v2/orders", `{"books":["a"],"password":"p","to":{}}`, []string{"Content-Type", asJSON}, nil, 400, "/to type"},
		{"two kinds of oneOf", "POST", "/v2/orders", `{"books":["a"],"password":"p","gift":{"from":"a","anonymous":true}}`, []string{"Content-Type", asJSON}, nil, 400, "/gift ambiguous"},
		{"additional property", "POST", "/v2/orders", `{"books":["a"],"password":"p","extra":{"a":"x"}}`, []string{"Content-Type", asJSON}, nil, 400, "/extra/a type"},
		{"excluded", "POST", "/v2/orders", `{"books":["a"],"password":"p","never":{"bad":1}}`, []string{"Content-Type", asJSON}, nil, 400, "/never invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.answer, s.reason = tt.answer, ""
			got := s.do(t, tt.method, tt.target, tt.body, tt.headers...)
			body, _ := io.ReadAll(got.Body)
			if got.StatusCode != tt.status || s.reason != "" {
				t.Errorf("%d %s %s; want %d", got.StatusCode, body, s.reason, tt.status)
			}
			if tt.faults == "-" && len(body) > 0 {
				t.Errorf("outside any operation: %s", body)
			}
			if tt.status >= 400 && tt.faults != "-" {
				faults := strings.Split(tt.faults, "\n")
				slices.Sort(faults)
				var found []string
				if _, text, ok := strings.Cut(strings.TrimSuffix(string(body), "\"}\n"), `{"message":"`); ok {
					found = strings.Split(text, `\n`)
				}
				slices.Sort(found)
				if diff := cmp.Diff(faults, found); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
			if tt.status == 204 && len(tt.headers) > 0 {
				if s.value == nil && s.body != tt.body {
					t.Errorf("the handler reads %q", s.body)
				}
				s.value = nil
			}
		})
	}
}

func TestBookshopResponses(t *testing.T) {
	t.Parallel()
	const (
		edition, asJSON = "/v2/books/9780141439518/editions/1", "application/json"
		order           = `{"books":["a"],"password":"p"}`
	)
	tests := []struct {
		name, method, target string
		answer               echo.HandlerFunc
		reason               string
	}{
		{"text", "GET", edition, blob(200, "text/plain; charset=utf-8", "ok"), ""},
		{"long text", "GET", edition, blob(200, "text/plain", strings.Repeat("a", 21)), "the body breaks the rule max_length"},
		{"text that is none", "GET", edition, blob(200, "text/plain", "\xff"), "the body is not one text: invalid_utf8"},
		{"range", "GET", edition, blob(200, "application/pdf", "\x00"), ""},
		{"beside the range", "GET", edition, blob(200, "text/html", "a"), "the response does not declare its content type"},
		{"redirect", "GET", edition, blob(307, "", "", "Location", "https://example.com/"), ""},
		{"redirect to nowhere", "GET", edition, blob(307, "", ""), "header Location: is required"},
		{"redirect of another kind", "GET", edition, blob(301, "", "", "Location", "https://example.com/"), "the response declares no header Location"},
		{"not modified", "GET", edition, blob(304, "", ""), ""},
		{"not modified, with a body", "GET", edition, blob(304, "text/plain", "a"), "the response declares no body"},
		{"all other statuses", "GET", edition, blob(418, asJSON, `{"message":"tea"}`), ""},
		{"all other statuses, with another body", "GET", edition, blob(418, asJSON, `{"secret":"tea"}`), "the body breaks the rule"},
		{"informational", "GET", edition, blob(103, asJSON, `{"message":"tea"}`), "the operation declares no such status"},
		{"no status", "GET", edition, blob(999, asJSON, `{"message":"tea"}`), "the operation declares no such status"},
		{"nothing written, where all statuses are declared", "GET", edition, func(echo.Context) error { return nil }, "the operation declares no such status"},
		{"HEAD with a body, which is not sent", "HEAD", edition, blob(200, "text/plain", "a", "X-Length", "1"), ""},
		{"HEAD with a body of another type", "HEAD", edition, blob(200, asJSON, "{}", "X-Length", "1"), "the response does not declare its content type"},
		{"HEAD without its header", "HEAD", edition, blob(200, "text/plain", ""), "header X-Length: is required"},
		{"date", "GET", edition, blob(200, "text/plain", "a", "Date", "Tue, 15 Nov 1994 08:12:31 GMT"), ""},
		{"no date", "GET", edition, blob(200, "text/plain", "a", "Date", "secret"), "header Date: is no date"},
		{"length of something else", "GET", edition, blob(200, "text/plain", "a", "Content-Length", "7"), ""},
		{"cookies", "GET", "/v2/books", blob(200, asJSON, "[]", "X-Total", "0", "Set-Cookie", "basket=a", "Set-Cookie", "basket=b"), ""},
		{"other cookie", "GET", "/v2/books", blob(200, asJSON, "[]", "X-Total", "0", "Set-Cookie", "basket=a", "Set-Cookie", "secret=b"), "header Set-Cookie: breaks the rule pattern"},
		{"list in a header", "GET", "/v2/books", blob(200, asJSON, "[]", "X-Total", "0", "X-Pages", "1, 2", "X-Pages", "3"), ""},
		{"list of something else", "GET", "/v2/books", blob(200, asJSON, "[]", "X-Total", "0", "X-Pages", "1, a"), "header X-Pages: is not an array"},
		{"line feed in a header", "GET", "/v2/books", blob(200, asJSON, "[]", "X-Total", "0", "Set-Cookie", "basket=a\r\nX-Secret: b"), "header Set-Cookie: has characters"},
		{"item", "GET", "/v2/books", blob(200, asJSON, `[{"id":1,"title":"Emma","price":1.25}]`, "X-Total", "1"), ""},
		{"readOnly is required", "GET", "/v2/books", blob(200, asJSON, `[{"title":"Emma"}]`, "X-Total", "1"), "the body breaks the rule required"},
		{"writeOnly", "GET", "/v2/books", blob(200, asJSON, `[{"id":1,"title":"Emma","secret":"x"}]`, "X-Total", "1"), "the body breaks the rule write_only"},
		{"null", "GET", "/v2/books", blob(200, asJSON, `null`, "X-Total", "1"), "the body breaks the rule type"},

		{"composed", "POST", "/v2/orders", blob(299, asJSON, `{"id":1,"note":null,"books":["a"],"to":{"shop":1},"extra":{"x":1},"free":{"x":{"y":1}}}`), ""},
		{"writeOnly in a part", "POST", "/v2/orders", blob(200, asJSON, `{"id":1,"books":["a"],"password":"p"}`), "the body breaks the rule"},
		{"undeclared in any part", "POST", "/v2/orders", blob(200, asJSON, `{"id":1,"books":["a"],"secret":1}`), "the body breaks the rule unknown_property"},
		{"beside an alternative", "POST", "/v2/orders", blob(200, asJSON, `{"id":1,"books":["a"],"gift":{"wrap":true,"from":"me"}}`), ""},
		{"undeclared beside an alternative", "POST", "/v2/orders", blob(200, asJSON, `{"id":1,"books":["a"],"gift":{"wrap":true,"from":"me","secret":1}}`), "the body breaks the rule unknown_property"},
		{"undeclared in an alternative", "POST", "/v2/orders", blob(200, asJSON, `{"id":1,"books":["a"],"to":{"street":"s","secret":1}}`), "the body breaks the rule"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.answer = tt.answer
			body, headers := "", []string(nil)
			if tt.method == "POST" {
				body, headers = order, []string{"Content-Type", asJSON}
			}
			got := s.do(t, tt.method, tt.target, body, headers...)
			answered, _ := io.ReadAll(got.Body)
			if good := tt.reason == ""; !strings.HasPrefix(s.reason, tt.reason) || good != (s.reason == "") || good == (got.StatusCode == 500) {
				t.Errorf("%d %s, %q; want %q", got.StatusCode, answered, s.reason, tt.reason)
			}
			if all := fmt.Sprint(got.Header, string(answered), s.reason); strings.Contains(all, "ecret") {
				t.Errorf("something of the refused answer is left: %s", all)
			}
		})
	}
}

// TestSharedBuffers checks that what is used again by other requests takes nothing
// along.
func TestSharedBuffers(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("testdata/bookshop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ct, err := contract.New(document, contract.Options{BodyLimit: bodyLimit})
	if err != nil {
		t.Fatal(err)
	}
	var late sync.Map
	e := echo.New()
	e.HTTPErrorHandler = shopError
	e.Use(ct.Middleware)
	e.POST("/v2/books", func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		late.Store(c.Response(), c.Request().Body)
		c.Response().Header().Set("Location", "urn:book:"+string(body))
		return c.JSON(201, map[string]any{"id": 1, "title": string(body)})
	})
	handler := ct.Handler(e)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 100 {
				text := fmt.Sprintf("%d-%d", worker, i)
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v2/books", strings.NewReader(text))
				r.Header.Set("Content-Type", "text/plain")
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if want := fmt.Sprintf("{\"id\":1,\"title\":%q}\n", text); w.Body.String() != want || w.Header().Get("Location") != "urn:book:"+text || len(w.Header()) != 3 {
					t.Errorf("%v %s, want %s", w.Header(), w.Body, want)
				}
			}
		})
	}
	group.Wait()
	late.Range(func(response, body any) bool {
		if _, err := response.(*echo.Response).Write([]byte("late")); err == nil {
			t.Error("something was written after the answer")
		}
		if n, _ := body.(io.Reader).Read(make([]byte, 1)); n != 0 {
			t.Error("something was read after the answer")
		}
		return !t.Failed()
	})
}
