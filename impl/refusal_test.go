package impl_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl"
)

// serve runs a service as its program does, and gives its address.
func serve(t *testing.T, log io.Writer) string {
	t.Helper()
	c := impl.DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	service, err := impl.New(t.Context(), c, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return strings.TrimPrefix(service.URL(), "http://")
}

// TestUnreadableRequests sends what never reaches a handler: it is answered with
// a problem as everything else is, and with no status of the server's fault.
func TestUnreadableRequests(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(spec.YAML)
	if err != nil {
		t.Fatal(err)
	}
	schema := doc.Components.Schemas["Problem"].Value
	log := &syncBuffer{}
	address := serve(t, log)
	for name, tt := range map[string]struct{ request, detail string }{
		"request line":     {"m4rker\r\n\r\n", "request line"},
		"TLS":              {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03m4rker\r\n\r\n", "request line"},
		"method":           {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", "request line"},
		"percent-encoding": {"GET /m4rker%zz HTTP/1.1\r\nHost: x\r\n\r\n", "percent-encoding"},
		"header name":      {"GET / HTTP/1.1\r\nHost: x\r\nm4rk er: 1\r\n\r\n", "headers"},
		"header value":     {"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n", "headers"},
		"no host":          {"GET / HTTP/1.1\r\n\r\n", "Host"},
		"two hosts":        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "Host"},
		"host":             {"GET / HTTP/1.1\r\nHost: m4rker /\r\n\r\n", "Host"},
		"length":           {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "headers"},
		"two lengths":      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "headers"},
		"version":          {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", "HTTP/1.1"},
		"transfer coding":  {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "chunked"},
		"expectation":      {"POST / HTTP/1.1\r\nHost: x\r\nExpect: m4rker\r\nContent-Length: 1\r\n\r\nx", "100-continue"},
		"headers":          {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("m4rker", 50_000) + "\r\n\r\n", "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, tt.request); err != nil {
				t.Fatal(err)
			}
			reader := bufio.NewReader(c)
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			a := &answer{status: response.StatusCode, header: response.Header, raw: string(raw)}
			var value any
			if err := json.Unmarshal(raw, &value); err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			if err := schema.VisitJSON(value); err != nil {
				t.Errorf("%v: %s", err, raw)
			}
			a.body, _ = value.(map[string]any)
			a.checkProblem(t)
			if detail, _ := a.body["detail"].(string); a.status != 400 || a.code() != "invalid_request" || !response.Close || !strings.Contains(detail, tt.detail) {
				t.Errorf("%d, closes: %v, %s", a.status, response.Close, raw)
			}
			if !strings.Contains(log.String(), a.header.Get("X-Request-Id")) {
				t.Error("the log does not know the request id")
			}
			if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
				t.Errorf("after it: %q, %v", rest, err)
			}
		})
	}
	if strings.Contains(log.String(), "m4rk") {
		t.Errorf("the log has data of a request:\n%s", log)
	}
}
