package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
)

var accountCases = []testCase{
	{"links", testLinks},
	{"links used", testUseLink},
	{"links used in a race", testUseLinkRace},
	{"links of inactive accounts", testUseLinkInactive},
	{"invitations", testInvite},
	{"invitations race", testInviteRace},
	{"requests", testRequests},
	{"requests settled", testSettle},
	{"requests settled by a creation", testSettleCreation},
	{"requests settled in a race", testSettleRace},
	{"requests of customers who changed", testSettleConflict},
	{"who has an address", testCustomerByEmail},
	{"credentials", testCredentials},
	{"second factor", testTOTP},
	{"second factor enabled in a race", testTOTPRace},
	{"passwords that need a second factor", testShortPassword},
}

const (
	passwordHash = "the hash of a password"
	otherHash    = "another hash"
	noWait       = time.Duration(0)
	keyID        = 4_000_000_000
)

// linked gives a message a link, whose token is the message's id.
func linked(id, kind, linkKind string) customer.Message {
	return customer.Message{ID: id, Kind: kind, Link: &customer.Link{Kind: linkKind, Hash: token(id), KeyID: keyID, ExpiresAt: start.Add(72 * time.Hour)}}
}

func token(id string) [32]byte { return sha256.Sum256([]byte(id)) }

// keyOf is what the token of a message says.
func keyOf(id string) account.LinkKey { return account.LinkKey{MessageID: id, Hash: token(id)} }

func notice(id string) customer.Message {
	return customer.Message{ID: id, Kind: account.KindPasswordChanged}
}

// invited makes a customer who has an invitation, whose e-mail's id is "m-" and
// the address.
func (b *bundle) invited(t *testing.T, email string) customer.Customer {
	t.Helper()
	c := creation(b.partner, email)
	c.Message = linked(c.Message.ID, customer.KindIntroduction, account.LinkInvitation)
	return b.create(t, c)
}

// signUp is the creation of a customer who comes alone.
func signUp(email string, at time.Time) customer.Creation {
	return customer.Creation{
		Customer: customer.Customer{Email: email, Status: customer.Active, Group: customer.SignedUp, CreatedAt: at, UpdatedAt: at},
		EmailKey: email,
		Message:  linked("m-"+email, customer.KindConfirmation, account.LinkConfirmation),
		// As the service has it.
		SignUpsBefore: at.Add(-customer.SignUpValidity),
	}
}

func accept(id int64, email string) account.LinkUse {
	return account.LinkUse{LinkID: "m-" + email, Kind: account.LinkInvitation, CustomerID: id, PasswordHash: passwordHash, At: start.Add(time.Minute)}
}

// member makes a customer who has accepted an invitation.
func (b *bundle) member(t *testing.T, email string) int64 {
	t.Helper()
	id := b.invited(t, email).ID
	if err := b.store.UseLink(t.Context(), accept(id, email)); err != nil {
		t.Fatal(err)
	}
	return id
}

