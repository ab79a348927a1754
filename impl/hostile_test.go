package impl_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl"
)

// flow is one of the three ways to set a password by a link.
type flow struct{ name, check, use string }

var flows = []flow{
	{"invitation", "/invitation/check", "/invitation/accept"},
	{"confirmation", "/email-confirmation/check", "/email-confirmation"},
	{"reset", "/password-reset/check", "/password-reset/complete"},
}

// links makes people with an unused link of a flow each, and gives its tokens.
func (l *live) links(t *testing.T, f flow, emails ...string) []string {
	t.Helper()
	u := l.browser()
	tokens := func(n int) []string {
		var list []string
		for _, email := range emails {
			list = append(list, l.letter(t, email, n).token)
		}
		return list
	}
	for _, email := range emails {
		if f.name == "confirmation" {
			u.post(t, "/sign-up", object("email", email)).want(t, 202)
		} else {
			l.create(t, object("email", email)).want(t, 201)
		}
	}
	first := tokens(1)
	if f.name != "reset" {
		return first
	}
	for i, email := range emails {
		u.post(t, "/invitation/accept", object("token", first[i], "password", passphrase)).want(t, 200)
		u.post(t, "/password-reset", object("email", email)).want(t, 202)
	}
	return tokens(2)
}

// TestBadTokens checks that a bad token is answered clearly, and harms no good
// one.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	tokens := make(map[string]string)
	for _, f := range flows {
		tokens[f.name] = l.links(t, f, f.name+"@example.com")[0]
	}
	for i, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			good := tokens[f.name]
			tests := []struct {
				name, token string
				status      int
				code        string
			}{
				{"of another kind", tokens[flows[(i+1)%3].name], 404, "link_not_found"},
				{"of the third kind", tokens[flows[(i+2)%3].name], 404, "link_not_found"},
				{"truncated", good[:len(good)-1], 404, "link_not_found"},
				{"half", good[:len(good)/2], 404, "link_not_found"},
				{"with more at its end", good + "A", 404, "link_not_found"},
				{"with a space", good + " ", 404, "link_not_found"},
				{"padded", good + "=", 404, "link_not_found"},
				{"in capitals", strings.ToUpper(good), 404, "link_not_found"},
				{"garbage", "💥' OR 1=1 --", 404, "link_not_found"},
				{"wildcard", "%", 404, "link_not_found"},
				{"empty", "", 400, "invalid_request"},
				{"NUL", "\x00", 400, "malformed_body"},
				{"as long as is allowed", strings.Repeat("A", 200), 404, "link_not_found"},
				{"too long", strings.Repeat("A", 201), 400, "invalid_request"},
				{"huge", strings.Repeat("A", 300<<10), 413, "body_too_large"},
			}
			u := l.browser()
			for _, tt := range tests {
				for path, body := range map[string]string{f.check: object("token", tt.token), f.use: object("token", tt.token, "password", passphrase)} {
					if a := u.post(t, path, body); a.status != tt.status || a.code() != tt.code {
						t.Errorf("%s, %s: %d %s; want %d %s", tt.name, path, a.status, a.raw, tt.status, tt.code)
					}
				}
			}
			for _, body := range []string{`{"token":null}`, `{"token":5}`, `{"token":["` + good + `"]}`, `{}`, `[]`, ``} {
				u.post(t, f.check, body, "Content-Type", "application/json").want(t, 400)
			}
			u.post(t, f.check+"?token="+good, object("token", good)).want(t, 400, "invalid_request")
			if a := u.post(t, f.check, object("token", good)).want(t, 200); a.body["state"] != "valid" {
				t.Errorf("%s", a.raw)
			}
			u.post(t, f.use, object("token", good, "password", passphrase3)).want(t, 200)
			u.post(t, f.use, object("token", good, "password", passphrase2)).want(t, 410, "link_used")
			if a := u.post(t, f.check, object("token", good)).want(t, 200); a.body["state"] != "used" {
				t.Errorf("%s", a.raw)
			}
			u.logIn(t, f.name+"@example.com", passphrase2).want(t, 401)
			u.logIn(t, f.name+"@example.com", passphrase3).want(t, 200)
		})
	}
}

