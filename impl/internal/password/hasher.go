package password

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
)

// ErrBusy is returned if too many hashes are being made: come back later.
var ErrBusy = errors.New("too many passwords are being hashed")

// errHash stands for what is wrong with a stored hash, without quoting it.
var errHash = errors.New("not an argon2id hash that can be verified")

// Params are the costs of a hash, and how many are made at a time.
type Params struct {
	Memory      uint32 // KiB, at least 8 for each lane (RFC 9106 §3.1)
	Iterations  uint32 // passes over the memory, at least 1
	Parallelism uint8  // lanes, at least 1
	Concurrency int    // hashes at a time, at least 1
	// Waiting is how many callers may wait for their turn at a time.
	Waiting int
	// MaxWait is how long one may wait for it.
	MaxWait time.Duration
}

// Lengths in octets. RFC 9106 §4 recommends a salt of 128 bits, and a tag of
// 256.
const (
	saltLength = 16
	keyLength  = 32
)

// DefaultParams gives the costs that OWASP's Password Storage Cheat Sheet
// recommends for argon2id (read 2026-11: 19 MiB, 2 passes, 1 lane), with as many
// hashes at a time as there are CPUs: more would only take memory.
func DefaultParams() Params {
	cpus := runtime.GOMAXPROCS(0)
	return Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, Concurrency: cpus, Waiting: 32 * cpus, MaxWait: 3 * time.Second}
}

// Hasher makes and verifies hashes of passwords. It is safe for concurrent use.
type Hasher struct {
	params  argon2id.Params
	maxWait time.Duration
	turns   chan struct{} // holds one for each hash that is being made
	callers chan struct{} // holds one for each caller who has a turn or waits for it
	nothing string        // the hash of a password that nobody knows
}

// NewHasher makes a hasher. It fails for parameters that are out of range.
func NewHasher(p Params) (*Hasher, error) {
	if p.Iterations < 1 || p.Parallelism < 1 || p.Memory < 8*uint32(p.Parallelism) || p.Concurrency < 1 || p.Waiting < 0 {
		return nil, errors.New("make a password hasher: parameters out of range")
	}
	h := &Hasher{
		params: argon2id.Params{
			Memory: p.Memory, Iterations: p.Iterations, Parallelism: p.Parallelism,
			SaltLength: saltLength, KeyLength: keyLength,
		},
		maxWait: p.MaxWait,
		turns:   make(chan struct{}, p.Concurrency),
		callers: make(chan struct{}, p.Concurrency+p.Waiting),
	}
	h.nothing = hashOfNothing(p)
	return h, nil
}

// hashOfNothing writes a hash (PHC string format) that no password is known to
// have: both its salt and its tag are random. To make one of a password would
// take as long as a login does, at each start.
func hashOfNothing(p Params) string {
	random := func(n int) string {
		b := make([]byte, n)
		_, _ = rand.Read(b) // which never fails
		return base64.RawStdEncoding.EncodeToString(b)
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.Memory, p.Iterations, p.Parallelism, random(saltLength), random(keyLength))
}

// Hash gives the argon2id hash of a password in PHC string format, with a new
// salt. It returns [ErrBusy], or the context's error if that ends first.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	done, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	phc, err := argon2id.CreateHash(Normalize(password), &h.params)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return phc, nil
}

// Verify tells whether a password is that of a hash, whatever parameters this
// was made with. It returns [ErrBusy], the context's error if that ends first,
// or another error if phc is no hash.
func (h *Hasher) Verify(ctx context.Context, password, phc string) (bool, error) {
	done, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	if _, err := decode(phc); err != nil {
		return false, fmt.Errorf("verify a password: %w", err)
	}
	match, err := argon2id.ComparePasswordAndHash(Normalize(password), phc)
	if err != nil {
		return false, fmt.Errorf("verify a password: %w", errHash)
	}
	return match, nil
}

// VerifyNothing takes as long as [Hasher.Verify] does with a hash of the
// present parameters, and returns the same errors. It is for accounts that do
// not exist or have no password, so that a login tells nobody which do.
func (h *Hasher) VerifyNothing(ctx context.Context, password string) error {
	_, err := h.Verify(ctx, password, h.nothing)
	return err
}

// Outdated tells whether a hash was made with other parameters than the present
// ones, or is none: hash the password anew when it is next known to be right.
func (h *Hasher) Outdated(phc string) bool {
	params, err := decode(phc)
	return err != nil || params != h.params
}

// enter waits for a turn; done gives it back.
func (h *Hasher) enter(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait to hash a password: %w", err)
	}
	select {
	case h.callers <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	timer := time.NewTimer(h.maxWait)
	defer timer.Stop()
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns; <-h.callers }, nil
	default:
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns; <-h.callers }, nil
	case <-timer.C:
		err = ErrBusy
	case <-ctx.Done():
		err = fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	<-h.callers
	return nil, err
}

// decode reads the parameters of a hash, and refuses those with which there is
// nothing to compute or to compare.
func decode(phc string) (argon2id.Params, error) {
	params, _, key, err := argon2id.DecodeHash(phc)
	if err != nil || params.Iterations < 1 || params.Parallelism < 1 || len(key) < keyLength/2 {
		return argon2id.Params{}, errHash
	}
	return *params, nil
}
