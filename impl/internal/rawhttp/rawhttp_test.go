package rawhttp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/rawhttp"
)

// start runs a server, and gives its address.
func start(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	})
	mux.HandleFunc("/own", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "own", http.StatusBadRequest) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) })
	mux.HandleFunc("/copied", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader(strings.Repeat("y", 1<<20))})
	})
	mux.HandleFunc("/hijacked", func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 499 Mine\r\n\r\n")
		_ = c.Close()
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 4 << 10}
	wrapped := rawhttp.Wrap(server, l, func(r rawhttp.Refusal) rawhttp.Answer {
		return rawhttp.Answer{Status: http.StatusBadRequest, Header: http.Header{"X-Ours": {"yes"}}, Body: fmt.Appendf(nil, "%d %s", r.Status, r.Reason)}
	})
	go func() { _ = server.Serve(wrapped) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// dial opens a connection.
func dial(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// read gives an answer in one line.
func read(t *testing.T, from *bufio.Reader) string {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%d %s", response.StatusCode, body)
	if len(text) > 100 {
		text = fmt.Sprintf("%d %d bytes", response.StatusCode, len(body))
	}
	if response.Header.Get("X-Ours") != "" {
		text += " (ours)"
	}
	if response.Close {
		text += " (close)"
	}
	return text
}

// TestAnswers sends requests on one connection, without waiting for answers.
func TestAnswers(t *testing.T) {
	t.Parallel()
	address := start(t)
	const good = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
	tests := []struct {
		name, requests string
		want           []string
	}{
		{"good", good, []string{"200 /a "}},
		{"many", good + good + good, []string{"200 /a ", "200 /a ", "200 /a "}},
		{"HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n", []string{"200 /a  (close)"}},
		{"HTTP/1.0 kept alive", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + good, []string{"200 /a ", "200 /a "}},
		{"body", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" + good, []string{"200 /a hi", "200 /a "}},
		{"continue", "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi" + good, []string{"100 ", "200 /a hi", "200 /a "}},
		{"large", "GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /copied HTTP/1.1\r\nHost: x\r\n\r\n" + good, []string{"200 1048576 bytes", "200 1048576 bytes", "200 /a "}},
		{"refusal of the handler", "GET /own HTTP/1.1\r\nHost: x\r\n\r\n" + good, []string{"400 own\n", "200 /a "}},
		{"hijacked", "GET /hijacked HTTP/1.1\r\nHost: x\r\n\r\n", []string{"499  (close)"}},

		{"no request", "hello\r\n\r\n", []string{"400 400  (ours) (close)"}},
		{"after good ones", good + good + "hello\r\n\r\n", []string{"200 /a ", "200 /a ", "400 400  (ours) (close)"}},
		{"after the handler's refusal", "GET /own HTTP/1.1\r\nHost: x\r\n\r\nhello\r\n\r\n", []string{"400 own\n", "400 400  (ours) (close)"}},
		{"percent-encoding", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", []string{"400 400  (ours) (close)"}},
		{"header", "GET / HTTP/1.1\r\nHost: x\r\nbad header: 1\r\n\r\n", []string{"400 400 invalid header name (ours) (close)"}},
		{"value of a header", "GET / HTTP/1.1\r\nHost: x\r\nX: \x01\r\n\r\n", []string{"400 400  (ours) (close)"}},
		{"no host", "GET / HTTP/1.1\r\n\r\n", []string{"400 400 missing required Host header (ours) (close)"}},
		{"host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", []string{"400 400 malformed Host header (ours) (close)"}},
		{"version", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", []string{"400 505 unsupported protocol version (ours) (close)"}},
		{"transfer coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", []string{"400 501  (ours) (close)"}},
		{"expectation", "POST / HTTP/1.1\r\nHost: x\r\nExpect: more\r\nContent-Length: 2\r\n\r\nhi", []string{"400 417  (ours) (close)"}},
		{"headers too large", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", []string{"400 431  (ours) (close)"}},
		{"with a large body behind", "POST /%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n" + strings.Repeat(" ", 10<<20), []string{"400 400  (ours) (close)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, reader := dial(t, address)
			if _, err := io.WriteString(c, tt.requests); err != nil {
				t.Fatal(err)
			}
			var got []string
			for range tt.want {
				got = append(got, read(t, reader))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if !strings.HasSuffix(tt.want[len(tt.want)-1], "(close)") {
				return
			}
			if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
				t.Errorf("after it: %q, %v", rest, err)
			}
		})
	}
}

// TestSilence checks that who asks for nothing is told nothing.
func TestSilence(t *testing.T) {
	t.Parallel()
	address := start(t)
	c, reader := dial(t, address)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(reader); err != nil || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
}
