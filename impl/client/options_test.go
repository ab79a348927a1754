package client_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/client"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	at := func(url string) *client.Options { return &client.Options{BaseURL: url} }
	agent := func(text string) *client.Options { return &client.Options{UserAgent: text} }
	tests := []struct {
		options *client.Options
		want    string // of the error, empty for none
	}{
		{nil, ""},
		{&client.Options{}, ""},
		{at("https://example.com"), ""},
		{at("https://example.com/"), ""},
		{at("HTTPS://example.com:8443/a/b"), ""},
		{at("http://localhost:8080/api/v1/escrow"), ""},
		{at("http://LOCALHOST"), ""},
		{at("http://127.8.9.10:1"), ""},
		{at("http://[::1]:8080"), ""},
		{at("http://[::ffff:127.0.0.1]:8080"), ""},
		{&client.Options{BaseURL: "http://escrow:8080", AllowHTTP: true}, ""},
		{at("http://example.com"), "BaseURL: must be https"},
		{at("http://localhost.example.com"), "BaseURL: must be https"},
		{at("http://127.0.0.1.example.com"), "BaseURL: must be https"},
		{at("http://0.0.0.0:80"), "BaseURL: must be https"},
		{at("http://10.0.0.1"), "BaseURL: must be https"},
		{at("http://2130706433"), "BaseURL: must be https"},
		{at("ftp://example.com"), "BaseURL: want where the API is"},
		{at("example.com"), "BaseURL: want where the API is"},
		{at("localhost:8080"), "BaseURL: want where the API is"},
		{at("https:example.com"), "BaseURL: want where the API is"},
		{at("https://"), "BaseURL: want where the API is"},
		{at("https://:8080"), "BaseURL: want where the API is"},
		{at("https://exa mple.com"), "BaseURL: want where the API is"},
		{at("https://example.com\r\n"), "BaseURL: want where the API is"},
		{at("https://example.com:port"), "BaseURL: want where the API is"},
		{at("/api"), "BaseURL: want where the API is"},
		{at("https://user:hunter2@example.com"), "BaseURL: must have no user"},
		{at("https://example.com?a=hunter2"), "BaseURL: must have no query"},
		{at("https://example.com?"), "BaseURL: must have no query"},
		{at("https://example.com#hunter2"), "BaseURL: must have no query"},
		{&client.Options{AttemptTimeout: -1}, "AttemptTimeout: want"},
		{&client.Options{AttemptTimeout: 25 * time.Hour}, "AttemptTimeout: want"},
		{&client.Options{BaseWait: -time.Second}, "BaseWait: want"},
		{&client.Options{MaxWait: -time.Second}, "MaxWait: want"},
		{&client.Options{MaxWait: 1}, ""},
		{&client.Options{BaseWait: time.Hour}, ""},
		{&client.Options{BaseWait: 2, MaxWait: 1}, "BaseWait: must not be longer than MaxWait"},
		{&client.Options{MaxAttempts: -1}, "MaxAttempts: want"},
		{&client.Options{MaxAttempts: 101}, "MaxAttempts: want"},
		{&client.Options{MaxAttempts: 100}, ""},
		{agent("example-shop"), ""},
		{agent("example-shop/2.1 lib/1 (Linux; on-line) x"), ""},
		{agent("(comment first)"), "UserAgent: want"},
		{agent("a\r\nX-Injected: 1"), "UserAgent: want"},
		{agent("a\n"), "UserAgent: want"},
		{agent("a  b"), "UserAgent: want"},
		{agent(" a"), "UserAgent: want"},
		{agent("a/"), "UserAgent: want"},
		{agent("a/b/c"), "UserAgent: want"},
		{agent("a (b"), "UserAgent: want"},
		{agent("a (b (c))"), "UserAgent: want"},
		{agent("a\x00"), "UserAgent: want"},
		{agent("é"), "UserAgent: want"},
		{agent(strings.Repeat("a", 201)), "UserAgent: want"},
	}
	for _, test := range tests {
		c, err := client.New("cex_live_KEY", test.options)
		switch {
		case test.want == "" && (err != nil || c == nil):
			t.Errorf("%+v: %v", test.options, err)
		case test.want != "" && (err == nil || c != nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%+v: %v", test.options, err)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("the error repeats the URL: %v", err)
		}
	}
	if _, err := client.New("", nil); err == nil || err.Error() != "key: must not be empty" {
		t.Error(err)
	}
}

// TestBasePath checks where requests go, with a path that has escapes and slashes.
func TestBasePath(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 3)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths <- r.URL.EscapedPath() + " " + r.Header.Get("Idempotency-Key")
		answerCustomer(w, 201)
	}))
	defer server.Close()
	for path, want := range map[string]string{"": "", "/": "", "/a%2Fb//": "/a%2Fb", "/x/partner/customers": "/x/partner/customers"} {
		c := newClientAt(t, server.URL+path)
		if _, err := c.CreateCustomer(t.Context(), customer("a@example.com"), client.IdempotencyKey("k")); err != nil {
			t.Errorf("%q: %v", path, err)
		}
		if got := <-paths; got != want+"/partner/customers k" {
			t.Errorf("%q: %s", path, got)
		}
		if _, err := c.CreateCustomer(t.Context(), customer("a@example.com")); err != nil {
			t.Errorf("%q: %v", path, err)
		}
		if got := <-paths; len(got) != len(want+"/partner/customers ")+26 {
			t.Errorf("%q: %s", path, got)
		}
	}
}
