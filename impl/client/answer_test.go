package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/impl/client"
)

// answerRaw hangs up after bytes that may be no HTTP.
func answerRaw(w http.ResponseWriter, raw string) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(connection, raw)
		connection.Close()
	}
}

// TestUnexpected checks what is made of answers that are not the service's: an error
// that says what came, and nothing of what it said.
func TestUnexpected(t *testing.T) {
	t.Parallel()
	const page = "<html><title>Blocked: Mallory</title>"
	as := func(media string, status int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	raw := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { answerRaw(w, text) }
	}
	tests := []struct {
		name     string
		answer   func(http.ResponseWriter, *http.Request)
		attempts int // of 2
		want     client.UnexpectedError
		text     string
	}{
		{"page", as("text/html; charset=utf-8", 200, page), 1, client.UnexpectedError{Status: 200, MediaType: "text/html"}, "status 200 with text/html: not an answer of the service"},
		{"page of a gateway", as("text/html", 502, page), 2, client.UnexpectedError{Status: 502, MediaType: "text/html"}, "status 502 with text/html: not"},
		{"page that forbids", as("text/html", 403, page), 1, client.UnexpectedError{Status: 403, MediaType: "text/html"}, ""},
		{"another success", as("application/json", 202, customerJSON), 1, client.UnexpectedError{Status: 202, MediaType: "application/json"}, ""},
		{"problem as a success", as("application/problem+json", 200, "{}"), 1, client.UnexpectedError{Status: 200, MediaType: "application/problem+json"}, ""},
		{"error that is no problem", as("application/json", 400, `{"error":"Mallory"}`), 1, client.UnexpectedError{Status: 400, MediaType: "application/json"}, ""},
		{"no media type", raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), 1, client.UnexpectedError{Status: 200}, "status 200 with no media type: not"},
		{"nonsense as media type", as("Mallory", 200, "{}"), 1, client.UnexpectedError{Status: 200}, ""},
		{"null", as("application/json", 200, "null"), 1, client.UnexpectedError{Status: 200, MediaType: "application/json", Reason: "not a JSON object"}, ""},
		{"list", as("application/json", 200, `["Mallory"]`), 1, client.UnexpectedError{Status: 200, MediaType: "application/json", Reason: "not a JSON object"}, ""},
		{"other JSON", as("application/json", 200, `{"id":"Mallory"}`), 1, client.UnexpectedError{Status: 200, MediaType: "application/json", Reason: "not what the contract says"}, "not what the contract says: string at id, want int64"},
		{"other number", as("application/json", 200, `{"id":4111111111111111.5}`), 1, client.UnexpectedError{Status: 200, MediaType: "application/json", Reason: "not what the contract says"}, "says: number at id, want int64: not"},
		{"other date", as("application/json", 200, `{"date_of_birth":"Mallory"}`), 1, client.UnexpectedError{Status: 200, MediaType: "application/json", Reason: "not what the contract says"}, "says: a value cannot be read: not"},
		{"other time", as("application/json", 200, `{"created_at":"Mallory"}`), 1, client.UnexpectedError{Status: 200, MediaType: "application/json", Reason: "not what the contract says"}, ""},
		{"other problem", as("application/problem+json", 400, `{"status":"Mallory"}`), 1, client.UnexpectedError{Status: 400, MediaType: "application/problem+json", Reason: "not what the contract says"}, ""},
		{"too little", raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n" + customerJSON), 2, client.UnexpectedError{Status: 200, MediaType: "application/json", CutShort: true}, "unexpected EOF"},
		{"too few chunks", raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"), 2, client.UnexpectedError{Status: 200, MediaType: "application/json", CutShort: true}, ""},
		{"too little of unknown length", raw("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + customerJSON[:9]), 2, client.UnexpectedError{Status: 200, MediaType: "application/json", CutShort: true}, "no complete JSON"},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, strings.Repeat(" ", 1<<16))
			}
		}, 1, client.UnexpectedError{Status: 200, MediaType: "application/json", Reason: "longer than 4194304 bytes"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				test.answer(w, r)
			}))
			defer server.Close()
			_, err := newClientAt(t, server.URL, func(o *client.Options) { o.MaxAttempts = 2 }).GetCustomer(t.Context(), 7)
			var got *client.UnexpectedError
			if !errors.As(err, &got) || got.Status != test.want.Status || got.MediaType != test.want.MediaType || got.Reason != test.want.Reason || got.CutShort != test.want.CutShort {
				t.Errorf("%+v", err)
			}
			if !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "Mallory") || requests.Load() != int64(test.attempts) {
				t.Errorf("%v after %d requests", err, requests.Load())
			}
		})
	}
}

// TestPassingCut checks that an answer which was cut short is asked for again.
func TestPassingCut(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch requests.Add(1) {
		case 1:
			reset(t, w)
		case 2:
			answerRaw(w, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{")
		case 3:
			answerRaw(w, "\x16\x03\x01 no HTTP at all")
		default:
			answerCustomer(w, 200)
		}
	}))
	defer server.Close()
	c, err := newClientAt(t, server.URL).GetCustomer(t.Context(), 7)
	if err != nil || c.ID != 7 || requests.Load() != 4 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

