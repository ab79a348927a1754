package contract_test

import (
	"context"
	"errors"
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

// TestOthers has the other ways in which the library by its defaults does not do
// what a service needs, each beside what this package does.
func TestOthers(t *testing.T) {
	t.Parallel()
	read := ""
	loose, tight, _ := airtight(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		read = string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`)
	}))
	text := func(b *bundle, request string) string {
		body, err := io.ReadAll(raw(t, b, request).Body)
		if err != nil {
			t.Error(err)
		}
		return string(body)
	}
	t.Run("text of errors is the value's size squared", func(t *testing.T) {
		bomb := posted(`{"name":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`)
		if n := len(text(loose, bomb)); n < 1_000_000 {
			t.Errorf("the library makes %d bytes of it", n)
		}
		if n := len(text(tight, bomb)); n > 1000 {
			t.Errorf("%d bytes", n)
		}
	})
	t.Run("defaults rewrite the body", func(t *testing.T) {
		const body = `{ "name":"a" }`
		if text(loose, posted(body)); read != `{"name":"a","shelf":"main"}` {
			t.Errorf("the library hands on %s", read)
		}
		if text(tight, posted(body)); read != body {
			t.Errorf("handed on %s", read)
		}
	})
	t.Run("pointers are not escaped, and unknown properties have their parent's", func(t *testing.T) {
		const body = `{"part":{"a/b~c":"x"}}`
		if got := text(loose, posted(body)); !strings.Contains(got, `"/part/a/b~c"`) {
			t.Errorf("the library says %s", got)
		}
		if got := text(tight, posted(body)); !strings.Contains(got, `"/part/a~1b~0c type"`) {
			t.Error(got)
		}
		const unknown = `{"part":{"x/":1}}`
		if got := text(loose, posted(unknown)); !strings.Contains(got, `Error at "/part"`) {
			t.Errorf("the library says %s", got)
		}
		if got := text(tight, posted(unknown)); !strings.Contains(got, `"/part/x~1 unknown_property"`) {
			t.Error(got)
		}
	})
	t.Run("one fault at a time", func(t *testing.T) {
		if got := text(tight, posted(`{"name":1,"email":2,"x":3,"uuid":"x"}`)); strings.Count(got, "/") != 3 {
			t.Error(got)
		}
	})
	t.Run("method not allowed says not what is", func(t *testing.T) {
		request := strings.Replace(asked("/things"), "GET", "PATCH", 1)
		if got := raw(t, loose, request); got.Header.Get("Allow") != "" {
			t.Errorf("the library says Allow: %s", got.Header.Get("Allow"))
		}
		if got := raw(t, tight, request); got.StatusCode != 405 || got.Header.Get("Allow") != "POST" {
			t.Errorf("%d, Allow: %s", got.StatusCode, got.Header.Get("Allow"))
		}
	})
	t.Run("path parameters are judged with their escapes", func(t *testing.T) {
		if got := raw(t, loose, asked("/things/%35")); got.StatusCode != 599 {
			t.Errorf("the library answers %d", got.StatusCode)
		}
		if got := raw(t, tight, asked("/things/%35")); got.StatusCode != 200 {
			t.Errorf("%d", got.StatusCode)
		}
	})
}

// watched is a body that knows whether it was read.
type watched struct {
	io.Reader
	read bool
}

func (w *watched) Read(p []byte) (int, error) {
	w.read = true
	return w.Reader.Read(p)
}

// TestCredentialFirst checks that nothing is read of a caller who is not known,
// which the library does before it looks.
func TestCredentialFirst(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("testdata/traps.yaml")
	if err != nil {
		t.Fatal(err)
	}
	request := func() (*http.Request, *watched) {
		body := &watched{Reader: strings.NewReader(`{}`)}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/things", body)
		r.ContentLength = 2
		r.Header.Set("Content-Type", "application/json")
		return r, body
	}
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	r, body := request()
	route, params, err := router.FindRoute(r)
	if err != nil {
		t.Fatal(err)
	}
	known := func(context.Context, *openapi3filter.AuthenticationInput) error { return errNoKey }
	err = openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: known},
	})
	if err == nil || !body.read {
		t.Errorf("the library: %v, read: %v", err, body.read)
	}
	ct, err := contract.New(document, contract.Options{BodyLimit: bodyLimit, Authenticate: func(echo.Context, openapi3.SecurityRequirements) error { return errNoKey }})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.HTTPErrorHandler = problem
	e.Use(ct.Middleware)
	e.POST("/things", func(echo.Context) error { return errors.New("reached") })
	r, body = request()
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != 401 || body.read {
		t.Errorf("%d, read: %v", w.Code, body.read)
	}
}
