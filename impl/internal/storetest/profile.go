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
	"cryptoexchange.com/escrow/impl/internal/outbox"
)

var profileCases = []testCase{
	{"profile", testProfile},
	{"customers change", testUpdateCustomer},
	{"e-mails of a customer", testEmails},
	{"accounts close", testCloseAccount},
}

func testCredentials(t *testing.T, b *bundle) {
	text := func(s string) *string { return &s }
	c := creation(b.partner, "a@example.com")
	c.Customer.FirstName, c.Customer.LastName, c.Customer.CompanyName = text("Ana"), text("Núñez"), text("Núñez S.A.")
	c.Message = linked(c.Message.ID, customer.KindIntroduction, account.LinkInvitation)
	id := b.create(t, c).ID
	b.member(t, "b@example.com")
	want := account.Credentials{CustomerID: id, Status: customer.Active, Email: "a@example.com", Names: []string{"Ana", "Núñez", "Núñez S.A."}}
	check := func(what string) {
		t.Helper()
		got, err := b.store.CredentialsByEmail(t.Context(), "a@example.com")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s, by address: %v (-want +got)\n%s", what, err, diff)
		}
		if diff := cmp.Diff(want, b.credentials(t, id)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	want.PasswordSetAt = time.UnixMicro(0).UTC()
	check("without a password")
	if err := b.store.UseLink(t.Context(), accept(id, "a@example.com")); err != nil {
		t.Fatal(err)
	}
	want.PasswordHash, want.PasswordSetAt = passwordHash, start.Add(time.Minute)
	check("with a password")
	b.enable(t, id)
	since := start.Add(time.Hour)
	want.TOTPSecret, want.TOTPSince, want.TOTPLastStep, want.RecoveryLeft = []byte("secret"), &since, enabledStep, 2
	check("with a second factor")
	b.status(t, id, customer.Active, customer.Suspended)
	want.Status = customer.Suspended
	check("suspended")
	for _, key := range []string{"c@example.com", ""} {
		if _, err := b.store.CredentialsByEmail(t.Context(), key); !errors.Is(err, customer.ErrNotFound) {
			t.Errorf("%q: %v", key, err)
		}
	}
	if _, err := b.store.Credentials(t.Context(), 999); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

const enabledStep = 1000

func enabling(customerID int64, secret string) account.TOTPEnable {
	return account.TOTPEnable{
		CustomerID: customerID, Secret: []byte(secret), Step: enabledStep, At: start.Add(time.Hour),
		Recovery: [][]byte{[]byte("code 1"), []byte("code 2")},
		Notice:   customer.Message{ID: fmt.Sprint("enabled-", customerID), Kind: account.KindSecondFactorEnabled},
	}
}

// enable gives a customer a second factor.
func (b *bundle) enable(t *testing.T, customerID int64) {
	t.Helper()
	err := b.store.EnrolTOTP(t.Context(), customerID, []byte("secret"))
	if err == nil {
		err = b.store.EnableTOTP(t.Context(), enabling(customerID, "secret"))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func testTOTP(t *testing.T, b *bundle) {
	id, other := b.member(t, "a@example.com"), b.member(t, "b@example.com")
	if err := b.store.EnableTOTP(t.Context(), enabling(id, "secret")); !errors.Is(err, account.ErrConflict) {
		t.Errorf("without a secret: %v", err)
	}
	for _, secret := range []string{"first", "secret"} { // the latest counts
		if err := b.store.EnrolTOTP(t.Context(), id, []byte(secret)); err != nil {
			t.Fatal(err)
		}
	}
	if c := b.credentials(t, id); c.SecondFactor() || string(c.TOTPSecret) != "secret" {
		t.Errorf("enrolled: %+v", c)
	}
	if err := b.store.EnableTOTP(t.Context(), enabling(id, "first")); !errors.Is(err, account.ErrConflict) {
		t.Errorf("with an earlier secret: %v", err)
	}
	if err := b.store.EnableTOTP(t.Context(), enabling(id, "secret")); err != nil {
		t.Fatal(err)
	}
	if err := b.store.EnrolTOTP(t.Context(), id, []byte("third")); !errors.Is(err, account.ErrSecondFactorEnabled) {
		t.Errorf("enrolled again: %v", err)
	}
	if c := b.credentials(t, id); !c.SecondFactor() || string(c.TOTPSecret) != "secret" || c.RecoveryLeft != 2 {
		t.Errorf("enabled: %+v", c)
	}
	b.enable(t, other)
	off := account.TOTPDisable{CustomerID: id, PasswordHash: passwordHash, At: start.Add(2 * time.Hour), Notice: customer.Message{ID: "off", Kind: account.KindSecondFactorDisabled}}
	for name, proof := range map[string]account.Proof{"none": {}, "used": {Step: enabledStep}, "unknown": {Recovery: []byte("code 3")}} {
		off.Proof = proof
		if err := b.store.DisableTOTP(t.Context(), off); !errors.Is(err, account.ErrInvalidSecondFactor) {
			t.Errorf("disabled with a code that is %s: %v", name, err)
		}
	}
	off.Proof, off.PasswordHash = account.Proof{Recovery: []byte("code 1")}, otherHash
	if err := b.store.DisableTOTP(t.Context(), off); !errors.Is(err, account.ErrConflict) {
		t.Errorf("after the password changed: %v", err)
	}
	off.PasswordHash = passwordHash
	if err := b.store.DisableTOTP(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	if c := b.credentials(t, id); c.SecondFactor() || c.TOTPSecret != nil || c.RecoveryLeft != 0 || c.TOTPLastStep != 0 {
		t.Errorf("disabled: %+v", c)
	}
	if c := b.credentials(t, other); !c.SecondFactor() || c.RecoveryLeft != 2 {
		t.Errorf("another customer's: %+v", c)
	}
	want := []string{account.KindSecondFactorDisabled, account.KindSecondFactorEnabled, customer.KindIntroduction}
	if diff := cmp.Diff(want, b.kinds(t, id)); diff != "" {
		t.Errorf("e-mails (-want +got)\n%s", diff)
	}
}

// testShortPassword checks that a password which is good only beside a second
// factor is not set without one.
func testShortPassword(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	b.request(t, request("1", 0))
	if err := b.store.Settle(t.Context(), reset("1", id)); err != nil {
		t.Fatal(err)
	}
	change := account.PasswordChange{CustomerID: id, OldHash: passwordHash, NewHash: "short", SecondFactor: true, At: start, Session: session(id, "s", start), Notice: notice("n")}
	use := account.LinkUse{LinkID: "reset-1", Kind: account.LinkReset, CustomerID: id, PasswordHash: "shorter", SecondFactor: true, At: start}
	for what, err := range map[string]error{"change": b.store.ChangePassword(t.Context(), change), "link": b.store.UseLink(t.Context(), use)} {
		if !errors.Is(err, account.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.loggedIn(t, "s", false)
	if got := b.credentials(t, id).PasswordHash; got != passwordHash {
		t.Errorf("the hash became %q", got)
	}
	b.enable(t, id)
	if err := b.store.UseLink(t.Context(), use); err != nil { // the refusal left it
		t.Errorf("link, with a second factor: %v", err)
	}
	change.OldHash = "shorter"
	if err := b.store.ChangePassword(t.Context(), change); err != nil {
		t.Errorf("change, with a second factor: %v", err)
	}
}

func testTOTPRace(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	if err := b.store.EnrolTOTP(t.Context(), id, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	won := 0
	for _, err := range race(20, func(i int) error {
		e := enabling(id, "secret")
		e.Notice.ID, e.Recovery = fmt.Sprint(i), [][]byte{fmt.Append(nil, i)}
		return b.store.EnableTOTP(context.WithoutCancel(t.Context()), e)
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, account.ErrConflict) {
			t.Errorf("a loser got %v", err)
		}
	}
	if c := b.credentials(t, id); won != 1 || c.RecoveryLeft != 1 {
		t.Errorf("%d enabled it, with %d recovery codes", won, c.RecoveryLeft)
	}
}

func testProfile(t *testing.T, b *bundle) {
	shop := "Shop"
	id := b.member(t, "a@example.com")
	b.enable(t, id)
	c, err := b.store.AnyCustomer(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := account.Profile{Customer: c, PartnerName: &shop, SecondFactor: true, RecoveryLeft: 2, PasswordSetAt: start.Add(time.Minute)}
	got, err := b.store.Profile(t.Context(), id)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	for name, id := range map[string]int64{"without a password": b.invited(t, "b@example.com").ID, "unknown": 999} {
		if _, err := b.store.Profile(t.Context(), id); !errors.Is(err, customer.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testUpdateCustomer(t *testing.T, b *bundle) {
	text := func(s string) *string { return &s }
	id, other := b.member(t, "a@example.com"), b.member(t, "b@example.com")
	untouched, err := b.store.AnyCustomer(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	want, err := b.store.AnyCustomer(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	at := start.Add(time.Hour)
	edit := func(c *customer.Customer) {
		c.FirstName, c.MiddleName, c.LastName, c.Phone, c.PhoneVerified = text("Zoë"), text("M."), text("O'Neil"), text("+34912345678"), true
		c.Address = &customer.Address{Line1: "1", Line2: "2", City: "3", State: "4", Country: "ES", PostCode: "28014"}
		c.Language, c.UpdatedAt = text("es-MX"), at
		c.Changed = map[customer.Field]time.Time{customer.FieldFirstName: at, customer.FieldAddress: start}
	}
	check := func(what string) {
		t.Helper()
		got, err := b.store.AnyCustomer(t.Context(), id)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", what, err, diff)
		}
	}
	refused := errors.New("refused")
	if err := b.store.UpdateCustomer(t.Context(), id, func(c *customer.Customer) error { edit(c); return refused }); !errors.Is(err, refused) {
		t.Errorf("refused: %v", err)
	}
	check("refused")
	if err := b.store.UpdateCustomer(t.Context(), id, func(c *customer.Customer) error { edit(c); return nil }); err != nil {
		t.Fatal(err)
	}
	edit(&want)
	check("changed")
	if err := b.store.UpdateCustomer(t.Context(), id, func(c *customer.Customer) error { c.Address, c.Phone, c.Changed = nil, nil, nil; return nil }); err != nil {
		t.Fatal(err)
	}
	want.Address, want.Phone, want.Changed = nil, nil, nil
	check("removed")
	b.status(t, id, customer.Active, customer.Suspended)
	for _, id := range []int64{id, 999} {
		if err := b.store.UpdateCustomer(t.Context(), id, func(*customer.Customer) error { return nil }); !errors.Is(err, account.ErrNotLoggedIn) {
			t.Errorf("customer %d, suspended or unknown: %v", id, err)
		}
	}
	if got, err := b.store.AnyCustomer(t.Context(), other); err != nil || cmp.Diff(untouched, got) != "" {
		t.Errorf("another customer became %+v, %v", got, err)
	}
}

func testEmails(t *testing.T, b *bundle) {
	id := b.invited(t, "a@example.com").ID
	b.invited(t, "b@example.com")
	for i := range 3 {
		if err := b.store.Invite(t.Context(), id, linked(fmt.Sprint(i), customer.KindIntroduction, account.LinkInvitation), start.Add(time.Duration(i+1)*time.Minute), never); err != nil {
			t.Fatal(err)
		}
	}
	b.due(t, start.Add(2*time.Minute)) // all but the latest
	at := start.Add(2 * time.Minute)
	if err := errors.Join(
		b.store.MarkSent(t.Context(), "m-a@example.com", 1, at),
		b.store.MarkFailed(t.Context(), outbox.Failure{ID: "0", Attempt: 1, At: at, Reason: "DATA: 554"}),
	); err != nil {
		t.Fatal(err)
	}
	email := func(after time.Duration, attempts int, sent, failed *time.Time) account.Email {
		return account.Email{Kind: customer.KindIntroduction, QueuedAt: start.Add(after), Attempts: attempts, SentAt: sent, FailedAt: failed}
	}
	want := []account.Email{email(3*time.Minute, 0, nil, nil), email(2*time.Minute, 1, nil, nil), email(time.Minute, 1, nil, &at), email(0, 1, &at, nil)}
	for _, limit := range []int{10, 2} {
		got, err := b.store.Emails(t.Context(), id, limit)
		if diff := cmp.Diff(want[:min(limit, len(want))], got); err != nil || diff != "" {
			t.Errorf("%d: %v (-want +got)\n%s", limit, err, diff)
		}
	}
}

func testCloseAccount(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	b.begin(t, id, "s")
	b.enable(t, id)
	at := start.Add(2 * time.Hour)
	closing := account.Closing{CustomerID: id, At: at, Reason: "Enough.", Notice: customer.Message{ID: "closed", Kind: account.KindAccountClosed}}
	if err := b.store.CloseAccount(t.Context(), closing); !errors.Is(err, account.ErrInvalidSecondFactor) {
		t.Errorf("without a code: %v", err)
	}
	b.loggedIn(t, "s", true)
	closing.Proof.Step = enabledStep + 1
	if err := b.store.CloseAccount(t.Context(), closing); err != nil {
		t.Fatal(err)
	}
	c, err := b.store.AnyCustomer(t.Context(), id)
	if err != nil || c.Status != customer.Closed || !c.DeletedAt.Equal(at) || *c.ReasonForDeletion != "Enough." || !c.UpdatedAt.Equal(at) {
		t.Errorf("%+v, %v", c, err)
	}
	b.loggedIn(t, "s", false)
	if got := b.kinds(t, id); got[0] != account.KindAccountClosed {
		t.Errorf("e-mails %v", got)
	}
	closing.Proof.Step++
	if err := b.store.CloseAccount(t.Context(), closing); !errors.Is(err, account.ErrConflict) {
		t.Errorf("again: %v", err)
	}
	again := creation(b.partner, "a@example.com")
	again.Message.ID = "again"
	if _, err := b.store.Create(t.Context(), again); !errors.As(err, new(*customer.EmailInUseError)) {
		t.Errorf("its address was taken: %v", err)
	}
}