func (b *bundle) credentials(t *testing.T, id int64) account.Credentials {
	t.Helper()
	c, err := b.store.Credentials(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kinds lists the kinds of a customer's e-mails, the latest first.
func (b *bundle) kinds(t *testing.T, id int64) []string {
	t.Helper()
	emails, err := b.store.Emails(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range emails {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (b *bundle) status(t *testing.T, id int64, from, to customer.Status) {
	t.Helper()
	if err := b.store.SetStatus(t.Context(), id, from, to, start); err != nil {
		t.Fatal(err)
	}
}

func testLinks(t *testing.T, b *bundle) {
	name, shop := "Ana", "Shop"
	c := creation(b.partner, "a@example.com")
	c.Customer.FirstName = &name
	c.Message = linked("m", customer.KindIntroduction, account.LinkInvitation)
	id := b.create(t, c).ID
	b.create(t, signUp("b@example.com", start))
	want := account.Link{ID: "m", Kind: account.LinkInvitation, CustomerID: id, Email: "a@example.com", FirstName: &name, PartnerName: &shop, Active: true, ExpiresAt: start.Add(72 * time.Hour)}
	got, err := b.store.Link(t.Context(), account.LinkInvitation, keyOf("m"))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	alone, err := b.store.Link(t.Context(), account.LinkConfirmation, keyOf("m-b@example.com"))
	if err != nil || alone.PartnerName != nil || alone.FirstName != nil {
		t.Errorf("of a sign-up: %+v, %v", alone, err)
	}
	for kind, key := range map[string]account.LinkKey{
		account.LinkReset: keyOf("m"), account.LinkInvitation: keyOf("n"), account.LinkConfirmation: {MessageID: "m", Hash: token("n")},
		"unknown": {Hash: token("m")}, "": {},
	} {
		if _, err := b.store.Link(t.Context(), kind, key); !errors.Is(err, account.ErrLinkNotFound) {
			t.Errorf("%q: %v", kind, err)
		}
	}
	read, err := b.store.AnyCustomer(t.Context(), id)
	invitation := &customer.Invitation{QueuedAt: start, ExpiresAt: start.Add(72 * time.Hour)}
	if diff := cmp.Diff(invitation, read.Invitation); err != nil || diff != "" {
		t.Errorf("invitation: %v (-want +got)\n%s", err, diff)
	}
	// Links of e-mails to come need tokens of their own.
	if err := b.store.Invite(t.Context(), id, linked("n", customer.KindIntroduction, account.LinkInvitation), start.Add(time.Hour), never); err != nil {
		t.Fatal(err)
	}
	if read, err = b.store.AnyCustomer(t.Context(), id); err != nil || !read.Invitation.QueuedAt.Equal(start.Add(time.Hour)) {
		t.Errorf("the invitation is not the latest one: %+v, %v", read.Invitation, err)
	}
}

// testUseLink checks that using a link uses up all of its kind and no others,
// and all that goes with it.
func testUseLink(t *testing.T, b *bundle) {
	c := signUp("a@example.com", start)
	id := b.create(t, c).ID
	// What the service never makes together: links of two kinds.
	for i, kind := range []string{account.LinkConfirmation, account.LinkReset} {
		if err := b.store.Invite(t.Context(), id, linked(fmt.Sprint(i), customer.KindIntroduction, kind), start, never); err != nil {
			t.Fatal(err)
		}
	}
	b.due(t, start)
	at := start.Add(time.Second)
	first := notice("changed")
	use := account.LinkUse{LinkID: "m-a@example.com", Kind: account.LinkConfirmation, CustomerID: id, PasswordHash: passwordHash, At: at, Notice: &first}
	if err := b.store.UseLink(t.Context(), use); err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[string]*time.Time{"m-a@example.com": &at, "0": &at, "1": nil} {
		kind := account.LinkConfirmation
		if want == nil {
			kind = account.LinkReset
		}
		got, err := b.store.Link(t.Context(), kind, keyOf(hash))
		if diff := cmp.Diff(want, got.UsedAt); err != nil || diff != "" {
			t.Errorf("%s: %v, used (-want +got)\n%s", hash, err, diff)
		}
	}
	if got := b.credentials(t, id); got.PasswordHash != passwordHash || !got.PasswordSetAt.Equal(at) {
		t.Errorf("%+v", got)
	}
	if got, err := b.store.AnyCustomer(t.Context(), id); err != nil || !got.EmailVerified || !got.UpdatedAt.Equal(at) {
		t.Errorf("%+v, %v: the address is not confirmed", got, err)
	}
	if diff := cmp.Diff([]string{"changed"}, b.due(t, at)); diff != "" {
		t.Errorf("queued (-want +got)\n%s", diff)
	}
	for _, used := range []string{"m-a@example.com", "0"} {
		use.LinkID, use.PasswordHash = used, otherHash
		if err := b.store.UseLink(t.Context(), use); !errors.Is(err, account.ErrLinkUsed) {
			t.Errorf("%s again: %v", used, err)
		}
	}
	use.LinkID = "unknown"
	if err := b.store.UseLink(t.Context(), use); !errors.Is(err, account.ErrLinkNotFound) {
		t.Errorf("unknown: %v", err)
	}
	b.begin(t, id, "s")
	use.LinkID, use.Kind, use.Notice, use.At = "1", account.LinkReset, nil, at.Add(time.Hour)
	if err := b.store.UseLink(t.Context(), use); err != nil {
		t.Fatal(err)
	}
	if got := b.credentials(t, id); got.PasswordHash != otherHash || !got.PasswordSetAt.Equal(use.At) {
		t.Errorf("a reset left %+v", got)
	}
	b.loggedIn(t, "s", false)
	if got, err := b.store.AnyCustomer(t.Context(), id); err != nil || !got.UpdatedAt.Equal(at) {
		t.Errorf("%+v, %v: nothing of the customer changed the second time", got, err)
	}
}

func testUseLinkRace(t *testing.T, b *bundle) {
	id := b.invited(t, "a@example.com").ID
	hash := func(i int) string { return fmt.Sprint("hash ", i) }
	won := -1
	for i, err := range race(50, func(i int) error {
		use, changed := accept(id, "a@example.com"), notice(fmt.Sprint(i))
		use.PasswordHash, use.Notice = hash(i), &changed
		return b.store.UseLink(context.WithoutCancel(t.Context()), use)
	}) {
		switch {
		case err == nil && won < 0:
			won = i
		case err == nil:
			t.Errorf("%d and %d used it", won, i)
		case !errors.Is(err, account.ErrLinkUsed):
			t.Errorf("a loser got %v", err)
		}
	}
	if got := b.credentials(t, id).PasswordHash; won < 0 || got != hash(won) {
		t.Errorf("%d won, and %q is stored", won, got)
	}
	if got := b.kinds(t, id); len(got) != 2 {
		t.Errorf("e-mails %v", got)
	}
}

func testUseLinkInactive(t *testing.T, b *bundle) {
	id := b.invited(t, "a@example.com").ID
	b.status(t, id, customer.Active, customer.Suspended)
	if l, err := b.store.Link(t.Context(), account.LinkInvitation, keyOf("m-a@example.com")); err != nil || l.Active {
		t.Errorf("%+v, %v", l, err)
	}
	if err := b.store.UseLink(t.Context(), accept(id, "a@example.com")); !errors.Is(err, account.ErrLinkNotFound) {
		t.Errorf("of a suspended account: %v", err)
	}
	b.status(t, id, customer.Suspended, customer.Active)
	if err := b.store.UseLink(t.Context(), accept(id, "a@example.com")); err != nil {
		t.Errorf("of a restored account: %v", err)
	}
}

func never([]time.Time, time.Time) time.Duration { return noWait }

func testInvite(t *testing.T, b *bundle) {
	id := b.invited(t, "a@example.com").ID
	var asked []time.Time
	invite := func(message string, at time.Time, wait time.Duration) error {
		return b.store.Invite(t.Context(), id, linked(message, customer.KindIntroduction, account.LinkInvitation), at, func(earlier []time.Time, now time.Time) time.Duration {
			asked = earlier
			if !now.Equal(at) {
				t.Errorf("asked about %v, want %v", now, at)
			}
			return wait
		})
	}
	for i, at := range []time.Duration{time.Minute, 2 * time.Minute} {
		if err := invite(fmt.Sprint(i), start.Add(at), noWait); err != nil {
			t.Fatal(err)
		}
	}
	// Of the last day, the latest first; one that is a day old is not.
	var tooMany *account.TooManyError
	if err := invite("n", start.Add(24*time.Hour), time.Hour); !errors.As(err, &tooMany) || tooMany.RetryAfter != time.Hour {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff([]time.Time{start.Add(2 * time.Minute), start.Add(time.Minute)}, asked); diff != "" {
		t.Errorf("earlier (-want +got)\n%s", diff)
	}
	if got := b.kinds(t, id); len(got) != 3 {
		t.Errorf("e-mails %v: one was refused", got)
	}
	unknown := b.store.Invite(t.Context(), id+1, notice("x"), start, never)
	if !errors.Is(unknown, customer.ErrNotFound) {
		t.Errorf("unknown customer: %v", unknown)
	}
	b.status(t, id, customer.Active, customer.Suspended)
	if err := invite("n", start, noWait); !errors.Is(err, account.ErrInvitationAccepted) {
		t.Errorf("suspended: %v", err)
	}
	b.status(t, id, customer.Suspended, customer.Active)
	if err := b.store.UseLink(t.Context(), accept(id, "a@example.com")); err != nil {
		t.Fatal(err)
	}
	if err := invite("n", start.Add(time.Hour), noWait); !errors.Is(err, account.ErrInvitationAccepted) {
		t.Errorf("with a password: %v", err)
	}
	if got := b.kinds(t, id); len(got) != 3 || strings.Contains(strings.Join(got, " "), account.KindPasswordChanged) {
		t.Errorf("e-mails %v", got)
	}
}

// testInviteRace checks that the limit holds whoever asks at the same time.
func testInviteRace(t *testing.T, b *bundle) {
	id := b.invited(t, "a@example.com").ID
	won := 0
	for _, err := range race(20, func(i int) error {
		m := linked(fmt.Sprint(i), customer.KindIntroduction, account.LinkInvitation)
		return b.store.Invite(context.WithoutCancel(t.Context()), id, m, start, func(earlier []time.Time, _ time.Time) time.Duration {
			return time.Duration(max(0, len(earlier)-4)) * time.Minute
		})
	}) {
		if err == nil {
			won++
		} else if !errors.As(err, new(*account.TooManyError)) {
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 4 {
		t.Errorf("%d of 20 were sent, want 4", won)
	}
}