// TestExpiredLinks checks each kind at the end of its validity.
func TestExpiredLinks(t *testing.T) {
	t.Parallel()
	l := setupLive(t, func(c *impl.Config) { c.LinkValidity = 24 * time.Hour })
	for _, f := range flows {
		validity := 24 * time.Hour
		if f.name == "reset" {
			validity = time.Hour
		}
		email := f.name + "@example.com"
		token := l.links(t, f, email)[0]
		u := l.browser()
		l.clock.forward(validity - time.Minute)
		if a := u.post(t, f.check, object("token", token)).want(t, 200); a.body["state"] != "valid" {
			t.Errorf("%s, a minute before the end: %s", f.name, a.raw)
		}
		l.clock.forward(time.Minute)
		if a := u.post(t, f.check, object("token", token)).want(t, 200); a.body["state"] != "expired" {
			t.Errorf("%s, at the end: %s", f.name, a.raw)
		}
		u.post(t, f.use, object("token", token, "password", passphrase2)).want(t, 410, "link_expired")
		u.logIn(t, email, passphrase2).want(t, 401)
	}
}

// TestBadPasswords checks what is said of passwords that are refused, and that
// the link is as good as before.
func TestBadPasswords(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	l.create(t, `{"email":"wilhelmina.haverkamp@example.com","first_name":"Wilhelmina","last_name":"Haverkamp"}`).want(t, 201)
	token := l.letter(t, "wilhelmina.haverkamp@example.com", 1).token
	u := l.browser()
	tests := []struct {
		name, password string
		status         int
		fault          string
	}{
		{"empty", "", 400, "/password min_length"},
		{"seven", "k3#vQz9", 400, "/password min_length"},
		{"fourteen, without a second factor", "k3#vQz9!mW2$xT", 422, "/password password_too_short"},
		{"breached", "password1234567", 422, ""},
		{"one character", strings.Repeat("a", 20), 422, ""},
		{"their own name", "Wilhelmina Haverkamp", 422, ""},
		{"over the limit", strings.Repeat("k3#vQz9!", 32) + "x", 400, "/password max_length"},
		{"over the limit in characters of several bytes", strings.Repeat("🜁🜂🜃🜄", 64) + "x", 400, "/password max_length"},
		{"far over the limit", strings.Repeat("k3#vQz9!", 20<<10), 400, "/password max_length"},
	}
	for _, tt := range tests {
		a := u.post(t, "/invitation/accept", object("token", token, "password", tt.password))
		if got := a.faults(); a.status != tt.status || len(got) != 1 || tt.fault != "" && got[0] != tt.fault {
			t.Errorf("%s: %d %v; want %d %s", tt.name, a.status, got, tt.status, tt.fault)
		}
		if tt.password != "" && strings.Contains(a.raw, tt.password) {
			t.Errorf("%s: the answer has the password", tt.name)
		}
	}
	longest := ""
	for i := range 256 {
		longest += string(rune(0x1F700 + i*37%113)) // four bytes each
	}
	u.post(t, "/invitation/accept", object("token", token, "password", longest)).want(t, 200)
	u.logIn(t, "wilhelmina.haverkamp@example.com", longest[:len(longest)-4]).want(t, 401)
	u.logIn(t, "wilhelmina.haverkamp@example.com", longest+"x").want(t, 400)
	u.logIn(t, "wilhelmina.haverkamp@example.com", longest).want(t, 200)
}

// TestBodyBomb checks that login does not read without end.
func TestBodyBomb(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	u := l.browser()
	tests := []struct {
		name, body string
		status     int
		headers    []string
	}{
		{"10 MiB", object("email", "a@example.com", "password", strings.Repeat("a", 10<<20)), 413, nil},
		{"brackets", strings.Repeat("[", 200_000), 400, nil},
		{"deep objects", strings.Repeat(`{"a":`, 40_000), 400, nil},
		{"many names", "{" + strings.Repeat(`"a":1,`, 40_000) + `"b":1}`, 400, nil},
		{"long number", `{"email":1` + strings.Repeat("0", 200_000) + `}`, 400, nil},
		{"compressed", "x", 415, []string{"Content-Encoding", "gzip"}},
		{"a form", "email=a@example.com&password=x", 415, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"what a form of another site can send", object("email", "a@example.com", "password", "x"), 415, []string{"Content-Type", "text/plain"}},
	}
	for _, tt := range tests {
		began := time.Now()
		u.post(t, "/session", tt.body, tt.headers...).want(t, tt.status)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}
	u.logIn(t, "a@example.com", passphrase).want(t, 401)
}

