package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/outbox"
)

// Operator is what an engine does for operators.
type Operator interface {
	// SetStatus moves a customer from one status to another, and ends all
	// sessions unless that is active. It returns [customer.ErrNotFound] or
	// [account.ErrConflict].
	SetStatus(ctx context.Context, id int64, from, to customer.Status, at time.Time) error
	// Erase removes everything personal of a customer, and gives the ids of the
	// e-mails that were written. It returns [customer.ErrNotFound].
	Erase(ctx context.Context, id int64, at time.Time) ([]string, error)
	// NoteKeys records that data depends on keys of the keyset.
	NoteKeys(ctx context.Context, ids []uint32, at time.Time) error
	// NotedKeys lists them in ascending order.
	NotedKeys(ctx context.Context) ([]uint32, error)
}

var operatorCases = []testCase{
	{"statuses", testSetStatus},
	{"customers erased", testErase},
	{"erased e-mails", testEraseEmails},
	{"erased customers stay so", testErasedForGood},
	{"keys of the keyset", testNoteKeys},
}

func testSetStatus(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	other := b.member(t, "b@example.com")
	b.begin(t, id, "s")
	b.begin(t, other, "foreign")
	steps := []struct {
		id       int64
		from, to customer.Status
		want     error
	}{
		{id, customer.Suspended, customer.Active, account.ErrConflict},
		{999, customer.Active, customer.Suspended, customer.ErrNotFound},
		{id, customer.Active, customer.Suspended, nil},
		{id, customer.Active, customer.Suspended, account.ErrConflict},
		{id, customer.Suspended, customer.Active, nil},
	}
	for _, s := range steps {
		if err := b.store.SetStatus(t.Context(), s.id, s.from, s.to, start.Add(time.Hour)); !errors.Is(err, s.want) {
			t.Errorf("%d from %d to %d: %v, want %v", s.id, s.from, s.to, err, s.want)
		}
	}
	b.loggedIn(t, "s", false)
	b.loggedIn(t, "foreign", true)
	if c, err := b.store.AnyCustomer(t.Context(), id); err != nil || c.Status != customer.Active || !c.UpdatedAt.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v, %v", c, err)
	}
}

