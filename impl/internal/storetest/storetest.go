// Package storetest has the behaviour that every engine must show: one suite,
// run by the tests of each. What is added to a store is first a case here.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
)

// Store is everything that an engine keeps.
type Store interface {
	customer.Store
	partner.Store
	account.Store
	Outbox
	Operator
	// AnyCustomer reads a customer, whoever created it.
	AnyCustomer(ctx context.Context, id int64) (customer.Customer, error)
	// Ping tells whether the store can be read and written.
	Ping(ctx context.Context) error
	Close() error
}

// Exercise runs the suite. fresh makes an empty place to keep things in, and
// gives a function that opens it; opened again, it has what was stored, as
// another process would see it.
func Exercise(t *testing.T, fresh func(t *testing.T) (open func() Store)) {
	t.Helper()
	cases := []testCase{
		{"create and read", testCreateAndRead},
		{"create with everything", testCreateWithEverything},
		{"e-mail in use", testEmailInUse},
		{"e-mail of a sign-up", testEmailOfSignUp},
		{"idempotency", testIdempotency},
		{"idempotency key of another partner", testIdempotencyPartners},
		{"expired idempotency keys", testForgetIdempotencyKeys},
		{"refused creations leave nothing", testNothingHalfWritten},
		{"creations race", testRace},
		{"creations with one idempotency key race", testIdempotencyRace},
		{"partners and keys", testPartners},
		{"first partner", testFirstPartner},
		{"revoked keys", testRevoke},
		{"keys of another process", testKeysElsewhere},
		{"cancelled", testCancelled},
		{"durable", testDurable},
	}
	for _, c := range slices.Concat(cases, outboxCases, accountCases, sessionCases, profileCases, methodCases, operatorCases) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := &bundle{reopen: fresh(t)}
			b.store = b.open(t)
			b.partner = b.newPartner(t, "Shop", 1)
			c.run(t, b)
		})
	}
}

type testCase struct {
	name string
	run  func(t *testing.T, b *bundle)
}

type bundle struct {
	reopen  func() Store
	store   Store
	partner int64
}

func (b *bundle) open(t *testing.T) Store {
	t.Helper()
	s := b.reopen()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var start = time.Date(2026, 11, 24, 10, 0, 0, 123456000, time.UTC)

func key(n byte) partner.NewKey {
	return partner.NewKey{Hash: partner.Hash{n}, Last4: fmt.Sprintf("%04d", n), CreatedAt: start}
}

func (b *bundle) newPartner(t *testing.T, name string, n byte) int64 {
	t.Helper()
	p, _, err := b.store.CreatePartner(t.Context(), name, key(n))
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func creation(partnerID int64, email string) customer.Creation {
	return customer.Creation{
		Customer: customer.Customer{
			PartnerID: &partnerID, Email: email, Status: customer.Active, Group: customer.Introduced,
			EmailVerified: true, CreatedAt: start, UpdatedAt: start,
		},
		EmailKey: email,
		Message:  customer.Message{ID: "m-" + email, Kind: customer.KindIntroduction},
	}
}

func withKey(c customer.Creation, key string, fingerprint byte) customer.Creation {
	c.Idempotency = &customer.Idempotency{PartnerID: *c.Customer.PartnerID, Key: key, Fingerprint: []byte{fingerprint}, ExpiresAt: start.Add(time.Hour),
		Same: func(stored []byte) bool { return len(stored) == 1 && stored[0] == fingerprint },
	}
	return c
}

func (b *bundle) create(t *testing.T, c customer.Creation) customer.Customer {
	t.Helper()
	created, err := b.store.Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return created.Customer
}

// due lists the ids of the messages that can be claimed, and claims them.
func (b *bundle) due(t *testing.T, now time.Time) []string {
	t.Helper()
	messages, err := b.store.Claim(t.Context(), now, now.Add(time.Minute), 1000)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

func testCreateAndRead(t *testing.T, b *bundle) {
	want := creation(b.partner, "a@example.com").Customer
	created := b.create(t, creation(b.partner, "a@example.com"))
	want.ID = created.ID
	if diff := cmp.Diff(want, created); diff != "" || created.ID <= 0 {
		t.Errorf("created (-want +got)\n%s", diff)
	}
	got, err := b.store.Customer(t.Context(), b.partner, created.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("read: %v (-want +got)\n%s", err, diff)
	}
	byOperator, err := b.store.AnyCustomer(t.Context(), created.ID)
	if diff := cmp.Diff(want, byOperator); err != nil || diff != "" {
		t.Errorf("read as operator: %v (-want +got)\n%s", err, diff)
	}
	if _, err := b.store.Customer(t.Context(), b.partner, created.ID+1); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("unknown id: %v", err)
	}
	if _, err := b.store.AnyCustomer(t.Context(), created.ID+1); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("unknown id as operator: %v", err)
	}
	other := b.newPartner(t, "Other", 2)
	if _, err := b.store.Customer(t.Context(), other, created.ID); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("another partner's customer: %v", err)
	}
}