// TestCrossOrigin checks that pages of other sites may not write, and change
// nothing by trying.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	u, _ := l.customer(t, "a@example.com")
	const site, origin = "Sec-Fetch-Site", "Origin"
	tests := []struct {
		name    string
		headers []string
		refused bool
	}{
		{"no browser", []string{site, "", origin, ""}, false},
		{"own page", []string{site, "same-origin", origin, l.root}, false},
		{"typed", []string{site, "none"}, false},
		{"own page, old browser", []string{site, "", origin, l.root}, false},
		{"page under the public URL, old browser", []string{site, "", origin, l.service.URL()}, false},
		{"another site", []string{site, "cross-site", origin, "https://evil.example"}, true},
		{"another site that hides its name", []string{site, "cross-site"}, true},
		{"a site beside this one", []string{site, "same-site", origin, "https://shop.example.com"}, true},
		{"another site, old browser", []string{site, "", origin, "https://evil.example"}, true},
		{"sandboxed frame, old browser", []string{site, "", origin, "null"}, true},
		{"another port, old browser", []string{site, "", origin, "http://127.0.0.1:1"}, true},
		{"name that begins like ours", []string{site, "", origin, l.root + ".evil.example"}, true},
		{"garbage", []string{site, "", origin, "%%"}, true},
		{"unknown word", []string{site, "sideways"}, true},
	}
	writes := []struct{ method, path, body string }{
		{http.MethodPatch, "/me", `{"first_name":"Mallory"}`},
		{http.MethodPost, "/session", object("email", "a@example.com", "password", passphrase)},
		{http.MethodPost, "/password-reset", `{"email":"a@example.com"}`},
		{http.MethodPost, "/sign-up", `{"email":"b@example.com"}`},
		{http.MethodPost, "/invitation/check", `{"token":"x"}`},
		{http.MethodPost, "/me/password", object("current_password", passphrase, "new_password", passphrase2)},
		{http.MethodPost, "/me/totp", object("password", passphrase)},
		{http.MethodPost, "/me/close", object("password", passphrase)},
		{http.MethodDelete, "/session", ""},
	}
	before := u.get(t, "/me").raw
	for _, tt := range tests {
		if !tt.refused {
			fresh := *u
			fresh.call(t, http.MethodPatch, "/me", `{}`, tt.headers...).want(t, 200)
			continue
		}
		for _, w := range writes {
			fresh := *u
			if a := fresh.call(t, w.method, w.path, w.body, tt.headers...); a.status != 403 || a.code() != "cross_origin_request" || a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s, %s %s: %d %s", tt.name, w.method, w.path, a.status, a.raw)
			}
		}
		a := u.get(t, "/me", tt.headers...).want(t, 200) // reading is safe, and a page of another site is not shown it
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: the answer has %s", tt.name, name)
			}
		}
	}
	if after := u.get(t, "/me").want(t, 200); after.raw != before {
		t.Errorf("%s\nbecame %s", before, after.raw)
	}
	if n := len(u.get(t, "/sessions").items("sessions")); n != 1 || len(l.letters(t, "a@example.com")) != 1 {
		t.Errorf("%d sessions, %d e-mails; want 1 each", n, len(l.letters(t, "a@example.com")))
	}
	a := l.do(t, http.MethodOptions, l.url+"/customer/me", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "PATCH")
	if a.status != 405 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight: %d %v", a.status, a.header)
	}
}

// TestCookieAttributes checks the cookie to the byte.
func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	const plain, secure = "; Path=/; HttpOnly; SameSite=Strict", "; Path=/; HttpOnly; Secure; SameSite=Strict"
	tests := []struct{ publicURL, want string }{
		{"", plain},
		{"http://[::1]:8080", plain},
		{"https://localhost:8443", secure},
		{"https://escrow.example.com", secure},
		{"http://localhost.evil.example", secure},
	}
	for _, tt := range tests {
		t.Run(tt.publicURL, func(t *testing.T) {
			t.Parallel()
			l := setupLive(t, func(c *impl.Config) { c.PublicURL = tt.publicURL })
			l.create(t, `{"email":"a@example.com"}`).want(t, 201)
			u := l.browser()
			u.post(t, "/invitation/accept", object("token", l.letter(t, "a@example.com", 1).token, "password", passphrase)).want(t, 200)
			for _, a := range []*answer{
				u.logIn(t, "a@example.com", passphrase).want(t, 200),
				u.post(t, "/me/password", object("current_password", passphrase, "new_password", passphrase2)).want(t, 204),
			} {
				value, attributes, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
				if token, ours := strings.CutPrefix(value, "cex_session="); !ours || len(token) < 43 || ";"+attributes != tt.want || len(a.header.Values("Set-Cookie")) != 1 {
					t.Errorf("%q, want %q", a.header.Values("Set-Cookie"), tt.want)
				}
			}
			a := u.call(t, http.MethodDelete, "/session", "").want(t, 204)
			want := "cex_session=" + strings.Replace(tt.want, "; HttpOnly", "; Max-Age=0; HttpOnly", 1)
			if diff := cmp.Diff([]string{want}, a.header.Values("Set-Cookie")); diff != "" {
				t.Errorf("logout (-want +got)\n%s", diff)
			}
		})
	}
}

