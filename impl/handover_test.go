package impl_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl"
)

// TestPartnerCannotWrite checks that after creation nothing that a partner sends
// changes a customer.
func TestPartnerCannotWrite(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "johny.smith@example.com"
	first := l.create(t, documented, "Idempotency-Key", "k-1").want(t, 201)
	url := fmt.Sprint(l.url, "/partner/customer/", first.body["id"])
	waitFor(t, "the invitation is sent", func() bool { return l.invitation(t, 1)["state"] == "sent" })
	accept := func(u *browser) {
		u.post(t, "/invitation/accept", object("token", l.letter(t, email, 1).token, "password", passphrase)).want(t, 200)
		u.logIn(t, email, passphrase).want(t, 200)
		u.call(t, http.MethodPatch, "/me", `{"first_name":"John","address":null,"phone_number":"+34912345678","language":"es"}`).want(t, 200)
	}
	// before and after the customer has taken charge
	for _, step := range []func(*browser){func(*browser) {}, accept} {
		u := l.browser()
		step(u)
		before := l.get(t, 1).want(t, 200)
		for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodDelete} {
			a := l.do(t, method, url, `{"first_name":"Mallory"}`).want(t, 405, "method_not_allowed")
			if a.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s: Allow %q", method, a.header.Get("Allow"))
			}
		}
		for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodDelete} {
			a := l.do(t, method, l.url+"/partner/customers", documented).want(t, 405, "method_not_allowed")
			if a.header.Get("Allow") != "POST" {
				t.Errorf("%s: Allow %q", method, a.header.Get("Allow"))
			}
		}
		a := l.create(t, `{"email":"JOHNY.smith@example.com","first_name":"Mallory"}`).want(t, 403, "email_already_in_use")
		if a.body["customer_id"] != 1.0 {
			t.Errorf("%s", a.raw)
		}
		l.create(t, `{"email":"johny.smith@example.com"}`, "Idempotency-Key", "k-1").want(t, 422, "idempotency_key_reused")
		replayed := l.create(t, documented, "Idempotency-Key", "k-1").want(t, 201)
		if replayed.header.Get("Idempotency-Replayed") != "true" {
			t.Error("the answer is not marked as replayed")
		}
		if diff := cmp.Diff(first.body, replayed.body); diff != "" {
			t.Errorf("the first answer is not answered again (-first +now)\n%s", diff)
		}
		if after := l.get(t, 1); after.raw != before.raw {
			t.Errorf("%s\nbecame %s", before.raw, after.raw)
		}
	}
	want := map[string]any{"first_name": "John", "last_name": "Smith", "address": nil, "country": nil, "phone": "+34912345678", "language": "es"}
	if diff := cmp.Diff(want, l.get(t, 1).pick("first_name", "last_name", "address", "country", "phone", "language")); diff != "" {
		t.Errorf("what the partner sees (-want +got)\n%s", diff)
	}
	if n := len(l.letters(t, email)); n != 1 {
		t.Errorf("%d e-mails, want 1", n)
	}
}

// TestInvitationStates follows an invitation from state to state.
func TestInvitationStates(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.MailGiveUpAfter = time.Hour })
	state := func(id any, want string) map[string]any {
		t.Helper()
		var invitation map[string]any
		waitFor(t, "state "+want, func() bool {
			invitation = l.invitation(t, id)
			return invitation["state"] == want
		})
		return invitation
	}
	resend := func(id any) *answer {
		return l.do(t, http.MethodPost, fmt.Sprint(l.url, "/partner/customer/", id, "/invitation"), "")
	}
	created := l.create(t, `{"email":"a@example.com"}`).want(t, 201)
	if queued := created.body["invitation"].(map[string]any); queued["state"] != "queued" || queued["sent_at"] != nil {
		t.Errorf("%v", queued)
	}
	sent := state(1, "sent")
	if sent["sent_at"] == nil || sent["accepted_at"] != nil || sent["expires_at"] != later(t, sent["queued_at"], 72*time.Hour) {
		t.Errorf("%v", sent)
	}
	old := l.letter(t, "a@example.com", 1)
	l.clock.forward(72 * time.Hour)
	state(1, "expired")
	u := l.browser()
	if got := u.post(t, "/invitation/check", object("token", old.token)).want(t, 200).body["state"]; got != "expired" {
		t.Errorf("the link is %v", got)
	}
	u.post(t, "/invitation/accept", object("token", old.token, "password", passphrase)).want(t, 410, "link_expired")
	u.post(t, "/invitation/renew", object("token", old.token)).want(t, 202)
	state(1, "sent")
	fresh := l.letter(t, "a@example.com", 2)
	u.post(t, "/invitation/accept", object("token", fresh.token, "password", passphrase)).want(t, 200)
	if accepted := state(1, "accepted"); accepted["accepted_at"] == nil || accepted["sent_at"] == nil {
		t.Errorf("%v", accepted)
	}
	resend(1).want(t, 409, "invitation_accepted")
	u.post(t, "/invitation/renew", object("token", fresh.token)).want(t, 410, "link_used")
	u.post(t, "/invitation/renew", object("token", old.token)).want(t, 410, "link_used")

	// No e-mail can be written while a file is where the folder was.
	folder := filepath.Join(l.config.Data, "mail")
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.create(t, `{"email":"b@example.com"}`).want(t, 201)
	waitFor(t, "an attempt", func() bool { return strings.Contains(l.log.String(), "e-mail not sent") })
	l.clock.forward(2 * time.Hour)
	resendable := state(2, "failed")
	if resendable["failed_at"] == nil || resendable["sent_at"] != nil {
		t.Errorf("%v", resendable)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	if a := resend(2).want(t, 202); a.body["state"] != "queued" || a.body["failed_at"] != nil {
		t.Errorf("%s", a.raw)
	}
	if again := state(2, "sent"); again["failed_at"] != nil {
		t.Errorf("%v", again)
	}
}

