package docs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
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
	"cryptoexchange.com/escrow/impl/internal/httpapi"
	"cryptoexchange.com/escrow/impl/internal/samples"
)

const serverURL = "http://127.0.0.1:8080/api/v1/escrow"

func setup(t *testing.T) *echo.Echo {
	t.Helper()
	e := echo.New()
	newSite(t, serverURL).Register(e)
	return e
}

// newSite makes a site with all problems.
func newSite(t *testing.T, server string) *docs.Site {
	t.Helper()
	problems := make([]docs.Problem, 0, len(httpapi.Problems()))
	for _, p := range httpapi.Problems() {
		problems = append(problems, docs.Problem(p))
	}
	site, err := docs.New(docs.Config{Contract: spec.YAML, ServerURL: server, Problems: problems})
	if err != nil {
		t.Fatal(err)
	}
	return site
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
		{"/docs", "text/html", []string{`href="/docs/guides/quick-start"`, `href="/docs/reference#tag/customers/createCustomer"`, "Create a customer"}},
		{"/docs/reference", "text/html", []string{`src="/docs/contract.js"`, `src="/docs/assets/scalar-`, "needs JavaScript"}},
		{"/docs/guides/quick-start", "text/html", []string{"<h1", serverURL, `href="/docs/guides/authentication"`, `value="Ruby"`}},
		{"/docs/guides/errors", "text/html", []string{`id="email_already_in_use"`, `href="#email_already_in_use"`, `id="not_found"`, "https://cryptoexchange.com/problems/not_found"}},
		{"/docs/guides/changelog", "text/html", []string{"Changes of the contract"}},
		{"/docs/search-index.js", "text/javascript", []string{"globalThis.escrowIndex", "docs/guides/errors#", "problems/email_already_in_use", "docs/reference#models/Customer"}},
		{"/problems", "text/html", []string{"<code>email_already_in_use</code>", `href="/problems/not_found"`}},
		{"/problems/not_found", "text/html", []string{"404 Not Found", "What to do", "application/problem+json"}},
		{"/problems/unauthenticated", "text/html", []string{"401 Unauthorized", "Why you get it", `href="/docs/reference#tag/customers/getCustomer"`}},
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
	for _, path := range []string{"/problems/nothing", "/docs/guides", "/docs/guides/nothing", "/docs/assets/nothing.js", "/docs/"} {
		if w := get(t, e, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// scalar finds the script of the reference.
func scalar(t *testing.T, e *echo.Echo) string {
	t.Helper()
	path := regexp.MustCompile(`/docs/assets/scalar-[^"]*`).FindString(get(t, e, "/docs/reference").Body.String())
	if path == "" {
		t.Fatal("the reference has no script")
	}
	return path
}

// TestCompression checks that what is kept packed is sent packed to whoever takes
// it, and whole to others; and pages that are made likewise.
func TestCompression(t *testing.T) {
	t.Parallel()
	e := setup(t)
	for path, least := range map[string]int{scalar(t, e): 4_000_000, "/docs/contract.js": 300_000, "/docs/guides/errors": 50_000, "/openapi.yaml": 200_000} {
		plain := get(t, e, path)
		packed := get(t, e, path, "Accept-Encoding", "gzip, br")
		if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" || plain.Header().Get("Vary") != "Accept-Encoding" {
			t.Fatalf("%s: %v, %v", path, packed.Header(), plain.Header())
		}
		reader, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(unpacked, plain.Body.Bytes()) || len(unpacked) < least {
			t.Errorf("%s: %d bytes packed, %d plain, want %d at least", path, len(unpacked), plain.Body.Len(), least)
		}
	}
	if cache := get(t, e, scalar(t, e)).Header().Get("Cache-Control"); !strings.Contains(cache, "immutable") {
		t.Errorf("a file with its version in its name may be kept: %q", cache)
	}
}

func TestAcceptEncoding(t *testing.T) {
	t.Parallel()
	e := setup(t)
	for accept, want := range map[string]string{
		"gzip": "gzip", "GZIP;q=0.1": "gzip", "br, gzip ; q=1": "gzip", "*": "gzip", "x-gzip": "gzip",
		"": "", "identity": "", "br": "", "gzip;q=0": "", "gzip;q=0.0, *": "", "*;q=0": "", "gzip;q=nan": "", "gzipped": "",
	} {
		if got := get(t, e, "/problems", "Accept-Encoding", accept).Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

// TestContractScript checks that the reference's document is the published one,
// with samples of every operation in every language.
func TestContractScript(t *testing.T) {
	t.Parallel()
	e := setup(t)
	text, isScript := strings.CutPrefix(get(t, e, "/docs/contract.js").Body.String(), "globalThis.escrowContract = ")
	if !isScript {
		t.Fatalf("it begins with %.60s", text)
	}
	var reference, published map[string]any
	if err := errors.Join(json.Unmarshal([]byte(strings.TrimSuffix(text, ";\n")), &reference), json.Unmarshal(get(t, e, "/openapi.json").Body.Bytes(), &published)); err != nil {
		t.Fatal(err)
	}
	all, err := samples.For(spec.YAML, serverURL)
	if err != nil {
		t.Fatal(err)
	}
	languages := len(all[0].Samples)
	if len(all) < 30 || languages != 8 {
		t.Errorf("%d operations, %d languages", len(all), languages)
	}
	const name = "x-codeSamples"
	for path, item := range reference["paths"].(map[string]any) {
		for verb, node := range item.(map[string]any) {
			operation, isOperation := node.(map[string]any)
			if !isOperation {
				continue
			}
			if n := len(operation[name].([]any)); n != languages {
				t.Errorf("%s %s has %d samples", verb, path, n)
			}
			delete(operation, name)
			delete(published["paths"].(map[string]any)[path].(map[string]any)[verb].(map[string]any), name)
		}
	}
	if diff := cmp.Diff(published, reference); diff != "" {
		t.Errorf("(-published +reference)\n%s", diff)
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

// TestRevalidation checks that whoever has a page is told so, and gets another form
// of it as a whole.
func TestRevalidation(t *testing.T) {
	t.Parallel()
	e := setup(t)
	for _, path := range []string{"/docs/contract.js", "/docs/guides/errors", "/openapi.yaml"} {
		plain, packed := get(t, e, path), get(t, e, path, "Accept-Encoding", "gzip")
		tag := packed.Header().Get("ETag")
		if tag == "" || tag == plain.Header().Get("ETag") {
			t.Errorf("%s: the tags are %q and %q", path, tag, plain.Header().Get("ETag"))
		}
		kept := get(t, e, path, "Accept-Encoding", "gzip", "If-None-Match", `"a", W/`+tag)
		if kept.Code != http.StatusNotModified || kept.Body.Len() > 0 || kept.Header().Get("ETag") != tag || kept.Header().Get("Vary") != "Accept-Encoding" || kept.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s, which is at hand: %d %v", path, kept.Code, kept.Header())
		}
		for _, headers := range [][]string{{"If-None-Match", tag}, {"Range", "bytes=0-5"}, {"Range", "bytes=9999999-"}, {"If-Match", `"a"`}, {"If-None-Match", "nonsense"}, {"If-Modified-Since", "Wed, 01 Jan 2036 00:00:00 GMT"}} {
			if w := get(t, e, path, headers...); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), plain.Body.Bytes()) || w.Header().Get("Content-Type") != plain.Header().Get("Content-Type") {
				t.Errorf("%s with %q: %d, %d bytes", path, headers, w.Code, w.Body.Len())
			}
		}
	}
}
