package pages_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/country"
	"cryptoexchange.com/escrow/impl/internal/pages"
	"cryptoexchange.com/escrow/impl/internal/wallet"
)

var paths = []string{"/account", "/confirm-email", "/forgot-password", "/log-in", "/reset-password", "/set-password", "/sign-up"}

func setup(t *testing.T) *echo.Echo {
	t.Helper()
	return setupWith(t, pages.Options{})
}

func setupWith(t *testing.T, o pages.Options) *echo.Echo {
	t.Helper()
	site, err := pages.New(o)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	site.Register(e)
	return e
}

func get(t *testing.T, e *echo.Echo, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

// sources gives the files of a folder of the package by their names.
func sources(t *testing.T, pattern string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatal(pattern, names, err)
	}
	files := make(map[string]string)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
	}
	return files
}

// TestRoutes checks that there is a route for each page and each asset, and no
// other.
func TestRoutes(t *testing.T) {
	t.Parallel()
	var got []string
	for _, r := range setup(t).Routes() {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.Path)
		}
		if !strings.HasPrefix(r.Path, "/assets/") {
			got = append(got, r.Path)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(paths, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHeaders checks what keeps a browser from doing more than a page needs, on
// everything that is served.
func TestHeaders(t *testing.T) {
	t.Parallel()
	e := setup(t)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
			"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	}
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for _, r := range e.Routes() {
		w := get(t, e, r.Path)
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: %d", r.Path, w.Code)
		}
		for name, value := range want {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s: %s is %q", r.Path, name, got)
			}
		}
		cache, contentType := "public, max-age=31536000, immutable", types[filepath.Ext(r.Path)]
		if !strings.HasPrefix(r.Path, "/assets/") {
			cache, contentType = "no-store", "text/html; charset=utf-8"
		}
		if got := w.Header().Get("Cache-Control"); got != cache {
			t.Errorf("%s: Cache-Control is %q", r.Path, got)
		}
		if got := w.Header().Get("Content-Type"); got != contentType {
			t.Errorf("%s: Content-Type is %q", r.Path, got)
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", r.Path)
		}
	}
}

// Names of other hosts, which nothing may be loaded from. That of a namespace is
// no address.
var elsewhere = regexp.MustCompile(`(?:https?:)?//[a-z0-9-]+\.[a-z]`)

var inline = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=["']?|javascript:|<script[^>]*>[^<]|<(?:iframe|object|embed|base)\b`)

// TestNothingInline checks what the policy forbids, which a browser would refuse
// in silence.
func TestNothingInline(t *testing.T) {
	t.Parallel()
	e := setup(t)
	for _, r := range e.Routes() {
		body := strings.ReplaceAll(get(t, e, r.Path).Body.String(), `xmlns="http://www.w3.org/2000/svg"`, "")
		if found := elsewhere.FindString(body); found != "" {
			t.Errorf("%s names another host: %q", r.Path, found)
		}
		if filepath.Ext(r.Path) != ".js" && filepath.Ext(r.Path) != ".css" {
			if found := inline.FindString(body); found != "" {
				t.Errorf("%s has something inline: %q", r.Path, found)
			}
		}
	}
	// What would make markup or code of strings.
	strings := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\('on`)
	for name, text := range sources(t, "assets/*.js") {
		if found := strings.FindString(text); found != "" {
			t.Errorf("%s has %q", name, found)
		}
	}
}

var (
	inHTML   = regexp.MustCompile(`(?:href|src)="(/[^"#]*)"`)
	inModule = regexp.MustCompile(`(?m)^import .* from '\./([a-z-]+\.js)';$`)
	anImport = regexp.MustCompile(`(?m)^import `)
)

// TestReferences checks that whatever a page or a module names is served, beside
// it and under the same hash, and that nothing else is.
func TestReferences(t *testing.T) {
	t.Parallel()
	e := setup(t)
	served := make(map[string]bool)
	for _, r := range e.Routes() {
		served[r.Path] = false
	}
	var follow func(from, to string)
	follow = func(from, to string) {
		seen, known := served[to]
		if !known {
			t.Errorf("%s names %s, which is not served", from, to)
		}
		if !known || seen {
			return
		}
		served[to] = true
		body := get(t, e, to).Body.String()
		for _, m := range inHTML.FindAllStringSubmatch(body, -1) {
			follow(to, m[1])
		}
		modules := inModule.FindAllStringSubmatch(body, -1)
		if got := len(anImport.FindAllString(body, -1)); got != len(modules) {
			t.Errorf("%s: %d of %d imports are understood", to, len(modules), got)
		}
		for _, m := range modules {
			follow(to, to[:strings.LastIndex(to, "/")+1]+m[1])
		}
	}
	for _, path := range paths {
		follow("a browser", path)
	}
	for path, seen := range served {
		if !seen {
			t.Errorf("nothing names %s", path)
		}
	}
}

// TestSandbox checks that every page of a sandbox says what it is, and no other.
func TestSandbox(t *testing.T) {
	t.Parallel()
	const says = `<p class="sandbox">`
	in, outside := setupWith(t, pages.Options{Sandbox: true}), setup(t)
	for _, path := range paths {
		if !strings.Contains(get(t, in, path).Body.String(), says) {
			t.Errorf("%s does not say that it is of a sandbox", path)
		}
		if strings.Contains(get(t, outside, path).Body.String(), says) {
			t.Errorf("%s says that it is of a sandbox", path)
		}
	}
}

// TestTexts checks that each text is used, and that each that is used is there.
// Keys that are put together are known by how they begin.
func TestTexts(t *testing.T) {
	t.Parallel()
	var texts map[string]string
	if err := json.Unmarshal([]byte(sources(t, "texts/en.json")["texts/en.json"]), &texts); err != nil {
		t.Fatal(err)
	}
	inTemplate := regexp.MustCompile(`(?:\bt |data-text=|"label" |"hint" )"([a-z_0-9]+(?:\.[a-zA-Z_0-9]+)*)"`)
	quoted := regexp.MustCompile(`['"]([a-z_0-9]+(?:\.[a-zA-Z_0-9]+)*)['"]`)
	templated := regexp.MustCompile("`([a-z_0-9.]+)\\$\\{")
	used := make(map[string]bool)
	for name, text := range sources(t, "templates/*.html") {
		for _, m := range inTemplate.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
			if _, known := texts[m[1]]; !known {
				t.Errorf("%s uses %q, which is not there", name, m[1])
			}
		}
	}
	var beginnings []string
	code := sources(t, "assets/*.js")
	code["pages.go"] = sources(t, "pages.go")["pages.go"]
	for _, text := range code {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
		for _, m := range templated.FindAllStringSubmatch(text, -1) {
			beginnings = append(beginnings, m[1])
		}
	}
	for name, text := range sources(t, "assets/*.js") {
		for _, m := range regexp.MustCompile(`\bt\('([^']+)'`).FindAllStringSubmatch(text, -1) {
			if _, known := texts[m[1]]; !known {
				t.Errorf("%s uses %q, which is not there", name, m[1])
			}
		}
	}
	for key, text := range texts {
		composed := slices.ContainsFunc(beginnings, func(b string) bool { return len(b) > 3 && strings.HasPrefix(key, b) })
		special := regexp.MustCompile(`^(.*)\.(?:none|one|plain|page|title|lead)$`).FindStringSubmatch(key)
		if !used[key] && !composed && (special == nil || !used[special[1]]) && !strings.HasPrefix(key, "link.") {
			t.Errorf("nothing uses %q", key)
		}
		if text == "" || strings.TrimSpace(text) != text {
			t.Errorf("%q is %q", key, text)
		}
	}
}

// TestCountries compares the countries that can be chosen with those that the
// service knows.
func TestCountries(t *testing.T) {
	t.Parallel()
	text := sources(t, "assets/countries.js")["assets/countries.js"]
	_, list, _ := strings.Cut(text, "`")
	list, rest, _ := strings.Cut(list, "`")
	offered := strings.Fields(list)
	all := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			if country.Exists(code) {
				all++
				if !slices.Contains(offered, code) {
					t.Errorf("%s cannot be chosen", code)
				}
			}
			if country.NeedsState(code) != strings.Contains(rest, "'"+code+"'") {
				t.Errorf("%s: does an address need a state?", code)
			}
		}
	}
	if len(offered) != all {
		t.Errorf("%d countries are offered, and there are %d", len(offered), all)
	}
}

