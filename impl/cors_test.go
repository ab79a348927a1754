package impl_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl"
)

const (
	listed  = "https://shop.example.com"
	listed2 = "http://localhost:3000"
)

// shared lets pages of two origins call the API.
func shared(c *impl.Config) { c.CORSOrigins = []string{listed, listed2} }

// strangers are origins that are not listed, among them some that look like one.
var strangers = []string{
	"https://evil.example", "http://shop.example.com", "https://shop.example.com:8443", "https://shop.example.com.evil.example",
	"https://evilshop.example.com", "https://SHOP.example.com", "https://shop.example.com/", "null", "*", "http://localhost", "http://localhost:30000", "",
}

// sharing gives the headers of an answer that have to do with other origins.
func sharing(h http.Header) map[string]string {
	found := make(map[string]string)
	for name, values := range h {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
			found[name] = strings.Join(values, ", ")
		}
	}
	return found
}

const exposed = "Allow,Idempotency-Replayed,Location,Preference-Applied,Retry-After,WWW-Authenticate,X-Content-Type-Options,X-Request-Id"

// TestCORSPreflight asks, for many origins, methods and paths, whether a program in
// a browser may.
func TestCORSPreflight(t *testing.T) {
	t.Parallel()
	b := setup(t, shared)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} {
		for _, url := range []string{b.url + "/partner/customers", b.url + "/partner/customer/1", b.url + "/customer/me", b.url + "/nowhere", b.root + "/openapi.yaml", b.root + "/openapi.json"} {
			ask := func(origin string) *answer {
				return b.do(t, http.MethodOptions, url, "", "Authorization", "", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "authorization,content-type,x-other")
			}
			for _, origin := range []string{listed, listed2} {
				want := map[string]string{
					"Access-Control-Allow-Origin":  origin,
					"Access-Control-Allow-Methods": "GET,HEAD,POST,PUT,PATCH,DELETE",
					"Access-Control-Allow-Headers": "Authorization,Content-Type,Idempotency-Key,Prefer",
					"Access-Control-Max-Age":       "600",
					"Vary":                         "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
				}
				a := ask(origin)
				if diff := cmp.Diff(want, sharing(a.header)); a.status != http.StatusNoContent || a.raw != "" || a.header.Get("Allow") != "" || diff != "" {
					t.Errorf("%s for %s from %s: %d %s, Allow %q (-want +got)\n%s", method, url, origin, a.status, a.raw, a.header.Get("Allow"), diff)
				}
			}
			for _, origin := range strangers {
				a := ask(origin)
				if diff := cmp.Diff(map[string]string{"Vary": "Origin"}, sharing(a.header)); a.status != 405 && a.status != 404 || diff != "" {
					t.Errorf("%s for %s from %q: %d (-want +got)\n%s", method, url, origin, a.status, diff)
				}
			}
		}
	}
}

// withoutSharing gives the headers of an answer that are alike whoever asks.
func withoutSharing(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Vary", "Date", "X-Request-Id"} {
		h.Del(name)
	}
	return h
}

