package impl_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl"
)

// behindProxy believes what the test says of its network.
func behindProxy(c *impl.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// wait turns the clock forward by what a refusal says.
func (l *live) wait(t *testing.T, a *answer) time.Duration {
	t.Helper()
	a.want(t, 429, "rate_limit_exceeded")
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 3600 {
		t.Fatalf("Retry-After %q", a.header.Get("Retry-After"))
	}
	wait := time.Duration(seconds) * time.Second
	l.clock.forward(wait)
	return wait
}

// TestLoginLimit checks that wrong tries are told to wait, in the same way for
// an address that nobody has, and that the wait is what was said.
func TestLoginLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.Limits.Login = impl.Limit{Count: 3, Per: 10 * time.Minute} })
	l.customer(t, "known@example.com")
	for _, email := range []string{"known@example.com", "unknown@example.com"} {
		u := l.browser()
		for i, spelling := range []string{email, "K" + email[1:], email} {
			if email[0] == 'u' {
				spelling = email
			}
			if a := u.logIn(t, spelling, passphrase2); a.status != 401 {
				t.Errorf("%s, try %d: %d", email, i+1, a.status)
			}
		}
		refused := u.logIn(t, email, passphrase)
		if took := l.wait(t, refused); took > 200*time.Second {
			t.Errorf("%s: wait %v", email, took)
		}
		// One more, and not yet another.
		u.logIn(t, email, passphrase2).want(t, 401)
		l.wait(t, u.logIn(t, email, passphrase2))
	}
	u := l.browser()
	u.logIn(t, "known@example.com", passphrase).want(t, 200)
	// A success forgets the tries before it.
	for range 3 {
		u.logIn(t, "known@example.com", passphrase2).want(t, 401)
	}
	u.logIn(t, "known@example.com", passphrase2).want(t, 429)
	// Only this account from this network was held up.
	u.logIn(t, "other@example.com", passphrase2).want(t, 401)
	u.get(t, "/me").want(t, 200)
}

// TestAccountLimit checks that an account that is tried from many networks is
// held up as a whole, and not for good.
func TestAccountLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, behindProxy, func(c *impl.Config) { c.Limits.Login = impl.Limit{Count: 2, Per: 10 * time.Minute} })
	l.customer(t, "a@example.com")
	seen := make(map[int]int)
	for i := range 15 {
		u := &browser{l: l, network: fmt.Sprintf("203.0.113.%d", i)}
		for range 2 {
			seen[u.logIn(t, "a@example.com", passphrase2).status]++
		}
	}
	if seen[401] != 20 || seen[429] != 10 {
		t.Errorf("statuses %v, want 20 times 401 and 10 times 429", seen)
	}
	owner := &browser{l: l, network: "198.51.100.1"}
	if took := l.wait(t, owner.logIn(t, "a@example.com", passphrase)); took > time.Minute {
		t.Errorf("the owner waits %v", took)
	}
	owner.logIn(t, "a@example.com", passphrase).want(t, 200)
	(&browser{l: l, network: "203.0.113.200"}).logIn(t, "a@example.com", passphrase2).want(t, 401)
}

// TestSecondFactorLimit checks that codes cannot be guessed without end by
// somebody who knows the password.
func TestSecondFactorLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.Limits.Login = impl.Limit{Count: 4, Per: 10 * time.Minute} })
	u, _ := l.customer(t, "a@example.com")
	secret := u.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	u.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200)
	thief := l.browser()
	thief.logIn(t, "a@example.com", passphrase).want(t, 401, "second_factor_required")
	for range 3 {
		thief.logIn(t, "a@example.com", passphrase, wrongCode(l.code(t, secret))).want(t, 401, "invalid_second_factor")
	}
	thief.logIn(t, "a@example.com", passphrase, l.code(t, secret)).want(t, 429)
}

// TestProofLimit checks that a session in the wrong hands is no way to guess the
// password.
func TestProofLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.Limits.Login = impl.Limit{Count: 3, Per: 10 * time.Minute} })
	u, _ := l.customer(t, "a@example.com")
	wrong := object("password", passphrase3)
	ways := []func() *answer{
		func() *answer {
			return u.post(t, "/me/password", object("current_password", passphrase3, "new_password", passphrase2))
		},
		func() *answer { return u.post(t, "/me/totp", wrong) },
		func() *answer { return u.post(t, "/me/close", wrong) },
	}
	for _, way := range ways {
		way().want(t, 422)
	}
	for _, way := range ways {
		way().want(t, 429, "rate_limit_exceeded")
	}
	l.wait(t, ways[0]())
	u.post(t, "/me/password", object("current_password", passphrase, "new_password", passphrase2)).want(t, 204)
	for _, way := range ways { // forgotten
		way().want(t, 422)
	}
	other, _ := l.customer(t, "b@example.com")
	other.post(t, "/me/totp", wrong).want(t, 422)
}

