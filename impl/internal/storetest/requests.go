package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
)

func request(id string, after time.Duration) account.Request {
	return account.Request{ID: id, Kind: account.RequestReset, Email: "A@example.com", EmailKey: "a@example.com", CreatedAt: start.Add(after)}
}

func (b *bundle) request(t *testing.T, r account.Request) account.Request {
	t.Helper()
	if err := b.store.AddRequest(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// pending lists the ids of requests, in order.
func (b *bundle) pending(t *testing.T) []string {
	t.Helper()
	requests, err := b.store.Requests(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range requests {
		ids = append(ids, r.ID)
	}
	return ids
}

func testRequests(t *testing.T, b *bundle) {
	first, last, language := "Ana", "Núñez", "es-MX"
	full := request("c", time.Minute)
	full.Kind, full.FirstName, full.LastName, full.Language = account.RequestSignUp, &first, &last, &language
	want := []account.Request{request("z", 0), request("b", time.Minute), full}
	for _, i := range []int{2, 0, 1} {
		b.request(t, want[i])
	}
	got, err := b.store.Requests(t.Context(), 100)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	got, err = b.store.Requests(t.Context(), 2)
	if diff := cmp.Diff(want[:2], got); err != nil || diff != "" {
		t.Errorf("the oldest two: %v (-want +got)\n%s", err, diff)
	}
	if err := b.store.AddRequest(t.Context(), full); err == nil {
		t.Error("an id was taken twice")
	}
}

// reset is what the request of a password comes to for a customer who has one.
func reset(requestID string, customerID int64) account.Settlement {
	return account.Settlement{
		RequestID: requestID, CustomerID: customerID, HasPassword: true, At: start.Add(time.Hour),
		Message: linked("reset-"+requestID, account.KindPasswordReset, account.LinkReset),
	}
}

func testSettle(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	b.request(t, request("1", 0))
	b.request(t, request("2", 1))
	b.due(t, start)
	if err := b.store.Settle(t.Context(), account.Settlement{RequestID: "1"}); err != nil {
		t.Fatal(err)
	}
	if got := b.due(t, start.Add(time.Hour)); len(got) != 1 { // the invitation, whose lease is over
		t.Errorf("nothing to be done queued %v", got)
	}
	if err := b.store.Settle(t.Context(), reset("2", id)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"reset-2"}, b.due(t, start.Add(time.Hour))); diff != "" {
		t.Errorf("queued (-want +got)\n%s", diff)
	}
	if l, err := b.store.Link(t.Context(), account.LinkReset, keyOf("reset-2")); err != nil || l.CustomerID != id {
		t.Errorf("%+v, %v", l, err)
	}
	if got := b.pending(t); len(got) != 0 {
		t.Errorf("left %v", got)
	}
	// What is settled already is not settled otherwise.
	again := reset("2", id)
	again.Message.ID = "again"
	if err := b.store.Settle(t.Context(), again); err != nil {
		t.Errorf("again: %v", err)
	}
	if got := b.kinds(t, id); len(got) != 2 {
		t.Errorf("e-mails %v", got)
	}
}

func testSettleCreation(t *testing.T, b *bundle) {
	settle := func(requestID, email string, at time.Time) error {
		b.request(t, request(requestID, 0))
		c := signUp(email, at)
		c.Message = linked("m-"+requestID, customer.KindConfirmation, account.LinkConfirmation)
		return b.store.Settle(t.Context(), account.Settlement{RequestID: requestID, Creation: &c})
	}
	if err := settle("1", "a@example.com", start); err != nil {
		t.Fatal(err)
	}
	h, err := b.store.CustomerByEmail(t.Context(), "a@example.com", start)
	if err != nil || !h.Customer.Unconfirmed() || h.HasPassword || h.Customer.Invitation != nil {
		t.Fatalf("%+v, %v", h, err)
	}
	var inUse *customer.EmailInUseError
	if err := settle("2", "a@example.com", start.Add(time.Hour)); !errors.As(err, &inUse) || inUse.CustomerID != h.Customer.ID || inUse.PartnerID != nil {
		t.Errorf("address in use: %v", err)
	}
	// It is left to be decided anew.
	if diff := cmp.Diff([]string{"2"}, b.pending(t)); diff != "" {
		t.Errorf("pending (-want +got)\n%s", diff)
	}
	if err := settle("3", "a@example.com", start.Add(customer.SignUpValidity)); err != nil {
		t.Errorf("a sign-up that nobody confirmed did not give way: %v", err)
	}
	if _, err := b.store.AnyCustomer(t.Context(), h.Customer.ID); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := b.store.Link(t.Context(), account.LinkConfirmation, keyOf("m-1")); !errors.Is(err, account.ErrLinkNotFound) {
		t.Errorf("its link is still there: %v", err)
	}
}

func testSettleRace(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	b.request(t, request("1", 0))
	err := errors.Join(race(30, func(i int) error {
		s := reset("1", id)
		s.Message = linked(fmt.Sprint("reset-", i), account.KindPasswordReset, account.LinkReset)
		return b.store.Settle(context.WithoutCancel(t.Context()), s)
	})...)
	if got := b.kinds(t, id); err != nil || len(got) != 2 {
		t.Errorf("e-mails %v, %v; want the invitation and one more", got, err)
	}
}

// testSettleConflict has customers who changed after it was decided what they
// get: no e-mail is queued that is not for them any more.
func testSettleConflict(t *testing.T, b *bundle) {
	invited, accepted := b.invited(t, "a@example.com").ID, b.member(t, "b@example.com")
	tests := []struct {
		name       string
		settlement account.Settlement
		prepare    func(id int64)
	}{
		{"has a password now", account.Settlement{CustomerID: accepted, Message: linked("1", customer.KindIntroduction, account.LinkInvitation)}, func(int64) {}},
		{"has none", account.Settlement{CustomerID: invited, HasPassword: true, Message: notice("2")}, func(int64) {}},
		{"is suspended", account.Settlement{CustomerID: accepted, HasPassword: true, Message: notice("3")}, func(id int64) { b.status(t, id, customer.Active, customer.Suspended) }},
		{"is gone", account.Settlement{CustomerID: 999, HasPassword: true, Message: notice("4")}, func(int64) {}},
	}
	for _, tt := range tests {
		tt.prepare(tt.settlement.CustomerID)
		tt.settlement.RequestID = b.request(t, request(tt.name, 0)).ID
		if err := b.store.Settle(t.Context(), tt.settlement); !errors.Is(err, account.ErrConflict) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if got := b.pending(t); len(got) != len(tests) {
		t.Errorf("pending %v: they were not left to be decided anew", got)
	}
	if got := append(b.kinds(t, invited), b.kinds(t, accepted)...); len(got) != 2 {
		t.Errorf("e-mails %v", got)
	}
}

func testCustomerByEmail(t *testing.T, b *bundle) {
	c := b.invited(t, "a@example.com")
	if _, err := b.store.CustomerByEmail(t.Context(), "b@example.com", start); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	at := start.Add(23 * time.Hour)
	if err := b.store.Invite(t.Context(), c.ID, linked("n", customer.KindIntroduction, account.LinkInvitation), at, never); err != nil {
		t.Fatal(err)
	}
	want := account.Holder{Customer: c, Emails: map[string][]time.Time{customer.KindIntroduction: {at, start}}}
	want.Customer.Invitation = &customer.Invitation{QueuedAt: at, ExpiresAt: start.Add(72 * time.Hour)}
	got, err := b.store.CustomerByEmail(t.Context(), "a@example.com", at)
	if diff := cmp.Diff(&want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if err := b.store.UseLink(t.Context(), accept(c.ID, "a@example.com")); err != nil {
		t.Fatal(err)
	}
	got, err = b.store.CustomerByEmail(t.Context(), "a@example.com", start.Add(24*time.Hour))
	if err != nil || !got.HasPassword || len(got.Emails[customer.KindIntroduction]) != 1 {
		t.Errorf("a day later: %+v, %v", got, err)
	}
}
