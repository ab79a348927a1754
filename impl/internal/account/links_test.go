package account_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// TestLinkStates follows links over time, to the microsecond; looking changes
// nothing.
func TestLinkStates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind     string
		validity time.Duration
	}{{account.LinkInvitation, 72 * time.Hour}, {account.LinkReset, time.Hour}, {account.LinkConfirmation, 72 * time.Hour}}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			token := b.link(t, tt.kind)
			check := func(want account.LinkState) {
				t.Helper()
				for range 2 {
					l, state, err := b.service.CheckLink(t.Context(), tt.kind, token)
					if err != nil || state != want || l.Email != email || !l.ExpiresAt.Equal(start.Add(tt.validity)) {
						t.Errorf("%s, %+v, %v; want %s", state, l, err, want)
					}
				}
			}
			check(account.LinkValid)
			b.forward(tt.validity - time.Microsecond)
			check(account.LinkValid)
			b.forward(time.Microsecond)
			check(account.LinkExpired)
			_, err := b.service.UseLink(t.Context(), tt.kind, token, passphrase2)
			is(t, "use of an expired link", err, account.ErrLinkExpired)
			b.forward(-time.Second)
			if got, err := b.service.UseLink(t.Context(), tt.kind, token, passphrase2); err != nil || got != email {
				t.Errorf("%q, %v", got, err)
			}
			check(account.LinkUsed)
			b.forward(time.Hour * 1000) // used outweighs expired
			check(account.LinkUsed)
			_, err = b.service.UseLink(t.Context(), tt.kind, token, passphrase2)
			is(t, "used twice", err, account.ErrLinkUsed)
			if _, _, err := b.logIn(t, email, passphrase2, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// link gives a fresh link of a kind.
func (b *bundle) link(t *testing.T, kind string) string {
	t.Helper()
	switch kind {
	case account.LinkInvitation:
		_, token := b.invited(t, email)
		return token
	case account.LinkReset:
		b.member(t, email)
		return b.reset(t)
	default:
		if err := b.service.SignUp(t.Context(), customer.Draft{Email: email}); err != nil {
			t.Fatal(err)
		}
		b.settle(t)
		return b.one(t, customer.KindConfirmation).token
	}
}

func (b *bundle) reset(t *testing.T) string {
	t.Helper()
	if err := b.service.RequestReset(t.Context(), email); err != nil {
		t.Fatal(err)
	}
	b.settle(t)
	return b.one(t, account.KindPasswordReset).token
}

// TestShortValidity checks that no link is good for longer than is configured.
func TestShortValidity(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{account.LinkInvitation, account.LinkReset, account.LinkConfirmation} {
		b := setup(t)
		b.links.Validity = time.Minute
		if l, _, err := b.service.CheckLink(t.Context(), kind, b.link(t, kind)); err != nil || !l.ExpiresAt.Equal(start.Add(time.Minute)) {
			t.Errorf("%s: %+v, %v", kind, l, err)
		}
	}
}

func TestWrongTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, token := b.invited(t, email)
	for name, wrong := range map[string]string{
		"empty": "", "truncated": token[:42], "longer": token + "A", "padded": token + "=", "upper case": strings.ToUpper(token),
		"garbage": "\x00\xff ' OR 1=1 --", "long": strings.Repeat("A", 1<<16), "last bit": token[:42] + string(token[42]^1),
	} {
		_, _, err := b.service.CheckLink(t.Context(), account.LinkInvitation, wrong)
		is(t, name, err, account.ErrLinkNotFound)
		_, err = b.service.UseLink(t.Context(), account.LinkInvitation, wrong, passphrase)
		is(t, name, err, account.ErrLinkNotFound)
		_, err = b.service.RenewInvitation(t.Context(), wrong)
		is(t, name, err, account.ErrLinkNotFound)
	}
	for _, kind := range []string{account.LinkReset, account.LinkConfirmation, ""} {
		_, err := b.service.UseLink(t.Context(), kind, token, passphrase)
		is(t, "as "+kind, err, account.ErrLinkNotFound)
	}
	if b.hasher.calls() != 0 {
		t.Error("a token that nobody has costs a hash")
	}
	if _, err := b.service.UseLink(t.Context(), account.LinkInvitation, token, passphrase); err != nil {
		t.Errorf("after wrong tries: %v", err)
	}
}

// TestRefusedPasswords checks that refused passwords leave the link as good as it
// was, however many there are.
func TestRefusedPasswords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, token := b.invited(t, email)
	tests := []struct{ password, code string }{
		{"short", password.CodeTooShort}, {strings.Repeat("a", 14), password.CodeTooShort}, {strings.Repeat("ab c", 65), password.CodeTooLong},
		{"aaaaaaaaaaaaaaaaaaaa", password.CodeCommon}, {"ana@example.com ana@example.com", password.CodePersonal}, {"", password.CodeTooShort},
	}
	for range 3 {
		for _, tt := range tests {
			_, err := b.service.UseLink(t.Context(), account.LinkInvitation, token, tt.password)
			wantFinding(t, err, "password", tt.code)
		}
	}
	if b.hasher.calls() != 0 {
		t.Error("a refused password was hashed")
	}
	if _, err := b.service.UseLink(t.Context(), account.LinkInvitation, token, passphrase); err != nil {
		t.Errorf("after wrong tries: %v", err)
	}
}

