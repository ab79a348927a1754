package account_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// TestLogInCost checks that logging in costs one call of the hasher, whoever
// tries, and that all refusals are the same.
func TestLogInCost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.member(t, email)
	b.invited(t, "invited@example.com")
	b.status(t, b.member(t, "suspended@example.com"), customer.Active, customer.Suspended)
	for name, end := range map[string]func(id int64){
		"closed@example.com": func(id int64) {
			if err := b.service.Close(t.Context(), id, passphrase, "", nil); err != nil {
				t.Fatal(err)
			}
		},
		"erased@example.com": func(id int64) { erase(t, b, id) },
	} {
		end(b.member(t, name))
		b.mail(t)
	}
	secondFactor(t, b, b.member(t, "factor@example.com"))
	tests := []struct {
		name, email, password, code string
		want                        error
	}{
		{"right", email, passphrase, "", nil},
		{"right, and a code that is not needed", email, passphrase, "123456", nil},
		{"other case of the address", "ANA@EXAMPLE.COM", passphrase, "", nil},
		{"wrong", email, passphrase2, "", account.ErrInvalidCredentials},
		{"empty", email, "", "", account.ErrInvalidCredentials},
		{"long", email, strings.Repeat("x", 1<<16), "", account.ErrInvalidCredentials},
		{"unknown", "unknown@example.com", passphrase, "", account.ErrInvalidCredentials},
		{"no password", "invited@example.com", passphrase, "", account.ErrInvalidCredentials},
		{"no password, and an empty one", "invited@example.com", "", "", account.ErrInvalidCredentials},
		{"closed", "closed@example.com", passphrase, "", account.ErrInvalidCredentials},
		{"closed, wrong", "closed@example.com", passphrase2, "", account.ErrInvalidCredentials},
		{"erased", "erased@example.com", passphrase, "", account.ErrInvalidCredentials},
		{"the key of the erased", "erased 5", passphrase, "", account.ErrInvalidCredentials},
		{"suspended", "suspended@example.com", passphrase, "", account.ErrSuspended},
		{"suspended, wrong", "suspended@example.com", passphrase2, "", account.ErrInvalidCredentials},
		{"no code", "factor@example.com", passphrase, "", account.ErrSecondFactorRequired},
		{"wrong code", "factor@example.com", passphrase, "000000", account.ErrInvalidSecondFactor},
		{"garbage for a code", "factor@example.com", passphrase, "\x00\xff", account.ErrInvalidSecondFactor},
		{"wrong recovery code", "factor@example.com", passphrase, "0000-0000-0000-0000", account.ErrInvalidSecondFactor},
		{"wrong password and code", "factor@example.com", passphrase2, "000000", account.ErrInvalidCredentials},
		{"garbage for an address", "\x00\xff@", passphrase, "", account.ErrInvalidCredentials},
		{"no address", "", passphrase, "", account.ErrInvalidCredentials},
		{"SQL", "' OR ''='", passphrase, "", account.ErrInvalidCredentials},
	}
	b.hasher.calls()
	for _, tt := range tests {
		_, token, err := b.logIn(t, tt.email, tt.password, tt.code)
		is(t, tt.name, err, tt.want)
		if got := b.hasher.calls(); got != 1 {
			t.Errorf("%s: %d calls of the hasher, want 1", tt.name, got)
		}
		if (token == "") != (err != nil) {
			t.Errorf("%s: token %q", tt.name, token)
		}
		if errors.Is(err, account.ErrInvalidCredentials) && err.Error() != account.ErrInvalidCredentials.Error() {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestPasswordForms checks that a password is the same from whatever keyboard.
func TestPasswordForms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, token := b.invited(t, email)
	const composed, decomposed = "\u00f1and\u00fas \u00e9ternels volants", "n\u0303andu\u0301s e\u0301ternels volants"
	if _, err := b.service.UseLink(t.Context(), account.LinkInvitation, token, decomposed); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{composed, decomposed, strings.ReplaceAll(composed, " ", "\u00a0"), strings.Replace(composed, "v", "\uff56", 1)} {
		if _, _, err := b.logIn(t, email, form, ""); err != nil {
			t.Errorf("%+q: %v", form, err)
		}
	}
	for _, other := range []string{"nandus eternels volants", strings.ToUpper(composed), composed + " "} {
		_, _, err := b.logIn(t, email, other, "")
		is(t, other, err, account.ErrInvalidCredentials)
	}
	session, _, err := b.logIn(t, email, composed, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.service.ChangePassword(t.Context(), session, composed, decomposed, account.Client{})
	wantFinding(t, err, "new_password", account.CodeSamePassword)
}

func TestSessionTimes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.member(t, email)
	authenticate := func(token string, want error) {
		t.Helper()
		_, err := b.service.Authenticate(t.Context(), token)
		is(t, b.now().Sub(start).String(), err, want)
	}
	// Left alone, it is good for an hour.
	_, token := b.session(t, email)
	b.forward(account.SessionIdle - time.Microsecond)
	authenticate(token, nil)
	b.forward(account.SessionIdle)
	authenticate(token, account.ErrNotLoggedIn)
	// Used all the time, for twelve.
	begun := b.now()
	_, token = b.session(t, email)
	for b.now().Sub(begun) < account.SessionMost-30*time.Minute {
		b.forward(30 * time.Minute)
		if b.now().Sub(begun) < account.SessionMost {
			authenticate(token, nil)
		}
	}
	b.forward(begun.Add(account.SessionMost).Sub(b.now()) - time.Microsecond)
	authenticate(token, nil)
	b.forward(time.Microsecond)
	authenticate(token, account.ErrNotLoggedIn)
	// Uses within a minute are one, which costs less than a minute of the hour.
	session, token := b.session(t, email)
	b.forward(59 * time.Second)
	authenticate(token, nil)
	if got, err := b.service.Sessions(t.Context(), session.CustomerID); err != nil || len(got) != 1 || !got[0].SeenAt.Equal(session.SeenAt) {
		t.Errorf("%+v, %v", got, err)
	}
	b.forward(time.Second)
	authenticate(token, nil)
	if got, err := b.service.Sessions(t.Context(), session.CustomerID); err != nil || !got[0].SeenAt.Equal(b.now()) {
		t.Errorf("%+v, %v", got, err)
	}
	b.forward(account.SessionIdle)
	if got, err := b.service.Sessions(t.Context(), session.CustomerID); err != nil || len(got) != 0 {
		t.Errorf("ended sessions are listed: %+v, %v", got, err)
	}
	for _, wrong := range []string{"", token + "A", session.ID, "\x00"} {
		authenticate(wrong, account.ErrNotLoggedIn)
	}
}

// TestSessions checks that sessions replace each other in one browser, and end
// one by one, and never another customer's.
func TestSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.member(t, email)
	b.member(t, "b@example.com")
	foreign, foreignToken := b.session(t, "b@example.com")
	_, old := b.session(t, email)
	login := account.Login{Email: email, Password: passphrase, OldToken: old, Client: account.Client{IP: "::1", UserAgent: "Br\x00ows\u0085er\xff " + strings.Repeat("\u00fc", 400)}}
	second, token, err := b.service.LogIn(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	if len(token) < 43 || token == old || second.ID == token || strings.Contains(token, second.ID) {
		t.Errorf("token %q of session %q", token, second.ID)
	}
	if want := "Browser " + strings.Repeat("\u00fc", 292); second.UserAgent != want || second.IP != "::1" {
		t.Errorf("from %q %q", second.IP, second.UserAgent)
	}
	_, err = b.service.Authenticate(t.Context(), old)
	is(t, "the replaced one", err, account.ErrNotLoggedIn)
	is(t, "end another customer's", b.service.EndSession(t.Context(), id, foreign.ID), account.ErrSessionNotFound)
	stolen := foreign
	stolen.CustomerID = id
	is(t, "log out another customer's", b.service.LogOut(t.Context(), stolen), nil)
	_, err = b.service.Authenticate(t.Context(), foreignToken)
	is(t, "another customer's", err, nil)
	for range 2 {
		is(t, "log out", b.service.LogOut(t.Context(), second), nil)
	}
	_, err = b.service.Authenticate(t.Context(), token)
	is(t, "after logging out", err, account.ErrNotLoggedIn)
	// A wrong login leaves the browser's session.
	third, token := b.session(t, email)
	login.OldToken, login.Password = token, passphrase2
	_, _, err = b.service.LogIn(t.Context(), login)
	is(t, "wrong", err, account.ErrInvalidCredentials)
	if got, err := b.service.Authenticate(t.Context(), token); err != nil || got.ID != third.ID {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.member(t, email)
	session, old := b.session(t, email)
	_, elsewhere := b.session(t, email)
	link := b.reset(t)
	change := func(current, next string) (string, error) {
		return b.service.ChangePassword(t.Context(), session, current, next, account.Client{})
	}
	tests := []struct{ current, next, field, code string }{
		{passphrase2, passphrase, "current_password", account.CodeWrongPassword},
		{passphrase, passphrase, "new_password", account.CodeSamePassword},
		{passphrase, "short", "new_password", password.CodeTooShort},
		{passphrase, strings.Repeat("abc d", 60), "new_password", password.CodeTooLong},
		{passphrase, "passwordpassword", "new_password", password.CodeBreached},
		{passphrase, "ana@example.com!", "new_password", password.CodePersonal},
	}
	for _, tt := range tests {
		_, err := change(tt.current, tt.next)
		wantFinding(t, err, tt.field, tt.code)
	}
	if _, err := b.service.Authenticate(t.Context(), old); err != nil {
		t.Errorf("after refusals: %v", err)
	}
	token, err := change(passphrase, passphrase2)
	if err != nil {
		t.Fatal(err)
	}
	b.one(t, account.KindPasswordChanged)
	for name, ended := range map[string]string{"this": old, "another": elsewhere} {
		_, err := b.service.Authenticate(t.Context(), ended)
		is(t, name, err, account.ErrNotLoggedIn)
	}
	if got, err := b.service.Authenticate(t.Context(), token); err != nil || got.CustomerID != session.CustomerID {
		t.Errorf("the new one: %+v, %v", got, err)
	}
	_, err = b.service.UseLink(t.Context(), account.LinkReset, link, passphrase)
	is(t, "a link from before", err, account.ErrLinkUsed)
	_, _, err = b.logIn(t, email, passphrase, "")
	is(t, "the old password", err, account.ErrInvalidCredentials)
}

// meanwhile is a store in which something happens when a session is about to
// begin.
type meanwhile struct {
	account.Store
	once   sync.Once
	change func()
}

func (m *meanwhile) BeginSession(ctx context.Context, s account.SessionBegin) error {
	m.once.Do(m.change)
	return m.Store.BeginSession(ctx, s)
}

// TestLogInRace has customers who are suspended, or whose password changes,
// while it is verified.
func TestLogInRace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, b *bundle, id int64)
		want   error
	}{
		{"suspended", func(t *testing.T, b *bundle, id int64) { b.status(t, id, customer.Active, customer.Suspended) }, account.ErrInvalidCredentials},
		{"erased", func(t *testing.T, b *bundle, id int64) { erase(t, b, id) }, account.ErrInvalidCredentials},
		{"password changed", func(t *testing.T, b *bundle, id int64) {
			if _, err := b.service.ChangePassword(t.Context(), account.Session{CustomerID: id}, passphrase, passphrase2, account.Client{}); err != nil {
				t.Error(err)
			}
		}, account.ErrInvalidCredentials},
		{"second factor enabled", func(t *testing.T, b *bundle, id int64) { secondFactor(t, b, id) }, account.ErrInvalidSecondFactor},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.member(t, email)
			store := &meanwhile{Store: b.db, change: func() { tt.change(t, b, id) }}
			slow := (&bundle{}).withHasher(t, params(), account.Params{Store: store, Cipher: plain{}, Links: b.links, Now: b.now, NewID: func() string { return "racing" }})
			_, token, err := slow.LogIn(t.Context(), account.Login{Email: email, Password: passphrase})
			is(t, tt.name, err, tt.want)
			if token != "" {
				t.Error("there is a session")
			}
		})
	}
}