func testCreateWithEverything(t *testing.T, b *bundle) {
	text := func(s string) *string { return &s }
	c := creation(b.partner, "josé@müller.example")
	c.Customer.Username = "jo\"'; DROP TABLE customers"
	c.Customer.FirstName, c.Customer.MiddleName, c.Customer.LastName = text("José 🎉"), text("de la"), text("O'Neil")
	c.Customer.CompanyName, c.Customer.Gender, c.Customer.DateOfBirth = text("Müller & Söhne"), text("-"), text("1980-12-30")
	c.Customer.SubscribedToNewsLetter, c.Customer.PhoneVerified, c.Customer.IsCompany = true, true, true
	c.Customer.Phone, c.Customer.Notes, c.Customer.Language = text("+18885118600"), text("line\nline"), text("es-MX")
	c.Message = linked(c.Message.ID, customer.KindIntroduction, account.LinkInvitation)
	c.Customer.Invitation = &customer.Invitation{QueuedAt: start, ExpiresAt: c.Message.Link.ExpiresAt}
	c.Customer.Address = &customer.Address{Line1: "1", Line2: "2", City: "3", State: "4", Country: "US", PostCode: "00501"}
	want := b.create(t, c)
	got, err := b.store.Customer(t.Context(), b.partner, want.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}

	c = creation(b.partner, "b@example.com")
	c.Customer.Address = &customer.Address{Line1: "1", City: "3", Country: "ES", PostCode: "28014"}
	want = b.create(t, c)
	got, err = b.store.Customer(t.Context(), b.partner, want.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("without optional parts: %v (-want +got)\n%s", err, diff)
	}
}

func testEmailInUse(t *testing.T, b *bundle) {
	first := b.create(t, creation(b.partner, "a@example.com"))
	again := creation(b.newPartner(t, "Other", 2), "a@example.com")
	again.Message.ID = "m-2"
	_, err := b.store.Create(t.Context(), again)
	var inUse *customer.EmailInUseError
	if !errors.As(err, &inUse) || inUse.CustomerID != first.ID || !inUse.CreatedBy(b.partner) || inUse.CreatedBy(*again.Customer.PartnerID) {
		t.Errorf("error %v, %+v", err, inUse)
	}
	// One who signed up alone has no partner.
	alone := creation(b.partner, "alone@example.com")
	alone.Customer.PartnerID, alone.Customer.Group = nil, customer.SignedUp
	b.create(t, alone)
	_, err = b.store.Create(t.Context(), withKey(creation(b.partner, "alone@example.com"), "k", 1))
	if !errors.As(err, &inUse) || inUse.PartnerID != nil {
		t.Errorf("error %v, %+v", err, inUse)
	}
}

// testEmailOfSignUp checks that a sign-up which nobody confirms keeps its
// address until it is too old, and not longer.
func testEmailOfSignUp(t *testing.T, b *bundle) {
	signedUp := b.create(t, signUp("a@example.com", start)).ID
	b.due(t, start) // its e-mail has an attempt
	c := withKey(creation(b.partner, "a@example.com"), "k", 1)
	c.Message.ID, c.SignUpsBefore = "m-2", start.Add(-time.Microsecond)
	var inUse *customer.EmailInUseError
	if _, err := b.store.Create(t.Context(), c); !errors.As(err, &inUse) || inUse.CustomerID != signedUp || inUse.PartnerID != nil {
		t.Errorf("younger: %v", err)
	}
	c.SignUpsBefore = start
	id := b.create(t, c).ID
	if _, err := b.store.AnyCustomer(t.Context(), signedUp); !errors.Is(err, customer.ErrNotFound) || id == signedUp {
		t.Errorf("older, replaced by %d: %v", id, err)
	}
	if diff := cmp.Diff([]string{"m-2"}, b.due(t, start.Add(time.Hour))); diff != "" {
		t.Errorf("e-mails (-want +got)\n%s", diff)
	}
	// One that was confirmed is for good.
	confirmed := b.create(t, signUp("b@example.com", start)).ID
	if err := b.store.UseLink(t.Context(), account.LinkUse{LinkID: "m-b@example.com", Kind: account.LinkConfirmation, CustomerID: confirmed, PasswordHash: passwordHash, At: start}); err != nil {
		t.Fatal(err)
	}
	c = creation(b.partner, "b@example.com")
	c.Message.ID, c.SignUpsBefore = "m-3", start.Add(time.Hour)
	if _, err := b.store.Create(t.Context(), c); !errors.As(err, &inUse) || inUse.CustomerID != confirmed {
		t.Errorf("confirmed: %v", err)
	}
}