// reset ends a connection by RST.
func reset(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	connection.Close()
}

// TestNobodyThere checks what is final although no answer came, and what is not.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	unknown.StartTLS()
	defer unknown.Close()
	tests := []struct {
		name, url string
		attempts  int
		sent      bool
	}{
		{"closed port", "http://127.0.0.1:1", 4, false},
		{"no such host", "https://no-such-host.invalid", 1, false},
		{"unknown certificate", unknown.URL, 1, false},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), 1, false},
	}
	for _, test := range tests {
		_, err := newClientAt(t, test.url).GetCustomer(t.Context(), 7)
		if failed := new(client.Error); !errors.As(err, &failed) || failed.Attempts != test.attempts || failed.Sent != test.sent {
			t.Errorf("%s: %+v", test.name, failed)
		}
	}
}

// TestSentOnce checks that a call which once got as far as the service is known to have
// been sent, even if nobody was there when it was tried again.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hangUp(w) }))
	defer server.Close()
	attempts := 0
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		if attempts++; attempts > 1 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	_, err := newClientAt(t, server.URL, func(o *client.Options) { o.Transport = transport }).CreateCustomer(t.Context(), customer("a@example.com"))
	if failed := new(client.Error); !errors.As(err, &failed) || failed.Attempts != 4 || !failed.Sent || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%+v", failed)
	}
}

// TestRedirect checks that the key goes to no other place, and that the place's path is
// not repeated.
func TestRedirect(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{other.URL + "/path?secret=Mallory", "/elsewhere", "http://%zz"} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/elsewhere") {
					elsewhere.Add(1)
				}
				w.Header().Set("Location", target)
				w.WriteHeader(status)
			}))
			c := newClientAt(t, server.URL, func(o *client.Options) { o.MaxAttempts = 1 })
			_, err := c.CreateCustomer(t.Context(), gen.NewCustomer{Email: "a@example.com"})
			if err == nil || strings.Contains(err.Error(), "Mallory") || target[0] != '/' && target != "http://%zz" && !strings.Contains(err.Error(), "a redirect to "+other.URL+": ") {
				t.Errorf("%d to %s: %v", status, target, err)
			}
			if _, err = c.Generated().GetCustomerWithResponse(t.Context(), 7); err == nil {
				t.Errorf("%d to %s: no error", status, target)
			}
			server.Close()
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// TestGatewayProblem checks problems that are not quite the service's.
func TestGatewayProblem(t *testing.T) {
	t.Parallel()
	body := `{"title":"Blocked","detail":"one\nescrow: two\u001b[31m\u202e three ` + strings.Repeat("x", 9000) + `","status":200,"errors":[{"code":"c","detail":"The body as a whole."}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(451)
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	_, err := newClientAt(t, server.URL).GetCustomer(t.Context(), 7)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != "" || p.Status != 451 || p.RequestID != "" || errors.Is(err, client.Code("")) || p.FaultCount != 1 {
		t.Fatalf("%+v", err)
	}
	text := err.Error()
	if strings.ContainsAny(text, "\n\x1b\u202e") || !strings.HasPrefix(text, "getCustomer: status 451: one escrow: two [31m  three xxx") || len(text) > 4200 {
		t.Errorf("%d bytes: %.80q", len(text), text)
	}
}

// TestSecret checks that no way of printing shows the key, even if an answer repeats it.
func TestSecret(t *testing.T) {
	t.Parallel()
	const key = "cex_live_SECRET"
	echo := func(media string, status int, location string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			if given != key {
				t.Errorf("the key is %q", given)
			}
			w.Header().Set("Content-Type", strings.ReplaceAll(media, "KEY", given))
			w.Header().Set("Location", strings.ReplaceAll(location, "KEY", given))
			w.Header().Set("X-Request-Id", given)
			w.Header().Set("Trailer", "X-Seen")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"type":"`+given+`","title":"`+given+`","status":400,"detail":"You sent `+given+`","code":"a","request_id":"018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081","errors":[{"code":"`+given+`","detail":"`+given+`","name":"`+given+`"}]}`)
			w.Header().Set("X-Seen", given)
		}))
	}
	digits := strings.Trim(fmt.Sprintf("%d", []byte(key)), "[]")
	show := func(what string, values ...any) {
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				text := fmt.Sprintf(verb, v)
				if strings.Contains(strings.ToUpper(text), "SECRET") || strings.Contains(text, fmt.Sprintf("%x", key)) || strings.Contains(text, digits) {
					t.Errorf("%s: %s of %T has the key: %s", what, verb, v, text)
				}
			}
		}
	}
	for _, test := range []struct {
		media    string
		status   int
		location string
	}{{"application/problem+json", 400, "http://KEY.example.com/KEY"}, {"text/html", 200, "http://KEY.example.com/KEY"}, {"KEY", 200, "http://KEY.example.com/KEY"}, {"KEY/x", 400, "http://KEY.example.com/KEY"}, {"application/json", 200, "http://KEY.example.com/KEY"}, {"application/problem+json", 503, "http://KEY.example.com/KEY"}, {"text/html", 307, "http://KEY.example.com/KEY"}, {"text/html", 307, "http://%zz/KEY"}} {
		server := echo(test.media, test.status, test.location)
		c, err := client.New(key, &client.Options{BaseURL: server.URL, BaseWait: 1, MaxWait: 1, MaxAttempts: 2})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GetCustomer(t.Context(), 7)
		var p *client.Problem
		var f *client.Error
		var u *client.UnexpectedError
		errors.As(err, &p)
		errors.As(err, &f)
		errors.As(err, &u)
		what := fmt.Sprint(test.status, " ", test.media)
		show(what, err, p, f, u)
		if p != nil {
			show(what, *p)
		}
		generated, _ := c.Generated().ClientInterface.(*gen.Client)
		show(what, c, *c, struct{ c client.Client }{*c}, c.Generated(), *c.Generated(), generated, *generated, generated.Client)
		response, err := c.Generated().GetCustomer(t.Context(), 7)
		show(what, err)
		if response != nil {
			show(what, response.Trailer)
			if err := response.Body.Close(); err != nil {
				t.Error(err)
			}
		}
		server.Close()
	}
	for _, bad := range []string{"SECRET\n", "SECRET\r\nX-Injected: 1", " SECRET", "SEC RET SECRET", "SECRETé", "Bearer SECRET", strings.Repeat("SECRET", 1000)} {
		_, err := client.New(bad, nil)
		if err == nil {
			t.Errorf("%.40q is accepted", bad)
		}
		show("bad key", err)
	}
}

