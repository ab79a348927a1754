package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// TestFaults checks what is said, and with which code it ends, when no answer of the
// service comes. What the service itself answers is tested with the service, in
// cmd/escrowd.
func TestFaults(t *testing.T) {
	t.Parallel()
	const created = `{"id":7,"email":"a@example.com","created_at":"2022-08-01T21:38:51.000000Z"}`
	create := []string{"customer", "create", "--email", "a@example.com"}
	with := func(key string) []string { return slices.Concat(create, []string{"--idempotency-key", key}) }
	get := []string{"customer", "get", "7"}
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, n int64)
		args   []string
		code   int
		out    string
		err    []string
		not    string
	}{
		{"passing", func(w http.ResponseWriter, n int64) {
			if n == 1 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(created))
		}, create, exitOK, "id       7\n", []string{"escrow: status 502", "; trying again in "}, "error"},
		{"page", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Content-Type", "text/html")
		}, create, exitFailure, "", []string{"escrow: error: status 200 with text/html: not an answer of the service; is this the URL of the API?"}, "createCustomer"},
		{"cut short", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "99")
			w.WriteHeader(http.StatusCreated)
		}, with("k"), exitUnavailable, "", []string{"cut short: unexpected EOF\n", "it may have arrived; repeat it safely with --idempotency-key k\n"}, "is this the URL"},
		{"nothing to repeat", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Content-Length", "99")
			w.WriteHeader(http.StatusOK)
		}, get, exitUnavailable, "", []string{"cut short: unexpected EOF\n"}, "idempotency-key"},
		{"refused at length", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"detail":"Not now.","code":"service_unavailable","status":503}`))
		}, get, exitUnavailable, "", []string{"escrow: refused: Not now. (service_unavailable, status 503)\n", "escrow: try again in 1h0m0s\n"}, "trying again"},
		{"under way", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"detail":"Still under way.","code":"idempotency_key_in_use","status":409}`))
		}, with("k"), exitRefused, "", []string{"escrow: refused: Still under way. (idempotency_key_in_use, status 409)\n", "repeat it safely with --idempotency-key k\n"}, "error"},
		{"gateway", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusGatewayTimeout)
		}, with("k"), exitUnavailable, "", []string{"escrow: error: status 504 with no media type", "repeat it safely with --idempotency-key k\n"}, "refused"},
		{"redirect", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Location", "https://elsewhere.example/a")
			w.WriteHeader(http.StatusFound)
		}, get, exitFailure, "", []string{"a redirect to https://elsewhere.example: not"}, "/a"},
		{"bad key", nil, with("a b"), exitUsage, "", []string{"Idempotency-Key: want 1 to 255 visible ASCII characters\n"}, "may have arrived"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.answer(w, requests.Add(1)) }))
			defer server.Close()
			var out, err bytes.Buffer
			code := run(t.Context(), append([]string{"--url", server.URL, "--key", "cex_live_SECRET"}, test.args...), ui{out: &out, err: &err})
			if code != test.code || !strings.HasPrefix(out.String(), test.out) || test.out == "" && out.Len() > 0 {
				t.Errorf("%d\n%s%s", code, &out, &err)
			}
			for _, want := range test.err {
				if !strings.Contains(err.String(), want) {
					t.Errorf("lacks %q:\n%s", want, &err)
				}
			}
			if strings.Contains(err.String(), test.not) || strings.Contains(out.String()+err.String(), "SECRET") {
				t.Errorf("has %q, or the key:\n%s%s", test.not, &out, &err)
			}
		})
	}
}

// TestUsage checks what is refused before anything is sent, without repeating what may
// be secret.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--url", "https://user:hunter2@example.com", "--key", "k"},
		{"--url", "https://example.com?hunter2", "--key", "k"},
		{"--url", "https://example.com", "--key", "hunter2\n"},
	} {
		var out, err bytes.Buffer
		if code := run(t.Context(), append(args, "customer", "get", "7"), ui{out: &out, err: &err}); code != exitUsage || out.Len() > 0 || !strings.Contains(err.String(), "--url (ESCROW_URL) or --key (ESCROW_KEY): ") || strings.Contains(err.String(), "hunter2") {
			t.Errorf("%d\n%s%s", code, &out, &err)
		}
	}
}
