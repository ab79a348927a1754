package customer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// SignUpValidity is for how long a sign-up that nobody confirms keeps its
// address. Then it gives way, so that nobody can hold somebody else's.
const SignUpValidity = 72 * time.Hour

// KeyRetention is for how long an idempotency key is kept at least: the
// contract promises 24 hours, and the second day is for clocks that differ and
// for retries that begin late.
const KeyRetention = 48 * time.Hour

// Service applies the rules. It is safe for concurrent use.
type Service struct {
	store   Store
	now     func() time.Time
	newID   func() string
	newLink func(kind, messageID string, now time.Time) (Link, error)
	queued  func()
	prints  Fingerprinter
	sealer  disbursement.Sealer
	flight  inFlight
}

// Params are what a [Service] needs.
type Params struct {
	Store Store
	Now   func() time.Time // the clock
	NewID func() string    // gives unique ids of messages and disbursement methods, in the order of time
	// NewLink makes the link of an e-mail.
	NewLink func(kind, messageID string, now time.Time) (Link, error)
	// Fingerprints tell drafts apart.
	Fingerprints Fingerprinter
	// Sealer encrypts the secrets of disbursement methods.
	Sealer disbursement.Sealer
	// Queued is called after an e-mail was queued, to send it without delay.
	Queued func()
}

// Fingerprinter makes fingerprints of digests with a key, so that whoever gets
// hold of the store cannot try account numbers until one fits.
type Fingerprinter interface {
	Fingerprint(digest []byte) ([]byte, error)
	// Same tells whether a fingerprint is of a digest. One that was made with a
	// key that is gone is of none.
	Same(fingerprint, digest []byte) bool
}

// NewService makes a service.
func NewService(p Params) *Service {
	return &Service{store: p.Store, now: p.Now, newID: p.NewID, newLink: p.NewLink, prints: p.Fingerprints, sealer: p.Sealer, queued: p.Queued, flight: inFlight{keys: make(map[flightKey]struct{})}}
}

// Create makes the customer that a partner describes, and queues the e-mail
// that introduces the service to them. With an idempotency key (empty for none)
// a repetition gets the first result again.
//
// It returns [*UnacceptableError], [*EmailInUseError], [ErrKeyInUse],
// [ErrKeyReused] or [ErrUnavailable].
func (s *Service) Create(ctx context.Context, partnerID int64, draft Draft, idempotencyKey string) (Created, error) {
	now := s.now().UTC().Truncate(time.Microsecond)
	c, emailKey, secrets, err := draft.accept(&partnerID, s.newID, now)
	if err != nil {
		return Created{}, err
	}
	creation := Creation{Secrets: secrets, Sealer: s.sealer, Customer: c, EmailKey: emailKey, Message: Message{ID: s.newID(), Kind: KindIntroduction}, SignUpsBefore: now.Add(-SignUpValidity)}
	link, err := s.newLink(LinkInvitation, creation.Message.ID, now)
	if err != nil {
		return Created{}, fmt.Errorf("make invitation: %w", err)
	}
	creation.Message.Link = &link
	creation.Customer.Invitation = &Invitation{QueuedAt: now, ExpiresAt: link.ExpiresAt}
	if idempotencyKey != "" {
		if creation.Idempotency, err = s.idempotency(&draft, partnerID, idempotencyKey, now); err != nil {
			return Created{}, err
		}
		done, err := s.flight.enter(flightKey{partnerID, idempotencyKey})
		if err != nil {
			return Created{}, err
		}
		defer done()
	}
	created, err := s.store.Create(ctx, creation)
	if err != nil {
		return Created{}, fmt.Errorf("create customer: %w", err)
	}
	if !created.Replayed {
		s.queued()
	}
	return created, nil
}

func (s *Service) idempotency(draft *Draft, partnerID int64, key string, now time.Time) (*Idempotency, error) {
	digest, err := draft.digest()
	if err != nil {
		return nil, err
	}
	fingerprint, err := s.prints.Fingerprint(digest)
	if err != nil {
		return nil, fmt.Errorf("make fingerprint: %w", err)
	}
	return &Idempotency{
		PartnerID: partnerID, Key: key, Fingerprint: fingerprint, ExpiresAt: now.Add(KeyRetention),
		Same: func(stored []byte) bool { return s.prints.Same(stored, digest) },
	}, nil
}

// Customer reads a customer that the partner created, or returns [ErrNotFound].
func (s *Service) Customer(ctx context.Context, partnerID, id int64) (Customer, error) {
	c, err := s.store.Customer(ctx, partnerID, id)
	if err != nil {
		return Customer{}, fmt.Errorf("read customer: %w", err)
	}
	return c, nil
}

// inFlight knows the idempotency keys whose first request is under way in this
// process. Between processes the store's transaction decides, and a repetition
// waits for the first request instead of being told to come back.
type inFlight struct {
	mu   sync.Mutex
	keys map[flightKey]struct{} // guarded by mu
}

type flightKey struct {
	partnerID int64
	key       string
}

func (f *inFlight) enter(k flightKey) (done func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, busy := f.keys[k]; busy {
		return nil, ErrKeyInUse
	}
	f.keys[k] = struct{}{}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.keys, k)
	}, nil
}