// TestOutdatedHash checks that a hash is renewed by the next login, that logins
// which do it at the same time all succeed, and that the password stays.
func TestOutdatedHash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.member(t, email)
	before, err := b.db.Credentials(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	costlier := params()
	costlier.Memory = 16
	p := account.Params{Store: b.db, Cipher: plain{}, Links: b.links, Now: b.now, NewID: func() string { return "" }, Queued: func() {}}
	// The other login is done when this one is about to begin its session.
	other := b.withHasher(t, costlier, withIDs(p, "other"))
	p.Store = &meanwhile{Store: b.db, change: func() {
		if _, _, err := other.LogIn(t.Context(), account.Login{Email: email, Password: passphrase}); err != nil {
			t.Errorf("the faster: %v", err)
		}
	}}
	slower := b.withHasher(t, costlier, withIDs(p, "slower"))
	if _, _, err := slower.LogIn(t.Context(), account.Login{Email: email, Password: passphrase}); err != nil {
		t.Errorf("the slower: %v", err)
	}
	after, err := b.db.Credentials(t.Context(), id)
	if err != nil || after.PasswordHash == before.PasswordHash || b.hasher.Outdated(after.PasswordHash) || !after.PasswordSetAt.Equal(before.PasswordSetAt) {
		t.Errorf("%+v, %v", after, err)
	}
	b.hasher.calls()
	if _, _, err := slower.LogIn(t.Context(), account.Login{Email: email, Password: passphrase2}); !errors.Is(err, account.ErrInvalidCredentials) || b.hasher.calls() != 1 {
		t.Errorf("wrong: %v", err)
	}
}