func testIdempotency(t *testing.T, b *bundle) {
	c := withKey(creation(b.partner, "a@example.com"), "k", 1)
	c.Customer.Address = &customer.Address{Line1: "1", City: "3", Country: "ES", PostCode: "28014"}
	first, err := b.store.Create(t.Context(), c)
	if err != nil || first.Replayed {
		t.Fatalf("first: %+v, %v", first, err)
	}
	// The repetition comes later, and would be another customer by id and time.
	c.Customer.CreatedAt, c.Message.ID = start.Add(time.Minute), "m-2"
	second, err := b.store.Create(t.Context(), c)
	if err != nil || !second.Replayed {
		t.Fatalf("second: %+v, %v", second, err)
	}
	if diff := cmp.Diff(first.Customer, second.Customer); diff != "" {
		t.Errorf("(-first +second)\n%s", diff)
	}
	if got := b.due(t, start.Add(time.Hour)); len(got) != 1 {
		t.Errorf("e-mails %v, want one", got)
	}
	if _, err := b.store.Create(t.Context(), withKey(creation(b.partner, "b@example.com"), "k", 2)); !errors.Is(err, customer.ErrKeyReused) {
		t.Errorf("other draft: %v", err)
	}
	// Refused creations use no key up.
	if _, err := b.store.Create(t.Context(), withKey(creation(b.partner, "a@example.com"), "k2", 1)); err == nil {
		t.Error("address in use was accepted")
	}
	b.create(t, withKey(creation(b.partner, "c@example.com"), "k2", 3))
}

func testIdempotencyPartners(t *testing.T, b *bundle) {
	other := b.newPartner(t, "Other", 2)
	first := b.create(t, withKey(creation(b.partner, "a@example.com"), "k", 1))
	created, err := b.store.Create(t.Context(), withKey(creation(other, "b@example.com"), "k", 1))
	if err != nil || created.Replayed || created.Customer.ID == first.ID {
		t.Errorf("%+v, %v: another partner's key was taken", created, err)
	}
}

func testForgetIdempotencyKeys(t *testing.T, b *bundle) {
	b.create(t, withKey(creation(b.partner, "a@example.com"), "k", 1)) // good for an hour
	for _, tt := range []struct {
		after time.Duration
		want  int64
	}{{time.Hour, 0}, {time.Hour + time.Microsecond, 1}, {2 * time.Hour, 0}} {
		if n, err := b.store.ForgetIdempotencyKeys(t.Context(), start.Add(tt.after)); err != nil || n != tt.want {
			t.Errorf("after %v: forgot %d, %v; want %d", tt.after, n, err, tt.want)
		}
	}
	if _, err := b.store.Create(t.Context(), withKey(creation(b.partner, "a@example.com"), "k", 1)); !errors.As(err, new(*customer.EmailInUseError)) {
		t.Errorf("after forgetting: %v", err)
	}
}

func testNothingHalfWritten(t *testing.T, b *bundle) {
	b.create(t, creation(b.partner, "a@example.com"))
	// The message's id is taken, which the engine finds after the customer.
	c := withKey(creation(b.partner, "b@example.com"), "k", 1)
	c.Message.ID = "m-a@example.com"
	if _, err := b.store.Create(t.Context(), c); err == nil {
		t.Fatal("a message id was accepted twice")
	}
	c.Message.ID = "m-b"
	if created, err := b.store.Create(t.Context(), c); err != nil || created.Replayed {
		t.Errorf("after a failure: %+v, %v; something was left", created, err)
	}
}

func testRace(t *testing.T, b *bundle) {
	const racers = 200
	results := race(racers, func(i int) error {
		c := creation(b.partner, "a@example.com")
		c.Message.ID = fmt.Sprint(i)
		_, err := b.store.Create(context.WithoutCancel(t.Context()), c)
		return err
	})
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !errors.As(err, new(*customer.EmailInUseError)) {
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d racers won, want 1", won, racers)
	}
	if got := b.due(t, start); len(got) != 1 {
		t.Errorf("%d e-mails, want 1", len(got))
	}
}

func testIdempotencyRace(t *testing.T, b *bundle) {
	const racers = 50
	var mu sync.Mutex
	ids, fresh := make(map[int64]bool), 0
	results := race(racers, func(i int) error {
		c := withKey(creation(b.partner, "a@example.com"), "k", 1)
		c.Message.ID = fmt.Sprint(i)
		created, err := b.store.Create(context.WithoutCancel(t.Context()), c)
		mu.Lock()
		defer mu.Unlock()
		ids[created.Customer.ID] = true
		if !created.Replayed {
			fresh++
		}
		return err
	})
	if err := errors.Join(results...); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 1 || fresh != 1 {
		t.Errorf("%d customers, %d of them new; want 1 and 1", len(ids), fresh)
	}
}

