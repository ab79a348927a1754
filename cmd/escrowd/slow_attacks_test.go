package main_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// attack is a way to hold a server up by being slow, or huge.
type attack struct {
	name string
	// run attacks until ctx ends.
	run func(a *attacker, ctx context.Context)
	// works tells that it asks for work that must be done, and so takes time from
	// all others, as any crowd does: what it may not take is memory, or an answer.
	works bool
}

// attacker has what attacks need: the server's address, and how many connections
// a slow attack holds at a time.
type attacker struct {
	host, key   string
	connections int
	bomb        []byte // gzip

	held atomic.Int64 // connections now
	turn sync.Mutex   // held by whoever opens one next
}

// attacks are made alone, and then together.
var attacks = []attack{
	{name: "headers, a byte a second", run: (*attacker).slowHeaders},
	{name: "large headers that stall", run: (*attacker).stalledHeaders},
	{name: "bodies, a byte a second", run: (*attacker).slowBodies},
	{name: "large bodies that stall", run: (*attacker).stalledBodies},
	{name: "bodies of 1 GB, declared", run: (*attacker).hugeDeclared},
	{name: "bodies of 1 GB, chunked", run: (*attacker).hugeChunked},
	{name: "gzip of 4 GB", run: (*attacker).gzipBomb},
	{name: "large legal bodies at once", run: (*attacker).largeLegal, works: true},
	{name: "answers that nobody reads", run: (*attacker).slowReaders, works: true},
	{name: "headers of 1 MB", run: (*attacker).hugeHeaders},
	{name: "JSON of depth 100,000", run: (*attacker).deepJSON},
}

const (
	loginLine  = "POST /api/v1/escrow/customer/session HTTP/1.1\r\nHost: x\r\n"
	createLine = "POST /api/v1/escrow/partner/customers HTTP/1.1\r\nHost: x\r\n"
	jsonType   = "Content-Type: application/json\r\n"
	// legal is the length of the largest body that is taken.
	legal = 256 << 10
)

// dial connects from one of many addresses, as a crowd would.
func (a *attacker) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 66, byte(rand.IntN(256)), byte(1+rand.IntN(250)))}, Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", a.host)
	if err != nil {
		return nil, err
	}
	// The attack ends at once, whatever the connection waits for.
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return conn, nil
}

// pause waits, and tells whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// arrival is the least time between two connections of an attack. More of the
// largest bodies would not come through a line of 1 Gbit/s.
const arrival = 2 * time.Millisecond

// crowd does something on many connections at a time, each again and again.
func (a *attacker) crowd(ctx context.Context, n int, do func(ctx context.Context, conn net.Conn)) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for a.wait(ctx) {
				each, cancel := context.WithCancel(ctx)
				if conn, err := a.dial(each); err == nil {
					a.held.Add(1)
					do(each, conn)
					a.held.Add(-1)
					_ = conn.Close()
				}
				cancel()
				pause(ctx, time.Duration(500+rand.IntN(500))*time.Millisecond)
			}
		})
	}
	wg.Wait()
}

// wait waits for the turn to open a connection.
func (a *attacker) wait(ctx context.Context) bool {
	a.turn.Lock()
	defer a.turn.Unlock()
	return pause(ctx, arrival)
}

// drip writes a beginning, and then a byte a second until that is refused.
func drip(ctx context.Context, conn net.Conn, beginning string) {
	_, err := io.WriteString(conn, beginning)
	for err == nil && pause(ctx, time.Second) {
		_, err = conn.Write([]byte("a"))
	}
}

func (a *attacker) slowHeaders(ctx context.Context) {
	a.crowd(ctx, a.connections, func(ctx context.Context, conn net.Conn) {
		drip(ctx, conn, loginLine+"X-Slow: ")
	})
}

// stalledHeaders send almost as large a header as is taken.
func (a *attacker) stalledHeaders(ctx context.Context) {
	beginning := loginLine + "X-Slow: " + strings.Repeat("a", 60_000)
	a.crowd(ctx, a.connections, func(ctx context.Context, conn net.Conn) {
		drip(ctx, conn, beginning)
	})
}

func (a *attacker) slowBodies(ctx context.Context) {
	a.crowd(ctx, a.connections, func(ctx context.Context, conn net.Conn) {
		drip(ctx, conn, loginLine+jsonType+"Content-Length: 200000\r\n\r\n{\"email\":\"")
	})
}

// stalledBodies send all but the end of the largest bodies that are legal, so
// that each is kept for as long as its sender has time.
func (a *attacker) stalledBodies(ctx context.Context) {
	beginning := loginLine + jsonType + "Content-Length: " + strconv.Itoa(legal) + "\r\n\r\n{\"email\":\"" + strings.Repeat("a", legal-1000)
	a.crowd(ctx, a.connections, func(ctx context.Context, conn net.Conn) {
		drip(ctx, conn, beginning)
	})
}

