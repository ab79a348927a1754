// Package rawhttp lets a service answer, in its own form, what net/http refuses
// before any handler is asked: requests that cannot be read, unknown versions of
// HTTP, transfer codings, expectations, and headers that are too large. net/http
// answers these in text/plain, some of them with a status of 500 and more, and
// has no hook for it.
//
// What a connection is written while none of its requests is with a handler can
// only be such a refusal: an answer is written out before net/http calls the
// connection idle, and 100 Continue is sent when a handler reads. So nothing is
// guessed from the bytes, but for the status; and a request that reaches its
// handler costs no more than to note that it does.
package rawhttp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"cryptoexchange.com/escrow/impl/internal/unread"
)

// Refusal is what net/http would answer.
type Refusal struct {
	Status int
	Reason string // in net/http's words, without anything of the request; may be empty
}

// Answer is what is answered in its place. The connection is closed after it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Wrap makes a server answer its refusals by answer, and gives the listener that
// it must serve. The server must have its handler, and neither ConnState nor
// ConnContext.
func Wrap(server *http.Server, l net.Listener, answer func(Refusal) Answer) net.Listener {
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if ours, ok := c.(*conn); ok && state == http.StateIdle {
			ours.handled.Store(false)
		}
	}
	next := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ours, ok := r.Context().Value(connKey{}).(*conn); ok {
			ours.handled.Store(true)
		}
		next.ServeHTTP(w, r)
	})
	return listener{l, answer}
}

type connKey struct{}

type listener struct {
	net.Listener
	answer func(Refusal) Answer
}

// Accept implements [net.Listener].
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &conn{TCPConn: tcp, answer: l.answer}, err
	}
	return c, err
}

// conn keeps all methods of its connection, some of which net/http looks for.
type conn struct {
	*net.TCPConn
	answer  func(Refusal) Answer
	handled atomic.Bool // a request is with a handler, or its answer on its way
	refused bool
}

// Write implements [net.Conn].
func (c *conn) Write(p []byte) (int, error) {
	if c.handled.Load() {
		return c.TCPConn.Write(p)
	}
	if c.refused {
		return len(p), nil // the rest of what has been replaced
	}
	refusal, ok := parse(p)
	if !ok {
		return c.TCPConn.Write(p)
	}
	c.refused = true
	if _, err := c.TCPConn.Write(c.answer(refusal).bytes()); err != nil {
		return 0, err
	}
	c.discard()
	return len(p), nil
}

// discard ends our side, and reads what is left of the other.
func (c *conn) discard() {
	if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(unread.Timeout)) == nil {
		// Where it does not end, the server closes the connection.
		unread.Discard(c.TCPConn)
	}
}

// parse reads a status line, as net/http writes it.
func parse(answer []byte) (Refusal, bool) {
	line, _, _ := strings.Cut(string(answer[:min(len(answer), 200)]), "\r\n")
	protocol, rest, _ := strings.Cut(line, " ")
	number, text, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(number)
	if err != nil || !strings.HasPrefix(protocol, "HTTP/") || status < http.StatusBadRequest {
		return Refusal{}, false
	}
	reason := strings.TrimPrefix(strings.TrimPrefix(text, http.StatusText(status)), ": ")
	return Refusal{Status: status, Reason: reason}, true
}

func (a Answer) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	header := a.Header.Clone()
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	header.Set("Connection", "close")
	_ = header.Write(&b) // to memory, which does not fail
	b.WriteString("\r\n")
	b.Write(a.Body)
	return b.Bytes()
}
