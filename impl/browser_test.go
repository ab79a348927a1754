package impl_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"cryptoexchange.com/escrow/impl"
)

// passphrase and its successors are good passwords.
const (
	passphrase  = "violet tractors under seven moons"
	passphrase2 = "eleven kettles sing before noon"
	passphrase3 = "the ferry to Ghent sells no soup"
)

// turnable is a clock that can be turned forward.
type turnable struct{ ahead atomic.Int64 }

func (c *turnable) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *turnable) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// live is a service that sends its e-mails into a folder, and settles sign-ups
// and recoveries.
type live struct {
	*bundle
	clock *turnable
	read  sync.Map // of letters by path, which do not change
}

// setupLive starts a service without limits.
func setupLive(t testing.TB, edit ...func(*impl.Config)) *live {
	t.Helper()
	clock := &turnable{}
	first := func(c *impl.Config) {
		impl.SetClockForTest(c, clock.now)
		c.Limits = impl.Limits{}
	}
	l := &live{bundle: setup(t, append([]func(*impl.Config){first}, edit...)...), clock: clock}
	ended := make(chan error, 1)
	go func() { ended <- l.service.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l
}

// waitFor waits until something is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// letter is an e-mail as its reader has it.
type letter struct {
	id, to, subject, language, text string
	page, token                     string // of the link, if it has one
}

var linkInText = regexp.MustCompile(`(http\S+)#token=(\S+)`)

// letters reads the e-mails to an address, the oldest first.
func (l *live) letters(t *testing.T, to string) []letter {
	t.Helper()
	return slices.DeleteFunc(l.allLetters(t), func(m letter) bool { return !strings.EqualFold(m.to, to) })
}

// allLetters reads all e-mails, the oldest first.
func (l *live) allLetters(t *testing.T) []letter {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(l.config.Data, "mail", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths) // the names are in the order of time
	var list []letter
	for _, path := range paths {
		m, known := l.read.Load(path)
		if !known {
			m = readLetter(t, path)
			l.read.Store(path, m)
		}
		list = append(list, m.(letter))
	}
	return list
}

func readLetter(t *testing.T, path string) letter {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	message, err := netmail.ReadMessage(file)
	if err != nil {
		t.Fatal(err)
	}
	m := letter{id: strings.TrimSuffix(filepath.Base(path), ".eml"), language: message.Header.Get("Content-Language")}
	if m.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	to, err := message.Header.AddressList("To")
	if err != nil {
		t.Fatal(err)
	}
	m.to = to[0].Address
	_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(message.Body, parameters["boundary"]).NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	m.text = string(text)
	if found := linkInText.FindStringSubmatch(m.text); found != nil {
		m.page, m.token = found[1], found[2]
	}
	return m
}

// letter waits for the n-th e-mail to an address; the first is 1.
func (l *live) letter(t *testing.T, to string, n int) letter {
	t.Helper()
	var list []letter
	waitFor(t, fmt.Sprintf("e-mail %d to %s", n, to), func() bool {
		list = l.letters(t, to)
		return len(list) >= n
	})
	return list[n-1]
}

// code gives a code of an authenticator app.
func (l *live) code(t *testing.T, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, l.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// object writes a JSON object of names and values.
func object(pairs ...any) string {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// browser is what a customer has: it keeps the cookie.
type browser struct {
	l       *live
	cookie  string // name=value
	network string // address of a trusted proxy's caller; empty for none
}

func (l *live) browser() *browser { return &browser{l: l} }

// call does one of the customer's operations as the site's own pages do.
func (u *browser) call(t *testing.T, method, path, body string, headers ...string) *answer {
	t.Helper()
	own := []string{"Authorization", "", "Cookie", u.cookie, "X-Forwarded-For", u.network, "Sec-Fetch-Site", "same-origin"}
	a := u.l.do(t, method, u.l.url+"/customer"+path, body, append(own, headers...)...)
	if set := a.header.Get("Set-Cookie"); set != "" {
		cookie, err := http.ParseSetCookie(set)
		if err != nil {
			t.Fatal(err)
		}
		u.cookie = cookie.Name + "=" + cookie.Value
		if cookie.MaxAge < 0 {
			u.cookie = ""
		}
	}
	return a
}

func (u *browser) get(t *testing.T, path string, headers ...string) *answer {
	t.Helper()
	return u.call(t, http.MethodGet, path, "", headers...)
}

func (u *browser) post(t *testing.T, path, body string, headers ...string) *answer {
	t.Helper()
	return u.call(t, http.MethodPost, path, body, headers...)
}

func (u *browser) logIn(t *testing.T, email, password string, code ...string) *answer {
	t.Helper()
	pairs := []any{"email", email, "password", password}
	if len(code) > 0 {
		pairs = append(pairs, "code", code[0])
	}
	return u.post(t, "/session", object(pairs...))
}

// want fails the test unless an answer has a status, and a code if one is given.
func (a *answer) want(t *testing.T, status int, code ...string) *answer {
	t.Helper()
	if a.status != status || len(code) > 0 && a.code() != code[0] {
		t.Fatalf("%d %s; want %d %v", a.status, a.raw, status, code)
	}
	return a
}

// wantFault fails the test unless an answer is 422 with a single fault.
func (a *answer) wantFault(t *testing.T, fault string) {
	t.Helper()
	if a.status != http.StatusUnprocessableEntity || !slices.Equal(a.faults(), []string{fault}) {
		t.Errorf("%d %s; want 422 with %s", a.status, a.raw, fault)
	}
}

// customer makes a customer of the partner's, who has set the passphrase and
// logged in.
func (l *live) customer(t *testing.T, email string) (*browser, int) {
	t.Helper()
	created := l.create(t, object("email", email)).want(t, http.StatusCreated)
	u := l.browser()
	u.post(t, "/invitation/accept", object("token", l.letter(t, email, 1).token, "password", passphrase)).want(t, http.StatusOK)
	u.logIn(t, email, passphrase).want(t, http.StatusOK)
	return u, int(created.body["id"].(float64))
}

// origins lists who supplied each field.
func origins(a *answer) map[string]string {
	m := make(map[string]string)
	list, _ := a.body["origins"].([]any)
	for _, o := range list {
		origin := o.(map[string]any)
		m[origin["field"].(string)] = origin["origin"].(string)
	}
	return m
}

// items gives a list of objects in an answer.
func (a *answer) items(name string) []map[string]any {
	list, _ := a.body[name].([]any)
	all := make([]map[string]any, len(list))
	for i, item := range list {
		all[i], _ = item.(map[string]any)
	}
	return all
}

// pick takes some of an answer's properties.
func (a *answer) pick(names ...string) map[string]any {
	m := maps.Clone(a.body)
	maps.DeleteFunc(m, func(name string, _ any) bool { return !slices.Contains(names, name) })
	return m
}

// files reads the database, with what is not yet in its main file.
func (l *live) files(t *testing.T) map[string]string {
	t.Helper()
	corrupt(t, l.config.Data, `PRAGMA wal_checkpoint(FULL)`)
	all := make(map[string]string)
	for _, name := range []string{"escrow.db", "escrow.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(l.config.Data, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(raw)
	}
	return all
}
