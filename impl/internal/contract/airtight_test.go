package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/contract"
)

// textbook is a middleware as the library's documentation has it: its router, its
// filter with the options as they are by default, and a recorded response. It
// answers 599 for what it refuses.
func textbook(t testing.TB, document []byte, handler http.Handler) http.Handler {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(err error) { http.Error(w, err.Error(), 599) }
		route, params, err := router.FindRoute(r)
		if err != nil {
			refuse(err)
			return
		}
		in := &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}
		if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
			refuse(err)
			return
		}
		recorded := httptest.NewRecorder()
		handler.ServeHTTP(recorded, r)
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: recorded.Code, Header: recorded.Header(), Body: io.NopCloser(bytes.NewReader(recorded.Body.Bytes()))}
		if err := openapi3filter.ValidateResponse(r.Context(), out); err != nil {
			refuse(err)
			return
		}
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

// airtight puts the same handler behind the textbook and behind this package.
func airtight(t *testing.T, handler http.Handler) (loose, tight *bundle, violated func() string) {
	t.Helper()
	document, err := os.ReadFile("testdata/traps.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reason := ""
	ct, err := contract.New(document, contract.Options{
		BodyLimit:    bodyLimit,
		Authenticate: func(echo.Context, openapi3.SecurityRequirements) error { return nil },
		Violation:    func(_ echo.Context, err *contract.ResponseError) { reason = err.Reason },
	})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.HTTPErrorHandler = problem
	e.Use(ct.Middleware)
	e.POST("/things", echo.WrapHandler(handler))
	e.GET("/things/:id", echo.WrapHandler(handler))
	one, other := httptest.NewServer(textbook(t, document, handler)), httptest.NewServer(ct.Handler(e))
	t.Cleanup(one.Close)
	t.Cleanup(other.Close)
	return &bundle{url: one.URL}, &bundle{url: other.URL}, func() string { return reason }
}

// posted is a request with a body, byte by byte.
func posted(body string, headers ...string) string {
	head := "POST /things HTTP/1.1\r\nHost: x\r\n"
	if len(headers) == 0 || !strings.HasPrefix(headers[0], "Content-Type") {
		head += "Content-Type: application/json\r\n"
	}
	for _, h := range headers {
		head += h + "\r\n"
	}
	return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func asked(target string, more ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(more, ""), "\r\n") + "\r\n"
}

// TestLetThrough sends what the library lets through by default, byte by byte,
// to both. Each row must be let through by the one, so that it is worth a test,
// and refused by the other.
func TestLetThrough(t *testing.T) {
	t.Parallel()
	loose, tight, _ := airtight(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`)
	}))
	tests := []struct {
		name, request string
		status        int
		fault         string
	}{
		{"format email", posted(`{"email":"nobody"}`), 400, "/email format"},
		{"format email, with a name", posted(`{"email":"A <a@example.com>"}`), 400, "/email format"},
		{"format email, not in ASCII", posted(`{"email":"é@example.com"}`), 400, "/email format"},
		{"format idn-email", posted(`{"idn_email":"é@"}`), 400, "/idn_email format"},
		{"format uuid", posted(`{"uuid":"018f6b1c9d3e7c45a1b23c4d5e6f7081"}`), 400, "/uuid format"},
		{"format ipv4", posted(`{"ipv4":"256.0.0.1"}`), 400, "/ipv4 format"},
		{"format ipv4, in octal", posted(`{"ipv4":"010.0.0.1"}`), 400, "/ipv4 format"},
		{"format ipv6", posted(`{"ipv6":"192.0.2.1"}`), 400, "/ipv6 format"},
		{"format ipv6, with a zone", posted(`{"ipv6":"fe80::1%eth0"}`), 400, "/ipv6 format"},
		{"format ip", posted(`{"ip":"here"}`), 400, "/ip format"},
		{"format uri", posted(`{"uri":"/here"}`), 400, "/uri format"},
		{"format uri, with a space", posted(`{"uri":"https://example.com/a b"}`), 400, "/uri format"},
		{"format uri, not in ASCII", posted(`{"uri":"https://example.com/é"}`), 400, "/uri format"},
		{"format hostname", posted(`{"hostname":"-a.example"}`), 400, "/hostname format"},
		{"format byte, padding", posted(`{"byte":"YQ="}`), 400, "/byte format"},
		{"format byte, alphabet of URLs", posted(`{"byte":"_-_-"}`), 400, "/byte format"},
		{"date 2024-02-31", posted(`{"date":"2024-02-31"}`), 400, "/date format"},
		{"date-time 2024-02-31", posted(`{"date_time":"2024-02-31T00:00:00Z"}`), 400, "/date_time format"},
		{"date-time, leap second that Go has not", posted(`{"date_time":"2016-12-31T23:59:60Z"}`), 400, "/date_time format"},
		{"date-time, offset of a day and more", posted(`{"date_time":"2016-12-31T23:59:00+99:99"}`), 400, "/date_time format"},

		{"duplicate keys", posted(`{"name":"a","name":"b"}`), 400, "/name duplicate_property"},
		{"trailing garbage", posted(`{}x`), 400, "malformed_json"},
		{"two JSON documents", posted(`{}{}`), 400, "malformed_json"},
		{"invalid UTF-8", posted("{\"name\":\"\xff\"}"), 400, "invalid_utf8"},
		{"lone surrogate", posted(`{"name":"\ud800"}`), 400, "/name malformed_json"},
		{"NUL", posted(`{"name":"\u0000"}`), 400, "/name nul_character"},

		{"integer past int64", posted(`{"int64":9223372036854775808}`), 400, "/int64 format"},
		{"integer below int64", posted(`{"int64":-9223372036854775809}`), 400, "/int64 format"},
		{"integer of no format past int64", posted(`{"integer":9223372036854775808}`), 400, "/integer format"},
		{"integer of no format, huge", posted(`{"integer":1e300}`), 400, "/integer format"},
		{"integer past 2^53 vs maximum", posted(`{"bounded":9007199254740993}`), 400, "/bounded maximum"},
		{"integer past 2^53 vs minimum", posted(`{"bounded":-9007199254740993}`), 400, "/bounded minimum"},
		{"integer past 2^53 vs multipleOf", posted(`{"even":9007199254740993}`), 400, "/even multiple_of"},
		{"integer past 2^53 vs enum", posted(`{"first":9007199254740993}`), 400, "/first enum"},
		{"fraction of many digits vs maximum", posted(`{"tenth":0.1000000000000000000001}`), 400, "/tenth maximum"},
		{"float past float32", posted(`{"float":1e39}`), 400, "/float maximum"},

		{"unknown query parameter", strings.Replace(posted(`{}`), "/things", "/things?pgae=1", 1), 400, "query pgae unknown_parameter"},
		{"repeated query parameter", strings.Replace(posted(`{}`), "/things", "/things?page=1&page=2", 1), 400, "query page repeated_parameter"},
		{"query parameter with a leading zero", strings.Replace(posted(`{}`), "/things", "/things?page=01", 1), 400, "query page type"},
		{"same header twice", posted(`{}`, "X-Tag: a", "X-Tag: b"), 400, "header X-Tag repeated_parameter"},
		{"Authorization twice", posted(`{}`, "Authorization: Bearer a", "Authorization: Bearer b"), 400, "header Authorization repeated_parameter"},
		{"Content-Type twice", posted(`{}`, "Content-Type: application/json", "Content-Type: text/html"), 415, ""},
		{"Content-Type charset=iso-8859-1", posted(`{}`, "Content-Type: application/json; charset=iso-8859-1"), 415, ""},
		{"Content-Type with garbage parameters", posted(`{}`, "Content-Type: application/json; a=b"), 415, ""},
		{"Content-Encoding gzip on a plain body", posted(`{}`, "Content-Encoding: gzip"), 415, ""},
		{"Content-Encoding twice", posted(`{}`, "Content-Encoding: identity", "Content-Encoding: br"), 415, ""},
		{"body on a GET that declares none", asked("/things/5", "Content-Length: 2") + "{}", 400, "unexpected_body"},
		{"chunked body on a GET that declares none", asked("/things/5", "Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\n\r\n", 400, "unexpected_body"},
		{"path id 05", asked("/things/05"), 400, "path id type"},
		{"path id +5", asked("/things/+5"), 400, "path id type"},
		{"body without limit", posted(`{"email":"` + strings.Repeat("a", bodyLimit) + `@example.com"}`), 413, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if let := raw(t, loose, tt.request); let.StatusCode != 200 {
				body, _ := io.ReadAll(let.Body)
				t.Errorf("the library does not let it through: %d %s", let.StatusCode, body)
			}
			got := raw(t, tight, tt.request)
			var p struct{ Errors []string }
			if err := json.NewDecoder(got.Body).Decode(&p); err != nil || got.StatusCode != tt.status || strings.Join(p.Errors, ", ") != tt.fault {
				t.Errorf("%d %q, %v; want %d %q", got.StatusCode, p.Errors, err, tt.status, tt.fault)
			}
		})
	}
}

// TestTaken sends what is good although it looks odd.
func TestTaken(t *testing.T) {
	t.Parallel()
	var prefer []string
	_, tight, _ := airtight(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prefer = r.Header["Prefer"]
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, "{}\n")
	}))
	for name, request := range map[string]string{
		"character beyond the first plane is one": posted(`{"name":"😀😀😀"}`),
		"limits of int64":                         posted(`{"int64":-9223372036854775808,"integer":9223372036854775807}`),
		"limits of int32":                         posted(`{"int32":-2147483648}`),
		"1.0 for an integer":                      posted(`{"int64":1.0,"int32":1e2}`),
		"2^53 and its neighbour":                  posted(`{"bounded":9007199254740992,"int64":9007199254740993,"even":9007199254740994,"first":9007199254740992}`),
		"path id %35":                             asked("/things/%35"),
		"charset":                                 posted(`{}`, `Content-Type: application/JSON; Charset="UTF-8"`),
		"Prefer twice, which is a list":           posted(`{}`, "Prefer: a", "Prefer: b"),
		"Content-Length twice, and the same":      posted(`{}`, "Content-Length: 2"),
		"formats":                                 posted(`{"email":"a@example.com","idn_email":"é@exämple.com","ipv4":"192.0.2.1","ipv6":"::1","ip":"::1","hostname":"a-b.example","byte":"YQ==","date":"2024-02-29","date_time":"2024-02-29T23:59:59.5+01:00","uri":"urn:a:b"}`),
	} {
		if got := raw(t, tight, request); got.StatusCode != 200 {
			body, _ := io.ReadAll(got.Body)
			t.Errorf("%s: %d %s", name, got.StatusCode, body)
		}
		if strings.HasPrefix(name, "Prefer") && strings.Join(prefer, "|") != "a, b" {
			t.Errorf("Prefer %q", prefer)
		}
	}
}

// TestHTTPItself checks what net/http refuses before anybody else is asked.
func TestHTTPItself(t *testing.T) {
	t.Parallel()
	_, tight, _ := airtight(t, http.NotFoundHandler())
	for name, request := range map[string]string{
		"two hosts":                  "GET /things/5 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"no host":                    "GET /things/5 HTTP/1.1\r\n\r\n",
		"two lengths":                posted(`{}`, "Content-Length: 3"),
		"length and chunks of a GET": "GET /things/5 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
	} {
		if got := raw(t, tight, request); got.StatusCode != 400 && got.StatusCode != 501 {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
}

// TestLetOut answers what the library lets out by default. Each row must be let
// out by the one, and be replaced by the other.
func TestLetOut(t *testing.T) {
	t.Parallel()
	const asJSON = "application/json"
	tests := []struct {
		name    string
		status  int
		headers []string
		body    string
		reason  string
	}{
		{"undeclared status", 203, nil, `{"secret":1}`, "the operation declares no such status"},
		{"redirect 301", 301, nil, `{"secret":1}`, "the operation declares no such status"},
		{"redirect 307", 307, nil, ``, "the operation declares no such status"},
		{"redirect 308", 308, nil, ``, "the operation declares no such status"},
		{"not modified 304", 304, nil, ``, "the operation declares no such status"},
		{"no content", 204, nil, ``, "the operation declares no such status"},
		{"trailing garbage", 200, []string{"Content-Type", asJSON}, `{}x`, "the body is not one JSON document: malformed_json"},
		{"two documents", 200, []string{"Content-Type", asJSON}, `{}{}`, "the body is not one JSON document: malformed_json"},
		{"duplicate keys", 200, []string{"Content-Type", asJSON}, `{"name":"a","name":"b"}`, "the body is not one JSON document: duplicate_property"},
		{"invalid UTF-8", 200, []string{"Content-Type", asJSON}, "{\"name\":\"\xff\"}", "the body is not one JSON document: invalid_utf8"},
		{"lone surrogate", 200, []string{"Content-Type", asJSON}, `{"name":"\ud800"}`, "the body is not one JSON document: malformed_json"},
		{"format", 200, []string{"Content-Type", asJSON}, `{"email":"nobody"}`, "the body breaks the rule format"},
		{"date 2024-02-31", 200, []string{"Content-Type", asJSON}, `{"date":"2024-02-31"}`, "the body breaks the rule format"},
		{"integer past int64", 200, []string{"Content-Type", asJSON}, `{"int64":9223372036854775808}`, "the body breaks the rule format"},
		{"undeclared property", 200, []string{"Content-Type", asJSON}, `{"secret":1}`, "the body breaks the rule unknown_property"},
		{"undeclared header", 200, []string{"Content-Type", asJSON, "X-Secret", "1"}, `{}`, "the response declares no header X-Secret"},
		{"undeclared cookie", 200, []string{"Content-Type", asJSON, "Set-Cookie", "a=b"}, `{}`, "the response declares no header Set-Cookie"},
		{"same header twice", 200, []string{"Content-Type", asJSON, "X-Count", "1", "X-Count", "2"}, `{}`, "header X-Count: is repeated"},
		{"charset", 200, []string{"Content-Type", asJSON + "; charset=iso-8859-1"}, `{}`, "the response does not declare its content type"},
		{"content type twice", 200, []string{"Content-Type", asJSON, "Content-Type", "text/html"}, `{}`, "the response does not declare its content type"},
		{"body where none is declared", 202, []string{"Content-Type", asJSON}, `{"secret":1}`, "the response declares no body"},
		{"content type where no body is declared", 202, []string{"Content-Type", "text/html"}, ``, "the response declares no body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			loose, tight, reason := airtight(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i < len(tt.headers); i += 2 {
					w.Header().Add(tt.headers[i], tt.headers[i+1])
				}
				w.WriteHeader(tt.status)
				if tt.body != "" {
					_, _ = io.WriteString(w, tt.body)
				}
			}))
			if let := raw(t, loose, posted(`{}`)); let.StatusCode != tt.status {
				t.Errorf("the library does not let it out: %d", let.StatusCode)
			}
			got := raw(t, tight, posted(`{}`))
			body, _ := io.ReadAll(got.Body)
			if got.StatusCode != 500 || reason() != tt.reason || strings.Contains(fmt.Sprint(got.Header, string(body)), "ecret") {
				t.Errorf("%d %s, %q; want 500, %q", got.StatusCode, body, reason(), tt.reason)
			}
		})
	}
}

// TestHeadLetOut checks that an answer to HEAD is judged as one to GET is: the
// library never looks at it.
func TestHeadLetOut(t *testing.T) {
	t.Parallel()
	_, tight, reason := airtight(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Secret", "1")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"secret":1}`)
	}))
	got := raw(t, tight, strings.Replace(asked("/things/5"), "GET", "HEAD", 1))
	if got.StatusCode != 500 || reason() != "the response declares no header X-Secret" || got.Header.Get("X-Secret") != "" {
		t.Errorf("%d %v, %q", got.StatusCode, got.Header, reason())
	}
}

