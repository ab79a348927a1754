package impl_test

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl"
	"cryptoexchange.com/escrow/impl/internal/sandbox"
)

// inSandbox makes a sandbox of a service.
func inSandbox(c *impl.Config) { c.Sandbox, c.Data = true, "" }

// failures are the addresses that provoke problems.
func failures() []sandbox.Address {
	return slices.DeleteFunc(sandbox.Addresses(), func(a sandbox.Address) bool { return a.Code == "" })
}

// TestSandboxProvokes checks what each address provokes, however it is written,
// and that nothing comes of it.
func TestSandboxProvokes(t *testing.T) {
	t.Parallel()
	b := setup(t, inSandbox)
	waits := map[int]string{429: "1", 503: "1"}
	statuses := make(map[int]bool)
	for _, a := range failures() {
		statuses[a.Status] = true
		var first map[string]any
		for _, email := range []string{a.String(), a.String(), strings.ToUpper(a.String()), a.Name + "+7f0d@" + sandbox.Domain} {
			got := b.create(t, object("email", email, "first_name", "Ana"), "Idempotency-Key", a.Name)
			if got.status != a.Status || got.code() != a.Code || got.header.Get("Retry-After") != waits[a.Status] || got.body["customer_id"] != nil {
				t.Errorf("%s: %d %s, Retry-After %q; want %d", email, got.status, got.raw, got.header.Get("Retry-After"), a.Status)
			}
			delete(got.body, "request_id")
			if first == nil {
				first = got.body
			}
			if diff := cmp.Diff(first, got.body); diff != "" {
				t.Errorf("%s is answered otherwise (-first +now)\n%s", email, diff)
			}
		}
		// The key is not used up, and what comes of it is.
		body := object("email", a.Name+"@example.com")
		if got := b.create(t, body, "Idempotency-Key", a.Name); got.status != 201 || got.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("the key of %s: %d %s", a, got.status, got.raw)
		}
		if got := b.create(t, body, "Idempotency-Key", a.Name); got.status != 201 || got.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("the key of %s, again: %d %s", a, got.status, got.raw)
		}
	}
	if want := map[int]bool{403: true, 422: true, 429: true, 500: true, 503: true}; !maps.Equal(statuses, want) {
		t.Errorf("the addresses provoke %v, want %v", statuses, want)
	}
	// Only customers with other addresses are there, and have ids in a row.
	if got := b.create(t, object("email", "last@example.com")); got.body["id"] != float64(len(failures())+1) {
		t.Errorf("the last customer: %s", got.raw)
	}
	if log := b.log.String(); strings.Contains(log, "breaks the contract") || strings.Contains(log, "accepted what") || strings.Contains(log, sandbox.Domain) {
		t.Errorf("the log:\n%s", log)
	}
}

// TestSandboxOrdinary checks addresses that provoke nothing: those that are like
// the others, and all of them where there is no sandbox.
func TestSandboxOrdinary(t *testing.T) {
	t.Parallel()
	b := setup(t, inSandbox)
	for _, email := range []string{
		"internal_error@example.com", "internal_error@sandbox.example.com", "internal_error@a.sandbox.example", "internal-error@sandbox.example",
		"xinternal_error@sandbox.example", "internal_errors@sandbox.example", "a+internal_error@sandbox.example", "ana@sandbox.example",
	} {
		if got := b.create(t, object("email", email)); got.status != 201 {
			t.Errorf("%s: %d %s", email, got.status, got.raw)
		}
	}
	outside := setup(t)
	for _, a := range sandbox.Addresses() {
		began := time.Now()
		if got := outside.create(t, object("email", a.String())); got.status != 201 {
			t.Errorf("%s outside of a sandbox: %d %s", a, got.status, got.raw)
		}
		if d := time.Since(began); a.Delay > 0 && d >= a.Delay {
			t.Errorf("%s outside of a sandbox takes %v", a, d)
		}
	}
}

