package partner_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

func setup(t *testing.T) (*partner.Service, string) {
	t.Helper()
	folder := t.TempDir()
	db, err := sqlite.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return partner.NewService(db, time.Now), folder
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s, folder := setup(t)
	p, first, err := s.CreatePartner(t.Context(), "Shop")
	if err != nil {
		t.Fatal(err)
	}
	key, second, err := s.CreateKey(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []partner.Secret{first, second} {
		text := secret.Reveal()
		// 26 characters of base32 have 130 bits.
		if !strings.HasPrefix(text, "cex_live_") || len(text) < len("cex_live_")+26 {
			t.Errorf("a key of %d characters", len(text))
		}
		if found, err := s.Authenticate(t.Context(), text); err != nil || found.PartnerID != p.ID || !strings.HasSuffix(text, found.Last4) {
			t.Errorf("%+v, %v", found, err)
		}
	}
	if first == second {
		t.Error("two keys are the same")
	}
	if err := s.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), second.Reveal()); !errors.Is(err, partner.ErrUnauthenticated) {
		t.Errorf("a revoked key: %v", err)
	}
	if _, err := s.Authenticate(t.Context(), first.Reveal()); err != nil {
		t.Errorf("the other key: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []partner.Secret{first, second} {
			if strings.Contains(string(content), strings.TrimPrefix(secret.Reveal(), "cex_live_")) {
				t.Errorf("%s holds a key", filepath.Base(name))
			}
		}
	}
}

func TestAuthenticateRefuses(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	_, secret, err := s.CreatePartner(t.Context(), "Shop")
	if err != nil {
		t.Fatal(err)
	}
	text := secret.Reveal()
	for name, presented := range map[string]string{
		"empty": "", "prefix": "cex_live_", "cut": text[:len(text)-1], "longer": text + "A", "lower case": strings.ToLower(text),
		"no prefix": strings.TrimPrefix(text, "cex_live_"), "very long": "cex_live_" + strings.Repeat("A", 1<<20), "NUL": text + "\x00",
	} {
		if _, err := s.Authenticate(t.Context(), presented); !errors.Is(err, partner.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretHidesItself(t *testing.T) {
	t.Parallel()
	secret := partner.Secret("cex_live_ABCDEFGHIJ")
	for _, verb := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		if got := fmt.Sprintf(verb, secret); strings.Contains(got, "ABC") {
			t.Errorf("%s prints %s", verb, got)
		}
		if got := fmt.Sprintf(verb, struct{ S partner.Secret }{secret}); strings.Contains(got, "ABC") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestCreateFirstPartner(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	p, secret, created, err := s.CreateFirstPartner(t.Context(), "First")
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	if key, err := s.Authenticate(t.Context(), secret.Reveal()); err != nil || key.PartnerID != p.ID {
		t.Errorf("%+v, %v", key, err)
	}
	if _, secret, created, err = s.CreateFirstPartner(t.Context(), "Second"); err != nil || created || secret != "" {
		t.Errorf("a second time: created %v, %v", created, err)
	}
}

// TestSandboxKeys checks that keys of sandboxes and others are no good for each
// other, and what a key may be that somebody chose.
func TestSandboxKeys(t *testing.T) {
	t.Parallel()
	db, err := sqlite.OpenMemory(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	live := partner.NewService(db, time.Now)
	const chosen partner.Secret = "cex_test_our_team-0123456789"
	sandbox := partner.NewSandbox(db, time.Now, chosen)
	_, first, created, err := sandbox.CreateFirstPartner(t.Context(), "Shop")
	if err != nil || !created || first != chosen {
		t.Fatalf("%v, %v, %v", first, created, err)
	}
	p, made, err := sandbox.CreatePartner(t.Context(), "Other")
	if err != nil || !strings.HasPrefix(made.Reveal(), "cex_test_") || partner.CheckSandboxKey(made) != nil {
		t.Errorf("%v, %v", made, err)
	}
	_, other, err := live.CreateKey(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for secret, by := range map[partner.Secret]map[*partner.Service]error{
		chosen: {sandbox: nil, live: partner.ErrUnauthenticated},
		made:   {sandbox: nil, live: partner.ErrUnauthenticated},
		other:  {sandbox: partner.ErrUnauthenticated, live: nil},
	} {
		for service, want := range by {
			if _, err := service.Authenticate(t.Context(), secret.Reveal()); !errors.Is(err, want) {
				t.Errorf("%v: %v, want %v", secret, err, want)
			}
		}
	}
	if got := fmt.Sprint(chosen); got != "cex_test_..." {
		t.Errorf("it prints %s", got)
	}
	for key, good := range map[partner.Secret]bool{
		"": false, "cex_test_": false, "cex_test_0123456789abcde": false, "cex_test_0123456789abcdef": true, "cex_live_0123456789abcdef": false,
		"cex_test_0123456789abcde ": false, "cex_test_0123456789abcdef\n": false, " cex_test_0123456789abcdef": false, "cex_test_0123456789abcdé": false,
		partner.Secret("cex_test_" + strings.Repeat("a", 128)): true, partner.Secret("cex_test_" + strings.Repeat("a", 129)): false,
	} {
		if err := partner.CheckSandboxKey(key); good != (err == nil) {
			t.Errorf("%q: %v", key.Reveal(), err)
		} else if err != nil && len(key) > 20 && strings.Contains(err.Error(), string(key)) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}