// withIDs gives ids that begin with a name.
func withIDs(p account.Params, name string) account.Params {
	n := 0
	p.NewID = func() string { n++; return name + strings.Repeat("'", n) }
	return p
}

// TestEndedMeanwhile checks that who was erased or suspended during a request
// is told to log in, and that nothing is changed.
func TestEndedMeanwhile(t *testing.T) {
	t.Parallel()
	name := "Ana"
	for what, end := range map[string]func(t *testing.T, b *bundle, id int64){
		"erased":    func(t *testing.T, b *bundle, id int64) { erase(t, b, id) },
		"suspended": func(t *testing.T, b *bundle, id int64) { b.status(t, id, customer.Active, customer.Suspended) },
	} {
		b := setup(t)
		id := b.member(t, email)
		b.mail(t)
		end(t, b, id)
		ctx := t.Context()
		_, err := b.service.Update(ctx, id, customer.Change{FirstName: customer.Edit[string]{Given: true, Value: &name}})
		is(t, what+", update", err, account.ErrNotLoggedIn)
		_, err = b.service.ChangePassword(ctx, account.Session{CustomerID: id}, passphrase, passphrase2, account.Client{})
		is(t, what+", change password", err, account.ErrNotLoggedIn)
		_, err = b.service.EnrolTOTP(ctx, id, passphrase)
		is(t, what+", enrol", err, account.ErrNotLoggedIn)
		_, err = b.service.ConfirmTOTP(ctx, id, "123456")
		is(t, what+", confirm", err, account.ErrNotLoggedIn)
		is(t, what+", disable", b.service.DisableTOTP(ctx, id, passphrase, "123456"), account.ErrNotLoggedIn)
		is(t, what+", close", b.service.Close(ctx, id, passphrase, "", nil), account.ErrNotLoggedIn)
		if c, err := b.db.AnyCustomer(ctx, id); err != nil || c.FirstName != nil {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
		if got := b.mail(t); len(got) != 0 {
			t.Errorf("%s: e-mails %+v", what, got)
		}
	}
}