// TestSandboxLikeReal compares problems with those that have a real cause.
func TestSandboxLikeReal(t *testing.T) {
	t.Parallel()
	s := setup(t, inSandbox)
	provoked := func(name string) *answer { return s.create(t, object("email", name+"@"+sandbox.Domain)) }
	inUse := setup(t)
	inUse.create(t, documented)
	limited := setup(t, func(c *impl.Config) { c.RateLimit = 0.5 })
	var tooMany *answer
	for tooMany == nil || tooMany.status != 429 {
		tooMany = limited.get(t, 1)
	}
	locked := setup(t)
	unlock := lock(t, locked.config.Data)
	busy := locked.create(t, documented)
	unlock()
	broken := setup(t)
	corrupt(t, broken.config.Data, `ALTER TABLE customers RENAME COLUMN phone TO number`)
	for name, caused := range map[string]*answer{
		"email_already_in_use": inUse.create(t, documented, "Authorization", "Bearer "+inUse.newKey(t)),
		"rate_limit_exceeded":  tooMany,
		"service_unavailable":  busy,
		"internal_error":       broken.create(t, documented),
	} {
		got := provoked(name)
		if caused.status != got.status {
			t.Errorf("%s: %d, really %d %s", name, got.status, caused.status, caused.raw)
		}
		for _, a := range []*answer{got, caused} {
			delete(a.body, "request_id")
			for _, h := range []string{"Date", "X-Request-Id", "Content-Length"} {
				a.header.Del(h)
			}
		}
		got.header.Set("Retry-After", caused.header.Get("Retry-After")) // is for how long the limit says
		if caused.header.Get("Retry-After") == "" {
			got.header.Del("Retry-After")
		}
		if diff := cmp.Diff(caused.body, got.body) + cmp.Diff(caused.header, got.header); diff != "" {
			t.Errorf("%s (-real +provoked)\n%s", name, diff)
		}
	}
}

// TestSandboxRealFaults checks that what is really wrong is answered first.
func TestSandboxRealFaults(t *testing.T) {
	t.Parallel()
	b := setup(t, inSandbox)
	const email = "internal_error@" + sandbox.Domain
	for body, want := range map[string]string{
		object("email", email, "planet", "Mars"): "400 [/planet unknown_property]",
		object("email", email, "address", map[string]any{"line1": "1", "city": "c", "country": "ZZ", "post_code": "1"}): "422 [/address/country unknown_country]",
	} {
		if a := b.create(t, body); fmt.Sprint(a.status, " ", a.faults()) != want {
			t.Errorf("%s: %d %v, want %s", body, a.status, a.faults(), want)
		}
	}
	if a := b.create(t, object("email", email), "Authorization", "Bearer cex_live_"+strings.Repeat("A", 26)); a.status != 401 {
		t.Errorf("with the key of another: %d %s", a.status, a.raw)
	}
	if a := b.create(t, object("email", email), "Content-Type", "text/plain"); a.status != 415 {
		t.Errorf("as text: %d %s", a.status, a.raw)
	}
}

// TestSandboxSlow has the answer to a create be late, and repeats it meanwhile.
func TestSandboxSlow(t *testing.T) {
	t.Parallel()
	b := setup(t, inSandbox)
	body := object("email", "slow+1@"+sandbox.Domain)
	began := time.Now()
	var first *answer
	var wg sync.WaitGroup
	wg.Go(func() { first = b.create(t, body, "Idempotency-Key", "k") })
	// It is there at once, and known to those who ask.
	waitFor(t, "the customer is there", func() bool { return b.get(t, 1).status == 200 })
	if a := b.create(t, body, "Idempotency-Key", "k"); a.status != 409 || a.code() != "idempotency_key_in_use" || a.header.Get("Retry-After") != "1" {
		t.Errorf("meanwhile: %d %s", a.status, a.raw)
	}
	if a := b.create(t, body); a.status != 403 || a.body["customer_id"] != 1.0 {
		t.Errorf("meanwhile, without a key: %d %s", a.status, a.raw)
	}
	wg.Wait()
	if d := time.Since(began); first.status != 201 || d < 5*time.Second {
		t.Errorf("%d after %v", first.status, d)
	}
	began = time.Now()
	if a := b.create(t, body, "Idempotency-Key", "k"); a.status != 201 || a.header.Get("Idempotency-Replayed") != "true" || time.Since(began) > 4*time.Second {
		t.Errorf("afterwards: %d after %v", a.status, time.Since(began))
	}
}

// TestSandboxJourney has a customer follow the link of an e-mail that is in memory.
func TestSandboxJourney(t *testing.T) {
	t.Parallel()
	l := setupLive(t, inSandbox)
	l.create(t, object("email", "ana@example.com", "first_name", "Ana")).want(t, 201)
	var id string
	waitFor(t, "the e-mail is in the mailbox", func() bool {
		found := regexp.MustCompile(`href="/dev/mail/([0-9a-f-]{36})"`).FindStringSubmatch(l.do(t, http.MethodGet, l.root+"/dev/mail", "").raw)
		if found != nil {
			id = found[1]
		}
		return found != nil
	})
	page := l.do(t, http.MethodGet, l.root+"/dev/mail/"+id, "").raw
	link := regexp.MustCompile(`(http[^\s"#]+)#token=([\w-]+)`).FindStringSubmatch(page)
	if link == nil || !strings.HasSuffix(link[1], "/set-password") {
		t.Fatalf("no link in\n%s", page)
	}
	u := l.browser()
	u.post(t, "/invitation/accept", object("token", link[2], "password", passphrase)).want(t, 200)
	u.logIn(t, "ana@example.com", passphrase).want(t, 200)
	u.get(t, "/me").want(t, 200)
	if log := l.log.String(); !strings.Contains(log, "sandbox=true") || strings.Contains(log, "ana@") || strings.Contains(log, link[2]) {
		t.Errorf("the log:\n%s", log)
	}
	if entries, err := os.ReadDir("."); err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), "escrow") }) {
		t.Errorf("it left something: %v, %v", entries, err)
	}
}

