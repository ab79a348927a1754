package unread_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"cryptoexchange.com/escrow/impl/internal/unread"
)

// endless has no end, and counts.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	e.n += len(p)
	return len(p), nil
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		little := bytes.NewReader(make([]byte, 1<<20-1))
		unread.Discard(little)
		if took := time.Since(began); took != 0 || little.Len() != 0 {
			t.Errorf("almost a mebibyte takes %v, and %d bytes of it are left", took, little.Len())
		}
		began = time.Now()
		much := new(endless)
		unread.Discard(much)
		if took := time.Since(began); took < time.Second || took > unread.Timeout || much.n != unread.Limit {
			t.Errorf("%d bytes were read, in %v", much.n, took)
		}
		began = time.Now()
		unread.Discard(io.MultiReader(bytes.NewReader(make([]byte, 3<<20)), broken{}))
		if took := time.Since(began); took > time.Second {
			t.Errorf("after an error: %v", took)
		}
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("reset") }
