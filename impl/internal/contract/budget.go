package contract

import (
	"errors"
	"io"
	"sync/atomic"
)

// smallBody is how many bytes of a body count for nothing: most have no more, and
// whoever sends one is answered however many large ones there are.
const smallBody = 16 << 10

// firstPart is how much room is made for a body before any of it is there, in
// bytes: a body may be declared, and never come.
const firstPart = 4 << 10

// budget bounds the bytes of bodies that are held at a time. Thousands of clients
// may each send most of a large body, and then wait.
type budget struct {
	left      atomic.Int64
	unlimited bool
}

func newBudget(bytes int64) *budget {
	b := &budget{unlimited: bytes == 0}
	b.left.Store(bytes)
	return b
}

// take takes n bytes, or nothing if there are not so many.
func (b *budget) take(n int64) bool {
	if b.unlimited {
		return true
	}
	if b.left.Add(-n) < 0 {
		b.left.Add(n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.left.Add(n) }

// limited reads as many bytes as a body may have, and as there is room for.
type limited struct {
	io.Reader
	limit  int64
	budget *budget
	read   int64
	taken  int64 // from the budget, to be given back
}

var (
	errTooLarge   = errors.New("too large")
	errOverloaded = errors.New("too many large bodies")
)

// Read implements [io.Reader].
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	l.read += int64(n)
	if l.read > l.limit {
		return n, errTooLarge
	}
	if more := l.read - smallBody - l.taken; more > 0 {
		if !l.budget.take(more) {
			return n, errOverloaded
		}
		l.taken += more
	}
	return n, err
}
