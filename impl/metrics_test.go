package impl_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl"
)

// TestMetrics checks that what the contract judges is counted where Prometheus
// looks for it, and that callers do not find it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b := setup(t, func(c *impl.Config) { c.MetricsListen = address })
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- b.service.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	b.create(t, `{"email":"ana.garcia@example.com"}`)
	b.create(t, `{"email":1}`)
	figures := read(t, "http://"+address+"/metrics")
	for name, want := range map[string]int{
		`escrow_contract_bodies_total{direction="request",judge="checker"}`:     1,
		`escrow_contract_bodies_total{direction="request",judge="kin-openapi"}`: 1,
		`escrow_contract_bodies_total{direction="response",judge="checker"}`:    2,
		`escrow_contract_disagreements_total{direction="request"}`:              0,
	} {
		if line := fmt.Sprintf("\n%s %d\n", name, want); !strings.Contains(figures, line) {
			t.Errorf("no line%s in\n%s", line, figures)
		}
	}
	if page := read(t, b.root+"/metrics"); strings.Contains(page, "escrow_contract") {
		t.Error("callers are told metrics")
	}
}

func read(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url) //nolint:noctx // of this test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
