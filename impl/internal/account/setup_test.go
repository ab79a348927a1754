package account_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/outbox"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/password"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

const (
	email       = "ana@example.com"
	passphrase  = "seven quiet turnips dancing"
	passphrase2 = "green lanterns over harbours"
)

// counting is a hasher that counts what it is asked.
type counting struct {
	*password.Hasher
	hashes, verifies, nothings atomic.Int32
	// hashed is called, if it is not nil, after each hash.
	hashed func()
}

func (c *counting) Hash(ctx context.Context, text string) (string, error) {
	c.hashes.Add(1)
	hash, err := c.Hasher.Hash(ctx, text)
	if c.hashed != nil {
		c.hashed()
	}
	return hash, err
}

func (c *counting) Verify(ctx context.Context, text, hash string) (bool, error) {
	c.verifies.Add(1)
	return c.Hasher.Verify(ctx, text, hash)
}

func (c *counting) VerifyNothing(ctx context.Context, text string) error {
	c.nothings.Add(1)
	return c.Hasher.VerifyNothing(ctx, text)
}

// calls counts all calls since the last time.
func (c *counting) calls() int32 { return c.hashes.Swap(0) + c.verifies.Swap(0) + c.nothings.Swap(0) }

// plain is a cipher that binds to the customer, and hides nothing.
type plain struct{}

func (plain) Encrypt(text []byte, id int64) ([]byte, error) {
	return fmt.Appendf(nil, "%d %s", id, text), nil
}

func (plain) Decrypt(ciphertext []byte, id int64) ([]byte, error) {
	text, ok := strings.CutPrefix(string(ciphertext), fmt.Sprint(id, " "))
	if !ok {
		return nil, errors.New("another customer's")
	}
	return []byte(text), nil
}

type bundle struct {
	service   *account.Service
	customers *customer.Service
	intake    *account.Intake
	db        *sqlite.DB
	partner   int64
	hasher    *counting
	queued    atomic.Int32
	links     *account.Links

	mu   sync.Mutex
	time time.Time // guarded by mu
}

func (b *bundle) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.time
}

func (b *bundle) forward(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.time = b.time.Add(d)
}

func params() password.Params {
	return password.Params{Memory: 8, Iterations: 1, Parallelism: 1, Concurrency: 2, Waiting: 100, MaxWait: time.Minute}
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{time: start}
	var err error
	if b.db, err = sqlite.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	p, _, err := b.db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: start})
	if err != nil {
		t.Fatal(err)
	}
	b.partner = p.ID
	b.links = &account.Links{
		Derive: func(keyID uint32, kind, id string) ([]byte, error) {
			sum := sha256.Sum256(fmt.Append(nil, keyID, kind, id))
			return sum[:], nil
		},
		KeyID:    func() uint32 { return 7 },
		Validity: 72 * time.Hour,
	}
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id-%05d", ids.Add(1)) }
	queued := func() { b.queued.Add(1) }
	b.service = b.withHasher(t, params(), account.Params{Store: b.db, Cipher: plain{}, Links: b.links, Now: b.now, NewID: newID, Queued: queued, Issuer: "Issuer"})
	b.intake = account.NewIntake(b.service, slog.New(slog.DiscardHandler))
	b.customers = customer.NewService(customer.Params{Store: b.db, Now: b.now, NewID: newID, NewLink: b.links.New, Queued: queued})
	return b
}

func (b *bundle) withHasher(t *testing.T, costs password.Params, p account.Params) *account.Service {
	t.Helper()
	hasher, err := password.NewHasher(costs)
	if err != nil {
		t.Fatal(err)
	}
	b.hasher = &counting{Hasher: hasher}
	p.Hasher = b.hasher
	s, err := account.NewService(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sent is an e-mail that a customer got.
type sent struct {
	outbox.Message
	token string // of its link; empty if it has none
}

// mail sends what is queued.
func (b *bundle) mail(t *testing.T) []sent {
	t.Helper()
	now := b.now()
	messages, err := b.db.Claim(t.Context(), now, now.Add(time.Minute), 100)
	if err != nil {
		t.Fatal(err)
	}
	var list []sent
	for _, m := range messages {
		s := sent{Message: m}
		if m.Link != nil {
			if s.token, err = b.links.Token(m.Link.KeyID, m.Link.Kind, m.ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.db.MarkSent(t.Context(), m.ID, m.Attempts, now); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// one sends the one e-mail that must be queued.
func (b *bundle) one(t *testing.T, kind string) sent {
	t.Helper()
	list := b.mail(t)
	if len(list) != 1 || list[0].Kind != kind {
		t.Fatalf("e-mails %+v, want one %s", list, kind)
	}
	return list[0]
}

// invited makes a customer, and gives the token of the invitation.
func (b *bundle) invited(t *testing.T, email string) (id int64, token string) {
	t.Helper()
	created, err := b.customers.Create(t.Context(), b.partner, customer.Draft{Email: email}, "")
	if err != nil {
		t.Fatal(err)
	}
	return created.Customer.ID, b.one(t, customer.KindIntroduction).token
}

// member makes a customer who has accepted the invitation.
func (b *bundle) member(t *testing.T, email string) int64 {
	t.Helper()
	id, token := b.invited(t, email)
	if _, err := b.service.UseLink(t.Context(), account.LinkInvitation, token, passphrase); err != nil {
		t.Fatal(err)
	}
	return id
}

func (b *bundle) logIn(t *testing.T, email, text, code string) (account.Session, string, error) {
	t.Helper()
	return b.service.LogIn(t.Context(), account.Login{Email: email, Password: text, Code: code, Client: account.Client{IP: "203.0.113.7", UserAgent: "Browser"}})
}

// session logs a customer in.
func (b *bundle) session(t *testing.T, email string) (account.Session, string) {
	t.Helper()
	s, token, err := b.logIn(t, email, passphrase, "")
	if err != nil {
		t.Fatal(err)
	}
	return s, token
}

func (b *bundle) settle(t *testing.T) {
	t.Helper()
	if err := b.intake.SettleAll(t.Context()); err != nil {
		t.Error(err)
	}
	if left, err := b.db.Requests(t.Context(), 10); err != nil || len(left) != 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}

func (b *bundle) status(t *testing.T, id int64, from, to customer.Status) {
	t.Helper()
	if err := b.db.SetStatus(t.Context(), id, from, to, b.now()); err != nil {
		t.Fatal(err)
	}
}

// wantFinding checks that an error is about one field.
func wantFinding(t *testing.T, err error, field, code string) {
	t.Helper()
	var unacceptable *customer.UnacceptableError
	if !errors.As(err, &unacceptable) || len(unacceptable.Findings) != 1 || strings.Join(unacceptable.Findings[0].Path, "/") != field || unacceptable.Findings[0].Code != code {
		t.Errorf("%v, want %s: %s", err, field, code)
	}
}

// is checks that an error is another one, or that there is none.
func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
