package lying

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// reply is an answer, or why there is none.
type reply struct {
	status int
	header http.Header
	body   []byte
	extra  []byte // what follows the answer on a connection that is to be closed
	err    error
	took   time.Duration
}

// runs talks with one server, and keeps what it is told.
type run struct {
	t   *testing.T
	s   *Server
	log []string
	key string
	all []exchange
	mu  sync.Mutex // of all
}

// exchange is what was asked for and answered.
type exchange struct {
	method, target string
	reply          reply
}

// start starts a server that is closed with the test.
func start(t *testing.T, seed uint64, class string) *Server {
	t.Helper()
	s, err := New(seed, class)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// raw sends bytes on a connection of their own. If half is set, the client says
// that nothing more comes.
func (r *run) raw(text, method string, half bool) reply {
	began := time.Now()
	d := net.Dialer{}
	c, err := d.DialContext(context.Background(), "tcp", strings.TrimPrefix(r.s.URL, "http://"))
	if err != nil {
		return reply{err: err}
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return reply{err: err}
	}
	go func() {
		io.WriteString(c, text) //nolint:errcheck // the answer is looked at
		if t, ok := c.(*net.TCPConn); ok && half {
			t.CloseWrite() //nolint:errcheck // likewise
		}
	}()
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			err = errors.New("timeout")
		} else {
			err = errors.New("no answer")
		}
		return reply{err: err, took: time.Since(began)}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		err = errors.New("body cut")
	}
	extra := make([]byte, 64)
	n := 0
	if c.SetReadDeadline(time.Now().Add(20*time.Millisecond)) == nil {
		n, _ = in.Read(extra)
	}
	return reply{res.StatusCode, res.Header, body, extra[:n], err, time.Since(began)}
}

// send sends a request with the first tenant's key, unless the header has one.
// lines are Name: value.
func (r *run) send(method, target, body string, lines ...string) reply {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: lying.example\r\nConnection: close\r\n", method, target)
	all := strings.Join(lines, "\n")
	if !strings.Contains(all, "X-API-Key") && !strings.Contains(all, "Authorization") && !strings.Contains(all, "anonymous") {
		lines = append(lines, "X-API-Key: "+r.key)
	}
	if body != "" && !strings.Contains(all, "Content-Type") {
		lines = append(lines, "Content-Type: application/json")
	}
	for _, l := range lines {
		if l != "anonymous" {
			b.WriteString(l + "\r\n")
		}
	}
	if body != "" || method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	a := r.raw(b.String()+"\r\n"+body, method, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, exchange{method, target, a})
	return a
}

var (
	idForm     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	clockForm  = regexp.MustCompile(`2026-11-\d\dT[0-9:.]+Z|202[6-9]-\d\d-\d\dT[0-9:]+\.\d{6}Z`)
	tagForm    = regexp.MustCompile(`"[0-9a-f]{16}"`)
	dateForm   = regexp.MustCompile(`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT`)
	cursorForm = regexp.MustCompile(`[A-Za-z0-9_-]{60,}`)
	urlForm    = regexp.MustCompile(`127\.0\.0\.1:\d+`)
)

// steady leaves out what differs from run to run.
func steady(s string) string {
	s = idForm.ReplaceAllString(s, "<id>")
	s = clockForm.ReplaceAllString(s, "<time>")
	s = tagForm.ReplaceAllString(s, "<tag>")
	s = dateForm.ReplaceAllString(s, "<date>")
	s = cursorForm.ReplaceAllString(s, "<cursor>")
	s = urlForm.ReplaceAllString(s, "<host>")
	return strings.NewReplacer(`"queued"`, `"pending"`, `"running"`, `"pending"`).Replace(s)
}

// String is all of an answer that does not differ from run to run.
func (a reply) String() string {
	if a.err != nil && a.status == 0 {
		return a.err.Error()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d", a.status)
	if a.err != nil {
		fmt.Fprintf(&b, " %v", a.err)
	}
	if err := a.header.Write(&b); err != nil {
		return err.Error()
	}
	body := a.body
	if a.header.Get("Content-Encoding") == "gzip" {
		if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, _ = io.ReadAll(z)
			b.WriteString("(gzip)")
		}
	}
	b.Write(body)
	fmt.Fprintf(&b, " +%q", a.extra)
	out := steady(b.String())
	return regexp.MustCompile(`Content-Length: \d+\r\n`).ReplaceAllString(out, "") + map[bool]string{true: " slow"}[a.took > time.Second]
}

// note keeps something that was seen.
func (r *run) note(what string, v any) { r.log = append(r.log, steady(fmt.Sprint(what, ": ", v))) }

// do sends a request, and keeps what is answered.
func (r *run) do(method, target, body string, lines ...string) reply {
	a := r.send(method, target, body, lines...)
	r.note(method+" "+target+" "+strings.Join(lines, ",")+" "+body[:min(len(body), 200)], a)
	return a
}

// value is the body.
func (a reply) value(names ...any) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	for _, n := range names {
		switch n := n.(type) {
		case string:
			v = object(v)[n]
		case int:
			if n >= len(array(v)) {
				return nil
			}
			v = array(v)[n]
		}
	}
	return v
}

// id is the id in the body.
func (a reply) id() string { return text(a.value("id")) }

// project makes a project, and says where it is.
func (r *run) project(name string) string {
	a := r.send("POST", "/projects", `{"name":`+compact(name)+`}`)
	if a.id() == "" {
		return "/projects/00000000-0000-4000-8000-000000000000"
	}
	return "/projects/" + a.id()
}
