package account_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// factor is what a customer has to prove who they are.
type factor struct {
	b        *bundle
	secret   string
	recovery []string
}

// secondFactor gives a customer a second factor.
func secondFactor(t *testing.T, b *bundle, id int64) *factor {
	t.Helper()
	e, err := b.service.EnrolTOTP(t.Context(), id, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	f := &factor{b: b, secret: e.Secret}
	if f.recovery, err = b.service.ConfirmTOTP(t.Context(), id, f.code(t)); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *factor) code(t *testing.T) string {
	t.Helper()
	code, err := totp.GenerateCode(f.secret, f.b.now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// other gives a code that is none of these days.
func other(code string) string { return code[:5] + string('0'+(code[5]-'0'+5)%10) }

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.member(t, email)
	ctx := t.Context()
	_, err := b.service.ConfirmTOTP(ctx, id, "123456")
	is(t, "confirm nothing", err, account.ErrNotEnrolled)
	is(t, "disable nothing", b.service.DisableTOTP(ctx, id, passphrase, "123456"), account.ErrNotEnrolled)
	_, err = b.service.EnrolTOTP(ctx, id, passphrase2)
	wantFinding(t, err, "password", account.CodeWrongPassword)
	first, err := b.service.EnrolTOTP(ctx, id, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.service.EnrolTOTP(ctx, id, passphrase)
	if err != nil || e.Secret == first.Secret || !strings.Contains(e.URI, "secret="+e.Secret) || !strings.Contains(e.URI, "Issuer:ana%40example.com") {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := png.Decode(bytes.NewReader(e.PNG)); err != nil {
		t.Error(err)
	}
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.Secret); err != nil || len(raw) != 20 {
		t.Errorf("secret of %d octets, %v", len(raw), err)
	}
	earlier, f := &factor{b: b, secret: first.Secret}, &factor{b: b, secret: e.Secret}
	for _, wrong := range []string{earlier.code(t), other(f.code(t)), "", "12345", "1234567"} {
		_, err = b.service.ConfirmTOTP(ctx, id, wrong)
		wantFinding(t, err, "code", account.CodeWrongCode)
	}
	if _, _, err := b.logIn(t, email, passphrase, ""); err != nil {
		t.Errorf("before it counts: %v", err)
	}
	code := f.code(t)
	if f.recovery, err = b.service.ConfirmTOTP(ctx, id, code); err != nil || len(f.recovery) != 10 {
		t.Fatalf("%v, %v", f.recovery, err)
	}
	b.one(t, account.KindSecondFactorEnabled)
	_, err = b.service.ConfirmTOTP(ctx, id, code)
	is(t, "confirm again", err, account.ErrSecondFactorEnabled)
	_, err = b.service.EnrolTOTP(ctx, id, passphrase)
	is(t, "enrol again", err, account.ErrSecondFactorEnabled)
	_, _, err = b.logIn(t, email, passphrase, code)
	is(t, "the code that enabled it", err, account.ErrInvalidSecondFactor)
	b.forward(time.Minute)
	code = f.code(t)
	for i, want := range []error{nil, account.ErrInvalidSecondFactor} {
		_, _, err := b.logIn(t, email, passphrase, " "+code[:3]+" "+code[3:])
		is(t, "try "+string('1'+rune(i)), err, want)
	}
	for i, want := range []error{nil, account.ErrInvalidSecondFactor} {
		_, _, err := b.logIn(t, email, passphrase, strings.ToLower(strings.ReplaceAll(f.recovery[0], "-", " ")))
		is(t, "recovery code, try "+string('1'+rune(i)), err, want)
	}
	if p, err := b.service.Profile(ctx, id); err != nil || !p.SecondFactor || p.RecoveryLeft != 9 {
		t.Errorf("%+v, %v", p, err)
	}
	wantFinding(t, b.service.DisableTOTP(ctx, id, passphrase2, f.recovery[1]), "password", account.CodeWrongPassword)
	wantFinding(t, b.service.DisableTOTP(ctx, id, passphrase, ""), "code", account.CodeCodeRequired)
	wantFinding(t, b.service.DisableTOTP(ctx, id, passphrase, code), "code", account.CodeWrongCode)
	wantFinding(t, b.service.DisableTOTP(ctx, id, passphrase, f.recovery[0]), "code", account.CodeWrongCode)
	if err := b.service.DisableTOTP(ctx, id, passphrase, f.recovery[1]); err != nil {
		t.Fatal(err)
	}
	b.one(t, account.KindSecondFactorDisabled)
	if _, _, err := b.logIn(t, email, passphrase, ""); err != nil {
		t.Errorf("without: %v", err)
	}
	if p, err := b.service.Profile(ctx, id); err != nil || p.SecondFactor || p.RecoveryLeft != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestShortPassword checks that 8 characters are enough beside a second factor
// only, by whatever way the password is set, and that the second factor then
// stays.
func TestShortPassword(t *testing.T) {
	t.Parallel()
	const short = "fjärd8zq"
	b := setup(t)
	id := b.member(t, email)
	session, _ := b.session(t, email)
	_, err := b.service.ChangePassword(t.Context(), session, passphrase, short, account.Client{})
	wantFinding(t, err, "new_password", password.CodeTooShort)
	_, err = b.service.UseLink(t.Context(), account.LinkReset, b.reset(t), short)
	wantFinding(t, err, "password", password.CodeTooShort)
	f := secondFactor(t, b, id)
	_, err = b.service.ChangePassword(t.Context(), session, passphrase, short[:8], account.Client{}) // 7 characters
	wantFinding(t, err, "new_password", password.CodeTooShort)
	if _, err := b.service.ChangePassword(t.Context(), session, passphrase, short, account.Client{}); err != nil {
		t.Fatal(err)
	}
	decomposed := strings.Replace(short, "ä", "a\u0308", 1)
	for _, form := range []string{short, decomposed} {
		wantFinding(t, b.service.DisableTOTP(t.Context(), id, form, f.recovery[0]), "password", password.CodeTooShort)
	}
	if p, err := b.service.Profile(t.Context(), id); err != nil || p.RecoveryLeft != 10 {
		t.Errorf("%+v, %v: the refusal used a code up", p, err)
	}
	b.mail(t)
	b.forward(time.Minute)
	if _, err := b.service.UseLink(t.Context(), account.LinkReset, b.reset(t), "zq8fjärd"); err != nil {
		t.Errorf("by a link: %v", err)
	}
	_, _, err = b.logIn(t, email, "zq8fjärd", "")
	is(t, "a reset turns it off", err, account.ErrSecondFactorRequired)
}

func TestClose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.member(t, email)
	_, token := b.session(t, email)
	f := secondFactor(t, b, id)
	b.mail(t)
	end := func(text, code string) error { return b.service.Close(t.Context(), id, text, code, nil) }
	for _, harmful := range []string{"because\u202e", "\u200b", "a\u0085b"} { // partners read it
		wantFinding(t, b.service.Close(t.Context(), id, passphrase, "", &harmful), "reason", customer.CodeInvalidText)
	}
	wantFinding(t, end(passphrase2, f.recovery[0]), "password", account.CodeWrongPassword)
	wantFinding(t, end(passphrase, ""), "code", account.CodeCodeRequired)
	wantFinding(t, end(passphrase, other(f.code(t))), "code", account.CodeWrongCode)
	if _, err := b.service.Authenticate(t.Context(), token); err != nil {
		t.Errorf("after refusals: %v", err)
	}
	if err := end(passphrase, f.recovery[0]); err != nil {
		t.Fatal(err)
	}
	b.one(t, account.KindAccountClosed)
	_, err := b.service.Authenticate(t.Context(), token)
	is(t, "session", err, account.ErrNotLoggedIn)
	_, _, err = b.logIn(t, email, passphrase, f.recovery[1])
	is(t, "login", err, account.ErrInvalidCredentials)
	is(t, "again", end(passphrase, f.recovery[1]), account.ErrNotLoggedIn)
	if c, err := b.db.AnyCustomer(t.Context(), id); err != nil || *c.ReasonForDeletion != "Closed at the customer's request." || !c.DeletedAt.Equal(b.now()) {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestExport checks that everything is there, of this customer only.
func TestExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.member(t, email)
	b.member(t, "b@example.com")
	session, _ := b.session(t, email)
	b.session(t, "b@example.com")
	language := "es-mx"
	if _, err := b.service.Update(t.Context(), id, customer.Change{Language: customer.Edit[string]{Given: true, Value: &language}}); err != nil {
		t.Fatal(err)
	}
	e, err := b.service.Export(t.Context(), id)
	if err != nil || e.Profile.Customer.Email != email || *e.Profile.Customer.Language != "es-MX" || *e.Profile.PartnerName != "Shop" || !e.At.Equal(b.now()) {
		t.Errorf("%+v, %v", e, err)
	}
	if len(e.Sessions) != 1 || e.Sessions[0].ID != session.ID || len(e.Emails) != 1 || e.Emails[0].SentAt == nil {
		t.Errorf("sessions %+v, e-mails %+v", e.Sessions, e.Emails)
	}
	_, err = b.service.Update(t.Context(), id, customer.Change{Language: customer.Edit[string]{Given: true, Value: new(string)}})
	wantFinding(t, err, "language", customer.CodeUnknownLanguage)
}

// rotating is a store whose secrets are encrypted anew when a second factor is
// about to be enabled.
type rotating struct {
	account.Store
	mu    sync.Mutex
	times int // how often; guarded by mu
	turn  func()
}

func (r *rotating) EnableTOTP(ctx context.Context, e account.TOTPEnable) error {
	r.mu.Lock()
	again := r.times > 0
	r.times--
	r.mu.Unlock()
	if again {
		r.turn()
	}
	return r.Store.EnableTOTP(ctx, e)
}

// TestConfirmDuringRotation checks that a second factor can be confirmed while
// secrets are encrypted anew, and that there is an end to it.
func TestConfirmDuringRotation(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]error{1: nil, 2: nil, 1000: account.ErrConflict} {
		b := setup(t)
		id := b.member(t, email)
		store := &rotating{Store: b.db, times: times, turn: func() {
			if err := b.db.EnrolTOTP(context.WithoutCancel(t.Context()), id, reencrypted(t, b, id)); err != nil {
				t.Error(err)
			}
		}}
		s := b.withHasher(t, params(), account.Params{Store: store, Cipher: versions{}, Links: b.links, Now: b.now, NewID: func() string { return "racing" }, Queued: func() {}})
		e, err := s.EnrolTOTP(t.Context(), id, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		codes, err := s.ConfirmTOTP(t.Context(), id, (&factor{b: b, secret: e.Secret}).code(t))
		if !errors.Is(err, want) || (len(codes) == 10) != (want == nil) {
			t.Errorf("rotated %d times: %d codes, %v", times, len(codes), err)
		}
	}
}

// versions is a cipher whose ciphertexts of one text differ.
type versions struct{}

func (versions) Encrypt(text []byte, _ int64) ([]byte, error) { return append([]byte{1}, text...), nil }

func (versions) Decrypt(ciphertext []byte, _ int64) ([]byte, error) { return ciphertext[1:], nil }

func reencrypted(t *testing.T, b *bundle, id int64) []byte {
	t.Helper()
	c, err := b.db.Credentials(context.WithoutCancel(t.Context()), id)
	if err != nil {
		t.Error(err)
	}
	return append([]byte{c.TOTPSecret[0] + 1}, c.TOTPSecret[1:]...)
}
