package impl_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestExtremes checks that the most that is taken is not too much for what is
// answered: the longest address and names, in characters of four bytes, a browser
// with a long name, and more sessions than are listed.
func TestExtremes(t *testing.T) {
	t.Parallel()
	l := setupLive(t, behindProxy)
	const wide = "𠀀"
	email := strings.Repeat("é", 32) + "@" + strings.Repeat(strings.Repeat("ü", 20)+".", 4) + strings.Repeat("ñ", 8) + ".example"
	for len(email) < 254 {
		email = strings.Replace(email, ".example", "a.example", 1)
	}
	name, line := strings.Repeat(wide, 100), strings.Repeat(wide, 200)
	created := l.create(t, object("email", email, "first_name", name, "middle_name", name, "last_name", name, "language", "es-Latn-MX",
		"address", map[string]any{"line1": line, "line2": line, "city": name, "state": name, "country": "US", "post_code": 99999}))
	if created.status != 201 {
		t.Fatalf("an address of %d bytes: %d %s", len(email), created.status, created.raw)
	}
	u := l.browser()
	u.network = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
	var token string
	waitFor(t, "the e-mail", func() bool { // whose header may have the address in its ASCII form
		for _, m := range l.allLetters(t) {
			token = m.token
		}
		return token != ""
	})
	u.post(t, "/invitation/check", object("token", token)).want(t, 200)
	u.post(t, "/invitation/accept", object("token", token, "password", passphrase)).want(t, 200)
	agent := strings.Repeat("🜁", 400) + "\xff\xfe"
	a := u.call(t, http.MethodPost, "/session", object("email", email, "password", passphrase), "User-Agent", agent).want(t, 200)
	if got := a.body["user_agent"].(string); utf8.RuneCountInString(got) != 300 || a.body["ip"] != "2001:db8:aaaa:bbbb::/64" {
		t.Errorf("%v, %q", a.body["ip"], got)
	}
	corrupt(t, l.config.Data, `
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO sessions (id, hash, customer_id, created_at, seen_at, expires_at, ip, user_agent)
SELECT printf('018f6b1c-9d3e-7c45-a1b2-%012x', i), randomblob(32), customer_id, created_at, seen_at, expires_at, ip, user_agent FROM sessions, n`)
	for _, path := range []string{"/me", "/sessions", "/me/export"} {
		u.get(t, path).want(t, 200)
	}
	if n := len(u.get(t, "/sessions").items("sessions")); n != 100 {
		t.Errorf("%d sessions are listed", n)
	}
	secret := u.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	u.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200)
	u.call(t, http.MethodPatch, "/me", object("first_name", strings.Repeat("🜁", 100))).want(t, 200)
	l.get(t, 1).want(t, 200)
	u.post(t, "/me/close", object("password", passphrase, "code", "  "+strings.Repeat(" ", 30)+"123456", "reason", strings.Repeat(wide, 500))).want(t, 422)
	if strings.Contains(l.log.String(), "level=ERROR") {
		t.Errorf("the log has errors:\n%s", l.log)
	}
}

// TestEscapedTwice checks that an id is unescaped once: %2531 is %31, which is no
// id, and not 1.
func TestEscapedTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, `{"email":"ana.garcia@example.com"}`).want(t, http.StatusCreated, "")
	for id, status := range map[string]int{"1": 200, "%31": 200, "%2531": 400, "%25": 400, "%252F": 400} {
		if got := b.get(t, id); got.status != status {
			t.Errorf("%s: %d %s", id, got.status, got.raw)
		}
	}
}