// whole gives a customer everything that a customer can have.
func (b *bundle) whole(t *testing.T) customer.Customer {
	t.Helper()
	text := func(s string) *string { return &s }
	c := withKey(creation(b.partner, "a@example.com"), "k", 1)
	c.Message = linked(c.Message.ID, customer.KindIntroduction, account.LinkInvitation)
	c.Customer.FirstName, c.Customer.MiddleName, c.Customer.LastName = text("Ana"), text("M."), text("Núñez")
	c.Customer.CompanyName, c.Customer.Gender, c.Customer.DateOfBirth, c.Customer.Notes = text("Núñez S.A."), text("f"), text("1980-12-30"), text("Notes")
	c.Customer.Username, c.Customer.Phone, c.Customer.Language = "ana", text("+34912345678"), text("es")
	c.Customer.Address = &customer.Address{Line1: "1", Line2: "2", City: "3", State: "4", Country: "ES", PostCode: "28014"}
	c = withMethods(c, &sealer{}, byDefault(method("whole", true)))
	id := b.create(t, c).ID
	b.due(t, start)
	if err := b.store.MarkSent(t.Context(), c.Message.ID, 1, start); err != nil {
		t.Fatal(err)
	}
	if err := b.store.UseLink(t.Context(), accept(id, "a@example.com")); err != nil {
		t.Fatal(err)
	}
	b.begin(t, id, "s")
	b.enable(t, id)
	b.request(t, request("r", 0))
	if err := b.store.UpdateCustomer(t.Context(), id, func(c *customer.Customer) error {
		c.Changed = map[customer.Field]time.Time{customer.FieldFirstName: start}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	whole, err := b.store.AnyCustomer(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

func testErase(t *testing.T, b *bundle) {
	before := b.whole(t)
	other := b.member(t, "b@example.com")
	otherBefore, err := b.store.AnyCustomer(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	at, reason := start.Add(3*time.Hour), "Erased."
	if _, err := b.store.Erase(t.Context(), before.ID, at); err != nil {
		t.Fatal(err)
	}
	got, err := b.store.AnyCustomer(t.Context(), before.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := customer.Customer{
		ID: before.ID, PartnerID: before.PartnerID, Email: got.Email, Status: customer.Closed, Group: before.Group, EmailVerified: true,
		LastLoginAt: before.LastLoginAt, CreatedAt: before.CreatedAt, UpdatedAt: at, DeletedAt: &at, ReasonForDeletion: &reason,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Email == before.Email {
		t.Errorf("%q is left (-want +got)\n%s", got.Email, diff)
	}
	b.loggedIn(t, "s", false)
	for _, key := range []string{"a@example.com", got.Email} {
		if _, err := b.store.CustomerByEmail(t.Context(), key, start); !errors.Is(err, customer.ErrNotFound) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if c := b.credentials(t, before.ID); c.PasswordHash != "" || c.TOTPSecret != nil || c.RecoveryLeft != 0 || len(c.Names) != 0 {
		t.Errorf("%+v", c)
	}
	if got := b.pending(t); len(got) != 0 {
		t.Errorf("requests of the address are left: %v", got)
	}
	if _, err := b.store.Link(t.Context(), account.LinkInvitation, keyOf("m-a@example.com")); !errors.Is(err, account.ErrLinkNotFound) {
		t.Errorf("its link: %v", err)
	}
	if got, err := b.store.AnyCustomer(t.Context(), other); err != nil || cmp.Diff(otherBefore, got) != "" {
		t.Errorf("another customer became %+v, %v", got, err)
	}
	if _, err := b.store.Erase(t.Context(), 999, at); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := b.store.Erase(t.Context(), before.ID, at.Add(time.Hour)); err != nil {
		t.Errorf("again: %v", err)
	}
}

// testEraseEmails checks that no e-mail is sent to who was erased, and that a
// worker that is sending one is told.
func testEraseEmails(t *testing.T, b *bundle) {
	id := b.whole(t).ID // one is sent, one is queued
	b.request(t, request("2", 0))
	if err := b.store.Settle(t.Context(), reset("2", id)); err != nil {
		t.Fatal(err)
	}
	b.due(t, start.Add(time.Hour))
	failed := outbox.Failure{ID: "reset-2", Attempt: 1, At: start, Reason: "RCPT: 550"}
	if err := b.store.MarkFailed(t.Context(), failed); err != nil {
		t.Fatal(err)
	}
	emails, err := b.store.Erase(t.Context(), id, start.Add(time.Hour))
	if err != nil || len(emails) != 3 {
		t.Errorf("e-mails %v, %v; want 3", emails, err)
	}
	leased := "enabled-1"
	for what, err := range map[string]error{
		"extend": b.store.Extend(t.Context(), leased, 1, start.Add(time.Hour)),
		"sent":   b.store.MarkSent(t.Context(), leased, 1, start),
		"failed": b.store.MarkFailed(t.Context(), outbox.Failure{ID: leased, Attempt: 1, At: start, Reason: "x"}),
	} {
		if !errors.Is(err, outbox.ErrWithdrawn) {
			t.Errorf("%s: %v, want %v", what, err, outbox.ErrWithdrawn)
		}
	}
	if n, err := b.store.RetryFailed(t.Context(), start); err != nil || n != 0 {
		t.Errorf("%d e-mails are tried again, %v", n, err)
	}
	if got := b.due(t, start.Add(1000*time.Hour)); len(got) != 0 {
		t.Errorf("due %v", got)
	}
	// That e-mails were sent is kept.
	if diff := cmp.Diff([]string{customer.KindIntroduction}, b.kinds(t, id)); diff != "" {
		t.Errorf("e-mails (-want +got)\n%s", diff)
	}
}

// testErasedForGood checks that nothing brings back what was erased, and that
// nobody can keep a customer from being erased.
func testErasedForGood(t *testing.T, b *bundle) {
	id := b.whole(t).ID
	if _, err := b.store.Erase(t.Context(), id, start); err != nil {
		t.Fatal(err)
	}
	erased, err := b.store.AnyCustomer(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	name := "Ana"
	if err := b.store.UpdateCustomer(t.Context(), id, func(c *customer.Customer) error { c.FirstName = &name; return nil }); !errors.Is(err, account.ErrNotLoggedIn) {
		t.Errorf("change: %v", err)
	}
	if err := b.store.UseLink(t.Context(), accept(id, "a@example.com")); !errors.Is(err, account.ErrLinkNotFound) {
		t.Errorf("link: %v", err)
	}
	if err := b.store.BeginSession(t.Context(), begin(id, "new")); !errors.Is(err, account.ErrInvalidCredentials) {
		t.Errorf("login: %v", err)
	}
	b.request(t, request("r2", 0))
	if err := b.store.Settle(t.Context(), reset("r2", id)); !errors.Is(err, account.ErrConflict) {
		t.Errorf("request: %v", err)
	}
	// The address is free.
	c := withKey(creation(b.partner, "a@example.com"), "k", 2)
	c.Message.ID = "again"
	second := b.create(t, c).ID
	// Somebody has the addresses that the erased have, or are about to.
	b.create(t, creation(b.partner, erased.Email))
	b.create(t, creation(b.partner, strings.ReplaceAll(erased.Email, fmt.Sprint(id), fmt.Sprint(second))))
	if _, err := b.store.Erase(t.Context(), second, start); err != nil {
		t.Errorf("the second: %v", err)
	}
	if got, err := b.store.AnyCustomer(t.Context(), id); err != nil || cmp.Diff(erased, got) != "" {
		t.Errorf("it became %+v, %v", got, err)
	}
}

func testNoteKeys(t *testing.T, b *bundle) {
	for _, ids := range [][]uint32{{keyID, 7}, {7, 9}, nil} {
		if err := b.store.NoteKeys(t.Context(), ids, start); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.store.NotedKeys(t.Context())
	if diff := cmp.Diff([]uint32{7, 9, keyID}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
