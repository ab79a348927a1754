package impl_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl"
)

// Who has an account must not show: not in what is answered, and not in how long
// it takes. With ESCROW_CAMPAIGN=full, 2,000 pairs of a known and an unknown
// address are timed, and the best classifier by a threshold must do no better
// than an AUC of 0.55.
const maxAUC = 0.55

func enumerationPairs() (pairs int, timed bool) {
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		return 2000, true
	}
	return 50, false
}

// victim is a service on loopback that has many customers with passwords.
type victim struct {
	url    string
	client *http.Client
	known  []string
}

// newVictim starts it as escrowd does, but without limits.
func newVictim(t *testing.T, customers int) *victim {
	t.Helper()
	c := impl.DefaultConfig()
	c.Listen, c.Data, c.RateLimit, c.Limits = "127.0.0.1:0", t.TempDir(), 0, impl.Limits{}
	service, err := impl.New(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _, err := service.FirstPartner(t.Context(), "Shop")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	v := &victim{url: service.URL() + impl.APIPath, client: &http.Client{Transport: &http.Transport{MaxIdleConns: 1}}}
	t.Cleanup(func() {
		v.client.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range customers {
		email := address(i)
		if a := v.post(t, "/partner/customers", object("email", email), "Bearer "+secret.Reveal()); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		v.known = append(v.known, email)
	}
	setPasswords(t, filepath.Join(c.Data, "escrow.db"), v, customers)
	return v
}

// address makes addresses of which nobody can tell those that are known.
func address(i int) string { return fmt.Sprintf("person%08x@example.com", uint32(i)*2654435761) }

// setPasswords lets the first customer set a password, and gives all others its
// hash: that takes a minute less than two thousand hashes.
func setPasswords(t *testing.T, path string, v *victim, customers int) {
	t.Helper()
	mails := filepath.Join(filepath.Dir(path), "mail", "*.eml")
	var token string
	waitFor(t, "all invitations", func() bool {
		paths, err := filepath.Glob(mails)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(paths)
		if len(paths) < customers {
			return false
		}
		token = readLetter(t, paths[0]).token
		return true
	})
	if a := v.post(t, "/customer/invitation/accept", object("token", token, "password", passphrase), ""); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const copyHash = `
INSERT INTO credentials (customer_id, password_hash, password_set_at)
SELECT c.id, k.password_hash, k.password_set_at FROM customers c, credentials k WHERE c.id != k.customer_id`
	if _, err := db.ExecContext(t.Context(), copyHash); err != nil {
		t.Fatal(err)
	}
}

// post sends a body, one after the other on the same connection.
func (v *victim) post(t *testing.T, path, body, authorization string) *answer {
	t.Helper()
	a, _ := v.timed(t, path, body, authorization)
	return a
}

// timed also tells the time until the last byte of the answer.
func (v *victim) timed(t *testing.T, path, body, authorization string) (*answer, time.Duration) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	began := time.Now()
	response, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(response.Body)
	took := time.Since(began)
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &answer{status: response.StatusCode, header: response.Header, raw: string(raw)}, took
}

// TestEnumeration asks for known and unknown addresses in turn, and compares the
// answers to the byte. The campaign compares the times as well.
func TestEnumeration(t *testing.T) {
	pairs, timed := enumerationPairs()
	if !timed {
		t.Parallel()
	}
	v := newVictim(t, pairs)
	ways := []struct {
		name, path string
		body       func(email string) string
		status     int
		inTime     bool
	}{
		{"login", "/customer/session", func(email string) string { return object("email", email, "password", passphrase2) }, 401, true},
		{"recovery", "/customer/password-reset", func(email string) string { return object("email", email) }, 202, true},
		{"sign-up", "/customer/sign-up", func(email string) string { return object("email", email) }, 202, false},
	}
	for n, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			times := map[bool][]float64{}
			first := ""
			for i := range pairs {
				unknownFirst := rand.IntN(2) == 0
				for _, unknown := range []bool{unknownFirst, !unknownFirst} {
					email := v.known[i]
					if unknown {
						email = address((n+1)*1_000_000 + i)
					}
					a, took := v.timed(t, way.path, way.body(email), "")
					times[!unknown] = append(times[!unknown], took.Seconds())
					got := a.anonymous()
					if first == "" {
						first = got
					}
					if got != first || a.status != way.status {
						t.Fatalf("pair %d, known %v: %d (-first +now)\n%s", i, !unknown, a.status, cmp.Diff(first, got))
					}
				}
			}
			t.Logf("%d pairs, all answers the same: %s", pairs, first)
			if !timed || !way.inTime {
				return
			}
			judge(t, times[true], times[false])
		})
	}
}

