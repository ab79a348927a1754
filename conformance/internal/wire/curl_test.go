package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCurl runs what is written in a shell, and compares what comes.
func TestCurl(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("there is no %s", name)
		}
	}
	mask := NewMasker(Secret{"KEY", "s3cr3t'$key"}, Secret{"OTHER_KEY", "other secret"})
	for name, r := range map[string]*Request{
		"get":          {Method: "GET", Target: "/a/b?c=d"},
		"host":         {Method: "GET", Target: "/", Header: []Field{{"Host", "example.com"}, {"X", "1"}}},
		"agent":        {Method: "GET", Target: "/", Header: []Field{{"X", "1"}, {"User-Agent", "me"}, {"Accept", "a/b"}}},
		"escapes":      {Method: "GET", Target: "/a/../b/%2e%2E//c?x[]={1,2}&y=[1-3]"},
		"odd target":   {Method: "GET", Target: "/é\"#'\\?\xff"},
		"umlauts":      {Method: "GET", Target: "/é?ü#\"\\'", Header: []Field{{"X", "ö\t!"}}},
		"escape":       {Method: "GET", Target: "/", Header: []Field{{"X", "\x1b[31m"}}},
		"asterisk":     {Method: "OPTIONS", Target: "*"},
		"with space":   {Method: "GET", Target: "/a b"},
		"method":       {Method: "QU'X", Target: "/"},
		"odd method":   {Method: "GE T", Target: "/"},
		"delete":       {Method: "DELETE", Target: "/"},
		"head":         {Method: "HEAD", Target: "/x"},
		"head body":    {Method: "HEAD", Target: "/x", Body: []byte("b")},
		"post":         {Method: "POST", Target: "/", Header: []Field{{"Content-Type", "application/json"}, {"Empty", ""}, {"Quote", `it's "$HOME" \`}}, Body: []byte(`{"a":"it's é $(ls) "}` + "\n")},
		"empty post":   {Method: "POST", Target: "/"},
		"get body":     {Method: "GET", Target: "/", Body: []byte("x=y")},
		"at":           {Method: "PUT", Target: "/", Body: []byte("@/etc/passwd")},
		"dash":         {Method: "PUT", Target: "/", Body: []byte("-n\x01")},
		"binary":       {Method: "PUT", Target: "/", Body: []byte("\x00\xff'%s\\n\n\r\t\x7f\u202e\ufffd 1\x001")},
		"large":        {Method: "PUT", Target: "/", Body: []byte(`{"a":"` + strings.Repeat("x", 300000) + strings.Repeat(`{"a":[`, 50000) + "'" + strings.Repeat("\x00", 5000) + strings.Repeat("-a", 999) + strings.Repeat("\\", 999))},
		"long":         {Method: "PUT", Target: "/", Body: []byte(strings.Repeat("0123456789abcdefg", 200))},
		"key":          {Method: "POST", Target: "/s3cr3t%27$key?k=s3cr3t%27%24key", Header: []Field{{"Authorization", "Bearer s3cr3t'$key"}, {"Cookie", "a=other secret; b=; c"}, {"X-API-Key", "s3cr3t'$key"}}, Body: []byte(`{"k":"s3cr3t'$key"}`)},
		"key, binary":  {Method: "POST", Target: "/", Body: []byte("\x00s3cr3t'$key other secret%")},
		"invented":     {Method: "GET", Target: "/", Header: []Field{{"Authorization", "Bearer nobody's"}, {"X-Api-Key", ""}}, Invented: []string{"nobody's"}},
		"raw":          {Method: "GET", Raw: []byte("GET / HTTP/1.1\r\nHost: x\r\nX : \x00%\\'\r\nAuthorization: Basic s3cr3t'$key\r\n\r\n\xff\xfe")},
		"raw, no end":  {Method: "GET", Raw: []byte("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: s3cr3t'$key"), CloseWrite: true},
		"chunked":      {Method: "POST", Target: "/", Header: []Field{{"Transfer-Encoding", "chunked"}}, Body: []byte("1\r\na\r\n0\r\n\r\n")},
		"length":       {Method: "POST", Target: "/", Header: []Field{{"Content-Length", "1"}}, Body: []byte("12")},
		"line breaks":  {Method: "GET", Target: "/", Header: []Field{{"X", "a\r\nY: b"}}},
		"blanks":       {Method: "GET", Target: "/", Header: []Field{{"X", " a "}}},
		"host is last": {Method: "GET", Target: "/", Header: []Field{{"X", "a"}, {"Host", "b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reproduce(t, r, mask, false)
		})
		if r.Raw != nil {
			t.Run(name+", TLS", func(t *testing.T) {
				t.Parallel()
				reproduce(t, r, mask, true)
			})
		}
	}
}

// reproduce runs the command for a request, and fails if other bytes come than
// [Client.Do] sends.
func reproduce(t *testing.T, r *Request, mask *Masker, secure bool) {
	t.Helper()
	got := make(chan []byte, 1)
	var want []byte
	ready := make(chan struct{})
	handle := func(conn net.Conn) {
		<-ready
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		all := make([]byte, len(want))
		n, _ := io.ReadFull(conn, all)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		more, _ := io.ReadAll(conn)
		got <- append(all[:n], more...)
	}
	var certificate []tls.Certificate
	if secure {
		s := httptest.NewTLSServer(nil) // for its certificate
		certificate = s.TLS.Certificates
		s.Close()
	}
	base := serve(t, func(_ int, conn net.Conn, _ *bufio.Reader) {
		if secure {
			conn = tls.Server(conn, &tls.Config{Certificates: certificate, MinVersion: tls.VersionTLS12})
		}
		handle(conn)
		conn.Close()
	})
	if secure {
		base.Scheme = "https"
	}
	want = r.Bytes(base.Host, DefaultUserAgent)
	close(ready)
	text := Curl(r, base, mask)
	t.Logf("%.600s", text)
	if !readable(text) {
		t.Errorf("what is in %q cannot be read", text)
	}
	if len(text) > 40*len(want)+2000 || len(text) > 20000 {
		t.Errorf("the command is %d long", len(text))
	}
	for _, secret := range []string{"s3cr3t", "other secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", text)
	sh.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "KEY=s3cr3t'$key", "OTHER_KEY=other secret", "KEY_URLENCODED=s3cr3t%27%24key", "KEY_PATHENCODED=s3cr3t%27$key", "COOKIE_B=x")
	output, err := sh.CombinedOutput()
	if err != nil && !secure { // openssl complains of connections that are cut
		t.Errorf("%v: %s", err, output)
	}
	if !strings.Contains(string(output), "HTTP/1.1 200 OK") {
		t.Errorf("the answer is not shown: %s", output)
	}
	select {
	case sent := <-got:
		if !bytes.Equal(sent, want) {
			t.Errorf("other bytes are sent:\n%s", cmp.Diff(fmt.Sprintf("%.2000q", want), fmt.Sprintf("%.2000q", sent)))
		}
	case <-ctx.Done():
		t.Error("nothing was sent")
	}
}

// programs is a folder with an nc, since few machines have one: it is this test.
var programs string

func TestMain(m *testing.M) {
	if os.Getenv("BE_NC") != "" {
		netcat(os.Args[len(os.Args)-2:])
		return
	}
	os.Exit(prepared(m))
}

func prepared(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "wire"); err != nil {
		return 1
	}
	defer os.RemoveAll(programs)
	self, err := os.Executable()
	if err != nil || os.WriteFile(filepath.Join(programs, "nc"), []byte("#!/bin/sh\nBE_NC=1 exec '"+self+"' \"$@\"\n"), 0o700) != nil {
		return 1
	}
	return m.Run()
}

func netcat(address []string) {
	var d net.Dialer
	conn, err := d.DialContext(context.Background(), "tcp", net.JoinHostPort(address[0], address[1]))
	if err != nil {
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(conn, os.Stdin)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(os.Stdout, conn)
}

func TestMask(t *testing.T) {
	t.Parallel()
	m := NewMasker(Secret{"KEY", "se/cret"}, Secret{"LONG", "se/cret and more"}, Secret{"SHORT", "abc"})
	r := m.Request(&Request{
		Method: "POST", Target: "/se%2Fcret/abc?api_key=unknown&q=se/cret&x=1",
		Header: []Field{
			{"Authorization", "Bearer unknown"}, {"Proxy-Authorization", "odd"}, {"X-Api-Key", "unknown"}, {"Cookie", "a=b; c=d"},
			{"X", "(se/cret and more)"}, {"Content-Type", "a/b"}, {"Idempotency-Key", "abc"},
		},
		Body: []byte(`{"a":"se/cret"}`),
	})
	want := &Request{
		Method: "POST", Target: "/***/abc?api_key=***&q=***&x=1",
		Header: []Field{
			{"Authorization", "Bearer ***"}, {"Proxy-Authorization", "***"}, {"X-Api-Key", "***"}, {"Cookie", "a=***; c=***"},
			{"X", "(***)"}, {"Content-Type", "a/b"}, {"Idempotency-Key", "abc"},
		},
		Body: []byte(`{"a":"***"}`),
	}
	if d := cmp.Diff(want, r); d != "" {
		t.Error(d)
	}
	ex := m.Exchange(Exchange{Request: &Request{Raw: []byte("GET / HTTP/1.1\r\nCookie: a=b\r\nX:y\r\n\r\nCookie: se/cret"), Invented: []string{"bogus"}}, Response: &Response{
		Head:   []byte("HTTP/1.1 200 OK\r\nSet-Cookie: id=unknown; Path=/; Secure\r\n\r\n"),
		Header: []Field{{"Set-Cookie", "id=unknown; Path=/; Secure"}},
		Body:   []byte(`{"access_token": "un\"known", "tokens": 3, "key": "kept"}`),
	}})
	if got, want := string(ex.Request.Raw), "GET / HTTP/1.1\r\nCookie: a=***\r\nX:y\r\n\r\nCookie: ***"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := string(ex.Response.Head), "HTTP/1.1 200 OK\r\nSet-Cookie: id=***; Path=/; Secure\r\n\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := string(ex.Response.Body), `{"access_token": "***", "tokens": 3, "key": "kept"}`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := ex.Response.Header[0].Value, "id=***; Path=/; Secure"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var none *Masker
	if got := none.Fields([]Field{{"Authorization", "Bearer bogus"}, {"X", "y"}}, "bogus"); got[0].Value != "Bearer bogus" || got[1].Value != "y" {
		t.Errorf("%v", got)
	}
	if none.Request(nil) != nil || none.Response(nil) != nil {
		t.Error("nothing became something")
	}
}
