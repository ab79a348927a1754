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

var sessionCases = []testCase{
	{"sessions begin", testBeginSession},
	{"sessions refused", testBeginSessionRefused},
	{"codes used in a race", testProofRace},
	{"sessions list and end", testSessions},
	{"passwords change", testChangePassword},
	{"expired rows removed", testRemoveExpired},
}

// session is a session whose token is its id.
func session(customerID int64, id string, at time.Time) account.NewSession {
	return account.NewSession{Hash: token(id), Session: account.Session{
		ID: id, CustomerID: customerID, CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(12 * time.Hour), IP: "203.0.113.7", UserAgent: "Browser/1.0 (ü)",
	}}
}

func begin(customerID int64, id string) account.SessionBegin {
	return account.SessionBegin{Session: session(customerID, id, start), PasswordHash: passwordHash}
}

func (b *bundle) begin(t *testing.T, customerID int64, id string) {
	t.Helper()
	if err := b.store.BeginSession(t.Context(), begin(customerID, id)); err != nil {
		t.Fatal(err)
	}
}

// loggedIn checks whether a session is good.
func (b *bundle) loggedIn(t *testing.T, id string, want bool) {
	t.Helper()
	_, err := b.store.SessionByHash(t.Context(), token(id))
	if want && err != nil || !want && !errors.Is(err, account.ErrNotLoggedIn) {
		t.Errorf("session %s: %v; want it: %v", id, err, want)
	}
}

func testBeginSession(t *testing.T, b *bundle) {
	id, other := b.member(t, "a@example.com"), b.member(t, "b@example.com")
	b.begin(t, id, "old")
	b.begin(t, id, "elsewhere")
	begun := begin(id, "new")
	replaced := token("old")
	begun.Replaces, begun.NewHash = &replaced, otherHash
	begun.Session.CreatedAt = start.Add(time.Minute)
	if err := b.store.BeginSession(t.Context(), begun); err != nil {
		t.Fatal(err)
	}
	got, err := b.store.SessionByHash(t.Context(), token("new"))
	if diff := cmp.Diff(begun.Session.Session, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	b.loggedIn(t, "old", false)
	b.loggedIn(t, "elsewhere", true)
	c, err := b.store.AnyCustomer(t.Context(), id)
	if err != nil || c.LastLoginAt == nil || !c.LastLoginAt.Equal(start.Add(time.Minute)) || c.LastLoginIP == nil || *c.LastLoginIP != "203.0.113.7" {
		t.Errorf("last login %v, %v", c.LastLoginAt, err)
	}
	if got := b.credentials(t, id); got.PasswordHash != otherHash || !got.PasswordSetAt.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v: the hash was renewed, and not the password", got)
	}
	if got := b.credentials(t, other).PasswordHash; got != passwordHash {
		t.Errorf("another customer's hash became %q", got)
	}
	b.status(t, id, customer.Active, customer.Suspended)
	b.status(t, id, customer.Suspended, customer.Active)
	b.loggedIn(t, "new", false)
	b.loggedIn(t, "elsewhere", false)
}

