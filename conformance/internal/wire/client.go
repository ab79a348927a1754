package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Options of a [Client].
type Options struct {
	Timeout   time.Duration // of an exchange, connecting included; 0: 10 s
	RateLimit float64       // requests per second; 0: no limit
	UserAgent string        // empty: [DefaultUserAgent]
	TLS       *tls.Config   // of https; nil: the system's authorities
	// MaxWait is how long a request may be put off altogether when the server
	// says 429 or 503 with Retry-After; 0: such answers are given back at once.
	MaxWait time.Duration
}

// Client sends requests to one server. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	options Options
	pool    pool
	limit   *rate.Limiter // nil: none
	h2      http2Transport

	mu    sync.Mutex
	until time.Time // when the server is ready again
}

// New makes a client for the server of the base URL, whose path does not matter
// here. [Client.Close] ends it.
func New(base *url.URL, options Options) *Client {
	if options.Timeout == 0 {
		options.Timeout = 10 * time.Second
	}
	if options.UserAgent == "" {
		options.UserAgent = DefaultUserAgent
	}
	c := &Client{base: base, options: options}
	if options.RateLimit > 0 {
		c.limit = rate.NewLimiter(rate.Limit(options.RateLimit), max(1, int(options.RateLimit/10)))
	}
	return c
}

// Close ends the connections that are kept.
func (c *Client) Close() {
	c.pool.close()
	c.h2.close()
}

// Do sends a request and waits for the answer. What goes wrong is in the
// exchange.
func (c *Client) Do(ctx context.Context, req *Request) *Exchange {
	return c.throttled(ctx, req, c.once)
}

// throttled waits out what the server says about being busy (RFC 6585 4, RFC 9110
// 10.2.3), up to Options.MaxWait; meanwhile no other request is sent.
func (c *Client) throttled(ctx context.Context, req *Request, send func(context.Context, *Request) *Exchange) *Exchange {
	var waited time.Duration
	for times := 0; ; times++ {
		if err := c.ready(ctx, req); err != nil {
			return &Exchange{Request: req, Err: err, At: time.Now(), Throttled: times}
		}
		ex := send(ctx, req)
		ex.Throttled = times
		wait, busy := retryAfter(ex.Response, time.Now())
		if !busy || req.WantThrottled || waited+wait > c.options.MaxWait {
			return ex
		}
		waited += wait
		c.mu.Lock()
		if until := time.Now().Add(wait); until.After(c.until) {
			c.until = until
		}
		c.mu.Unlock()
	}
}

// ready waits until a request may be sent.
func (c *Client) ready(ctx context.Context, req *Request) error {
	if c.limit != nil && c.limit.Wait(ctx) != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the rate limit: %w", ctx.Err())
		}
		return fmt.Errorf("wait for the rate limit: %w", context.DeadlineExceeded) // it would be
	}
	c.mu.Lock()
	wait := time.Until(c.until)
	c.mu.Unlock()
	if wait <= 0 || req.WantThrottled {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait as Retry-After demands: %w", ctx.Err())
	case <-timer.C:
		return nil
	}
}

// retryAfter gives how long the server wants to be left alone, at least a little
// while, and whether it does.
func retryAfter(r *Response, now time.Time) (time.Duration, bool) {
	if r == nil || r.Status != http.StatusTooManyRequests && r.Status != http.StatusServiceUnavailable {
		return 0, false
	}
	const least = 10 * time.Millisecond
	value := r.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return max(least, time.Duration(seconds)*time.Second), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(least, at.Sub(now)), true
	}
	return 0, false
}

// once sends a request once, or twice if a kept connection had gone.
func (c *Client) once(ctx context.Context, req *Request) *Exchange {
	ctx, cancel := c.limited(ctx, req)
	defer cancel()
	retried := false
	if req.plain() {
		if conn := c.pool.take(); conn != nil {
			ex := c.exchange(ctx, conn, req)
			if !errors.Is(ex.Err, ErrClosed) {
				return ex
			}
			retried = true
		}
	}
	at := time.Now()
	conn, err := c.dial(ctx)
	if err != nil {
		return &Exchange{Request: req, Err: err, At: at, Retried: retried}
	}
	ex := c.exchange(ctx, conn, req)
	ex.Retried = retried
	return ex
}

