package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// Bounds of the pool. Common servers close after 2 s or more without a request:
// not to be there any more when that happens is better than to be surprised.
const (
	maxIdle  = 64
	idleTime = time.Second
)

// connection is one that is used by one exchange at a time.
type connection struct {
	net.Conn
	r      *bufio.Reader
	reused bool
	since  time.Time     // idle
	quiet  chan struct{} // closed when watch ended
	broken bool          // what watch saw; read after quiet
}

// watch reads from an idle connection, where nothing may come. It ends when
// anything does, or at the deadline that [connection.wake] sets.
func (c *connection) watch() {
	defer close(c.quiet)
	_, err := c.r.Peek(1)
	c.broken = err == nil || !isTimeout(err)
}

// wake ends the watch and says whether the connection can be used.
func (c *connection) wake() bool {
	if c.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	<-c.quiet
	return !c.broken && c.SetReadDeadline(time.Time{}) == nil
}

// pool has the connections that are kept; the newest is used first.
type pool struct {
	mu     sync.Mutex
	idle   []*connection
	closed bool
}

func (p *pool) take() *connection {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(c.since) < idleTime && c.wake() {
			c.reused = true
			return c
		}
		_ = c.Close() // it is of no use any more, whatever it says
	}
}

func (p *pool) put(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || c.SetDeadline(time.Time{}) != nil {
		_ = c.Close()
		return
	}
	if len(p.idle) == maxIdle {
		_ = p.idle[0].Close() // the oldest
		p.idle = p.idle[1:]
	}
	c.since, c.quiet = time.Now(), make(chan struct{})
	p.idle = append(p.idle, c)
	go c.watch()
}

// close ends the idle connections, and those in use when they are put back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		_ = c.Close()
		<-c.quiet
	}
	p.idle = nil
}

// address is where to connect to.
func address(base *url.URL) string {
	port := base.Port()
	if port == "" {
		port = "80"
		if base.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(base.Hostname(), port)
}

// dial connects, with TLS for https.
func (c *Client) dial(ctx context.Context) (*connection, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address(c.base))
	if err != nil {
		return nil, dialError(ctx, err)
	}
	if c.base.Scheme == "https" {
		secure := tls.Client(conn, tlsConfig(c.options.TLS, c.base, "http/1.1"))
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, dialError(ctx, err)
		}
		conn = secure
	}
	return &connection{Conn: conn, r: bufio.NewReaderSize(conn, 32<<10)}, nil
}

func tlsConfig(config *tls.Config, base *url.URL, protocol string) *tls.Config {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = base.Hostname()
	}
	config.NextProtos = []string{protocol}
	return config
}

func dialError(ctx context.Context, err error) error {
	if givenUp(ctx) {
		return fmt.Errorf("connect: %w", ctx.Err())
	}
	return fmt.Errorf("%w: %w", ErrConnect, err)
}