// testBeginSessionRefused checks that nothing is left of a login that is
// refused.
func testBeginSessionRefused(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	invited := b.invited(t, "b@example.com").ID
	b.begin(t, id, "old")
	replaced := token("old")
	tests := []struct {
		name string
		edit func(*account.SessionBegin)
		want error
	}{
		{"password changed meanwhile", func(s *account.SessionBegin) { s.PasswordHash = otherHash }, account.ErrInvalidCredentials},
		{"no password", func(s *account.SessionBegin) { s.Session.CustomerID, s.PasswordHash = invited, "" }, account.ErrInvalidCredentials},
		{"unknown customer", func(s *account.SessionBegin) { s.Session.CustomerID = 999 }, account.ErrInvalidCredentials},
		{"a code, and no second factor", func(s *account.SessionBegin) { s.Proof.Step = 9 }, account.ErrInvalidSecondFactor},
		{"a recovery code, and none", func(s *account.SessionBegin) { s.Proof.Recovery = []byte{1} }, account.ErrInvalidSecondFactor},
	}
	for _, tt := range tests {
		s := begin(id, "new")
		s.Replaces, s.NewHash = &replaced, "renewed"
		tt.edit(&s)
		if err := b.store.BeginSession(t.Context(), s); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	b.loggedIn(t, "old", true)
	b.loggedIn(t, "new", false)
	if got := b.credentials(t, id).PasswordHash; got != passwordHash {
		t.Errorf("the hash became %q", got)
	}
	b.enable(t, id)
	for name, proof := range map[string]account.Proof{
		"no code": {}, "used step": {Step: enabledStep}, "earlier step": {Step: enabledStep - 1}, "foreign recovery code": {Recovery: []byte("x")},
	} {
		s := begin(id, "new")
		s.Proof = proof
		if err := b.store.BeginSession(t.Context(), s); !errors.Is(err, account.ErrInvalidSecondFactor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.status(t, id, customer.Active, customer.Suspended)
	s := begin(id, "new")
	s.Proof.Step = enabledStep + 1
	if err := b.store.BeginSession(t.Context(), s); !errors.Is(err, account.ErrInvalidCredentials) {
		t.Errorf("suspended meanwhile: %v", err)
	}
	if got := b.credentials(t, id); got.TOTPLastStep != enabledStep || got.RecoveryLeft != 2 {
		t.Errorf("%+v: a refused login used a code up", got)
	}
}

func testProofRace(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	b.enable(t, id)
	proofs := []account.Proof{{Step: enabledStep + 1}, {Recovery: []byte("code 1")}, {Recovery: []byte("code 2")}}
	for n, proof := range proofs {
		won := 0
		for _, err := range race(30, func(i int) error {
			s := begin(id, fmt.Sprint(n, "-", i))
			s.Proof = proof
			return b.store.BeginSession(context.WithoutCancel(t.Context()), s)
		}) {
			if err == nil {
				won++
			} else if !errors.Is(err, account.ErrInvalidSecondFactor) {
				t.Errorf("a loser got %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%+v: %d of 30 logged in with one code", proof, won)
		}
	}
	if got := b.credentials(t, id); got.RecoveryLeft != 0 || got.TOTPLastStep != enabledStep+1 {
		t.Errorf("%+v", got)
	}
}

func testSessions(t *testing.T, b *bundle) {
	id, other := b.member(t, "a@example.com"), b.member(t, "b@example.com")
	var want []account.Session
	for i := range 3 {
		s := begin(id, fmt.Sprint(i))
		s.Session = session(id, fmt.Sprint(i), start.Add(time.Duration(i)*time.Minute))
		if err := b.store.BeginSession(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		want = append([]account.Session{s.Session.Session}, want...)
	}
	b.begin(t, other, "foreign")
	list := func(seenAfter, expiresAfter time.Time, want []account.Session) {
		t.Helper()
		got, err := b.store.Sessions(t.Context(), id, seenAfter, expiresAfter, 10)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	}
	list(start.Add(-time.Hour), start, want)
	list(start, start, want[:2])
	if got, err := b.store.Sessions(t.Context(), id, start.Add(-time.Hour), start, 2); err != nil || cmp.Diff(want[:2], got) != "" {
		t.Errorf("two at most: %+v, %v", got, err)
	}
	list(start.Add(-time.Hour), start.Add(12*time.Hour+time.Minute), want[:1])
	// A touch never turns the time back.
	for _, at := range []time.Time{start.Add(time.Hour), start} {
		if err := b.store.TouchSession(t.Context(), "0", at); err != nil {
			t.Fatal(err)
		}
	}
	want[2].SeenAt = start.Add(time.Hour)
	list(start.Add(2*time.Minute), start, want[2:])
	if err := b.store.EndSession(t.Context(), id, "foreign"); !errors.Is(err, account.ErrSessionNotFound) {
		t.Errorf("another customer's session: %v", err)
	}
	b.loggedIn(t, "foreign", true)
	if err := b.store.EndSession(t.Context(), id, "1"); err != nil {
		t.Fatal(err)
	}
	if err := b.store.EndSession(t.Context(), id, "1"); !errors.Is(err, account.ErrSessionNotFound) {
		t.Errorf("again: %v", err)
	}
	b.loggedIn(t, "1", false)
	list(time.Time{}, start, []account.Session{want[0], want[2]})
}

func testChangePassword(t *testing.T, b *bundle) {
	id, other := b.member(t, "a@example.com"), b.member(t, "b@example.com")
	b.begin(t, id, "old")
	b.begin(t, other, "foreign")
	b.request(t, request("1", 0))
	if err := b.store.Settle(t.Context(), reset("1", id)); err != nil {
		t.Fatal(err)
	}
	at := start.Add(2 * time.Hour)
	change := account.PasswordChange{CustomerID: id, OldHash: otherHash, NewHash: "new", At: at, Session: session(id, "new", at), Notice: notice("n")}
	if err := b.store.ChangePassword(t.Context(), change); !errors.Is(err, account.ErrConflict) {
		t.Errorf("from another password: %v", err)
	}
	change.OldHash = passwordHash
	b.status(t, id, customer.Active, customer.Suspended)
	if err := b.store.ChangePassword(t.Context(), change); !errors.Is(err, account.ErrConflict) {
		t.Errorf("suspended meanwhile: %v", err)
	}
	b.status(t, id, customer.Suspended, customer.Active)
	b.loggedIn(t, "new", false)
	b.begin(t, id, "old")
	if err := b.store.ChangePassword(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if got := b.credentials(t, id); got.PasswordHash != "new" || !got.PasswordSetAt.Equal(at) {
		t.Errorf("%+v", got)
	}
	b.loggedIn(t, "old", false)
	b.loggedIn(t, "new", true)
	b.loggedIn(t, "foreign", true)
	if l, err := b.store.Link(t.Context(), account.LinkReset, keyOf("reset-1")); err != nil || l.UsedAt == nil {
		t.Errorf("%+v, %v: a link that was asked for before is still good", l, err)
	}
	if got := b.kinds(t, id); got[0] != account.KindPasswordChanged {
		t.Errorf("e-mails %v", got)
	}
	if err := b.store.ChangePassword(t.Context(), change); !errors.Is(err, account.ErrConflict) {
		t.Errorf("again: %v", err)
	}
}

func testRemoveExpired(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	b.begin(t, id, "idle")
	b.begin(t, id, "used")
	if err := b.store.TouchSession(t.Context(), "used", start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	old, young := b.create(t, signUp("b@example.com", start)).ID, b.create(t, signUp("c@example.com", start.Add(time.Microsecond))).ID
	confirmed := b.create(t, signUp("d@example.com", start)).ID
	if err := b.store.UseLink(t.Context(), account.LinkUse{LinkID: "m-d@example.com", Kind: account.LinkConfirmation, CustomerID: confirmed, PasswordHash: "x", At: start}); err != nil {
		t.Fatal(err)
	}
	b.due(t, start) // e-mails of what is removed have attempts
	remove := func(seenBefore, signUpsBefore, now time.Time, want int64) {
		t.Helper()
		if n, err := b.store.RemoveExpired(t.Context(), seenBefore, signUpsBefore, now); err != nil || n != want {
			t.Errorf("removed %d, %v; want %d", n, err, want)
		}
	}
	before := start.Add(-time.Microsecond)
	remove(before, before, start, 0)
	remove(start, start, start, 2)
	b.loggedIn(t, "idle", false)
	b.loggedIn(t, "used", true)
	for _, c := range []int64{young, confirmed, id} {
		if _, err := b.store.AnyCustomer(t.Context(), c); err != nil {
			t.Errorf("customer %d: %v", c, err)
		}
	}
	if _, err := b.store.AnyCustomer(t.Context(), old); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("a sign-up that nobody confirmed: %v", err)
	}
	remove(before, before, start.Add(12*time.Hour), 1)
	b.loggedIn(t, "used", false)
}