// TestCaught has what the library does refuse by itself, so that it is known when
// that changes. (It also counts lengths in code points, as JSON Schema does, though
// its own comment says UTF-16: see the first row of TestTaken. And it leaves
// patterns unanchored, which is right.)
func TestCaught(t *testing.T) {
	t.Parallel()
	loose, tight, _ := airtight(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`)
	}))
	for _, tt := range []struct {
		name, request string
		status        int
	}{
		{"int32", posted(`{"int32":2147483648}`), 400},
		{"readOnly in a request", posted(`{"seen":"x"}`), 400},
		{"gzip that is", posted("\x1f\x8b\x08\x00", "Content-Encoding: gzip"), 415},
		{"no content type", strings.Replace(posted(`{}`), "Content-Type: application/json\r\n", "", 1), 415},
		{"other JSON", posted(`{}`, "Content-Type: application/vnd.api+json"), 415},
		{"empty body", posted(``), 400},
		{"white space", posted(` `), 400},
		{"byte order mark", posted("\ufeff{}"), 400},
		{"deep", posted(strings.Repeat("[", 20_000)), 400},
	} {
		if let := raw(t, loose, tt.request); let.StatusCode != 599 {
			t.Errorf("%s: the library lets it through: %d", tt.name, let.StatusCode)
		}
		if got := raw(t, tight, tt.request); got.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, got.StatusCode, tt.status)
		}
	}
}
