package impl_test

import (
	"encoding/base32"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl"
)

// secrets collects what must not be in the log.
type secrets []string

func (s *secrets) add(values ...string) { *s = append(*s, values...) }

// check looks for each of them, whatever the case.
func (s secrets) check(t *testing.T, log string) {
	t.Helper()
	log = strings.ToLower(log)
	for _, secret := range s {
		if secret == "" {
			t.Error("an empty secret: nothing was looked for")
		} else if strings.Contains(log, strings.ToLower(secret)) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(log, "route=/api/v1/escrow/customer/session") {
		t.Error("the log has nothing of the journey")
	}
}

// TestIntroducedJourney goes the whole way of a customer whom a partner
// introduced, and then looks through the log.
func TestIntroducedJourney(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "Zelda.Quintero@xn--mnchen-3ya.example"
	hidden := secrets{"quintero", "mnchen", "zelda", "paseo", "912345678", passphrase, passphrase2, passphrase3, "wrong but long enough", "cex_session", "no more trade"}
	created := l.create(t, `{"email":"`+email+`","first_name":"Zelda","last_name":"Quintero","language":"es-MX",
		"address":{"line1":"Paseo 1","city":"Madrid","country":"ES","post_code":28014},"phone_number":"912345678"}`).want(t, 201)
	id := created.body["id"]

	invited := l.letter(t, email, 1)
	hidden.add(invited.token)
	if invited.language != "es" || !strings.Contains(invited.subject, "Shop") || invited.page != l.service.URL()+"/set-password" || len(invited.token) < 43 {
		t.Errorf("%+v", invited)
	}
	u := l.browser()
	token := object("token", invited.token)
	for range 2 { // looking changes nothing
		a := u.post(t, "/invitation/check", token).want(t, 200)
		want := map[string]any{"state": "valid", "email": email, "first_name": "Zelda", "partner_name": "Shop"}
		if diff := cmp.Diff(want, a.pick("state", "email", "first_name", "partner_name")); diff != "" {
			t.Errorf("check (-want +got)\n%s", diff)
		}
		if a.body["expires_at"] != l.invitation(t, id)["expires_at"] {
			t.Errorf("the link ends %v, the invitation %v", a.body["expires_at"], l.invitation(t, id)["expires_at"])
		}
	}
	u.logIn(t, email, passphrase).want(t, 401, "invalid_credentials")
	u.post(t, "/invitation/accept", object("token", invited.token, "password", passphrase)).want(t, 200)
	if got := u.post(t, "/invitation/check", token).want(t, 200).body["state"]; got != "used" {
		t.Errorf("state %v of an accepted invitation", got)
	}
	if u.cookie != "" {
		t.Error("accepting an invitation began a session")
	}
	u.logIn(t, strings.ToUpper(email), passphrase).want(t, 200)
	hidden.add(strings.TrimPrefix(u.cookie, "cex_session="))

	informationJourney(t, u)
	secret := secondFactorJourney(t, u, email, &hidden)
	passwordJourney(t, u, email, secret, &hidden)
	if got := l.get(t, id).pick("first_name", "phone", "language", "status"); got["first_name"] != "Zoë" || got["phone"] != nil || got["language"] != "en" || got["status"] != 1.0 {
		t.Errorf("the partner sees %v", got)
	}

	u.post(t, "/me/close", object("password", "wrong but long enough", "code", l.code(t, secret))).wantFault(t, "/password wrong_password")
	u.post(t, "/me/close", object("password", passphrase3)).wantFault(t, "/code code_required")
	l.clock.forward(time.Minute)
	u.post(t, "/me/close", object("password", passphrase3, "code", l.code(t, secret), "reason", "No more trade")).want(t, 204)
	if u.cookie != "" {
		t.Error("the cookie is left after the account was closed")
	}
	l.clock.forward(time.Minute)
	u.logIn(t, email, passphrase3, l.code(t, secret)).want(t, 401, "invalid_credentials")
	if got := l.get(t, id); got.body["status"] != 3.0 || got.body["reason_for_deletion"] != "No more trade" || got.body["deleted_at"] == nil {
		t.Errorf("after closing, the partner sees %s", got.raw)
	}
	waitFor(t, "the last e-mail", func() bool {
		list := l.letters(t, email)
		return strings.Contains(list[len(list)-1].subject, "closed")
	})
	hidden.check(t, l.log.String())
}

// invitation gives the invitation that the partner sees.
func (l *live) invitation(t *testing.T, id any) map[string]any {
	t.Helper()
	invitation, _ := l.get(t, id).want(t, 200).body["invitation"].(map[string]any)
	return invitation
}

// informationJourney reads and changes what is known of a customer.
func informationJourney(t *testing.T, u *browser) {
	t.Helper()
	me := u.get(t, "/me").want(t, 200)
	byPartner := map[string]string{"email": "partner", "first_name": "partner", "last_name": "partner", "phone": "partner", "address": "partner", "language": "partner"}
	if diff := cmp.Diff(byPartner, origins(me)); diff != "" {
		t.Errorf("origins (-want +got)\n%s", diff)
	}
	if me.body["introduced_by"] != "Shop" || me.body["phone"] != "+34912345678" || me.body["totp_enabled"] != false {
		t.Errorf("%s", me.raw)
	}
	changed := u.call(t, http.MethodPatch, "/me", `{"first_name":"Zoë","middle_name":"M.","phone_number":null,"language":"en",
		"address":{"line1":"Paseo 2","city":"Madrid","country":"ES","post_code":"28015"}}`).want(t, 200)
	want := map[string]string{"email": "partner", "first_name": "customer", "middle_name": "customer", "last_name": "partner", "address": "customer", "language": "customer"}
	if diff := cmp.Diff(want, origins(changed)); diff != "" {
		t.Errorf("origins after a change (-want +got)\n%s", diff)
	}
	if read := u.get(t, "/me").want(t, 200); read.raw != changed.raw || changed.body["phone"] != nil || changed.body["last_name"] != "Quintero" {
		t.Errorf("changed %s\nread %s", changed.raw, read.raw)
	}
	u.call(t, http.MethodPatch, "/me", `{"phone_number":"12"}`).wantFault(t, "/phone_number invalid_phone_number")
	u.call(t, http.MethodPatch, "/me", `{"email":"other@example.com"}`).want(t, 400, "invalid_request")
}

// secondFactorJourney turns the second factor on, and logs in with it. It gives
// the secret.
func secondFactorJourney(t *testing.T, u *browser, email string, hidden *secrets) string {
	t.Helper()
	l := u.l
	u.post(t, "/me/totp/confirm", `{"code":"123456"}`).want(t, 409, "second_factor_not_enrolled")
	u.post(t, "/me/totp/disable", object("password", passphrase, "code", "123456")).want(t, 409, "second_factor_not_enrolled")
	u.post(t, "/me/totp", object("password", "wrong but long enough")).wantFault(t, "/password wrong_password")
	enrolled := u.post(t, "/me/totp", object("password", passphrase)).want(t, 200)
	secret := enrolled.body["secret"].(string)
	hidden.add(secret)
	u.post(t, "/me/totp/confirm", object("code", wrongCode(l.code(t, secret)))).wantFault(t, "/code wrong_code")
	if u.get(t, "/me").body["totp_enabled"] != false {
		t.Error("the second factor counts before it is confirmed")
	}
	code := l.code(t, secret)
	confirmed := u.post(t, "/me/totp/confirm", object("code", code)).want(t, 200)
	u.post(t, "/me/totp", object("password", passphrase)).want(t, 409, "second_factor_enabled")
	u.post(t, "/me/totp/confirm", object("code", code)).want(t, 409, "second_factor_enabled")
	codes, _ := confirmed.body["recovery_codes"].([]any)
	if me := u.get(t, "/me"); len(codes) < 8 || me.body["totp_enabled"] != true || me.body["recovery_codes_left"] != float64(len(codes)) {
		t.Fatalf("%d recovery codes, %s", len(codes), me.raw)
	}
	recovery := codes[0].(string)
	hidden.add(recovery, strings.ReplaceAll(recovery, "-", ""))
	if m := l.letter(t, email, 2); m.language != "en" || m.token != "" {
		t.Errorf("the notice is in %q, and has the token %q", m.language, m.token)
	}

	u.call(t, http.MethodDelete, "/session", "").want(t, 204)
	if u.cookie != "" {
		t.Error("the cookie is left after logging out")
	}
	u.logIn(t, email, passphrase).want(t, 401, "second_factor_required")
	u.logIn(t, email, "wrong but long enough", "123456").want(t, 401, "invalid_credentials")
	u.logIn(t, email, passphrase, code).want(t, 401, "invalid_second_factor") // it enabled the factor
	l.clock.forward(time.Minute)
	code = l.code(t, secret)
	u.logIn(t, email, passphrase, wrongCode(code)).want(t, 401, "invalid_second_factor")
	other := l.browser()
	other.logIn(t, email, passphrase, code).want(t, 200)
	u.logIn(t, email, passphrase, code).want(t, 401, "invalid_second_factor")
	u.logIn(t, email, passphrase, strings.ToLower(recovery)).want(t, 200)
	other.logIn(t, email, passphrase, recovery).want(t, 401, "invalid_second_factor")
	if me := u.get(t, "/me"); me.body["recovery_codes_left"] != float64(len(codes)-1) {
		t.Errorf("%s", me.raw)
	}
	hidden.add(strings.TrimPrefix(u.cookie, "cex_session="), strings.TrimPrefix(other.cookie, "cex_session="))
	sessionsJourney(t, u, other)
	return secret
}

// wrongCode makes another code, that is no near step's but by a rare chance.
func wrongCode(code string) string {
	last := (code[5]-'0'+5)%10 + '0'
	return code[:5] + string(last)
}

// sessionsJourney lists the sessions of two browsers, and ends one of them.
func sessionsJourney(t *testing.T, u, other *browser) {
	t.Helper()
	list := u.get(t, "/sessions").want(t, 200).items("sessions")
	if len(list) != 2 || list[0]["current"] != true || list[1]["current"] != false {
		t.Fatalf("%v", list)
	}
	theirs := list[1]["id"].(string)
	u.call(t, http.MethodDelete, "/sessions/"+theirs, "").want(t, 204)
	u.call(t, http.MethodDelete, "/sessions/"+theirs, "").want(t, 404, "session_not_found")
	other.get(t, "/me").want(t, 401, "not_logged_in")
	u.get(t, "/me").want(t, 200)
}

// passwordJourney changes the password, exports, and forgets the password.
func passwordJourney(t *testing.T, u *browser, email, secret string, hidden *secrets) {
	t.Helper()
	l := u.l
	old := *u
	change := func(current, next string) *answer {
		return u.call(t, http.MethodPost, "/me/password", object("current_password", current, "new_password", next))
	}
	change("wrong but long enough", passphrase2).wantFault(t, "/current_password wrong_password")
	change(passphrase, passphrase).wantFault(t, "/new_password password_unchanged")
	change(passphrase, "quintero12").want(t, 422, "unacceptable_data")
	change(passphrase, passphrase2).want(t, 204)
	if u.cookie == old.cookie {
		t.Error("the session was not renewed")
	}
	old.get(t, "/me").want(t, 401, "not_logged_in")

	export := u.get(t, "/me/export").want(t, 200)
	var kinds []string
	for _, m := range export.items("emails") {
		kinds = append(kinds, m["kind"].(string))
	}
	if diff := cmp.Diff([]string{"password_changed", "second_factor_enabled", "introduction"}, kinds); diff != "" {
		t.Errorf("e-mails in the export (-want +got)\n%s", diff)
	}
	exported, _ := export.body["customer"].(map[string]any)
	if export.body["introduced_by"] != "Shop" || exported["email"] != email || len(export.items("sessions")) != 1 {
		t.Errorf("%s", export.raw)
	}
	if strings.Contains(export.raw, secret) || strings.Contains(export.raw, "argon2") {
		t.Error("the export has a secret")
	}

	sent := len(l.letters(t, email))
	l.letter(t, email, 3)
	l.browser().post(t, "/password-reset", object("email", email)).want(t, 202)
	forgotten := l.letter(t, email, max(sent, 3)+1)
	hidden.add(forgotten.token)
	if forgotten.page != l.service.URL()+"/reset-password" {
		t.Errorf("%+v", forgotten)
	}
	token := object("token", forgotten.token)
	if got := u.post(t, "/password-reset/check", token).want(t, 200).body["state"]; got != "valid" {
		t.Errorf("state %v", got)
	}
	u.post(t, "/password-reset/complete", object("token", forgotten.token, "password", passphrase3)).want(t, 200)
	u.get(t, "/me").want(t, 401, "not_logged_in")
	u.post(t, "/password-reset/complete", object("token", forgotten.token, "password", passphrase)).want(t, 410, "link_used")
	l.clock.forward(time.Minute)
	u.logIn(t, email, passphrase2, l.code(t, secret)).want(t, 401, "invalid_credentials")
	u.logIn(t, email, passphrase3).want(t, 401, "second_factor_required")
	u.logIn(t, email, passphrase3, l.code(t, secret)).want(t, 200)
	hidden.add(strings.TrimPrefix(u.cookie, "cex_session="))
}

// TestSignUpJourney goes the way of somebody who comes alone.
func TestSignUpJourney(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "ottoline@example.org"
	hidden := secrets{"ottoline", "morrell", passphrase, passphrase2}
	u := l.browser()
	u.post(t, "/sign-up", object("email", email, "first_name", "Ottoline", "last_name", "Morrell", "language", "es")).want(t, 202)
	confirm := l.letter(t, email, 1)
	hidden.add(confirm.token)
	if confirm.language != "es" || confirm.page != l.service.URL()+"/confirm-email" {
		t.Errorf("%+v", confirm)
	}
	u.logIn(t, email, passphrase).want(t, 401, "invalid_credentials")
	for range 2 {
		a := u.post(t, "/email-confirmation/check", object("token", confirm.token)).want(t, 200)
		if a.body["state"] != "valid" || a.body["partner_name"] != nil || a.body["first_name"] != "Ottoline" {
			t.Errorf("%s", a.raw)
		}
	}
	u.post(t, "/email-confirmation", object("token", confirm.token, "password", passphrase)).want(t, 200)
	u.post(t, "/email-confirmation", object("token", confirm.token, "password", passphrase2)).want(t, 410, "link_used")
	u.logIn(t, email, passphrase).want(t, 200)
	me := u.get(t, "/me").want(t, 200)
	want := map[string]string{"email": "customer", "first_name": "customer", "last_name": "customer", "language": "customer"}
	if diff := cmp.Diff(want, origins(me)); diff != "" || me.body["introduced_by"] != nil {
		t.Errorf("introduced by %v, origins (-want +got)\n%s", me.body["introduced_by"], diff)
	}

	// A partner may not take a customer who is there already.
	l.create(t, object("email", email)).want(t, 403, "email_already_in_use")
	if a := l.get(t, me.body["id"]); a.status != 404 {
		t.Errorf("a partner reads who came alone: %d %s", a.status, a.raw)
	}
	// Signing up again says so by e-mail, and changes nothing.
	u.post(t, "/sign-up", object("email", strings.ToUpper(email), "first_name", "Mallory")).want(t, 202)
	if m := l.letter(t, email, 2); m.token != "" || !strings.Contains(m.text, "/log-in") {
		t.Errorf("%+v", m)
	}
	if again := u.get(t, "/me").want(t, 200); again.raw != me.raw {
		t.Errorf("%s\nbecame %s", me.raw, again.raw)
	}
	u.post(t, "/me/close", object("password", passphrase)).want(t, 204)
	hidden.check(t, l.log.String())
}

// TestForgottenBeforeAccepted checks that somebody who never used the link gets
// another invitation when they say that they forgot their password.
func TestForgottenBeforeAccepted(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "a@example.com"
	l.create(t, object("email", email)).want(t, 201)
	first := l.letter(t, email, 1)
	l.clock.forward(2 * time.Minute)
	l.browser().post(t, "/password-reset", object("email", email)).want(t, 202)
	second := l.letter(t, email, 2)
	if second.page != l.service.URL()+"/set-password" || second.token == first.token {
		t.Errorf("%+v", second)
	}
	u := l.browser()
	u.post(t, "/invitation/accept", object("token", second.token, "password", passphrase)).want(t, 200)
	u.post(t, "/invitation/accept", object("token", first.token, "password", passphrase2)).want(t, 410, "link_used")
}

// TestUnconfirmedSignUp checks that a sign-up which nobody confirms frees the
// address.
func TestUnconfirmedSignUp(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "squatted@example.com"
	l.browser().post(t, "/sign-up", object("email", email, "first_name", "Mallory")).want(t, 202)
	squatter := l.letter(t, email, 1)
	o, err := impl.NewOperator(t.Context(), l.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	// Else it would be withdrawn together with the sign-up.
	waitFor(t, "the e-mail is recorded", func() bool {
		sent, err := o.Mails(t.Context(), "sent", 1)
		return err == nil && len(sent) == 1
	})
	l.create(t, object("email", email)).want(t, 403, "email_already_in_use")
	l.clock.forward(72*time.Hour + time.Minute)
	created := l.create(t, object("email", email)).want(t, 201)
	if created.body["first_name"] != nil {
		t.Errorf("%s", created.raw)
	}
	u := l.browser()
	u.post(t, "/email-confirmation", object("token", squatter.token, "password", passphrase)).want(t, 404, "link_not_found")
	u.post(t, "/invitation/accept", object("token", l.letter(t, email, 2).token, "password", passphrase)).want(t, 200)
}

// TestLanguages checks that e-mails are in the language of their reader.
func TestLanguages(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	tests := []struct{ language, want string }{{"en", "en"}, {"es", "es"}, {"es-AR", "es"}, {"en-GB", "en"}, {"ja", "en"}, {"", "en"}}
	for i, tt := range tests {
		email := string(rune('a'+i)) + "@example.com"
		body := object("email", email)
		if tt.language != "" {
			body = object("email", email, "language", tt.language)
		}
		l.create(t, body).want(t, 201)
		if got := l.letter(t, email, 1).language; got != tt.want {
			t.Errorf("%q: the e-mail is in %q, want %q", tt.language, got, tt.want)
		}
	}
}

// TestSuspension checks what a suspended customer meets, and that the account
// comes back as it was.
func TestSuspension(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "a@example.com"
	u, id := l.customer(t, email)
	l.browser().post(t, "/password-reset", object("email", email)).want(t, 202)
	link := l.letter(t, email, 2)
	o, err := impl.NewOperator(t.Context(), l.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := o.SuspendCustomer(t.Context(), int64(id)); err != nil {
		t.Fatal(err)
	}
	u.get(t, "/me").want(t, 401, "not_logged_in")
	u.logIn(t, email, passphrase2).want(t, 401, "invalid_credentials")
	u.logIn(t, email, passphrase).want(t, 403, "account_suspended")
	u.post(t, "/password-reset/complete", object("token", link.token, "password", passphrase2)).want(t, 404, "link_not_found")
	l.do(t, http.MethodPost, l.url+"/partner/customer/1/invitation", "").want(t, 409, "invitation_accepted")
	if err := o.RestoreCustomer(t.Context(), int64(id)); err != nil {
		t.Fatal(err)
	}
	u.get(t, "/me").want(t, 401, "not_logged_in")
	u.logIn(t, email, passphrase).want(t, 200)
}

// TestNoSecretsAtRest checks that the database has no password and no token,
// neither of links nor of sessions, nor a second factor's secret in the clear.
func TestNoSecretsAtRest(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "a@example.com"
	u, _ := l.customer(t, email)
	secret := u.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	codes := u.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200).body["recovery_codes"].([]any)
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	files := l.files(t)
	if !strings.Contains(files["escrow.db"], email) {
		t.Error("the address is not found either: nothing was looked through")
	}
	for name, text := range files {
		for _, hidden := range []string{l.letter(t, email, 1).token, strings.TrimPrefix(u.cookie, "cex_session="), passphrase, secret, string(raw), codes[0].(string), l.key} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s has %q", name, hidden)
			}
		}
	}
}