// TestBadCookies checks what is no session.
func TestBadCookies(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	u, _ := l.customer(t, "a@example.com")
	good, token := u.cookie, strings.TrimPrefix(u.cookie, "cex_session=")
	id := u.get(t, "/sessions").items("sessions")[0]["id"].(string)
	ended := l.browser()
	ended.logIn(t, "a@example.com", passphrase).want(t, 200)
	endedCookie := ended.cookie
	ended.call(t, http.MethodDelete, "/session", "").want(t, 204)
	for name, cookie := range map[string]string{
		"none": "", "ended": endedCookie, "garbage": "cex_session=garbage", "empty": "cex_session=", "id of the session": "cex_session=" + id,
		"the same twice": good + "; " + good, "another before": "cex_session=planted; " + good, "another after": good + "; cex_session=planted",
		"other case": "CEX_SESSION=" + token, "truncated": good[:len(good)-1], "longer": good + "A", "other letters": "cex_session=" + strings.ToLower(token),
		"an API key": "cex_session=" + l.key, "huge": "cex_session=" + strings.Repeat("A", 20_000), "not UTF-8": "cex_session=\xff\xfe", "SQL": "cex_session=' OR '1'='1",
	} {
		v := &browser{l: l, cookie: cookie}
		a := v.get(t, "/me")
		if a.status != 401 || a.code() != "not_logged_in" || !strings.Contains(a.header.Get("WWW-Authenticate"), "/log-in") {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	if a := l.do(t, http.MethodGet, l.url+"/customer/me", "", "Authorization", "Bearer "+token); a.status != 401 {
		t.Errorf("a session as an API key: %d", a.status)
	}
	u.get(t, "/me").want(t, 200)
	u.get(t, "/me", "Cookie", "theme=dark; "+good+"; lang=es").want(t, 200)
}

// TestSessionEnds checks that a session ends an hour after its last use, and
// after twelve hours in any case.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	u, _ := l.customer(t, "a@example.com")
	l.clock.forward(59 * time.Minute)
	u.get(t, "/me").want(t, 200)
	l.clock.forward(60 * time.Minute)
	u.get(t, "/me").want(t, 401, "not_logged_in")
	u.logIn(t, "a@example.com", passphrase).want(t, 200)
	for range 14 {
		l.clock.forward(50 * time.Minute)
		u.get(t, "/me").want(t, 200)
	}
	l.clock.forward(21 * time.Minute) // 12 h 1 min
	u.get(t, "/me").want(t, 401, "not_logged_in")
}

// TestFixation checks that logging in never takes a token that was there before,
// and ends the session that the browser had.
func TestFixation(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	victim, _ := l.customer(t, "victim@example.com")
	attacker, _ := l.customer(t, "attacker@example.com")
	for name, planted := range map[string]string{"made up": "cex_session=" + strings.Repeat("A", 43), "the attacker's": attacker.cookie, "their own": victim.cookie} {
		u := &browser{l: l, cookie: planted}
		u.logIn(t, "victim@example.com", passphrase).want(t, 200)
		if u.cookie == planted {
			t.Errorf("%s: the token was kept", name)
		}
		if got := u.get(t, "/me").want(t, 200).body["email"]; got != "victim@example.com" {
			t.Errorf("%s: logged in as %v", name, got)
		}
		old := &browser{l: l, cookie: planted}
		if a := old.get(t, "/me"); a.status != 401 {
			t.Errorf("%s: the token is good for %s", name, a.raw)
		}
	}
	// A login that fails ends nothing.
	u := l.browser()
	u.logIn(t, "victim@example.com", passphrase).want(t, 200)
	u.logIn(t, "victim@example.com", passphrase2).want(t, 401)
	u.get(t, "/me").want(t, 200)
}

// TestForeignSession checks that nobody ends another's session.
func TestForeignSession(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	mine, _ := l.customer(t, "mine@example.com")
	theirs, _ := l.customer(t, "theirs@example.com")
	id := theirs.get(t, "/sessions").items("sessions")[0]["id"].(string)
	foreign := mine.call(t, http.MethodDelete, "/sessions/"+id, "").want(t, 404, "session_not_found")
	absent := mine.call(t, http.MethodDelete, "/sessions/018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082", "").want(t, 404)
	if diff := cmp.Diff(absent.anonymous(), foreign.anonymous()); diff != "" {
		t.Errorf("(-absent +foreign)\n%s", diff)
	}
	mine.call(t, http.MethodDelete, "/sessions/x", "").want(t, 400, "invalid_request")
	theirs.get(t, "/me").want(t, 200)
}

// TestOnce checks that what is good once is good once for many at the same time.
func TestOnce(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "a@example.com"
	l.create(t, object("email", email)).want(t, 201)
	token := l.letter(t, email, 1).token
	once := func(what string, refused int, do func(i int) *answer) {
		t.Helper()
		const tries = 8
		statuses := make([]int, tries)
		var wg sync.WaitGroup
		for i := range tries {
			wg.Go(func() { statuses[i] = do(i).status })
		}
		wg.Wait()
		seen := make(map[int]int)
		for _, s := range statuses {
			seen[s]++
		}
		if diff := cmp.Diff(map[int]int{200: 1, refused: tries - 1}, seen); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	once("a link", 410, func(i int) *answer {
		return l.browser().post(t, "/invitation/accept", object("token", token, "password", fmt.Sprint(passphrase, " ", i)))
	})
	u := l.browser()
	for i := range 8 {
		if a := u.logIn(t, email, fmt.Sprint(passphrase, " ", i)); a.status == 200 {
			secret := u.post(t, "/me/totp", object("password", fmt.Sprint(passphrase, " ", i))).want(t, 200).body["secret"].(string)
			codes := u.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200).body["recovery_codes"].([]any)
			l.clock.forward(time.Minute)
			for what, code := range map[string]string{"a code of the app": l.code(t, secret), "a recovery code": codes[0].(string)} {
				once(what, 401, func(int) *answer { return l.browser().logIn(t, email, fmt.Sprint(passphrase, " ", i), code) })
			}
			return
		}
	}
	t.Error("none of the passwords is good")
}

// TestCustomerLogs checks that no log line has what a customer, or somebody who
// means harm, sends.
func TestCustomerLogs(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const marker = "m4rker"
	u, _ := l.customer(t, "a@example.com")
	fields := []string{"email", "password", "code", "token", "first_name", "last_name", "language", "current_password", "new_password", "reason", marker}
	for _, path := range []string{
		"/invitation/check", "/invitation/accept", "/invitation/renew", "/sign-up", "/email-confirmation/check", "/email-confirmation", "/session",
		"/password-reset", "/password-reset/check", "/password-reset/complete", "/me/password", "/me/totp", "/me/totp/confirm", "/me/totp/disable", "/me/close",
	} {
		for _, field := range fields {
			u.post(t, path, object(field, marker))
		}
		u.post(t, path, marker)
		u.post(t, path+"?"+marker+"="+marker, `{}`)
	}
	u.logIn(t, marker+"@example.com", marker, marker).want(t, 401)
	u.post(t, "/sign-up", object("email", marker+"@example.com", "first_name", marker)).want(t, 202)
	u.post(t, "/password-reset", object("email", marker+"@example.net")).want(t, 202)
	u.call(t, http.MethodDelete, "/sessions/"+marker, "").want(t, 400)
	u.call(t, http.MethodPatch, "/me", object("first_name", marker, "phone_number", marker)).want(t, 422)
	u.call(t, http.MethodPatch, "/me", object("first_name", marker)).want(t, 200)
	u.get(t, "/me", "User-Agent", marker, "Cookie", "cex_session="+marker, "X-Forwarded-For", marker, "Origin", marker, "Sec-Fetch-Site", marker).want(t, 401)
	l.letter(t, marker+"@example.com", 1)
	if strings.Contains(strings.ToLower(l.log.String()), marker) {
		t.Errorf("the log has data of a request:\n%s", l.log)
	}
	for line := range strings.Lines(l.log.String()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "status=500") {
			t.Errorf("%s", line)
		}
	}
}
