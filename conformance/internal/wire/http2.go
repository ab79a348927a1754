package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// http2Transport is the standard library's, made when it is needed.
type http2Transport struct {
	mu        sync.Mutex
	transport *http.Transport
}

func (t *http2Transport) get(c *Client) *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.transport == nil {
		var only http.Protocols
		only.SetHTTP2(true)
		only.SetUnencryptedHTTP2(true)
		t.transport = &http.Transport{
			Protocols: &only, DisableCompression: true, MaxResponseHeaderBytes: MaxHead,
			TLSClientConfig: tlsConfig(c.options.TLS, c.base, "h2"),
		}
	}
	return t.transport
}

func (t *http2Transport) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.transport != nil {
		t.transport.CloseIdleConnections()
	}
}

// DoHTTP2 sends the request over HTTP/2, with prior knowledge for http (RFC 9113
// 3.3): the same fields, but those of HTTP/1.1's connections. The answer's header
// is sorted, and has no Head. Requests with Raw cannot be sent.
func (c *Client) DoHTTP2(ctx context.Context, req *Request) *Exchange {
	return c.throttled(ctx, req, c.http2)
}

func (c *Client) http2(ctx context.Context, req *Request) *Exchange {
	ctx, cancel := c.limited(ctx, req)
	defer cancel()
	ex := &Exchange{Request: req, At: time.Now()}
	ex.Response, ex.Err = c.roundTrip(ctx, req)
	ex.Took = time.Since(ex.At)
	return ex
}

func (c *Client) roundTrip(ctx context.Context, req *Request) (*Response, error) {
	if req.Raw != nil {
		return nil, errors.New("raw bytes are not HTTP/2")
	}
	path, query, asked := strings.Cut(req.Target, "?")
	u := &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Opaque: path, RawQuery: query, ForceQuery: asked}
	h := (&http.Request{Method: req.Method, URL: u, Host: c.base.Host, Header: http.Header{}}).WithContext(ctx)
	if c.options.UserAgent != "" {
		h.Header.Set("User-Agent", c.options.UserAgent)
	}
	first := map[string]bool{}
	for _, f := range req.Header {
		switch name := http.CanonicalHeaderKey(f.Name); name {
		case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Content-Length":
		case "Host":
			h.Host = f.Value
		default:
			if !first[name] {
				h.Header.Del(name)
				first[name] = true
			}
			h.Header.Add(name, f.Value)
		}
	}
	if req.addsLength() || len(req.Body) > 0 {
		h.Body, h.ContentLength = io.NopCloser(bytes.NewReader(req.Body)), int64(len(req.Body))
	}
	answer, err := c.h2.get(c).RoundTrip(h)
	if err != nil {
		return nil, http2Error(ctx, err, ErrClosed)
	}
	defer func() { _ = answer.Body.Close() }() // it has been read
	r := &Response{Status: answer.StatusCode, Proto: answer.Proto, Header: sorted(answer.Header)}
	r.Body, err = io.ReadAll(io.LimitReader(answer.Body, MaxBody+1))
	r.Trailer = sorted(answer.Trailer)
	switch {
	case err != nil:
		return nil, http2Error(ctx, err, ErrTruncated)
	case len(r.Body) > MaxBody:
		return nil, fmt.Errorf("%w: a body of more than %d bytes", ErrTooLarge, MaxBody)
	}
	return r, nil
}

func http2Error(ctx context.Context, err, otherwise error) error {
	switch {
	case givenUp(ctx):
		return fmt.Errorf("over HTTP/2: %w", ctx.Err())
	case ctx.Err() != nil, isTimeout(err):
		otherwise = ErrTimeout
	}
	return fmt.Errorf("%w: over HTTP/2: %w", otherwise, err)
}

func sorted(h http.Header) []Field {
	var all []Field
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			all = append(all, Field{Name: name, Value: v})
		}
	}
	return all
}