func (c *Client) limited(ctx context.Context, req *Request) (context.Context, context.CancelFunc) {
	timeout := c.options.Timeout
	if req.Timeout != 0 {
		timeout = req.Timeout
	}
	return context.WithTimeoutCause(ctx, timeout, ErrTimeout)
}

// Together sends requests at the same moment: each on a connection that was
// opened before. The exchanges are in the order of the requests.
func (c *Client) Together(ctx context.Context, requests ...*Request) []*Exchange {
	exchanges := make([]*Exchange, len(requests))
	var open, done sync.WaitGroup
	start := make(chan struct{})
	for i, req := range requests {
		open.Add(1)
		done.Go(func() {
			ctx, cancel := c.limited(ctx, req)
			defer cancel()
			at, err := time.Now(), c.ready(ctx, req)
			var conn *connection
			if err == nil {
				conn, err = c.dial(ctx)
			}
			open.Done()
			<-start
			if err != nil {
				exchanges[i] = &Exchange{Request: req, Err: err, At: at}
				return
			}
			exchanges[i] = c.exchange(ctx, conn, req)
		})
	}
	open.Wait()
	close(start)
	done.Wait()
	return exchanges
}

// exchange sends the request on the connection and reads the answer. The
// connection is put back or closed.
func (c *Client) exchange(ctx context.Context, conn *connection, req *Request) *Exchange {
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Unix(1, 0)) // a closed connection has none, and needs none
	})
	defer stop()
	ex := &Exchange{Request: req, At: time.Now()}
	sent := make(chan error, 1)
	// An answer may come before the request is sent, and the rest may then be
	// refused: it is read at the same time.
	go func() { sent <- send(conn, req.Bytes(c.base.Host, c.options.UserAgent), req.CloseWrite) }()
	a := answer{r: conn.r, method: req.Method, stream: req.Stream, wait: func(d time.Duration) {
		_ = conn.SetReadDeadline(time.Now().Add(d)) // else it would only be waited for longer
	}}
	response, err := a.read()
	ex.Took = time.Since(ex.At)
	keep := err == nil && a.keep && req.plain() && !names(req.Get("Connection"), "close")
	if keep {
		select {
		case failed := <-sent:
			keep = failed == nil
		case <-time.After(bodyWait):
			keep = false // the answer was there first
		}
	}
	if keep && stop() {
		c.pool.put(conn)
	} else {
		_ = conn.Close() // all that will be read has been
	}
	if err == nil {
		ex.Response = response
		return ex
	}
	ex.Partial, ex.Err = response, explain(ctx, err, a.begun)
	return ex
}

func send(conn *connection, data []byte, closeWrite bool) error {
	if _, err := conn.Write(data); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if half, ok := conn.Conn.(interface{ CloseWrite() error }); ok && closeWrite {
		if err := half.CloseWrite(); err != nil {
			return fmt.Errorf("end sending: %w", err)
		}
	}
	return nil
}

// explain makes one of the package's errors of what reading gave.
func explain(ctx context.Context, err error, begun bool) error {
	switch {
	case errors.Is(err, ErrMalformed), errors.Is(err, ErrTooLarge):
		return err
	case givenUp(ctx):
		return fmt.Errorf("read the answer: %w", ctx.Err())
	case isTimeout(err):
		return fmt.Errorf("%w: %s", ErrTimeout, cause(err))
	case begun:
		return fmt.Errorf("%w: %s", ErrTruncated, cause(err))
	}
	return fmt.Errorf("%w: %s", ErrClosed, cause(err))
}

// givenUp says whether it was not the server who took too long.
func givenUp(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrTimeout)
}

// cause is an error without the addresses in it, which differ from run to run.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	if errors.Is(err, io.EOF) {
		return "it was closed"
	}
	return strings.TrimSpace(err.Error())
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
