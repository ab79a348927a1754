package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
)

const (
	// keysName is the file whose size says whether keys are as they were.
	keysName = "keys.version"
	// keysTrusted is for how long keys are not read again though nothing says
	// that they changed: somebody may have changed the database by other means.
	keysTrusted = 10 * time.Second
	// lockInterval is between two tries to be the only one who changes keys.
	lockInterval = 5 * time.Millisecond
)

// keyRing has the keys that are good in memory: a request costs no query, but a
// look at the size of a file, which all processes see alike. Whoever changes
// keys makes the size odd before, and even again after the commit, and is alone
// while doing so. So what was read at an even size is what there is as long as
// the size is the same; while it is odd, the database is asked each time. A
// process that is killed between leaves it odd: that is slower, and as right,
// until the next change or start.
//
// In memory, of which there is one process, a number takes the place of the size.
type keyRing struct {
	path     string // empty in memory
	lockPath string
	changing sync.Mutex   // in memory, in place of the lock
	changes  atomic.Int64 // in memory, in place of the size
	trusted  time.Duration
	load     func(context.Context) (map[partner.Hash]partner.Key, error)

	current atomic.Pointer[keysAt]
	mu      sync.Mutex // held by who reads the keys again
}

// keysAt are the keys at one size of the file.
type keysAt struct {
	size int64
	read time.Time
	good map[partner.Hash]partner.Key
}

func isOdd(size int64) bool { return size%2 != 0 }

// size gives the size of the file, or an odd one if there is none.
func (r *keyRing) size() int64 {
	if r.path == "" {
		return r.changes.Load()
	}
	info, err := os.Stat(r.path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// keys gives the keys that are good, or nil if the database has to be asked.
func (r *keyRing) keys(ctx context.Context) (map[partner.Hash]partner.Key, error) {
	size := r.size()
	if isOdd(size) {
		return nil, nil
	}
	if k := r.current.Load(); r.isGood(k, size) {
		return k.good, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// The size first: what changes while the keys are read is read again.
	k := &keysAt{size: r.size(), read: time.Now()}
	if isOdd(k.size) {
		return nil, nil
	}
	if faster := r.current.Load(); r.isGood(faster, k.size) {
		return faster.good, nil
	}
	var err error
	if k.good, err = r.load(ctx); err != nil {
		return nil, err
	}
	r.current.Store(k)
	return k.good, nil
}

func (r *keyRing) isGood(k *keysAt, size int64) bool {
	return k != nil && k.size == size && time.Since(k.read) < r.trusted
}

// change runs f, which changes keys.
func (r *keyRing) change(ctx context.Context, f func() error) (err error) {
	if r.path == "" {
		r.changing.Lock()
		defer r.changing.Unlock()
		r.changes.Add(1)
		defer r.changes.Add(1)
		return f()
	}
	lock := flock.New(r.lockPath, flock.SetPermissions(0o600))
	waiting, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	if _, err := lock.TryLockContext(waiting, lockInterval); err != nil {
		return fmt.Errorf("lock data folder: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := r.settle(true); err != nil {
		return err
	}
	if err := f(); err != nil {
		// If it is unknown whether anything was changed, it is known to those
		// who read again.
		return errors.Join(err, r.settle(false))
	}
	return r.settle(false)
}

// settle makes the size odd, and another than it was, or makes sure that it is
// even. It is called under the lock.
func (r *keyRing) settle(odd bool) error {
	file, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", customer.ErrUnavailable, err)
	}
	info, err := file.Stat()
	if err == nil {
		switch was := isOdd(info.Size()); {
		case was != odd:
			_, err = file.WriteString(".")
		case odd: // whoever made it so was killed
			_, err = file.WriteString("..")
		}
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%w: %w", customer.ErrUnavailable, err)
	}
	return nil
}