// race runs f many times at once.
func race(racers int, f func(i int) error) []error {
	results := make([]error, racers)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			<-gate
			results[i] = f(i)
		})
	}
	close(gate)
	wg.Wait()
	return results
}

func testPartners(t *testing.T, b *bundle) {
	second, k, err := b.store.CreatePartner(t.Context(), "Zweiter & Söhne", key(2))
	if err != nil {
		t.Fatal(err)
	}
	want := []partner.Partner{{ID: b.partner, Name: "Shop", CreatedAt: start}, {ID: second.ID, Name: "Zweiter & Söhne", CreatedAt: start}}
	got, err := b.store.Partners(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	k2, err := b.store.CreateKey(t.Context(), second.ID, key(3))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := b.store.Keys(t.Context(), second.ID)
	if diff := cmp.Diff([]partner.Key{k, k2}, keys); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	found, err := b.store.KeyByHash(t.Context(), key(3).Hash)
	if diff := cmp.Diff(k2, found); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := b.store.KeyByHash(t.Context(), key(9).Hash); !errors.Is(err, partner.ErrUnauthenticated) {
		t.Errorf("unknown key: %v", err)
	}
	if _, err := b.store.CreateKey(t.Context(), 999, key(4)); !errors.Is(err, partner.ErrNotFound) {
		t.Errorf("key for an unknown partner: %v", err)
	}
}

func testFirstPartner(t *testing.T, b *bundle) {
	if _, _, created, err := b.store.CreateFirstPartner(t.Context(), "First", key(9)); err != nil || created {
		t.Errorf("with a partner there: created %v, %v", created, err)
	}
}

func testRevoke(t *testing.T, b *bundle) {
	keys, err := b.store.Keys(t.Context(), b.partner)
	if err != nil || len(keys) != 1 {
		t.Fatalf("%v, %v", keys, err)
	}
	for i := range 2 { // the first time counts
		if err := b.store.RevokeKey(t.Context(), keys[0].ID, start.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.store.KeyByHash(t.Context(), key(1).Hash); !errors.Is(err, partner.ErrUnauthenticated) {
		t.Errorf("a revoked key: %v", err)
	}
	if keys, err = b.store.Keys(t.Context(), b.partner); err != nil || keys[0].RevokedAt == nil || !keys[0].RevokedAt.Equal(start) {
		t.Errorf("%+v, %v", keys, err)
	}
	if err := b.store.RevokeKey(t.Context(), 999, start); !errors.Is(err, partner.ErrNotFound) {
		t.Errorf("unknown key: %v", err)
	}
}

func testKeysElsewhere(t *testing.T, b *bundle) {
	other := b.open(t)
	isGood := func(n byte) bool {
		_, err := b.store.KeyByHash(t.Context(), key(n).Hash)
		if err != nil && !errors.Is(err, partner.ErrUnauthenticated) {
			t.Error(err)
		}
		return err == nil
	}
	if !isGood(1) || isGood(2) {
		t.Error("before")
	}
	made, err := other.CreateKey(t.Context(), b.partner, key(2))
	if err != nil {
		t.Fatal(err)
	}
	if !isGood(1) || !isGood(2) {
		t.Error("after another process made a key")
	}
	if err := other.RevokeKey(t.Context(), made.ID, start); err != nil {
		t.Fatal(err)
	}
	if !isGood(1) || isGood(2) {
		t.Error("after another process revoked a key")
	}
}

func testCancelled(t *testing.T, b *bundle) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.store.Create(ctx, creation(b.partner, "a@example.com")); !errors.Is(err, context.Canceled) {
		t.Errorf("create: %v", err)
	}
	b.create(t, creation(b.partner, "a@example.com")) // nothing is locked, nothing was stored
	if err := b.store.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func testDurable(t *testing.T, b *bundle) {
	created := b.create(t, withKey(creation(b.partner, "a@example.com"), "k", 1))
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	b.store = b.open(t)
	got, err := b.store.Customer(t.Context(), b.partner, created.ID)
	if diff := cmp.Diff(created, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	again, err := b.store.Create(t.Context(), withKey(creation(b.partner, "a@example.com"), "k", 1))
	if err != nil || !again.Replayed {
		t.Errorf("%+v, %v", again, err)
	}
	if got := b.due(t, start); len(got) != 1 {
		t.Errorf("e-mails %v", got)
	}
	if _, err := b.store.KeyByHash(t.Context(), key(1).Hash); err != nil {
		t.Error(err)
	}
}