func TestUseLinkRace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, token := b.invited(t, email)
	passwords := []string{passphrase, passphrase2}
	results := make([]error, 20)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			_, results[i] = b.service.UseLink(t.Context(), account.LinkInvitation, token, passwords[i%2])
		})
	}
	wg.Wait()
	won := -1
	for i, err := range results {
		if err == nil {
			if won >= 0 {
				t.Errorf("%d and %d won", won, i)
			}
			won = i
		} else if !errors.Is(err, account.ErrLinkUsed) {
			t.Errorf("a loser got %v", err)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	_, _, err := b.logIn(t, email, passwords[won%2], "")
	is(t, "the winner's password", err, nil)
	_, _, err = b.logIn(t, email, passwords[(won+1)%2], "")
	is(t, "a loser's password", err, account.ErrInvalidCredentials)
}

// TestRenewInvitation checks who gets another invitation, and how many.
func TestRenewInvitation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, token := b.invited(t, email)
	tooMany := func(want time.Duration) {
		t.Helper()
		for _, ask := range []func() error{
			func() error { _, err := b.service.RenewInvitation(t.Context(), token); return err },
			func() error { _, err := b.service.ResendInvitation(t.Context(), b.partner, id); return err },
		} {
			var refused *account.TooManyError
			if err := ask(); !errors.As(err, &refused) || refused.RetryAfter != want {
				t.Errorf("%v, want to wait %v", err, want)
			}
		}
	}
	tooMany(time.Minute)
	b.forward(59 * time.Second)
	tooMany(time.Second)
	b.forward(time.Second)
	for range 4 { // with that of the creation, five in a day
		if got, err := b.service.RenewInvitation(t.Context(), token); err != nil || got != email {
			t.Fatalf("%q, %v", got, err)
		}
		b.forward(time.Minute)
	}
	tooMany(24*time.Hour - 5*time.Minute)
	b.forward(24*time.Hour - 5*time.Minute) // a day after the first
	invitation, err := b.service.ResendInvitation(t.Context(), b.partner, id)
	if err != nil || !invitation.QueuedAt.Equal(b.now()) || !invitation.ExpiresAt.Equal(b.now().Add(72*time.Hour)) {
		t.Errorf("%+v, %v", invitation, err)
	}
	tooMany(time.Minute)
	if got := b.mail(t); len(got) != 5 {
		t.Errorf("%d e-mails, want 5", len(got))
	}
	_, err = b.service.ResendInvitation(t.Context(), b.partner+1, id)
	is(t, "another partner", err, customer.ErrNotFound)
	b.forward(100 * time.Hour) // an expired link can be renewed
	if _, err := b.service.RenewInvitation(t.Context(), token); err != nil {
		t.Error(err)
	}
	latest := b.one(t, customer.KindIntroduction).token
	if _, err := b.service.UseLink(t.Context(), account.LinkInvitation, latest, passphrase); err != nil {
		t.Fatal(err)
	}
	for _, used := range []string{token, latest} {
		_, err = b.service.RenewInvitation(t.Context(), used)
		is(t, "renewed after it was accepted", err, account.ErrLinkUsed)
	}
	_, err = b.service.ResendInvitation(t.Context(), b.partner, id)
	is(t, "resent after it was accepted", err, account.ErrInvitationAccepted)
}

// TestResetEndsSessions checks what a forgotten password does beside setting
// another one.
func TestResetEndsSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.member(t, email)
	_, cookie := b.session(t, email)
	first := b.reset(t)
	b.forward(time.Minute)
	second := b.reset(t)
	if _, err := b.service.UseLink(t.Context(), account.LinkReset, second, passphrase2); err != nil {
		t.Fatal(err)
	}
	b.one(t, account.KindPasswordChanged)
	_, err := b.service.Authenticate(t.Context(), cookie)
	is(t, "session", err, account.ErrNotLoggedIn)
	_, err = b.service.UseLink(t.Context(), account.LinkReset, first, passphrase)
	is(t, "the earlier link", err, account.ErrLinkUsed)
	_, _, err = b.logIn(t, email, passphrase, "")
	is(t, "the old password", err, account.ErrInvalidCredentials)
}

// TestInactiveLinks checks that a link of an account that is suspended while it
// is used sets no password.
func TestInactiveLinks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, token := b.invited(t, email)
	b.hasher.hashed = func() { b.status(t, id, customer.Active, customer.Suspended) }
	_, err := b.service.UseLink(t.Context(), account.LinkInvitation, token, passphrase)
	is(t, "suspended during the use", err, account.ErrLinkNotFound)
	b.hasher.hashed = nil
	_, _, err = b.service.CheckLink(t.Context(), account.LinkInvitation, token)
	is(t, "suspended", err, account.ErrLinkNotFound)
	b.forward(time.Hour)
	_, err = b.service.RenewInvitation(t.Context(), token)
	is(t, "renewed while suspended", err, account.ErrLinkNotFound)
	b.status(t, id, customer.Suspended, customer.Active)
	_, err = b.service.UseLink(t.Context(), account.LinkInvitation, token, passphrase)
	is(t, "restored", err, nil)
}
