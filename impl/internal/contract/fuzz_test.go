package contract_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/contract"
)

// FuzzMiddleware sends anything to handlers that keep the contract. Nothing may
// break, and what is answered must keep the contract in the eyes of the library
// as well.
func FuzzMiddleware(f *testing.F) {
	f.Add("POST", "/things?page=1", "X-Tag", "a", "application/json", []byte(`{"name":"a","date":"2024-02-31"}`), true)
	f.Add("POST", "/things?page=01&x", "Prefer", "a, b", "application/json; charset=utf-8", []byte(`{"int64":1.0,"seen":1}`), false)
	f.Add("GET", "/things/%35", "Accept", "text/html;q=0", "", []byte(nil), true)
	f.Add("GET", "/things/05/", "Content-Length", "5", "", []byte("x"), false)
	f.Add("HEAD", "/things/9223372036854775808", "Accept", "*/*", "", []byte(nil), true)
	f.Add("OPTIONS", "/things", "Authorization", "x", "text/plain", []byte("["), true)
	f.Add("PUT", "//things/%2f", "Content-Encoding", "gzip", "a/b;;", []byte("{}{}"), false)
	document, err := os.ReadFile("testdata/traps.yaml")
	if err != nil {
		f.Fatal(err)
	}
	violation := ""
	ct, err := contract.New(document, contract.Options{
		BodyLimit:    bodyLimit,
		Authenticate: func(echo.Context, openapi3.SecurityRequirements) error { return nil },
		Violation:    func(_ echo.Context, err *contract.ResponseError) { violation = err.Error() },
		Sample:       3,
		Disagreement: func(_ echo.Context, d contract.Disagreement) { violation = "disagreement at " + d.Fault.Pointer },
	})
	if err != nil {
		f.Fatal(err)
	}
	e := echo.New()
	e.HTTPErrorHandler = problem
	e.Use(ct.Middleware)
	good := func(c echo.Context) error {
		if v, ok := c.Request().Body.(interface{ ValidatedValue() any }); ok {
			var thing struct {
				Int64   int64 `json:"int64"`
				Int32   int32 `json:"int32"`
				Integer int   `json:"integer"`
				Byte    []byte
			}
			raw, err := json.Marshal(v.ValidatedValue())
			if err != nil || json.Unmarshal(raw, &thing) != nil {
				violation = "a value that Go's types do not take"
			}
		}
		return c.JSONBlob(http.StatusOK, []byte(`{"name":"a","int64":9007199254740993}`))
	}
	e.POST("/things", good)
	e.GET("/things/:id", good)
	handler, judge := ct.Handler(e), second(f, document)
	f.Fuzz(func(t *testing.T, method, target, name, value, contentType string, body []byte, declared bool) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://x"+target, io.NopCloser(bytes.NewReader(body)))
		if err != nil || !clean(name) || !clean(value) || !clean(contentType) || r.Host != "x" || len(target) == 0 || target[0] != '/' {
			t.Skip()
		}
		r.ContentLength = -1
		if declared {
			r.ContentLength = int64(len(body))
		}
		r.Header.Add(name, value)
		if contentType != "" {
			r.Header.Add("Content-Type", contentType)
		}
		violation = ""
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 || violation != "" {
			t.Errorf("%d, %s", w.Code, violation)
		}
		judge(t, r, w)
	})
}

// clean tells whether net/http lets a text into a header.
func clean(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// second judges answers by the library alone.
func second(t testing.TB, document []byte) func(*testing.T, *http.Request, *httptest.ResponseRecorder) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
		t.Helper()
		route, params, err := router.FindRoute(r)
		if err != nil {
			if w.Code < 400 && r.Method != http.MethodHead {
				t.Errorf("%d where the library finds no route: %v", w.Code, err)
			}
			return
		}
		if w.Code == 404 && !strings.Contains(r.URL.EscapedPath(), "%2") { // where Echo and the other router part ways
			return
		}
		if err := validate(r, params, route, w); err != nil {
			t.Errorf("%d: %v", w.Code, err)
		}
	}
}

func validate(r *http.Request, params map[string]string, route *routers.Route, w *httptest.ResponseRecorder) error {
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
}