// TestNetworks compares the networks that can be chosen, in their order and with
// their assets, with those that the service knows.
func TestNetworks(t *testing.T) {
	t.Parallel()
	type network struct {
		name   string
		assets string
		memo   bool
	}
	var want, got []network
	for _, n := range wallet.Networks() {
		var codes []string
		for _, a := range n.Assets {
			codes = append(codes, a.Code)
		}
		want = append(want, network{n.Name, strings.Join(codes, " "), n.Memo.Rule != wallet.MemoNone})
	}
	line := regexp.MustCompile(`\{ name: '([a-z_]+)', assets: \[([^\]]+)\], form: '[a-z]+'(, memo: '[a-z]+')? \}`)
	for _, m := range line.FindAllStringSubmatch(sources(t, "assets/networks.js")["assets/networks.js"], -1) {
		got = append(got, network{m[1], strings.NewReplacer("'", "", ",", "").Replace(m[2]), m[3] != ""})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(network{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestForms checks what password managers and screen readers live by.
func TestForms(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ids := regexp.MustCompile(` id="([^"]+)"`)
	refs := regexp.MustCompile(` (?:for|aria-describedby|aria-controls|aria-labelledby)="([^"]+)"`)
	inputs := regexp.MustCompile(`<input [^>]*>`)
	for _, path := range paths {
		body := get(t, e, path).Body.String()
		known := make(map[string]bool)
		for _, m := range ids.FindAllStringSubmatch(body, -1) {
			if known[m[1]] {
				t.Errorf("%s has %q twice", path, m[1])
			}
			known[m[1]] = true
		}
		for _, m := range refs.FindAllStringSubmatch(body, -1) {
			for id := range strings.FieldsSeq(m[1]) {
				if !known[id] {
					t.Errorf("%s has no %q", path, id)
				}
			}
		}
		for _, input := range inputs.FindAllString(body, -1) {
			typed := !strings.Contains(input, `type="checkbox"`) && !strings.Contains(input, `type="radio"`)
			if typed != strings.Contains(input, "autocomplete=") || strings.Contains(input, "maxlength") {
				t.Errorf("%s: %s", path, input)
			}
		}
		for _, form := range regexp.MustCompile(`<form [^>]*>`).FindAllString(body, -1) {
			if !strings.Contains(form, `method="post"`) {
				t.Errorf("%s: %s would put what is typed into the URL", path, form)
			}
		}
		if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "<noscript>") || strings.Count(body, "<main ") != 1 {
			t.Errorf("%s lacks its language, its main part, or a word to those without scripts", path)
		}
	}
}
