package account_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
)

// TestSettle checks what a request comes to for everybody who may have the
// address.
func TestSettle(t *testing.T) {
	t.Parallel()
	holders := map[string]func(t *testing.T, b *bundle){
		"unknown":     func(*testing.T, *bundle) {},
		"unconfirmed": func(t *testing.T, b *bundle) { b.link(t, account.LinkConfirmation) },
		"unconfirmed, about to end": func(t *testing.T, b *bundle) {
			b.link(t, account.LinkConfirmation)
			b.forward(72*time.Hour - time.Second)
		},
		"unconfirmed, expired": func(t *testing.T, b *bundle) { b.link(t, account.LinkConfirmation); b.forward(72 * time.Hour) },
		"invited":              func(t *testing.T, b *bundle) { b.invited(t, email) },
		"active":               func(t *testing.T, b *bundle) { b.member(t, email) },
		"suspended":            func(t *testing.T, b *bundle) { b.status(t, b.member(t, email), customer.Active, customer.Suspended) },
		"invited, and suspended": func(t *testing.T, b *bundle) {
			id, _ := b.invited(t, email)
			b.status(t, id, customer.Active, customer.Suspended)
		},
		"unconfirmed, and suspended": func(t *testing.T, b *bundle) {
			b.link(t, account.LinkConfirmation)
			b.status(t, 1, customer.Active, customer.Suspended)
		},
		"closed": closed,
		"erased": func(t *testing.T, b *bundle) { erase(t, b, b.member(t, email)) },
	}
	// What each gets for a sign-up, and for a forgotten password.
	want := map[string][2]string{
		"unknown":                    {customer.KindConfirmation, ""},
		"unconfirmed":                {customer.KindConfirmation, customer.KindConfirmation},
		"unconfirmed, about to end":  {customer.KindConfirmation, customer.KindConfirmation},
		"unconfirmed, expired":       {customer.KindConfirmation, ""},
		"invited":                    {customer.KindIntroduction, customer.KindIntroduction},
		"active":                     {account.KindAlreadyRegistered, account.KindPasswordReset},
		"suspended":                  {"", ""},
		"invited, and suspended":     {"", ""},
		"unconfirmed, and suspended": {"", ""},
		"closed":                     {"", ""},
		"erased":                     {customer.KindConfirmation, ""},
	}
	linkKinds := map[string]string{
		customer.KindConfirmation: account.LinkConfirmation, customer.KindIntroduction: account.LinkInvitation, account.KindPasswordReset: account.LinkReset,
	}
	for name, holder := range holders {
		for i, request := range []string{account.RequestSignUp, account.RequestReset} {
			t.Run(name+", "+request, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				holder(t, b)
				b.forward(time.Minute) // since the last e-mail
				if name == "unconfirmed, about to end" {
					b.forward(-time.Minute)
				}
				b.mail(t)
				for range 2 { // the second is too soon for another e-mail
					b.ask(t, request)
				}
				b.settle(t)
				kind := want[name][i]
				got := b.mail(t)
				if kind == "" {
					if len(got) != 0 {
						t.Fatalf("e-mails %+v, want none", got)
					}
					return
				}
				if len(got) != 1 || got[0].Kind != kind || got[0].To != email {
					t.Fatalf("e-mails %+v, want one %s", got, kind)
				}
				linkKind := linkKinds[kind]
				if (linkKind == "") != (got[0].Link == nil) || linkKind != "" && got[0].Link.Kind != linkKind {
					t.Errorf("link %+v, want %q", got[0].Link, linkKind)
				}
				if linkKind == "" {
					return
				}
				// The link leads where it should, and says truly how long it does.
				l, state, err := b.service.CheckLink(t.Context(), linkKind, got[0].token)
				if err != nil || state != account.LinkValid {
					t.Fatalf("%s, %v", state, err)
				}
				b.forward(l.ExpiresAt.Sub(b.now()) - time.Microsecond)
				if err := b.service.RemoveExpired(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := b.service.UseLink(t.Context(), linkKind, got[0].token, passphrase2); err != nil {
					t.Errorf("at the end of its time: %v", err)
				}
			})
		}
	}
}

