package cors_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/cors"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for origin, want := range map[string]string{
		"https://shop.example.com":         "",
		"http://localhost:3000":            "",
		"http://127.0.0.1:8080":            "",
		"http://[::1]:8080":                "",
		"https://xn--mnchen-3ya.example":   "",
		"https://a_b.example":              "",
		"http://shop.example.com:443":      "",
		"null":                             "null is",
		"*":                                "patterns",
		"https://*.example.com":            "patterns",
		"https://shop?.example.com":        "patterns",
		"":                                 "want a scheme",
		"shop.example.com":                 "want a scheme",
		"localhost:3000":                   "want a scheme",
		"//shop.example.com":               "want a scheme",
		"ftp://shop.example.com":           "want a scheme",
		"chrome-extension://abcdef":        "want a scheme",
		"file:///tmp/page.html":            "want a scheme",
		"https://":                         "want a scheme",
		"https://:443":                     "want a scheme",
		"https://a b":                      "want a scheme",
		" https://shop.example.com":        "want a scheme",
		"https://shop.example.com/":        "leave out what comes after",
		"https://shop.example.com/a":       "leave out what comes after",
		"https://shop.example.com#a":       "leave out what comes after",
		"https://me:secret@shop.example":   "leave the user out",
		"https://shop.example.com:443":     "leave the port out",
		"http://shop.example.com:80":       "leave the port out",
		"https://Shop.example.com":         "in small letters",
		"HTTPS://shop.example.com":         "in small letters",
		"https://münchen.example":          "in small letters",
		"https://shop.example.com:":        "in small letters",
		"http://[0:0:0:0:0:0:0:1]:8080":    "in small letters",
		"https://shop.example.com,b":       "in small letters",
		"https://shop.example.com\r\nX: y": "want a scheme",
		"https://shop.example.com\u200b":   "in small letters",
		"https://shop.example.com%20":      "want a scheme",
		"https://shop.example.com:65536":   "no such port",
		"https://shop.example.com:08443":   "no such port",
	} {
		if err := cors.Check(origin); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", origin, err, want)
		}
	}
}

// TestLists holds the lists to the contract: what it declares, besides what
// browsers let every program send and see (https://fetch.spec.whatwg.org, CORS-safelisted
// names), or none.
func TestLists(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(spec.YAML)
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string]bool{"HEAD": true}
	sent := map[string]bool{"Authorization": true, "Content-Type": true} // OpenAPI keeps these apart
	answered := map[string]bool{"Allow": true}                           // of answers that no operation has
	for _, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			methods[method] = true
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if p.Value.In == "header" {
					sent[p.Value.Name] = true
				}
			}
			for _, r := range op.Responses.Map() {
				for name := range r.Value.Headers {
					answered[name] = name != "Cache-Control" && name != "Set-Cookie"
				}
			}
		}
	}
	for name, lists := range map[string]struct {
		got  []string
		want map[string]bool
	}{
		"methods":          {cors.Methods(), methods},
		"request headers":  {cors.RequestHeaders(), sent},
		"response headers": {cors.ResponseHeaders(), answered},
	} {
		var want []string
		for item, is := range lists.want {
			if is {
				want = append(want, item)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(slices.Values(lists.got)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, the contract has %v", name, got, want)
		}
	}
}