// TestCodeLimit checks that codes cannot be guessed without end by somebody who
// has a session and the password: what the password is right for makes up for
// none.
func TestCodeLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.Limits.Login = impl.Limit{Count: 4, Per: 10 * time.Minute} })
	u, _ := l.customer(t, "a@example.com")
	secret := u.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	u.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200)
	guess := object("password", passphrase, "code", wrongCode(l.code(t, secret)))
	distract := func() {
		u.call(t, http.MethodPost, "/me/disbursement-methods", fmt.Sprintf(`{"password":%q,"method":%s}`, passphrase, goodWallet)).want(t, 201)
	}
	for _, path := range []string{"/me/totp/disable", "/me/close", "/me/totp/disable", "/me/close"} {
		u.post(t, path, guess).want(t, 422)
		distract()
	}
	for _, path := range []string{"/me/totp/disable", "/me/close"} {
		u.post(t, path, guess).want(t, 429, "rate_limit_exceeded")
		distract()
	}
	l.wait(t, u.post(t, "/me/totp/disable", guess))
	u.post(t, "/me/totp/disable", object("password", passphrase, "code", l.code(t, secret))).want(t, 204)
}

// TestMailLimit checks that nobody fills another's mailbox, whoever they say
// they are.
func TestMailLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, behindProxy, func(c *impl.Config) { c.Limits.Mail = impl.Limit{Count: 2, Per: time.Hour} })
	l.customer(t, "known@example.com")
	for _, email := range []string{"known@example.com", "unknown@example.com"} {
		u := &browser{l: l, network: "203.0.113.1"}
		u.post(t, "/sign-up", object("email", email)).want(t, 202)
		u.post(t, "/password-reset", object("email", email)).want(t, 202)
		u = &browser{l: l, network: "203.0.113.2"}
		u.post(t, "/password-reset", object("email", email)).want(t, 429)
		if took := l.wait(t, u.post(t, "/sign-up", object("email", email))); took > 30*time.Minute {
			t.Errorf("%s: wait %v", email, took)
		}
		u.post(t, "/sign-up", object("email", email)).want(t, 202)
		u.post(t, "/sign-up", object("email", email+".au")).want(t, 202)
	}
}

// TestMailsToOneCustomer checks that even without limits of the service one
// e-mail of a kind a minute is sent, and five a day.
func TestMailsToOneCustomer(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	l.customer(t, "a@example.com")
	u := l.browser()
	for i := range 8 {
		for range 3 {
			u.post(t, "/password-reset", `{"email":"a@example.com"}`).want(t, 202)
		}
		if i < 5 {
			l.letter(t, "a@example.com", i+2)
		}
		u.post(t, "/sign-up", object("email", fmt.Sprint("n", i, "@example.com"))).want(t, 202)
		l.letter(t, fmt.Sprint("n", i, "@example.com"), 1) // those before it are settled
		l.clock.forward(2 * time.Minute)
	}
	if n := len(l.letters(t, "a@example.com")); n != 6 {
		t.Errorf("%d e-mails, want the invitation and 5", n)
	}
}

// TestNetworkLimit checks what one network may do without a session.
func TestNetworkLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, behindProxy, func(c *impl.Config) { c.Limits.Network = impl.Limit{Count: 6, Per: 10 * time.Minute} })
	home := &browser{l: l, network: "2001:db8:1:2::1"}
	session, _ := l.customer(t, "a@example.com") // two requests, from another network
	ways := []func(u *browser) *answer{
		func(u *browser) *answer { return u.post(t, "/invitation/check", `{"token":"x"}`) },
		func(u *browser) *answer { return u.post(t, "/invitation/renew", `{"token":"x"}`) },
		func(u *browser) *answer {
			return u.post(t, "/password-reset/complete", object("token", "x", "password", passphrase))
		},
		func(u *browser) *answer { return u.logIn(t, "b@example.com", passphrase) },
		func(u *browser) *answer { return u.post(t, "/sign-up", `{"email":"b@example.com"}`) },
		func(u *browser) *answer { return u.post(t, "/password-reset", `{"email":"b@example.com"}`) },
	}
	for i, way := range ways {
		if a := way(home); a.status == 429 {
			t.Errorf("request %d: %s", i, a.raw)
		}
	}
	neighbour := &browser{l: l, network: "2001:db8:1:2:ffff::1"} // the same /64
	for i, way := range ways {
		for _, u := range []*browser{home, neighbour} {
			if a := way(u); a.status != 429 || a.header.Get("Retry-After") == "" {
				t.Errorf("request %d, %s: %d %s", i, u.network, a.status, a.raw)
			}
		}
	}
	ways[0](&browser{l: l, network: "2001:db8:1:3::1"}).want(t, 404)
	session.network = home.network
	for range 20 {
		session.get(t, "/me").want(t, 200)
	}
	l.create(t, `{"email":"c@example.com"}`, "X-Forwarded-For", home.network).want(t, 201)
	l.wait(t, ways[0](home))
	ways[0](home).want(t, 404)
}