// TestSandboxForgets runs a sandbox that may keep little: the oldest customers go
// by themselves, their ids are no longer known and their addresses free.
func TestSandboxForgets(t *testing.T) {
	t.Parallel()
	l := setupLive(t, inSandbox, func(c *impl.Config) { impl.ForgetAtForTest(c, 400<<10) })
	email := func(i int) string { return fmt.Sprintf("ana.%d@example.com", i) }
	last := 0
	waitFor(t, "the first customer is forgotten", func() bool {
		last++
		l.create(t, object("email", email(last)), "Idempotency-Key", fmt.Sprint(last)).want(t, 201)
		return last%50 == 0 && l.get(t, 1).status == 404
	})
	l.get(t, 1).want(t, 404, "customer_not_found")
	l.get(t, last).want(t, 200)
	if again := l.create(t, object("email", email(1)), "Idempotency-Key", "1").want(t, 201); again.body["id"] != float64(last+1) {
		t.Errorf("the first customer, again: %s", again.raw)
	}
	l.create(t, object("email", email(last))).want(t, 403, "email_already_in_use")
	if !strings.Contains(l.log.String(), "the sandbox was full") {
		t.Error("the log does not say so")
	}
}

// TestSandboxConfig checks what goes together.
func TestSandboxConfig(t *testing.T) {
	t.Parallel()
	const key = "cex_test_0123456789abcdef"
	for want, edit := range map[string]func(*impl.Config){
		"":                 func(*impl.Config) {},
		"data folder":      func(c *impl.Config) { c.Data = "./data" },
		"keyset":           func(c *impl.Config) { c.Keyset = "keyset.json" },
		"mail server":      func(c *impl.Config) { c.SMTPURL = "smtp://localhost:25?tls=none" },
		"password of":      func(c *impl.Config) { c.SMTPPassword = "secret" },
		"this is no sandb": func(c *impl.Config) { c.Sandbox, c.Data, c.SandboxKey = false, "./data", key },
		"want cex_test_":   func(c *impl.Config) { c.SandboxKey = "cex_live_0123456789abcdef" },
	} {
		c := impl.DefaultConfig()
		inSandbox(&c)
		edit(&c)
		if err := c.Validate(); (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "0123456789abcdef")) {
			t.Errorf("%q: %v", want, err)
		}
	}
	b := setup(t, inSandbox, func(c *impl.Config) { c.SandboxKey = key })
	if a := b.get(t, 1, "Authorization", "Bearer "+key); b.key != key || a.status != 404 {
		t.Errorf("with the key that was set: %s, %d", b.key, a.status)
	}
	made := setup(t, inSandbox)
	if !strings.HasPrefix(made.key, "cex_test_") {
		t.Errorf("it made a key that begins with %.9s", made.key)
	}
	for _, in := range []*bundle{made, setup(t)} {
		if a := in.get(t, 1, "Authorization", "Bearer "+key); a.status != 401 {
			t.Errorf("with the key of another sandbox: %d", a.status)
		}
	}
}

// TestSandboxDocumented holds the contract's table of addresses to the one that is
// in use.
func TestSandboxDocumented(t *testing.T) {
	t.Parallel()
	var want []string
	for _, a := range failures() {
		want = append(want, fmt.Sprintf("| `%s` | %d | `%s` |", a, a.Status, a.Code))
	}
	got := regexp.MustCompile("(?m)^ *(\\| `[a-z_]+@"+regexp.QuoteMeta(sandbox.Domain)+"` .*\\|)$").FindAllStringSubmatch(string(spec.YAML), -1)
	var rows []string
	for _, row := range got {
		rows = append(rows, row[1])
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("the contract's description (-want +got)\n%s", diff)
	}
	guide, err := os.ReadFile("internal/docs/guides/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range sandbox.Addresses() {
		name, _, _ := strings.Cut(a.String(), "@")
		row := fmt.Sprintf("\n| `%s` | %d", name, a.Status)
		if a.Code != "" {
			row += fmt.Sprintf(" [`%s`](problem:%[1]s)", a.Code)
		}
		if !strings.Contains(string(guide), row) {
			t.Errorf("the guide has no row %q", row)
		}
		if a.Code == "" && !strings.Contains(string(spec.YAML), fmt.Sprintf("`%s` is created at once and answered after %d seconds", a, a.Delay/time.Second)) {
			t.Errorf("the contract's description does not say what %s does", a)
		}
	}
}
