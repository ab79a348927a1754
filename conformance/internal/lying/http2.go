package lying

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
)

// HTTP/2 is spoken with prior knowledge (RFC 9113 3.3): a connection that begins
// with the preface is given to net/http, and all answers are made by the same
// handlers.

// handed is a listener of connections that were accepted elsewhere.
type handed struct{ s *Server }

func (h handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.s.h2c:
		return c, nil
	case <-h.s.closing:
		return nil, net.ErrClosed
	}
}

func (h handed) Close() error   { return nil }
func (h handed) Addr() net.Addr { return h.s.ln.Addr() }

// peeked is a connection of which something was read.
type peeked struct {
	net.Conn
	in *bufio.Reader
	s  *Server
}

func (p peeked) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, err
}

func (p peeked) Close() error {
	p.s.done(p.Conn)
	return nil
}

func (s *Server) startHTTP2() {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	s.h2 = &http.Server{Handler: http.HandlerFunc(s.handleHTTP2), Protocols: p, ReadHeaderTimeout: idle}
	s.wg.Go(func() { _ = s.h2.Serve(handed{s}) })
}

func (s *Server) serveHTTP2(c net.Conn, in *bufio.Reader) {
	select {
	case s.h2c <- peeked{c, in, s}:
	case <-s.closing:
		s.done(c)
	}
}

// handleHTTP2 answers a request of HTTP/2.
func (s *Server) handleHTTP2(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return
	}
	a := s.respond(r, body, len(body) > maxBody)
	s.lieHTTP2(r, a)
	if a.drop || a.hang {
		panic(http.ErrAbortHandler) //nolint:forbidigo // it is how net/http is told to reset a stream
	}
	a.encode()
	for _, f := range a.fields() {
		w.Header().Add(f.name, f.value)
	}
	if a.status < 100 || a.status > 999 {
		a.status = http.StatusInternalServerError
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}