// TestShortKey checks that a key which is a word by mistake does not spoil answers.
func TestShortKey(t *testing.T) {
	t.Parallel()
	c, err := client.New("e", &client.Options{BaseURL: os.Getenv("ESCROW_URL")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetCustomer(t.Context(), 7)
	if p := asProblem(t, err, "getCustomer", 401, client.ErrUnauthenticated); p.Detail != "This API key is unknown or revoked." {
		t.Errorf("%+v", p)
	}
}

// TestInjection checks that what goes into headers cannot become another header, and is
// refused by name before anything is sent.
func TestInjection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	defer server.Close()
	c := newClientAt(t, server.URL)
	for _, key := range []string{"", "a b", "a\r\nX-Injected: 1", "é", "\x7f", strings.Repeat("k", 256)} {
		_, err := c.CreateCustomer(t.Context(), gen.NewCustomer{}, client.IdempotencyKey(key))
		if failed := new(client.Error); !errors.As(err, &failed) || failed.Attempts != 0 || failed.Sent || !strings.Contains(err.Error(), "Idempotency-Key: want 1 to 255 visible ASCII characters") {
			t.Errorf("%.20q: %v", key, err)
		}
	}
	_, err := c.Generated().CreateCustomer(t.Context(), &gen.CreateCustomerParams{IdempotencyKey: new("a")}, gen.NewCustomer{}, func(_ context.Context, r *http.Request) error {
		r.Header.Add("Idempotency-Key", "b")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "Idempotency-Key: want 1") {
		t.Error(err)
	}
	_, err = c.Generated().CreateCustomer(t.Context(), &gen.CreateCustomerParams{Prefer: new("a\nX-Injected: 1")}, gen.NewCustomer{})
	if err == nil || !strings.Contains(err.Error(), "Prefer: must not have control characters") {
		t.Error(err)
	}
}

// TestOtherHost checks that a request which was led to another host is not sent.
func TestOtherHost(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	defer server.Close()
	_, err := newClient(t).Generated().GetCustomer(t.Context(), 7, func(_ context.Context, r *http.Request) error {
		r.URL.Host = strings.TrimPrefix(server.URL, "http://")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "another host") {
		t.Error(err)
	}
}

// TestBodies checks that a body is not read without end, and closed in any case.
func TestBodies(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		if err != nil || string(content) != "{}" || r.ContentLength != 2 {
			t.Errorf("%.10q of %d, %v", content, r.ContentLength, err)
		}
		answerCustomer(w, 201)
	}))
	defer server.Close()
	generated := newClientAt(t, server.URL).Generated()
	for _, test := range []struct {
		reader io.Reader
		key    string
		want   string
	}{
		{strings.NewReader("{}"), "k", ""},
		{endless{}, "k", "body of the request: longer than 1048576 bytes"},
		{iotest.ErrReader(errors.New("broken")), "k", "body of the request: broken"},
		{endless{}, "a bad key", "Idempotency-Key: want"},
	} {
		body := &closer{Reader: test.reader}
		_, err := generated.CreateCustomerWithBody(t.Context(), &gen.CreateCustomerParams{IdempotencyKey: &test.key}, "application/json", body)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) || !body.closed {
			t.Errorf("%T: %v, closed %t", test.reader, err, body.closed)
		}
	}
}

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return nil
}