const gigabyte = 1 << 30

// megabyte is written again and again.
var megabyte = bytes.Repeat([]byte(" "), 1<<20)

func (a *attacker) hugeDeclared(ctx context.Context) {
	a.crowd(ctx, 4, func(_ context.Context, conn net.Conn) {
		_, err := fmt.Fprint(conn, loginLine, jsonType, "Content-Length: ", gigabyte, "\r\n\r\n")
		for i := 0; i < gigabyte>>20 && err == nil; i++ {
			_, err = conn.Write(megabyte)
		}
	})
}

func (a *attacker) hugeChunked(ctx context.Context) {
	a.crowd(ctx, 4, func(_ context.Context, conn net.Conn) {
		_, err := fmt.Fprint(conn, loginLine, jsonType, "Transfer-Encoding: chunked\r\n\r\n")
		for i := 0; i < gigabyte>>20 && err == nil; i++ {
			_, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", len(megabyte), megabyte)
		}
	})
}

// newBomb makes 4 GB of zeros small: members of gzip may follow each other.
func newBomb() []byte {
	var member bytes.Buffer
	w, _ := gzip.NewWriterLevel(&member, gzip.BestCompression) // a level that there is
	for range 64 {
		_, _ = w.Write(make([]byte, 1<<20)) // to memory, which does not fail
	}
	_ = w.Close()
	return bytes.Repeat(member.Bytes(), 64)
}

func (a *attacker) gzipBomb(ctx context.Context) {
	a.crowd(ctx, 4, func(_ context.Context, conn net.Conn) {
		a.ask(conn, loginLine+jsonType+"Content-Encoding: gzip\r\n", a.bomb)
		a.ask(conn, createLine+"Authorization: Bearer "+a.key+"\r\n"+jsonType+"Content-Encoding: gzip\r\n", a.bomb)
	})
}

// ask sends a request, and reads the answer.
func (a *attacker) ask(conn net.Conn, head string, body []byte) {
	_, _ = fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n", head, len(body)) // who is refused will read it
	_, _ = conn.Write(body)
	_, _ = conn.Read(make([]byte, 4096))
}

// largeLegal sends bodies that are as large as they may be, and well-formed: many
// at the same moment, every two seconds.
func (a *attacker) largeLegal(ctx context.Context) {
	var body strings.Builder
	body.WriteString(`{"email":"a@example.com","disbursement_methods":[0`)
	for body.Len() < legal-100 {
		body.WriteString(`,{"":[]}`) // becomes much in memory
	}
	body.WriteString("]}")
	raw := []byte(body.String())
	for ctx.Err() == nil {
		burst, cancel := context.WithTimeout(ctx, 10*time.Second)
		var wg sync.WaitGroup
		for range a.connections / 10 {
			wg.Go(func() {
				if conn, err := a.dial(burst); err == nil {
					a.ask(conn, createLine+"Authorization: Bearer "+a.key+"\r\n"+jsonType, raw)
					_ = conn.Close()
				}
			})
		}
		wg.Wait()
		cancel()
		pause(ctx, 2*time.Second)
	}
}

// slowReaders ask for much, and read none of it.
func (a *attacker) slowReaders(ctx context.Context) {
	asked := strings.Repeat("GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n"+
		"GET /api/v1/escrow/partner/customer/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+a.key+"\r\n\r\n", 50)
	a.crowd(ctx, a.connections/10, func(ctx context.Context, conn net.Conn) {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(4096)
		}
		_, err := io.WriteString(conn, asked)
		for err == nil && pause(ctx, time.Second) {
			_, err = io.WriteString(conn, "\r\n")
		}
	})
}

func (a *attacker) hugeHeaders(ctx context.Context) {
	a.crowd(ctx, 16, func(_ context.Context, conn net.Conn) {
		_, err := io.WriteString(conn, loginLine+"X-Huge: ")
		if err == nil {
			_, err = conn.Write(bytes.Repeat([]byte("a"), 1<<20))
		}
		if err == nil {
			_, _ = conn.Read(make([]byte, 4096))
		}
	})
}

func (a *attacker) deepJSON(ctx context.Context) {
	const depth = 100_000
	bodies := [][]byte{
		bytes.Repeat([]byte("["), depth),
		append(bytes.Repeat([]byte("["), depth), bytes.Repeat([]byte("]"), depth)...),
		bytes.Repeat([]byte(`{"":`), depth/2),
	}
	a.crowd(ctx, 16, func(_ context.Context, conn net.Conn) {
		for _, body := range bodies {
			a.ask(conn, loginLine+jsonType, body)
		}
	})
}