func closed(t *testing.T, b *bundle) {
	t.Helper()
	id := b.member(t, email)
	if err := b.service.Close(t.Context(), id, passphrase, "", nil); err != nil {
		t.Fatal(err)
	}
}

func erase(t *testing.T, b *bundle, id int64) {
	t.Helper()
	if _, err := b.db.Erase(t.Context(), id, b.now()); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) ask(t *testing.T, request string) {
	t.Helper()
	var err error
	if request == account.RequestSignUp {
		err = b.service.SignUp(t.Context(), customer.Draft{Email: email})
	} else {
		err = b.service.RequestReset(t.Context(), email)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSignUp checks that a sign-up becomes a customer, the last one before whom
// nobody was counting.
func TestSignUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := func(s string) *string { return &s }
	draft := customer.Draft{Email: "Ana@Example.com", FirstName: text("Ana"), LastName: text("Núñez"), Language: text("es-mx")}
	if err := b.service.SignUp(t.Context(), draft); err != nil {
		t.Fatal(err)
	}
	if b.queued.Load() != 0 {
		t.Error("an e-mail was queued before the request was settled")
	}
	b.settle(t)
	if b.queued.Load() != 1 {
		t.Errorf("told of %d e-mails, want 1", b.queued.Load())
	}
	m := b.one(t, customer.KindConfirmation)
	if m.To != "Ana@Example.com" || *m.FirstName != "Ana" || *m.Language != "es-MX" || m.PartnerName != nil {
		t.Errorf("%+v", m)
	}
	_, _, err := b.logIn(t, email, passphrase, "")
	is(t, "before it is confirmed", err, account.ErrInvalidCredentials)
	if _, err := b.service.UseLink(t.Context(), account.LinkConfirmation, m.token, passphrase); err != nil {
		t.Fatal(err)
	}
	session, _ := b.session(t, email)
	p, err := b.service.Profile(t.Context(), session.CustomerID)
	if err != nil || !p.Customer.EmailVerified || p.Customer.Group != customer.SignedUp || *p.Customer.LastName != "Núñez" || p.PartnerName != nil {
		t.Errorf("%+v, %v", p, err)
	}
	for name, bad := range map[string]customer.Draft{
		"email": {Email: "ana"}, "first_name": {Email: email, FirstName: text("\u200b")}, "language": {Email: email, Language: text("klingonese")},
	} {
		var unacceptable *customer.UnacceptableError
		if err := b.service.SignUp(t.Context(), bad); !errors.As(err, &unacceptable) || unacceptable.Findings[0].Path[0] != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantFinding(t, b.service.RequestReset(t.Context(), "ana@"), "email", customer.CodeInvalidEmail)
}

// TestSettleLimits checks that five e-mails of a kind a day are all that anybody
// can have sent to somebody, as long as a link in them works.
func TestSettleLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.member(t, email)
	for range 20 {
		b.ask(t, account.RequestReset)
		b.ask(t, account.RequestSignUp)
		b.settle(t)
		b.forward(time.Minute)
	}
	got := make(map[string]int)
	for _, m := range b.mail(t) {
		got[m.Kind]++
	}
	if diff := cmp.Diff(map[string]int{account.KindPasswordReset: 5, account.KindAlreadyRegistered: 5}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestResetWhenLinksLapsed checks that who asks in somebody's name as often as
// they like keeps nobody from a link: there is one that works, or another comes.
func TestResetWhenLinksLapsed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.member(t, email)
	var tokens []string
	for range 48 {
		for range 5 {
			b.ask(t, account.RequestReset)
			b.settle(t)
			b.forward(6 * time.Minute)
		}
		for _, m := range b.mail(t) {
			tokens = append(tokens, m.token)
		}
		latest := tokens[len(tokens)-1]
		if _, state, err := b.service.CheckLink(t.Context(), account.LinkReset, latest); err != nil || state != account.LinkValid {
			t.Fatalf("the latest of %d links is %s, %v", len(tokens), state, err)
		}
	}
	if len(tokens) > 5+24 {
		t.Errorf("%d e-mails in a day", len(tokens))
	}
}

// TestSettlePoison checks that a request which the rules refuse by now is
// dropped, and keeps none of the others waiting.
func TestSettlePoison(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unreadable := "\u200b"
	if err := b.db.AddRequest(t.Context(), account.Request{ID: "a", Kind: account.RequestSignUp, Email: "b@example.com", EmailKey: "b@example.com", FirstName: &unreadable, CreatedAt: start}); err != nil {
		t.Fatal(err)
	}
	b.ask(t, account.RequestSignUp)
	b.settle(t)
	b.one(t, customer.KindConfirmation)
}

// TestSettleStaleKey checks that a request whose address was known by another
// key when it came does not go round for ever.
func TestSettleStaleKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.member(t, email)
	if err := b.db.AddRequest(t.Context(), account.Request{ID: "a", Kind: account.RequestSignUp, Email: email, EmailKey: "of another version", CreatedAt: start}); err != nil {
		t.Fatal(err)
	}
	if err := b.intake.SettleAll(t.Context()); !errors.As(err, new(*customer.EmailInUseError)) {
		t.Errorf("%v", err)
	}
}

// changing is a store in which something happens between the look at an address
// and the settlement.
type changing struct {
	account.Store
	once   sync.Once
	change func()
}

func (c *changing) Settle(ctx context.Context, s account.Settlement) error {
	c.once.Do(c.change)
	return c.Store.Settle(ctx, s)
}

// TestSettleRace has customers who change while it is decided what they get.
func TestSettleRace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, request string
		prepare       func(t *testing.T, b *bundle) (change func())
		want          string
	}{
		{"accepted", account.RequestReset, func(t *testing.T, b *bundle) func() {
			_, token := b.invited(t, email)
			return func() {
				if _, err := b.service.UseLink(t.Context(), account.LinkInvitation, token, passphrase); err != nil {
					t.Error(err)
				}
			}
		}, account.KindPasswordReset},
		{"erased", account.RequestReset, func(t *testing.T, b *bundle) func() {
			id := b.member(t, email)
			return func() { erase(t, b, id) }
		}, ""},
		{"suspended", account.RequestReset, func(t *testing.T, b *bundle) func() {
			id := b.member(t, email)
			return func() { b.status(t, id, customer.Active, customer.Suspended) }
		}, ""},
		{"created by a partner", account.RequestSignUp, func(t *testing.T, b *bundle) func() {
			return func() { b.invited(t, email) }
		}, ""}, // the partner's e-mail has just gone
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			store := &changing{Store: b.db, change: tt.prepare(t, b)}
			b.forward(time.Hour)
			s := b.withHasher(t, params(), account.Params{Store: store, Cipher: plain{}, Links: b.links, Now: b.now, NewID: func() string { return "racing" }, Queued: func() {}})
			b.ask(t, tt.request)
			if err := account.NewIntake(s, slog.New(slog.DiscardHandler)).SettleAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := b.mail(t)
			if tt.want == "" && len(got) != 0 || tt.want != "" && (len(got) != 1 || got[0].Kind != tt.want) {
				t.Errorf("e-mails %+v, want %q", got, tt.want)
			}
		})
	}
}

// TestIntakeStartStop starts and stops the intake from many sides, and checks
// that it settles what comes while it runs, and nothing afterwards.
func TestIntakeStartStop(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				b.intake.Start(t.Context())
				b.intake.Stop()
			}
		})
	}
	wg.Wait()
	b.intake.Stop()
	b.ask(t, account.RequestSignUp)
	if left, err := b.db.Requests(t.Context(), 10); err != nil || len(left) != 1 {
		t.Errorf("settled after it was stopped: %v, %v", left, err)
	}
	b.intake.Start(t.Context())
	b.intake.Start(t.Context())
	for deadline := time.Now().Add(30 * time.Second); b.queued.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was settled")
		}
	}
	b.intake.Stop()
	b.intake.Stop()
	// It can be started with another context after its own has ended.
	ctx, cancel := context.WithCancel(t.Context())
	b.intake.Start(ctx)
	cancel()
	b.intake.Stop()
}
