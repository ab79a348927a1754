package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// bodyWait is how long a body is waited for where there may be none.
const bodyWait = 5 * time.Millisecond

// maxInterim bounds the 1xx answers before one that counts.
const maxInterim = 100

// answer reads one.
type answer struct {
	r      *bufio.Reader
	method string
	stream bool
	wait   func(time.Duration) // gives reading that much time

	begun bool // something came
	keep  bool // the connection can be used again
}

// read gives the answer, or with an error as much of it as came (nil: nothing).
func (a *answer) read() (*Response, error) {
	var interim []int
	for {
		r, err := a.head()
		if err != nil {
			return r, err
		}
		if r.Status < 100 || r.Status > 199 || r.Status == http.StatusSwitchingProtocols {
			r.Interim = interim
			return r, a.body(r)
		}
		if interim = append(interim, r.Status); len(interim) > maxInterim {
			return r, fmt.Errorf("%w: more than %d interim answers", ErrMalformed, maxInterim)
		}
	}
}

// head reads the status line and header (RFC 9112 4, 5).
func (a *answer) head() (*Response, error) {
	r := &Response{}
	first, err := a.line(&r.Head)
	if err != nil {
		if version := []byte("HTTP/1."); !bytes.HasPrefix(r.Head, version[:min(len(version), len(r.Head))]) {
			err = fmt.Errorf("%w: it begins with %q", ErrMalformed, clip(string(r.Head)))
		}
		return a.came(r), err
	}
	proto, rest, _ := strings.Cut(first, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.ParseUint(code, 10, 16)
	if len(proto) != len("HTTP/1.1") || !strings.HasPrefix(proto, "HTTP/1.") || len(code) != 3 || err != nil {
		return r, fmt.Errorf("%w: status line %q", ErrMalformed, clip(first))
	}
	r.Proto, r.Status = proto, int(status)
	r.Header, err = a.fields(&r.Head)
	return r, err
}

// came is nil if nothing did.
func (a *answer) came(r *Response) *Response {
	if !a.begun {
		return nil
	}
	return r
}

// fields reads header or trailer lines up to the empty one.
func (a *answer) fields(raw *[]byte) ([]Field, error) {
	var all []Field
	for {
		l, err := a.line(raw)
		if err != nil || l == "" {
			return all, err
		}
		if (l[0] == ' ' || l[0] == '\t') && len(all) > 0 { // obs-fold
			all[len(all)-1].Value += " " + strings.Trim(l, " \t")
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if !ok || !token(name) {
			return all, fmt.Errorf("%w: header line %q", ErrMalformed, clip(l))
		}
		all = append(all, Field{Name: name, Value: strings.Trim(value, " \t")})
	}
}

// line reads up to a line feed, without it and a carriage return before it, and
// appends what came to raw.
func (a *answer) line(raw *[]byte) (string, error) {
	from := len(*raw)
	for {
		part, err := a.r.ReadSlice('\n')
		a.begun = a.begun || len(part) > 0
		*raw = append(*raw, part...)
		switch {
		case len(*raw) > MaxHead:
			return "", fmt.Errorf("%w: a header of more than %d bytes", ErrTooLarge, MaxHead)
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return "", fmt.Errorf("read a line: %w", err)
		default:
			return string(bytes.TrimSuffix((*raw)[from:len(*raw)-1], []byte("\r"))), nil
		}
	}
}

func clip(s string) string { return s[:min(len(s), 100)] }

// body reads what follows the header, by the rules of RFC 9112 6.3.
func (a *answer) body(r *Response) error {
	a.keep = r.Proto == "HTTP/1.1" && !names(r.Get("Connection"), "close")
	switch {
	case r.Status == http.StatusSwitchingProtocols, a.method == http.MethodConnect && r.Status/100 == 2:
		a.keep = false
		return nil
	case a.method == http.MethodHead, r.Status == http.StatusNoContent, r.Status == http.StatusNotModified:
		a.unasked(r)
		return nil
	}
	codings, lengths := r.Get("Transfer-Encoding"), r.Values("Content-Length")
	var err error
	switch {
	case names(codings, "chunked"):
		a.keep = a.keep && len(lengths) == 0
		err = a.chunked(r)
	case codings != "" || len(lengths) == 0:
		a.keep = false
		err = a.copy(r, a.r)
	default:
		err = a.counted(r, lengths)
	}
	if err != nil {
		if a.stream && isTimeout(err) {
			a.keep, r.Unfinished = false, true
			return nil
		}
		return err
	}
	if n := a.r.Buffered(); n > 0 {
		a.keep = false
		r.Extra, err = a.r.Peek(n)
		r.Extra = bytes.Clone(r.Extra)
	}
	return err
}

// unasked looks for a body where there may be none. Its end is unknown.
func (a *answer) unasked(r *Response) {
	a.wait(bodyWait)
	var b bytes.Buffer
	_, err := io.Copy(&b, io.LimitReader(a.r, MaxBody))
	r.Extra = b.Bytes()
	a.keep = a.keep && len(r.Extra) == 0 && isTimeout(err)
}

// counted reads as many bytes as Content-Length says. Equal values count as one
// (RFC 9110 8.6), but such a connection is not trusted.
func (a *answer) counted(r *Response, lengths []string) error {
	all := strings.Split(strings.Join(lengths, ","), ",")
	length, err := strconv.ParseUint(strings.Trim(all[0], " \t"), 10, 63)
	for _, l := range all {
		if strings.Trim(l, " \t") != strings.Trim(all[0], " \t") {
			err = errors.New("different values")
		}
	}
	if err != nil {
		return fmt.Errorf("%w: Content-Length %q", ErrMalformed, clip(strings.Join(lengths, ", ")))
	}
	a.keep = a.keep && len(all) == 1
	if err := a.copy(r, io.LimitReader(a.r, int64(length))); err != nil {
		return err
	}
	if uint64(len(r.Body)) < length {
		return fmt.Errorf("%d of %d bytes came: %w", len(r.Body), length, io.ErrUnexpectedEOF)
	}
	return nil
}

// chunked reads chunks and the trailer (RFC 9112 7.1).
func (a *answer) chunked(r *Response) error {
	if err := a.copy(r, httputil.NewChunkedReader(a.r)); err != nil {
		return err
	}
	var raw []byte
	var err error
	r.Trailer, err = a.fields(&raw)
	return err
}

// copy reads the body up to the end of from.
func (a *answer) copy(r *Response, from io.Reader) error {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(from, MaxBody+1))
	r.Body = b.Bytes()
	if n > MaxBody {
		r.Body = r.Body[:MaxBody]
		return fmt.Errorf("%w: a body of more than %d bytes", ErrTooLarge, MaxBody)
	}
	return bodyError(err)
}

// bodyError tells broken chunks from broken connections.
func bodyError(err error) error {
	var network interface{ Timeout() bool }
	if err == nil || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}
