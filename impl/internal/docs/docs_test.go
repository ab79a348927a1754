package docs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/docs"
)

const serverURL = "http://127.0.0.1:8080/api/v1/escrow"

func setup(t *testing.T) *echo.Echo {
	t.Helper()
	site, err := docs.New(docs.Config{Contract: spec.YAML, ServerURL: serverURL, Problems: []docs.Problem{
		{Code: "not_found", Status: 404, Meaning: "There is nothing at `this` <URL>.", Mend: "Look elsewhere."},
	}})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	site.Register(e)
	return e
}

func get(t *testing.T, e *echo.Echo, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// TestDocument checks that the published document is the contract, but for the
// server that it names.
func TestDocument(t *testing.T) {
	t.Parallel()
	e := setup(t)
	published := get(t, e, "/openapi.yaml")
	if published.Code != http.StatusOK {
		t.Fatal(published.Code)
	}
	back := bytes.ReplaceAll(published.Body.Bytes(), []byte(serverURL), []byte("https://cryptoexchange.com/api/v1/escrow"))
	back = bytes.Replace(back, []byte("description: This server"), []byte("description: Production"), 1)
	if diff := cmp.Diff(string(spec.YAML), string(back)); diff != "" {
		t.Errorf("(-contract +published)\n%s", diff)
	}
	var fromYAML, fromJSON any
	if err := yaml.Unmarshal(published.Body.Bytes(), &fromYAML); err != nil {
		t.Fatal(err)
	}
	asJSON := get(t, e, "/openapi.json").Body.Bytes()
	if err := json.Unmarshal(asJSON, &fromJSON); err != nil {
		t.Fatal(err)
	}
	normal, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	var normalised any
	if err := json.Unmarshal(normal, &normalised); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(normalised, fromJSON); diff != "" {
		t.Errorf("(-YAML +JSON)\n%s", diff)
	}
	// People read the JSON too: it begins as the YAML does.
	if !bytes.HasPrefix(asJSON, []byte("{\n  \"openapi\": \"3.0.3\",\n  \"info\"")) {
		t.Errorf("the JSON begins with %.60s", asJSON)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	e := setup(t)
	tests := []struct {
		path, contentType string
		want              []string
	}{
		{"/docs", "text/html", []string{`spec-url="/openapi.json"`, `src="/docs/redoc-`}},
		{"/docs/style.css", "text/css", []string{"font"}},
		{"/problems", "text/html", []string{"<code>this</code> &lt;URL&gt;", `href="/problems/not_found"`}},
		{"/problems/not_found", "text/html", []string{"HTTP status 404 (Not Found)", "Look elsewhere."}},
	}
	for _, tt := range tests {
		w := get(t, e, tt.path)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), tt.contentType) {
			t.Errorf("%s: %d %q", tt.path, w.Code, w.Header().Get("Content-Type"))
		}
		for _, want := range tt.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s has no %s:\n%s", tt.path, want, w.Body)
			}
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "http") {
			t.Errorf("%s: policy %q", tt.path, policy)
		}
	}
	if w := get(t, e, "/"); w.Code != http.StatusFound || w.Header().Get("Location") != "/docs" {
		t.Errorf("/: %d %q", w.Code, w.Header().Get("Location"))
	}
	if w := get(t, e, "/problems/nothing"); w.Code != http.StatusNotFound {
		t.Errorf("unknown problem: %d", w.Code)
	}
}

func TestRedoc(t *testing.T) {
	t.Parallel()
	e := setup(t)
	path := regexp.MustCompile(`/docs/redoc-[^"]*`).FindString(get(t, e, "/docs").Body.String())
	plain := get(t, e, path)
	packed := get(t, e, path, "Accept-Encoding", "gzip, br")
	if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" {
		t.Fatalf("%v, %v", packed.Header(), plain.Header())
	}
	reader, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(unpacked, plain.Body.Bytes()) || len(unpacked) < 500_000 {
		t.Errorf("%d bytes packed, %d plain", len(unpacked), plain.Body.Len())
	}
	if bytes.Contains(unpacked, []byte("cdn.redoc.ly")) {
		t.Error("Redoc would load its makers' mark from their server")
	}
}

func TestAcceptEncoding(t *testing.T) {
	t.Parallel()
	e := setup(t)
	path := regexp.MustCompile(`/docs/redoc-[^"]*`).FindString(get(t, e, "/docs").Body.String())
	for accept, want := range map[string]string{
		"gzip": "gzip", "GZIP;q=0.1": "gzip", "br, gzip ; q=1": "gzip", "*": "gzip", "x-gzip": "gzip",
		"": "", "identity": "", "br": "", "gzip;q=0": "", "gzip;q=0.0, *": "", "*;q=0": "", "gzip;q=nan": "", "gzipped": "",
	} {
		if got := get(t, e, path, "Accept-Encoding", accept).Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"", "openapi: 3.0.3\n"} {
		if _, err := docs.New(docs.Config{Contract: []byte(document), ServerURL: serverURL}); err == nil {
			t.Errorf("%q was accepted", document)
		}
	}
}
