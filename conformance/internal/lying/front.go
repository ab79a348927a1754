package lying

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	idle       = 30 * time.Second        // between requests
	patience   = 1500 * time.Millisecond // for the next bytes of a body
	maxLine    = 8 << 10                 // bytes of a request line
	maxHead    = 32 << 10                // bytes of line and header
	maxBody    = 64 << 10                // bytes that are read, as the contract says
	maxSkipped = 16 << 20                // bytes that are skipped to keep a connection
)

// accept serves connections.
func (s *Server) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.connMu.Lock()
		s.conns[c] = true
		s.connMu.Unlock()
		s.wg.Go(func() { s.serve(c) })
	}
}

// done forgets a connection.
func (s *Server) done(c net.Conn) {
	s.connMu.Lock()
	delete(s.conns, c)
	s.connMu.Unlock()
	_ = c.Close()
}

// serve answers the requests of a connection, one after another.
func (s *Server) serve(c net.Conn) {
	in := bufio.NewReaderSize(c, 4096)
	if b, err := in.Peek(4); err == nil && string(b) == "PRI " {
		s.serveHTTP2(c, in)
		return
	}
	defer s.done(c)
	for {
		select {
		case <-s.closing:
			return
		default:
		}
		if c.SetReadDeadline(time.Now().Add(idle)) != nil || !s.one(c, in) {
			return
		}
	}
}

// incoming is a request as it came; answered is set if it could not be read.
type incoming struct {
	r        *http.Request
	body     []byte
	tooLarge bool
	closing  bool
	answered *answer
}

// one answers a request, and says whether another may follow.
func (s *Server) one(c net.Conn, in *bufio.Reader) bool {
	q := read(c, in)
	if q == nil {
		return false
	}
	var a *answer
	if q.answered != nil {
		a = s.refuse(q)
	} else {
		a = s.respond(q.r, q.body, q.tooLarge)
	}
	head := q.r != nil && q.r.Method == http.MethodHead
	switch {
	case a.drop:
		return false
	case a.hang:
		_ = c.SetReadDeadline(time.Now().Add(idle))
		_, _ = io.Copy(io.Discard, in)
		return false
	}
	closing := q.closing || a.length != 0
	if _, err := c.Write(a.wire(head, closing)); err != nil {
		return false
	}
	if closing {
		linger(c, in)
	}
	return !closing
}

// linger reads what the client still sends, for a reset would take the answer from
// it.
func linger(c net.Conn, in *bufio.Reader) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, _ = io.Copy(io.Discard, io.LimitReader(in, maxSkipped))
}

// head reads the line and the header, and says what is wrong with their size.
func head(in *bufio.Reader) (raw []byte, status int, err error) {
	line := 0
	for {
		b, err := in.ReadSlice('\n')
		if len(bytes.TrimRight(b, "\r\n")) == 0 && len(raw) == 0 && err == nil {
			continue // RFC 9112 2.2: an empty line before a request is nothing
		}
		raw = append(raw, b...)
		line += len(b)
		first := bytes.IndexByte(raw, '\n') < 0 || bytes.IndexByte(raw, '\n') == len(raw)-1
		switch {
		case first && line > maxLine:
			return raw, http.StatusRequestURITooLong, nil
		case len(raw) > maxHead:
			return raw, http.StatusRequestHeaderFieldsTooLarge, nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return raw, 0, err
		}
		if len(bytes.TrimRight(b, "\r\n")) == 0 {
			return raw, 0, nil
		}
		line = 0
	}
}

// read reads a request; nil if none came.
func read(c net.Conn, in *bufio.Reader) *incoming {
	raw, status, err := head(in)
	switch {
	case status == http.StatusRequestURITooLong:
		return &incoming{closing: true, answered: problem(status, "too-large", "the request line is too long")}
	case status != 0:
		return &incoming{closing: true, answered: problem(status, "too-large", "the header is too large")}
	case err != nil && len(raw) > 0 && errors.Is(err, io.EOF):
		return &incoming{closing: true, answered: problem(http.StatusBadRequest, "malformed", "the request ends within its header")}
	case err != nil:
		return nil
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return &incoming{closing: true, answered: problem(http.StatusBadRequest, "malformed", "the request is no HTTP")}
	}
	r.Body = body(r, in)
	q := &incoming{r: r, closing: r.Close || !r.ProtoAtLeast(1, 1)}
	if why := wrongHead(r, raw); why != "" {
		q.closing, q.answered = true, problem(http.StatusBadRequest, "malformed", why)
		return q
	}
	if r.ProtoMajor != 1 {
		q.closing = true
		q.answered = problem(http.StatusHTTPVersionNotSupported, "malformed", "HTTP/1.1 and HTTP/2 are spoken here")
		return q
	}
	if strings.EqualFold(r.Header.Get("Expect"), "100-continue") && r.ContentLength != 0 {
		if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return nil
		}
	}
	readBody(c, q)
	return q
}

// body gives what follows the header, to its end and no further.
func body(r *http.Request, in *bufio.Reader) io.ReadCloser {
	if r.ContentLength >= 0 {
		return io.NopCloser(&counted{in: in, left: r.ContentLength})
	}
	return io.NopCloser(&chunked{in: in, chunks: httputil.NewChunkedReader(in)})
}

// counted is a body of known length.
type counted struct {
	in   io.Reader
	left int64
}

func (c *counted) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.in.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) && c.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunked is a body of chunks, the trailer of which is skipped.
type chunked struct {
	in     *bufio.Reader
	chunks io.Reader
}

func (c *chunked) Read(b []byte) (int, error) {
	n, err := c.chunks.Read(b)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	for size := 0; size < maxLine; {
		line, e := c.in.ReadSlice('\n')
		if e != nil {
			return n, io.ErrUnexpectedEOF
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return n, io.EOF
		}
		size += len(line)
	}
	return n, io.ErrUnexpectedEOF
}

// wrongHead finds what http.ReadRequest lets pass.
func wrongHead(r *http.Request, raw []byte) string {
	if r.ProtoAtLeast(1, 1) && r.Host == "" && !bytes.Contains(bytes.ToLower(raw), []byte("\nhost:")) {
		return "Host is missing"
	}
	if bytes.Count(bytes.ToLower(raw), []byte("\nhost:")) > 1 || !httpguts.ValidHostHeader(r.Host) {
		return "Host is malformed"
	}
	for name, values := range r.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return "a header has no valid name"
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return "a header has no valid value"
			}
		}
	}
	return ""
}

// readBody reads the body as far as it is wanted, and skips the rest.
func readBody(c net.Conn, q *incoming) {
	var skipped int
	buf := make([]byte, 32<<10)
	for {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		n, err := q.r.Body.Read(buf)
		if room := maxBody + 1 - len(q.body); room > 0 {
			q.body = append(q.body, buf[:min(n, room)]...)
		}
		skipped += n
		q.tooLarge = len(q.body) > maxBody
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			q.closing, q.answered = true, problem(http.StatusRequestTimeout, "timeout", "the body is shorter than its length")
			return
		case err != nil:
			q.closing, q.answered = true, problem(http.StatusBadRequest, "malformed", "the body does not end as it should")
			return
		case skipped > maxSkipped:
			q.closing = true
			return
		}
	}
}