// judge prints how well times tell known from unknown addresses, and fails if
// that is better than it may be.
func judge(t *testing.T, known, unknown []float64) {
	t.Helper()
	area, low, high := auc(known, unknown)
	t.Logf("%d pairs: AUC %.4f, 95%% interval %.4f to %.4f; best classifier %.4f; medians %.3f ms known, %.3f ms unknown",
		len(known), area, low, high, max(area, 1-area), 1000*median(known), 1000*median(unknown))
	if best := max(area, 1-area); best > maxAUC {
		t.Errorf("a classifier by time has an AUC of %.4f, want %.2f at most", best, maxAUC)
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// auc gives the probability that a known address takes longer than an unknown
// one (Mann-Whitney), and its interval by DeLong's variance.
func auc(known, unknown []float64) (area, low, high float64) {
	ofKnown, ofUnknown := make([]float64, len(known)), make([]float64, len(unknown))
	for i, k := range known {
		for j, u := range unknown {
			wins := 0.0
			switch {
			case k > u:
				wins = 1
			case k == u:
				wins = 0.5
			}
			ofKnown[i] += wins / float64(len(unknown))
			ofUnknown[j] += wins / float64(len(known))
			area += wins
		}
	}
	area /= float64(len(known) * len(unknown))
	half := 1.96 * math.Sqrt(variance(ofKnown)/float64(len(known))+variance(ofUnknown)/float64(len(unknown)))
	return area, area - half, area + half
}

func variance(values []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(values)-1)
}

// TestAUC checks the judge of [TestEnumeration].
func TestAUC(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		known, unknown []float64
		want           float64
	}{
		{"apart", []float64{3, 4, 5}, []float64{0, 1, 2}, 1},
		{"the other way round", []float64{0, 1, 2}, []float64{3, 4, 5}, 0},
		{"equal", []float64{1, 1, 1}, []float64{1, 1, 1}, 0.5},
		{"in turn", []float64{1, 3}, []float64{2, 4}, 0.25},
	}
	for _, tt := range tests {
		area, low, high := auc(tt.known, tt.unknown)
		if area != tt.want || low > area || high < area {
			t.Errorf("%s: %v (%v to %v), want %v", tt.name, area, low, high, tt.want)
		}
	}
	// Of two normal distributions half a deviation apart: Φ(0.5/√2) = 0.638.
	r := rand.New(rand.NewPCG(1, 2))
	a, b := make([]float64, 2000), make([]float64, 2000)
	for i := range a {
		a[i], b[i] = r.NormFloat64()+0.5, r.NormFloat64()
	}
	if area, low, high := auc(a, b); low > 0.638 || high < 0.638 || high-low > 0.05 {
		t.Errorf("%v (%v to %v), want 0.638", area, low, high)
	}
}

// TestSameForAll checks that other states of an account are answered as unknown
// addresses are: invited, waiting for confirmation, closed, and suspended if the
// password is wrong.
func TestSameForAll(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	l.create(t, `{"email":"invited@example.com"}`).want(t, 201)
	l.browser().post(t, "/sign-up", `{"email":"waiting@example.com"}`).want(t, 202)
	l.letter(t, "waiting@example.com", 1)
	closed, _ := l.customer(t, "closed@example.com")
	closed.post(t, "/me/close", object("password", passphrase)).want(t, 204)
	factor, _ := l.customer(t, "factor@example.com")
	secret := factor.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	factor.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200)
	_, id := l.customer(t, "suspended@example.com")
	o, err := impl.NewOperator(t.Context(), l.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := o.SuspendCustomer(t.Context(), int64(id)); err != nil {
		t.Fatal(err)
	}
	bodies := map[string]func(email string) string{
		"/session":        func(email string) string { return object("email", email, "password", passphrase2, "code", "123456") },
		"/password-reset": func(email string) string { return object("email", email) },
		"/sign-up":        func(email string) string { return object("email", email, "first_name", "Mallory", "language", "es") },
	}
	for path, body := range bodies {
		want := l.browser().post(t, path, body("unknown@example.com")).anonymous()
		for _, state := range []string{"invited", "waiting", "closed", "factor", "suspended"} {
			got := l.browser().post(t, path, body(state+"@example.com")).anonymous()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s (-unknown +this)\n%s", path, state, diff)
			}
		}
	}
	// The right password of a closed account is as wrong as any.
	want := l.browser().logIn(t, "unknown@example.com", passphrase).anonymous()
	if diff := cmp.Diff(want, l.browser().logIn(t, "closed@example.com", passphrase).anonymous()); diff != "" {
		t.Errorf("closed, with its password (-unknown +this)\n%s", diff)
	}
	if strings.Contains(want, "closed") {
		t.Error(want)
	}
}