// TestForgedNetwork checks that who is no trusted proxy does not choose their
// own network.
func TestForgedNetwork(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.Limits.Network = impl.Limit{Count: 3, Per: time.Hour} })
	seen := make(map[int]int)
	for i := range 6 {
		u := &browser{l: l, network: fmt.Sprintf("203.0.113.%d", i)}
		seen[u.post(t, "/invitation/check", `{"token":"x"}`, "Forwarded", "for="+u.network, "X-Real-IP", u.network).status]++
	}
	if seen[404] != 3 || seen[429] != 3 {
		t.Errorf("statuses %v", seen)
	}
}

// TestDefaultLimits checks that they are on by default.
func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.Limits = impl.DefaultConfig().Limits })
	u := l.browser()
	count := func(do func() *answer) int {
		n := 0
		for do().status != 429 {
			if n++; n > 1000 {
				t.Fatal("there is no limit")
			}
		}
		return n
	}
	if n := count(func() *answer { return u.logIn(t, "a@example.com", passphrase) }); n != 10 {
		t.Errorf("%d tries to log in", n)
	}
	if n := count(func() *answer { return u.post(t, "/sign-up", `{"email":"a@example.com"}`) }); n != 5 {
		t.Errorf("%d sign-ups", n)
	}
	if n := count(func() *answer { return u.post(t, "/invitation/check", `{"token":"x"}`) }); n < 250 || n > 300 {
		t.Errorf("%d further requests of the network", n)
	}
}

// TestNoLimits checks that zero turns each off.
func TestNoLimits(t *testing.T) {
	t.Parallel()
	l := setupLive(t) // without
	u := l.browser()
	for range 12 {
		u.logIn(t, "a@example.com", passphrase).want(t, 401)
	}
	for range 20 {
		u.post(t, "/sign-up", `{"email":"a@example.com"}`).want(t, 202)
	}
	for range 320 {
		u.post(t, "/invitation/check", `{"token":"x"}`).want(t, 404)
	}
}

// TestSessionGuessing checks that who tries many cookies is told to slow down,
// and that nobody with a good one is held up by it; but by the rate limit.
func TestSessionGuessing(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.RateLimit = 20 })
	u, _ := l.customer(t, "a@example.com")
	guesser := &browser{l: l, cookie: "cex_session=guess"}
	seen := make(map[int]int)
	for range 300 {
		seen[guesser.get(t, "/me").status]++
	}
	if seen[401] < 200 || seen[429] == 0 || seen[401]+seen[429] != 300 {
		t.Errorf("statuses %v", seen)
	}
	clear(seen)
	for range 200 { // a second's worth at most comes beside the five at once
		seen[u.get(t, "/me").status]++
	}
	if seen[200] < 100 || seen[429] == 0 {
		t.Errorf("statuses of a session %v", seen)
	}
	l.wait(t, u.l.firstRefusal(t, u))
	u.get(t, "/me").want(t, 200)
}

// firstRefusal asks until it is told to wait.
func (l *live) firstRefusal(t *testing.T, u *browser) *answer {
	t.Helper()
	for range 1000 {
		if a := u.get(t, "/me"); a.status == 429 {
			return a
		}
	}
	t.Fatal("there is no limit")
	return nil
}

// TestMailboxStaysLocal checks that the mailbox, whose e-mails open accounts, is
// not there for a service that the world reaches: a proxy before it may well
// call it by its local name.
func TestMailboxStaysLocal(t *testing.T) {
	t.Parallel()
	for publicURL, want := range map[string]int{
		"": 200, "http://localhost:8080": 200, "https://escrow.example.com": 404, "http://192.168.1.5:8080": 404,
	} {
		l := setupLive(t, func(c *impl.Config) { c.PublicURL = publicURL })
		if a := l.do(t, http.MethodGet, l.root+"/dev/mail", ""); a.status != want {
			t.Errorf("%q: %d, want %d", publicURL, a.status, want)
		}
	}
}

// TestLoginCodeLimit checks that codes are not guessed from many networks by somebody
// who has the password, and that somebody who lacks it cannot use the limit up.
func TestLoginCodeLimit(t *testing.T) {
	t.Parallel()
	l := setupLive(t, behindProxy, func(c *impl.Config) { c.Limits.Login = impl.Limit{Count: 3, Per: 10 * time.Minute} })
	const email = "a@example.com"
	u, _ := l.customer(t, email)
	secret := u.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	u.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200)
	l.clock.forward(time.Minute)
	from := func(i int) *browser {
		guest := l.browser()
		guest.network = fmt.Sprintf("198.51.100.%d", i)
		return guest
	}
	for i := range 4 {
		from(i).logIn(t, email, passphrase2, "123456").want(t, 401, "invalid_credentials")
	}
	for i := range 3 {
		from(10+i).logIn(t, email, passphrase, wrongCode(l.code(t, secret))).want(t, 401, "invalid_second_factor")
	}
	l.wait(t, from(20).logIn(t, email, passphrase, l.code(t, secret)))
	from(21).logIn(t, email, passphrase, l.code(t, secret)).want(t, 200)
}
