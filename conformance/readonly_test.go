package conformance_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"cryptoexchange.com/escrow/conformance"
	"cryptoexchange.com/escrow/conformance/internal/lying"
)

// TestReadOnly: a run that is to change nothing sends nothing that could, not even
// to have what it could read.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	server, err := lying.New(1, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	sent := make(map[string]int)
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		sent[r.Method]++
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	document := filepath.Join(t.TempDir(), "document.yaml")
	if err := os.WriteFile(document, lying.Contract(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := conformance.Run(t.Context(), conformance.Config{
		URL: front.URL, Spec: document, ReadOnly: true,
		Credentials: []string{"key=" + lying.KeyA, "bearer=" + lying.KeyA, "pin=" + lying.PinA},
	})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for method := range sent { // PRI begins HTTP/2 (RFC 9113 section 3.4)
		if !slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE", "PRI"}, method) {
			t.Errorf("%d requests with %s", sent[method], method)
		}
	}
	if sent["GET"] == 0 || len(r.Operations) == 0 {
		t.Errorf("sent %v, %d operations", sent, len(r.Operations))
	}
}
