package impl_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl"
)

// startAndStop starts a service on a folder, and gives what New says.
func startAndStop(t *testing.T, c impl.Config) error {
	t.Helper()
	s, err := impl.New(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return nil
}

func folder(t *testing.T) impl.Config {
	t.Helper()
	c := impl.DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	return c
}

// texts reads a column.
func texts(t *testing.T, data, query string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "escrow.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func operatorOn(t *testing.T, data string) *impl.Operator {
	t.Helper()
	o, err := impl.OpenOperator(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// TestKeysetMade checks that the first start makes the keyset, for its owner
// only, where it is wanted; and that the next ones leave it.
func TestKeysetMade(t *testing.T) {
	t.Parallel()
	c := folder(t)
	elsewhere := folder(t)
	elsewhere.Keyset = filepath.Join(t.TempDir(), "keys")
	for path, c := range map[string]impl.Config{filepath.Join(c.Data, "keyset.json"): c, elsewhere.Keyset: elsewhere} {
		var first []byte
		for range 2 {
			if err := startAndStop(t, c); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode() != 0o600 {
				t.Fatalf("%v, %v", info, err)
			}
			content, err := os.ReadFile(path)
			if err != nil || first != nil && !slices.Equal(first, content) {
				t.Errorf("%v: the second start changed it", err)
			}
			first = content
		}
	}
	if _, err := os.Stat(filepath.Join(elsewhere.Data, "keyset.json")); !os.IsNotExist(err) {
		t.Errorf("one is in the data folder too: %v", err)
	}
}

// TestKeysetUnfit checks that a service does not start with a keyset that data
// cannot be read with, says why, and harms nothing.
func TestKeysetUnfit(t *testing.T) {
	t.Parallel()
	other := folder(t)
	if err := startAndStop(t, other); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		spoil func(t *testing.T, data, path string) error
		want  string
	}{
		{"missing", func(_ *testing.T, _, path string) error { return os.Remove(path) }, "key file is missing"},
		{"older copy", func(t *testing.T, data, path string) error {
			old, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if _, err := operatorOn(t, data).RotateKeyset(t.Context(), ""); err != nil {
				return err
			}
			return os.WriteFile(path, old, 0o600)
		}, "lacks the key"},
		{"another service's", func(_ *testing.T, _, path string) error {
			foreign, err := os.ReadFile(filepath.Join(other.Data, "keyset.json"))
			if err != nil {
				return err
			}
			return os.WriteFile(path, foreign, 0o600)
		}, "lacks the key"},
		{"open to others", func(_ *testing.T, _, path string) error { return os.Chmod(path, 0o644) }, "chmod 600"},
		{"damaged", func(_ *testing.T, _, path string) error { return os.Truncate(path, 100) }, "damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := folder(t)
			path := filepath.Join(c.Data, "keyset.json")
			if err := startAndStop(t, c); err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(t, c.Data, path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			if err := startAndStop(t, c); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) || !strings.HasPrefix(err.Error(), "keyset: ") {
				t.Errorf("start: %v, want %q about %s", err, tt.want, path)
			}
			// Nor may it be rotated: what came of it would look fit.
			if _, err := operatorOn(t, c.Data).RotateKeyset(t.Context(), ""); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("rotation: %v, want %q", err, tt.want)
			}
			if after, _ := os.ReadFile(path); !slices.Equal(before, after) {
				t.Error("the file was changed")
			}
			if _, err := os.Stat(path); tt.name == "missing" && !os.IsNotExist(err) {
				t.Errorf("another one was made: %v", err)
			}
		})
	}
}

// enrolled makes a customer who has a second factor, and gives its secret.
func (l *live) enrolled(t *testing.T, email string) string {
	t.Helper()
	u, _ := l.customer(t, email)
	secret := u.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	u.post(t, "/me/totp/confirm", object("code", l.code(t, secret))).want(t, 200)
	return secret
}

// TestKeysetRotation rotates the keyset again and again while customers log in
// with their second factor, and enable one: none of them notices, and in the end
// nothing is encrypted with an old key.
func TestKeysetRotation(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const customers, rounds = 6, 5
	secrets := make(map[string]string)
	for i := range customers {
		email := fmt.Sprintf("%d@example.com", i)
		secrets[email] = l.enrolled(t, email)
	}
	o := operatorOn(t, l.config.Data)
	const keys = `SELECT DISTINCT hex(substr(totp_secret, 1, 5)) FROM credentials`
	var seen []string
	for round := range rounds {
		l.clock.forward(time.Minute)
		var wg sync.WaitGroup
		for email, secret := range secrets {
			code := l.code(t, secret)
			wg.Go(func() {
				if a := l.browser().logIn(t, email, passphrase, code); a.status != 200 {
					t.Errorf("%s: %d %s", email, a.status, a.raw)
				}
			})
		}
		wg.Go(func() {
			n, err := o.RotateKeyset(t.Context(), "")
			if err != nil || n != len(secrets) {
				t.Errorf("encrypted %d anew, %v; want %d", n, err, len(secrets))
			}
		})
		wg.Wait()
		got := texts(t, l.config.Data, keys)
		if len(got) != 1 || slices.Contains(seen, got[0]) {
			t.Fatalf("after round %d, keys %v are in use; before, %v", round, got, seen)
		}
		seen = append(seen, got[0])
		// The service takes the new key over by itself.
		email := fmt.Sprintf("new-%d@example.com", round)
		secrets[email] = l.enrolled(t, email)
		if again := texts(t, l.config.Data, keys); !slices.Equal(again, got) {
			t.Errorf("the service encrypts with %v, want %v", again, got)
		}
	}
	if log := l.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("errors in the log:\n%s", log)
	}
	info, err := os.Stat(filepath.Join(l.config.Data, "keyset.json"))
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("%v, %v", info, err)
	}
}

// TestSwappedSecret checks that who can write to the database cannot give one
// customer the second factor of another, and that such a row keeps none of the
// others from being encrypted anew.
func TestSwappedSecret(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	victim, attacker, third := l.enrolled(t, "victim@example.com"), l.enrolled(t, "attacker@example.com"), l.enrolled(t, "third@example.com")
	corrupt(t, l.config.Data, `UPDATE credentials SET totp_secret = (SELECT totp_secret FROM credentials WHERE customer_id = 2) WHERE customer_id = 1`)
	l.clock.forward(time.Minute)
	l.browser().logIn(t, "victim@example.com", passphrase, l.code(t, attacker)).want(t, 500, "internal_error")
	l.browser().logIn(t, "victim@example.com", passphrase, l.code(t, victim)).want(t, 500, "internal_error")
	if n, err := operatorOn(t, l.config.Data).RotateKeyset(t.Context(), ""); n != 2 || err == nil || !strings.Contains(err.Error(), "customer 1: ") {
		t.Errorf("encrypted %d anew, %v; want 2, and an error about customer 1", n, err)
	}
	l.browser().logIn(t, "attacker@example.com", passphrase, l.code(t, attacker)).want(t, 200)
	l.browser().logIn(t, "third@example.com", passphrase, l.code(t, third)).want(t, 200)
}
