package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

const (
	// mostWaiting is how many jobs wait for the writer; what comes beyond is
	// refused at once, so that a store which is slower than its callers does not
	// gather them all in memory.
	mostWaiting = 1024
	// mostTogether is how many jobs share a transaction: those after the first
	// are what it waits for besides the commit.
	mostTogether = 256
)

// writer has the one connection that writes, and a goroutine that does one job
// after the other on it. Jobs that wait at the same moment share a transaction,
// and so the one fsync of its commit, which takes longer than many jobs:
//
//	BEGIN IMMEDIATE
//	    first job
//	    SAVEPOINT, second job, RELEASE
//	    SAVEPOINT, third job, which fails, ROLLBACK TO, RELEASE
//	COMMIT
//
// A job that fails leaves nothing behind, and the others do not learn of it. No
// job that wrote, or came after one that did, is answered before the commit has
// returned. If that fails all of them get its error, those that refused
// something too: the reason may have been a row that is not there now.
//
// Nobody waits for company: the writer commits when no further job is there.
// Groups come about because others arrive during the commit before.
type writer struct {
	conn  *conn
	gate  *gate
	after func(*conn) // a commit
	jobs  chan *job
	queue []*job        // taken from jobs, and not begun
	done  chan struct{} // closed when the last job is done

	mu     sync.RWMutex
	closed bool // guarded by mu
}

// job is something to be done in a transaction, or alone outside of one.
type job struct {
	run   func(*tx) error
	alone bool
	taken atomic.Bool // by the writer; or by its caller, who waits no more
	err   error
	done  chan struct{} // closed when err is there
}

func (j *job) finish(err error) {
	j.err = err
	close(j.done)
}

func newWriter(c *conn, g *gate, after func(*conn)) *writer {
	w := &writer{conn: c, gate: g, after: after, jobs: make(chan *job, mostWaiting), done: make(chan struct{})}
	go w.serve()
	return w
}

// close does all jobs that wait, and ends the writer.
func (w *writer) close() error {
	w.mu.Lock()
	already := w.closed
	w.closed = true
	w.mu.Unlock()
	if already {
		return nil
	}
	close(w.jobs)
	<-w.done
	return w.conn.Close()
}

// do has a job done. It returns early if ctx is done before the job begins. One
// that has begun is not interrupted, for that would end the others with it; what
// it waits for is storage.
func (w *writer) do(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan struct{})
	if err := w.send(j); err != nil {
		return err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-j.done
	}
	return j.err
}

func (w *writer) send(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.jobs <- j:
		return nil
	default:
		return errFull
	}
}

// errFull refuses a job that would be one too many.
var errFull = fmt.Errorf("%w: too many wait to write", customer.ErrUnavailable)

func (w *writer) serve() {
	defer close(w.done)
	for first := range w.jobs {
		w.queue = append(w.queue, first)
		for w.gather() {
			if w.queue[0].alone {
				w.apart(w.pop())
			} else {
				w.together()
			}
		}
	}
}

// gather takes what waits, and tells whether there is anything.
func (w *writer) gather() bool {
	for len(w.queue) < mostTogether {
		select {
		case j, open := <-w.jobs:
			if open {
				w.queue = append(w.queue, j)
				continue
			}
		default:
		}
		break
	}
	return len(w.queue) > 0
}

func (w *writer) pop() *job {
	j := w.queue[0]
	w.queue[0] = nil
	if w.queue = w.queue[1:]; len(w.queue) == 0 {
		w.queue = nil
	}
	return j
}

// apart does a job outside of a transaction.
func (w *writer) apart(j *job) {
	if j.taken.CompareAndSwap(false, true) {
		defer w.gate.write()()
		j.finish(safely(j.run, &tx{conn: w.conn, wrote: true}))
	}
}

// together does jobs in one transaction.
func (w *writer) together() {
	defer w.gate.write()()
	if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		w.refuse(err)
		return
	}
	var group []*job // that are to be answered after the commit
	for n := 0; n < mostTogether && w.gather() && !w.queue[0].alone; n++ {
		j := w.pop()
		if !j.taken.CompareAndSwap(false, true) {
			continue
		}
		t := &tx{conn: w.conn, isFirst: len(group) == 0}
		j.err = safely(j.run, t)
		switch lost := t.end(j.err); {
		case lost != nil:
			w.rollback(append(group, j), lost)
			return
		case t.isFirst && !t.wrote:
			j.finish(j.err) // of what is committed
		default:
			group = append(group, j)
		}
	}
	if _, err := w.conn.exec("COMMIT"); err != nil {
		w.rollback(group, err)
		return
	}
	for _, j := range group {
		j.finish(j.err)
	}
	w.after(w.conn)
}

// refuse answers everyone who waits: nobody can write.
func (w *writer) refuse(err error) {
	for len(w.queue) > 0 {
		if j := w.pop(); j.taken.CompareAndSwap(false, true) {
			j.finish(err)
		}
	}
}

// rollback ends a transaction that cannot be committed.
func (w *writer) rollback(group []*job, err error) {
	// SQLite has rolled back already after some errors.
	if !w.conn.AutocommitEnabled() {
		if _, e := w.conn.exec("ROLLBACK"); e != nil {
			err = errors.Join(err, e)
		}
	}
	for _, j := range group {
		j.finish(err)
	}
}

// safely runs a job, and makes an error of a panic.
func safely(run func(*tx) error, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run(t)
}

// tx is what a job does its work with. Only one that writes after others gets a
// savepoint, for only then there is something to be kept apart; what refuses, as
// most jobs that fail do, refuses before it writes.
type tx struct {
	*conn
	isFirst bool // nothing is written yet
	wrote   bool
}

// before is called before each statement.
func (t *tx) before(query string) error {
	if t.wrote || !writes(query) {
		return nil
	}
	t.wrote = true
	if t.isFirst {
		return nil
	}
	_, err := t.conn.exec("SAVEPOINT job")
	return err
}

func (t *tx) exec(query string, args ...any) (result, error) {
	if err := t.before(query); err != nil {
		return result{}, err
	}
	return t.conn.exec(query, args...)
}

func (t *tx) each(f func(scanner) error, query string, args ...any) error {
	if err := t.before(query); err != nil {
		return err
	}
	return t.conn.each(f, query, args...)
}

func (t *tx) row(query string, args ...any) scanner { return firstRow{t, query, args} }

// end keeps what a job did, or undoes it if it failed. It returns an error if
// nothing of the transaction can be kept.
func (t *tx) end(failed error) error {
	if t.AutocommitEnabled() { // SQLite has rolled back
		return errors.Join(failed, errors.New("transaction lost"))
	}
	switch {
	case !t.wrote:
		return nil
	case t.isFirst:
		return failed
	case failed != nil:
		if _, err := t.conn.exec("ROLLBACK TO job"); err != nil {
			return errors.Join(failed, err)
		}
	}
	_, err := t.conn.exec("RELEASE job")
	return err
}