// TestResendLimits checks that one invitation a minute and five a day are sent,
// whoever asks, and that Retry-After says when the next may be.
func TestResendLimits(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	began := l.clock.now()
	l.create(t, `{"email":"a@example.com"}`).want(t, 201)
	resend := func(headers ...string) *answer {
		return l.do(t, http.MethodPost, l.url+"/partner/customer/1/invitation", "", headers...)
	}
	token := object("token", l.letter(t, "a@example.com", 1).token)
	renew := func() *answer { return l.browser().post(t, "/invitation/renew", token) }
	wait := func(a *answer) {
		t.Helper()
		a.want(t, 429, "rate_limit_exceeded")
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || seconds < 1 || seconds > 3600 {
			t.Fatalf("Retry-After %q", a.header.Get("Retry-After"))
		}
		l.clock.forward(time.Duration(seconds) * time.Second)
	}
	for i := range 4 { // the first was that of the creation
		wait([]func() *answer{func() *answer { return resend() }, renew}[i%2]())
		[]func() *answer{renew, func() *answer { return resend() }}[i%2]().want(t, 202)
	}
	// Those were five. Whoever waits as long as is said each time gets the next
	// one a day after the first.
	for range 24 {
		wait(resend())
	}
	resend().want(t, 202)
	if took := l.clock.now().Sub(began); took < 24*time.Hour || took > 24*time.Hour+time.Minute {
		t.Errorf("the sixth was sent after %v", took)
	}
	l.letter(t, "a@example.com", 6)
	if n := len(l.letters(t, "a@example.com")); n != 6 {
		t.Errorf("%d e-mails, want 6", n)
	}
}

// TestResendForeign checks that another partner's customer is as good as none.
func TestResendForeign(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	other := l.newKey(t)
	l.create(t, `{"email":"mine@example.com"}`).want(t, 201)
	l.create(t, `{"email":"theirs@example.com"}`, "Authorization", "Bearer "+other).want(t, 201)
	u := l.browser()
	u.post(t, "/sign-up", `{"email":"alone@example.com"}`).want(t, 202)
	l.letter(t, "alone@example.com", 1)
	var answers []string
	for _, id := range []any{2, 3, 4, int64(1)<<62 + 1} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			path := fmt.Sprint("/partner/customer/", id)
			if method == http.MethodPost {
				path += "/invitation"
			}
			a := l.do(t, method, l.url+path, "").want(t, 404, "customer_not_found")
			answers = append(answers, a.anonymous())
		}
	}
	for _, a := range answers[1:] {
		if diff := cmp.Diff(answers[0], a); diff != "" {
			t.Errorf("answers differ\n%s", diff)
		}
	}
	l.do(t, http.MethodPost, l.url+"/partner/customer/0/invitation", "").want(t, 400, "invalid_request")
	l.do(t, http.MethodPost, l.url+"/partner/customer/x/invitation", "").want(t, 400, "invalid_request")
	l.do(t, http.MethodPost, l.url+"/partner/customer/1/invitation", `{}`).want(t, 400, "invalid_request")
	if n := len(l.letters(t, "theirs@example.com")); n != 1 {
		t.Errorf("%d e-mails to another partner's customer, want 1", n)
	}
}

// anonymous gives an answer as a whole but for what names the request.
func (a *answer) anonymous() string {
	id := a.header.Get("X-Request-Id")
	header := a.header.Clone()
	header.Del("X-Request-Id")
	header.Del("Date")
	return fmt.Sprint(a.status, " ", header, " ", strings.ReplaceAll(a.raw, id, "ID"))
}