// TestCORSAnswers makes requests of all kinds that go well or fail, from origins
// that are listed and others: only for the former the answers are shared, and that
// is all that differs.
func TestCORSAnswers(t *testing.T) {
	t.Parallel()
	off := setup(t)
	on := setup(t, shared)
	for _, b := range []*bundle{off, on} {
		b.create(t, documented)
	}
	const large = 300 << 10
	tests := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"read", "GET", "/partner/customer/1", "", nil, 200},
		{"head", "HEAD", "/partner/customer/1", "", nil, 200},
		{"in use", "POST", "/partner/customers", documented, nil, 403},
		{"no key", "GET", "/partner/customer/1", "", []string{"Authorization", ""}, 401},
		{"wrong key", "GET", "/partner/customer/1", "", []string{"Authorization", "Bearer cex_live_x"}, 401},
		{"malformed", "POST", "/partner/customers", "{", nil, 400},
		{"invalid", "POST", "/partner/customers", `{"email":1}`, nil, 400},
		{"unknown customer", "GET", "/partner/customer/99", "", nil, 404},
		{"unknown path", "GET", "/nowhere", "", nil, 404},
		{"method", "DELETE", "/partner/customers", "", nil, 405},
		{"OPTIONS that asks for nothing", "OPTIONS", "/partner/customers", "", nil, 405},
		{"accept", "GET", "/partner/customer/1", "", []string{"Accept", "text/html"}, 406},
		{"large", "POST", "/partner/customers", `{"email":"` + strings.Repeat("a", large) + `"}`, nil, 413},
		{"media type", "POST", "/partner/customers", documented, []string{"Content-Type", "text/plain"}, 415},
		{"unacceptable", "POST", "/partner/customers", `{"email":"b@example.com","address":{"line1":"1","city":"c","country":"ZZ","post_code":"1"}}`, nil, 422},
		{"session", "GET", "/customer/me", "", nil, 401},
	}
	for _, tt := range tests {
		ask := func(b *bundle, origin string) *answer {
			return b.do(t, tt.method, b.url+tt.path, tt.body, slices.Concat(tt.headers, []string{"Origin", origin})...)
		}
		before := ask(off, listed)
		if before.status != tt.status || len(sharing(before.header)) > 0 {
			t.Errorf("%s, without sharing: %d, want %d; %v", tt.name, before.status, tt.status, sharing(before.header))
		}
		same := func(origin string, a *answer, want map[string]string) {
			if diff := cmp.Diff(want, sharing(a.header)); a.status != tt.status || diff != "" {
				t.Errorf("%s from %q: %d (-want +got)\n%s", tt.name, origin, a.status, diff)
			}
			rest := withoutSharing(a.header)
			for name := range want {
				rest.Del(name)
			}
			if diff := cmp.Diff(withoutSharing(before.header), rest); diff != "" {
				t.Errorf("%s from %q differs otherwise (-before +now)\n%s", tt.name, origin, diff)
			}
		}
		for _, origin := range []string{listed, listed2} {
			want := map[string]string{"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": exposed, "Vary": "Origin"}
			if tt.method == http.MethodOptions {
				want = map[string]string{"Vary": "Origin"}
			}
			same(origin, ask(on, origin), want)
		}
		for _, origin := range strangers {
			same(origin, ask(on, origin), map[string]string{"Vary": "Origin"})
		}
	}
}

// TestCORSFailures checks that failures of ours are shared too.
func TestCORSFailures(t *testing.T) {
	t.Parallel()
	b := setup(t, shared, inSandbox, func(c *impl.Config) { c.RateLimit = 5 })
	seen := make(map[int]bool)
	for _, a := range failures() {
		got := b.create(t, object("email", a.String()), "Origin", listed)
		seen[got.status] = true
		if got.header.Get("Access-Control-Allow-Origin") != listed || got.header.Get("Access-Control-Expose-Headers") != exposed {
			t.Errorf("%d: %v", got.status, sharing(got.header))
		}
	}
	for range 100 {
		if got := b.get(t, 1, "Origin", listed); got.status == 429 {
			seen[-429] = true
			if got.header.Get("Access-Control-Allow-Origin") != listed {
				t.Errorf("of the limit: %v", sharing(got.header))
			}
			break
		}
	}
	if !seen[500] || !seen[503] || !seen[-429] {
		t.Errorf("statuses %v", seen)
	}
}

// TestCORSPages checks that what is for people is not shared.
func TestCORSPages(t *testing.T) {
	t.Parallel()
	b := setup(t, shared)
	for path, want := range map[string]bool{
		"/openapi.yaml": true, "/openapi.json": true,
		"/log-in": false, "/account": false, "/docs": false, "/dev/mail": false, "/healthz": false, "/readyz": false, "/nowhere": false, "/api/v1/escrowed": false, "/": false,
	} {
		for _, origin := range []string{listed, strangers[0], ""} {
			a := b.do(t, http.MethodGet, b.root+path, "", "Origin", origin, "Authorization", "")
			if got := a.header.Get("Access-Control-Allow-Origin") != ""; got != (want && origin == listed) || slices.Contains(a.header.Values("Vary"), "Origin") != want {
				t.Errorf("%s from %q: %d %v", path, origin, a.status, sharing(a.header))
			}
			if !want {
				preflight := b.do(t, http.MethodOptions, b.root+path, "", "Origin", origin, "Authorization", "", "Access-Control-Request-Method", "GET")
				if preflight.status < 400 || len(sharing(preflight.header)) > 0 {
					t.Errorf("OPTIONS %s from %q: %d %v", path, origin, preflight.status, sharing(preflight.header))
				}
			}
		}
	}
	c := impl.DefaultConfig()
	c.CORSOrigins = []string{listed, "https://*.example.com", "null"}
	err := c.Validate()
	if err == nil || !strings.Contains(err.Error(), `CORS origin "https://*.example.com": `) || !strings.Contains(err.Error(), `CORS origin "null": `) || strings.Contains(err.Error(), listed) {
		t.Errorf("%v", err)
	}
}
