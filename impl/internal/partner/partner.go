// Package partner knows the partners and the API keys by which they are
// recognised.
//
// A key is cex_live_ and 128 random bits or more. It is shown once, when it is
// made; what is kept is its SHA-256, which is enough to recognise it and, the
// key being random, not enough to find it. Passwords need a slow hash because
// people choose them; keys do not. A key is looked up by its hash, so the time
// that takes says nothing about how near a wrong key is to a right one.
//
// Keys of a sandbox begin with cex_test_. Neither kind is good for the other, so
// that a program with the wrong key does nothing, instead of creating people of a
// test in the real service, or real people in a test.
package partner

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// KeyPrefix begins every API key, so that people and secret scanners recognise
// one where it should not be.
const KeyPrefix = "cex_live_"

// SandboxKeyPrefix begins every API key of a sandbox.
const SandboxKeyPrefix = "cex_test_"

// sandboxKey is what the key of a sandbox may be that somebody chose: nothing that
// needs quotes in a shell, and enough that nobody guesses it by the way.
var sandboxKey = regexp.MustCompile(`^` + SandboxKeyPrefix + `[0-9A-Za-z_-]{16,128}$`)

// CheckSandboxKey judges a key that somebody chose for a sandbox.
func CheckSandboxKey(key Secret) error {
	if !sandboxKey.MatchString(string(key)) {
		return errors.New("want " + SandboxKeyPrefix + " and then 16 to 128 letters of A to Z, digits, _ and -")
	}
	return nil
}

// maxKeyLength bounds what is hashed for a caller who is not known yet.
const maxKeyLength = 256

// Errors.
var (
	// ErrUnauthenticated: there is no such key, or it was revoked.
	ErrUnauthenticated = errors.New("unknown API key")
	// ErrNotFound: there is no such partner or key.
	ErrNotFound = errors.New("not found")
)

// Partner is a marketplace, broker or shop.
type Partner struct {
	ID        int64
	Name      string
	CreatedAt time.Time
}

// Key is an API key, without its secret.
type Key struct {
	ID        int64
	PartnerID int64
	Last4     string // the last four characters, to tell keys apart
	CreatedAt time.Time
	RevokedAt *time.Time // nil while it is good
}

// Secret is an API key in full. It never prints itself.
type Secret string

// String hides the key; use Reveal where it must be shown.
func (s Secret) String() string {
	if strings.HasPrefix(string(s), SandboxKeyPrefix) {
		return SandboxKeyPrefix + "..."
	}
	return KeyPrefix + "..."
}

// GoString hides the key from %#v too.
func (s Secret) GoString() string { return s.String() }

// Reveal gives the key in full.
func (s Secret) Reveal() string { return string(s) }

// Hash is the SHA-256 of a key.
type Hash [sha256.Size]byte

// NewKey is a key to be stored.
type NewKey struct {
	Hash      Hash
	Last4     string
	CreatedAt time.Time
}

// Store keeps partners and keys durably.
type Store interface {
	// CreatePartner stores a partner, and its first key with it.
	CreatePartner(ctx context.Context, name string, key NewKey) (Partner, Key, error)
	// CreateFirstPartner does the same if there is no partner yet; else the
	// last result is false.
	CreateFirstPartner(ctx context.Context, name string, key NewKey) (Partner, Key, bool, error)
	// Partners lists all partners by ID.
	Partners(ctx context.Context) ([]Partner, error)
	// CreateKey stores a further key, or returns [ErrNotFound] for an unknown
	// partner.
	CreateKey(ctx context.Context, partnerID int64, key NewKey) (Key, error)
	// Keys lists a partner's keys by ID, revoked ones too.
	Keys(ctx context.Context, partnerID int64) ([]Key, error)
	// RevokeKey ends a key; one that ended before keeps its time. It returns
	// [ErrNotFound] for an unknown key.
	RevokeKey(ctx context.Context, id int64, at time.Time) error
	// KeyByHash finds a key that is good, or returns [ErrUnauthenticated]. It is
	// called for each request, and so answers from memory; but what this or any
	// other process has done to keys before the call counts.
	KeyByHash(ctx context.Context, hash Hash) (Key, error)
}

// Service makes, revokes and recognises keys. It is safe for concurrent use.
type Service struct {
	store  Store
	now    func() time.Time
	prefix string // of all keys
	first  Secret // key of the first partner; empty to make one
}

// NewService makes a service with a clock.
func NewService(store Store, now func() time.Time) *Service {
	return &Service{store: store, now: now, prefix: KeyPrefix}
}

// NewSandbox makes a service for a sandbox, which knows keys of sandboxes and no
// others. first is the key of the first partner, as [CheckSandboxKey] wants it, or
// empty to make one.
func NewSandbox(store Store, now func() time.Time, first Secret) *Service {
	return &Service{store: store, now: now, prefix: SandboxKeyPrefix, first: first}
}

// Authenticate finds the key that a caller presents, or returns
// [ErrUnauthenticated]. A key that was revoked, in whatever process, is refused
// from then on: the store is asked each time, which has the keys in memory.
func (s *Service) Authenticate(ctx context.Context, presented string) (Key, error) {
	if len(presented) > maxKeyLength || !strings.HasPrefix(presented, s.prefix) {
		return Key{}, ErrUnauthenticated
	}
	key, err := s.store.KeyByHash(ctx, sha256.Sum256([]byte(presented)))
	if err != nil {
		return Key{}, fmt.Errorf("authenticate: %w", err)
	}
	return key, nil
}

// CreatePartner makes a partner with one key.
func (s *Service) CreatePartner(ctx context.Context, name string) (Partner, Secret, error) {
	secret, key := s.newKey()
	p, _, err := s.store.CreatePartner(ctx, name, key)
	if err != nil {
		return Partner{}, "", fmt.Errorf("create partner: %w", err)
	}
	return p, secret, nil
}

// CreateFirstPartner makes a partner with one key if there is none yet; else
// the last result is false.
func (s *Service) CreateFirstPartner(ctx context.Context, name string) (Partner, Secret, bool, error) {
	secret, key := s.newKey()
	if s.first != "" {
		secret, key = s.first, s.keyOf(s.first)
	}
	p, _, created, err := s.store.CreateFirstPartner(ctx, name, key)
	if err != nil || !created {
		return Partner{}, "", false, err
	}
	return p, secret, true, nil
}

// CreateKey makes a further key for a partner.
func (s *Service) CreateKey(ctx context.Context, partnerID int64) (Key, Secret, error) {
	secret, key := s.newKey()
	k, err := s.store.CreateKey(ctx, partnerID, key)
	if err != nil {
		return Key{}, "", fmt.Errorf("create key: %w", err)
	}
	return k, secret, nil
}

// RevokeKey ends a key with effect on the next request.
func (s *Service) RevokeKey(ctx context.Context, id int64) error {
	if err := s.store.RevokeKey(ctx, id, s.now().UTC()); err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

// newKey makes a key from [rand.Text], which has at least 128 random bits.
func (s *Service) newKey() (Secret, NewKey) {
	secret := Secret(s.prefix + rand.Text())
	return secret, s.keyOf(secret)
}

// keyOf gives what is stored of a key.
func (s *Service) keyOf(secret Secret) NewKey {
	return NewKey{Hash: sha256.Sum256([]byte(secret)), Last4: string(secret[len(secret)-4:]), CreatedAt: s.now().UTC()}
}
