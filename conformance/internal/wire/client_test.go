package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serve answers each connection with the function; it is given the number of the
// connection, from 1.
func serve(t *testing.T, handle func(n int, conn net.Conn, r *bufio.Reader)) *url.URL {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(n, conn, bufio.NewReader(conn))
			}()
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// request reads one.
func request(r *bufio.Reader) error {
	req, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err
}

func client(t *testing.T, base *url.URL, o Options) *Client {
	t.Helper()
	c := New(base, o)
	t.Cleanup(c.Close)
	return c
}

var get1 = &Request{Method: "GET", Target: "/x"}

func TestAnswers(t *testing.T) {
	t.Parallel()
	ok := "HTTP/1.1 200 OK\r\n"
	for name, test := range map[string]struct {
		method, answer string
		open           bool // the server does not close after the answer
		want           Response
		err            error
	}{
		"counted":            {answer: ok + "Content-Length: 3\r\n\r\nabc", open: true, want: Response{Status: 200, Body: []byte("abc")}},
		"until the end":      {answer: ok + "\r\nabc", want: Response{Status: 200, Body: []byte("abc")}},
		"chunked":            {answer: ok + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n", open: true, want: Response{Status: 200, Body: []byte("abc"), Trailer: []Field{{"T", "1"}}}},
		"no body":            {answer: ok + "Content-Length: 0\r\n\r\n", open: true, want: Response{Status: 200}},
		"line feeds alone":   {answer: "HTTP/1.1 200 OK\nContent-Length: 1\n\na", open: true, want: Response{Status: 200, Body: []byte("a")}},
		"no reason":          {answer: "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", open: true, want: Response{Status: 404}},
		"unknown status":     {answer: "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n", open: true, want: Response{Status: 799}},
		"interim":            {answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na", open: true, want: Response{Status: 200, Body: []byte("a"), Interim: []int{100, 103}}},
		"HEAD":               {method: "HEAD", answer: ok + "Content-Length: 3\r\n\r\n", open: true, want: Response{Status: 200}},
		"HEAD with a body":   {method: "HEAD", answer: ok + "Content-Length: 3\r\n\r\nabc", open: true, want: Response{Status: 200, Extra: []byte("abc")}},
		"204 with a body":    {answer: "HTTP/1.1 204 No Content\r\n\r\nabc", open: true, want: Response{Status: 204, Extra: []byte("abc")}},
		"304 with a body":    {answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", want: Response{Status: 304, Extra: []byte("abc")}},
		"304 without":        {answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", open: true, want: Response{Status: 304}},
		"more than counted":  {answer: ok + "Content-Length: 2\r\n\r\nabc", open: true, want: Response{Status: 200, Body: []byte("ab"), Extra: []byte("c")}},
		"equal lengths":      {answer: ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", open: true, want: Response{Status: 200, Body: []byte("a")}},
		"less than counted":  {answer: ok + "Content-Length: 4\r\n\r\nabc", err: ErrTruncated, want: Response{Status: 200, Body: []byte("abc")}},
		"half a chunk":       {answer: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", err: ErrTruncated, want: Response{Status: 200, Body: []byte("abc")}},
		"half a header":      {answer: ok + "Content-Le", err: ErrTruncated, want: Response{Status: 200}},
		"no end of chunks":   {answer: ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", err: ErrTruncated, want: Response{Status: 200, Body: []byte("a")}},
		"bad chunk":          {answer: ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", err: ErrMalformed, want: Response{Status: 200}},
		"different lengths":  {answer: ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", err: ErrMalformed, want: Response{Status: 200}},
		"negative length":    {answer: ok + "Content-Length: -1\r\n\r\nab", err: ErrMalformed, want: Response{Status: 200}},
		"space before colon": {answer: ok + "X : 1\r\n\r\n", err: ErrMalformed, want: Response{Status: 200}},
		"no HTTP":            {answer: "SSH-2.0-x\r\n", err: ErrMalformed},
		"no HTTP, no line":   {answer: "<html>", err: ErrMalformed},
		"four digits":        {answer: "HTTP/1.1 2000 OK\r\n\r\n", err: ErrMalformed},
		"nothing":            {answer: "", err: ErrClosed},
		"silence":            {answer: "", open: true, err: ErrTimeout},
		"half, then silence": {answer: ok + "Content-Length: 4\r\n\r\nabc", open: true, err: ErrTimeout, want: Response{Status: 200, Body: []byte("abc")}},
		"long header":        {answer: ok + "X: " + strings.Repeat("a", MaxHead), err: ErrTooLarge, want: Response{Status: 200}},
		"long body":          {answer: ok + "\r\n" + strings.Repeat("a", MaxBody+1), err: ErrTooLarge, want: Response{Status: 200, Body: []byte(strings.Repeat("a", MaxBody))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				if err := request(r); err != nil {
					return
				}
				fmt.Fprint(conn, test.answer)
				if test.open {
					_, _ = io.Copy(io.Discard, r)
				}
			})
			timeout := 10 * time.Second
			if errors.Is(test.err, ErrTimeout) {
				timeout = 100 * time.Millisecond
			}
			method := "GET"
			if test.method != "" {
				method = test.method
			}
			ex := client(t, base, Options{Timeout: timeout}).Do(t.Context(), &Request{Method: method, Target: "/"})
			got := ex.Response
			if !errors.Is(ex.Err, test.err) || (ex.Err == nil) != (test.err == nil) {
				t.Fatalf("error %v, want %v", ex.Err, test.err)
			}
			if test.err != nil {
				if got != nil {
					t.Errorf("there is an answer: %+v", got)
				}
				if got = ex.Partial; got == nil {
					got = &Response{}
				}
			}
			brief := Response{Status: got.Status, Body: got.Body, Extra: got.Extra, Trailer: got.Trailer, Interim: got.Interim}
			if string(brief.Body) != string(test.want.Body) || string(brief.Extra) != string(test.want.Extra) {
				t.Errorf("body %.20q and %.20q, want %.20q and %.20q", brief.Body, brief.Extra, test.want.Body, test.want.Extra)
			}
			brief.Body, brief.Extra, test.want.Body, test.want.Extra = nil, nil, nil, nil
			if d := cmp.Diff(test.want, brief); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 200 OK\r\nB: 2\r\nset-cookie: a\r\nA:1\r\nSet-Cookie:  b \r\nFold: x\r\n  y\r\nContent-Length: 0\r\n\r\n"
	base := serve(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		_ = request(r)
		fmt.Fprint(conn, head)
	})
	r := client(t, base, Options{}).Do(t.Context(), get1).Response
	if r == nil {
		t.Fatal("no answer")
	}
	if d := cmp.Diff([]Field{{"B", "2"}, {"set-cookie", "a"}, {"A", "1"}, {"Set-Cookie", "b"}, {"Fold", "x y"}, {"Content-Length", "0"}}, r.Header); d != "" {
		t.Error(d)
	}
	if string(r.Head) != head || r.Get("SET-COOKIE") != "a, b" || r.Proto != "HTTP/1.1" {
		t.Errorf("%q, %q, %q", r.Head, r.Get("SET-COOKIE"), r.Proto)
	}
}

// TestKept: after which answers a connection is used again.
func TestKept(t *testing.T) {
	t.Parallel()
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	for name, test := range map[string]struct {
		request *Request
		answer  string
		want    int32 // connections after two requests
	}{
		"usual":       {get1, ok + "\r\n", 1},
		"HEAD":        {&Request{Method: "HEAD", Target: "/"}, ok + "\r\n", 1},
		"204":         {get1, "HTTP/1.1 204 No Content\r\n\r\n", 1},
		"close":       {get1, ok + "Connection: close\r\n\r\n", 2},
		"asked to":    {&Request{Method: "GET", Target: "/", Header: []Field{{"Connection", "close"}}}, ok + "\r\n", 2},
		"HTTP/1.0":    {get1, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 2},
		"extra":       {get1, ok + "\r\nx", 2},
		"raw":         {&Request{Method: "GET", Raw: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")}, ok + "\r\n", 2},
		"odd length":  {&Request{Method: "GET", Target: "/", Header: []Field{{"Content-Length", "00"}}}, ok + "\r\n", 2},
		"own length":  {&Request{Method: "PUT", Target: "/", Header: []Field{{"Content-Length", "1"}}, Body: []byte("a")}, ok + "\r\n", 1},
		"two lengths": {get1, ok + "Content-Length: 0\r\n\r\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int32
			base := serve(t, func(n int, conn net.Conn, r *bufio.Reader) {
				connections.Store(int32(n))
				for {
					if err := request(r); err != nil {
						return
					}
					fmt.Fprint(conn, test.answer)
				}
			})
			c := client(t, base, Options{})
			for range 2 {
				if ex := c.Do(t.Context(), test.request); ex.Err != nil || ex.Retried {
					t.Fatal(ex.Err, ex.Retried)
				}
			}
			if got := connections.Load(); got != test.want {
				t.Errorf("%d connections, want %d", got, test.want)
			}
		})
	}
}

// TestStale: a kept connection that ends when it is used again is replaced, and a
// new one that ends is the server's fault.
func TestStale(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		second func(net.Conn) // on the first connection
		always bool           // further connections do the same
		err    error
	}{
		"closed":               {second: func(net.Conn) {}},
		"reset":                {second: func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }},
		"always closed":        {second: func(net.Conn) {}, always: true, err: ErrClosed},
		"half an answer":       {second: func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 2") }, err: ErrTruncated},
		"half a bad one":       {second: func(c net.Conn) { fmt.Fprint(c, "oops") }, err: ErrMalformed},
		"always reset at once": {second: func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, always: true, err: ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, func(n int, conn net.Conn, r *bufio.Reader) {
				for i := 1; ; i++ {
					if err := request(r); err != nil {
						return
					}
					if n == 1 && i == 2 || n > 1 && test.always {
						test.second(conn)
						return
					}
					fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			c := client(t, base, Options{})
			post := &Request{Method: "POST", Target: "/", Body: []byte("{}")}
			if ex := c.Do(t.Context(), post); ex.Err != nil {
				t.Fatal(ex.Err)
			}
			ex := c.Do(t.Context(), post)
			if !errors.Is(ex.Err, test.err) || (ex.Err == nil) != (test.err == nil) {
				t.Errorf("error %v, want %v", ex.Err, test.err)
			}
			if want := test.err == nil || test.always; ex.Retried != want {
				t.Errorf("Retried = %v", ex.Retried)
			}
		})
	}
}

// TestClosedWhileIdle: what happens between two requests is not a matter of the
// second one.
func TestClosedWhileIdle(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]string{"closed": "", "spoke": "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan struct{}, 2)
			base := serve(t, func(n int, conn net.Conn, r *bufio.Reader) {
				_ = request(r)
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				if n == 1 {
					<-done
					fmt.Fprint(conn, late)
					conn.Close()
					done <- struct{}{}
				}
				_, _ = io.Copy(io.Discard, r)
			})
			c := client(t, base, Options{})
			c.Do(t.Context(), get1)
			done <- struct{}{}
			c.pool.mu.Lock()
			idle := c.pool.idle[0]
			c.pool.mu.Unlock()
			<-idle.quiet // the end has come here
			if ex := c.Do(t.Context(), get1); ex.Err != nil || ex.Response.Status != 200 || ex.Retried {
				t.Errorf("%+v, %v", ex.Response, ex.Err)
			}
		})
	}
}

// TestEarlyAnswer: the server refuses before it has read the request, and resets
// the connection.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	base := serve(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		_, _ = r.ReadString('\n')
		fmt.Fprint(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.CopyN(io.Discard, r, 1<<20)
		_ = conn.(*net.TCPConn).SetLinger(0)
	})
	ex := client(t, base, Options{}).Do(t.Context(), &Request{Method: "POST", Target: "/", Body: make([]byte, 15<<20)})
	if ex.Err != nil || ex.Response.Status != 413 || string(ex.Response.Body) != "no" {
		t.Errorf("%+v, %v", ex.Response, ex.Err)
	}
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header  string
		options Options
		want    bool // to see it
		status  int
		times   int
	}{
		"waited out":       {"Retry-After: 0", Options{MaxWait: time.Second}, false, 200, 2},
		"not asked for":    {"Retry-After: 0", Options{}, false, 429, 0},
		"too long":         {"Retry-After: 5", Options{MaxWait: time.Second}, false, 429, 0},
		"wants to see it":  {"Retry-After: 0", Options{MaxWait: time.Second}, true, 429, 0},
		"no time":          {"X: 1", Options{MaxWait: time.Second}, false, 429, 0},
		"unreadable":       {"Retry-After: -1", Options{MaxWait: time.Second}, false, 429, 0},
		"a date in past":   {"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", Options{MaxWait: time.Second}, false, 200, 2},
		"a date in future": {"Retry-After: Fri, 31 Dec 2199 23:59:59 GMT", Options{MaxWait: time.Second}, false, 429, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			base := serve(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				for {
					if err := request(r); err != nil {
						return
					}
					if n.Add(1) > 2 {
						fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					} else {
						fmt.Fprint(conn, "HTTP/1.1 429 Slow\r\n"+test.header+"\r\nContent-Length: 0\r\n\r\n")
					}
				}
			})
			ex := client(t, base, test.options).Do(t.Context(), &Request{Method: "GET", Target: "/", WantThrottled: test.want})
			if ex.Err != nil || ex.Response.Status != test.status || ex.Throttled != test.times {
				t.Errorf("%+v after %d, %v", ex.Response, ex.Throttled, ex.Err)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	base, _ := url.Parse(s.URL)
	c := client(t, base, Options{RateLimit: 50})
	start := time.Now()
	for range 10 {
		if ex := c.Do(t.Context(), get1); ex.Err != nil {
			t.Fatal(ex.Err)
		}
	}
	if took := time.Since(start); took < 90*time.Millisecond { // 5 at once, 5 at 20 ms
		t.Errorf("10 requests at 50 a second took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	slow := client(t, base, Options{RateLimit: 0.01})
	if ex := slow.Do(ctx, get1); ex.Err != nil {
		t.Fatal(ex.Err)
	}
	if ex := slow.Do(ctx, get1); !errors.Is(ex.Err, context.DeadlineExceeded) || errors.Is(ex.Err, ErrTimeout) {
		t.Errorf("error %v", ex.Err)
	}
}

// TestGivenUp: when the caller's time is up, it is not said that the server's was.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	base := serve(t, func(_ int, _ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	c := client(t, base, Options{})
	deadline, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if ex := c.Do(deadline, get1); !errors.Is(ex.Err, context.DeadlineExceeded) || errors.Is(ex.Err, ErrTimeout) {
		t.Errorf("error %v", ex.Err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if ex := c.Do(canceled, get1); !errors.Is(ex.Err, context.Canceled) || errors.Is(ex.Err, ErrConnect) {
		t.Errorf("error %v", ex.Err)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	base, _ := url.Parse(s.URL)
	if ex := client(t, base, Options{}).Do(t.Context(), get1); !errors.Is(ex.Err, ErrConnect) {
		t.Errorf("unknown authority: error %v", ex.Err)
	}
	s.Close()
	if ex := client(t, base, Options{}).Do(t.Context(), get1); !errors.Is(ex.Err, ErrConnect) {
		t.Errorf("nobody there: error %v", ex.Err)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	base := serve(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		_ = request(r)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
		_, _ = io.Copy(io.Discard, r)
	})
	ex := client(t, base, Options{}).Do(t.Context(), &Request{Method: "GET", Target: "/", Stream: true, Timeout: 100 * time.Millisecond})
	if ex.Err != nil || string(ex.Response.Body) != "data: 1\n\n" || !ex.Response.Unfinished {
		t.Errorf("%+v, %v", ex.Response, ex.Err)
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	const k = 5
	var there atomic.Int32
	all := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if there.Add(1) == k {
			close(all)
		}
		<-all // none is answered before all have come
		fmt.Fprint(w, r.URL.Path)
	}))
	t.Cleanup(s.Close)
	base, _ := url.Parse(s.URL)
	var requests []*Request
	for _, p := range strings.Split("abcde", "") {
		requests = append(requests, &Request{Method: "GET", Target: "/" + p})
	}
	got := ""
	for _, ex := range client(t, base, Options{}).Together(t.Context(), requests...) {
		if ex.Err != nil {
			t.Fatal(ex.Err)
		}
		got += string(ex.Response.Body)
	}
	if got != "/a/b/c/d/e" {
		t.Errorf("answers %q", got)
	}
	s.Close()
	for _, ex := range client(t, base, Options{}).Together(t.Context(), requests...) {
		if !errors.Is(ex.Err, ErrConnect) {
			t.Errorf("nobody there: error %v", ex.Err)
		}
	}
}

func TestTLSAndHTTP2(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Agent", r.UserAgent())
		fmt.Fprint(w, r.Proto+" "+r.Method+" "+r.RequestURI+" "+r.Header.Get("X-A")+" "+string(body))
	})
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewUnstartedServer(handler)
	plain.Config.Protocols = &http.Protocols{}
	plain.Config.Protocols.SetHTTP1(true)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	t.Cleanup(plain.Close)
	req := &Request{Method: "POST", Target: "/a%2fb?c=%64", Header: []Field{{"X-A", "1"}}, Body: []byte("body")}
	for _, s := range []*httptest.Server{secure, plain} {
		base, _ := url.Parse(s.URL)
		o := Options{UserAgent: "me"}
		if s.TLS != nil {
			o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
		}
		c := client(t, base, o)
		for proto, ex := range map[string]*Exchange{"HTTP/1.1": c.Do(t.Context(), req), "HTTP/2.0": c.DoHTTP2(t.Context(), req)} {
			if ex.Err != nil {
				t.Fatal(ex.Err)
			}
			if got, want := string(ex.Response.Body), proto+" POST /a%2fb?c=%64 1 body"; got != want || ex.Response.Get("X-Agent") != "me" {
				t.Errorf("%q from %q, want %q", got, ex.Response.Get("X-Agent"), want)
			}
		}
	}
	base, _ := url.Parse(plain.URL)
	c := client(t, base, Options{})
	if ex := c.DoHTTP2(t.Context(), &Request{Raw: []byte("x")}); ex.Err == nil {
		t.Error("raw bytes were sent over HTTP/2")
	}
	plain.Close()
	if ex := c.DoHTTP2(t.Context(), req); ex.Err == nil || ex.Response != nil {
		t.Errorf("%+v, %v", ex.Response, ex.Err)
	}
}
