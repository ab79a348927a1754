package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

// mostReaders read at once. More than there are processors only helps when
// reads wait for storage.
var mostReaders = max(4, runtime.GOMAXPROCS(0))

// mapped is how much of the file readers see as memory, in bytes: at most 2 GiB.
// They then share the pages that the system has of it anyway, instead of copying
// each into a cache that all connections of the process take turns at. What is
// mapped counts as resident memory of the process, for each reader, although the
// system takes it back when it wants; "anonymous" memory is what the process needs.
// An error of storage in what is mapped ends the process, as it would end the
// transaction otherwise; nothing that was acknowledged depends on it.
const mapped = 2<<30 - 1<<16

// errClosed is returned after Close.
var errClosed = fmt.Errorf("%w: the store is closed", customer.ErrUnavailable)

// readers are the connections that read. The one that was used last is used
// first: the pages that most want are then in its cache.
type readers struct {
	at   place
	gate *gate
	free chan struct{} // a token for each that may be used

	mu     sync.Mutex
	idle   []*conn // guarded by mu
	closed bool    // guarded by mu
}

func newReaders(at place, g *gate) *readers {
	r := &readers{at: at, gate: g, free: make(chan struct{}, mostReaders)}
	for range mostReaders {
		r.free <- struct{}{}
	}
	return r
}

// use lets f read, until it is done or ctx is.
func (r *readers) use(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-r.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { r.free <- struct{}{} }()
	c, err := r.take()
	if err != nil {
		return err
	}
	defer r.give(c)
	defer r.gate.read()()
	return c.bounded(ctx, f)
}

func (r *readers) take() (*conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return c, nil
	}
	return open(r.at, "query_only = 1", fmt.Sprintf("mmap_size = %d", mapped))
}

func (r *readers) give(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, c)
}

// close waits until nobody reads.
func (r *readers) close() error {
	r.mu.Lock()
	already := r.closed
	r.closed = true
	r.mu.Unlock()
	if already {
		return nil
	}
	for range mostReaders {
		<-r.free
	}
	defer func() {
		for range mostReaders {
			r.free <- struct{}{} // for those who are to be told that it is closed
		}
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	for _, c := range r.idle {
		err = errors.Join(err, c.Close())
	}
	r.idle = nil
	return err
}

// reading is a querier of one of the connections that read.
type reading struct {
	ctx     context.Context //nolint:containedctx // it lives as long as one statement
	readers *readers
}

func (r reading) each(f func(scanner) error, query string, args ...any) error {
	return r.readers.use(r.ctx, func(c *conn) error { return c.each(f, query, args...) })
}

func (r reading) row(query string, args ...any) scanner { return firstRow{r, query, args} }
