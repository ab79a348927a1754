package keyset_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/keyset"
)

var place = keyset.AssociatedData{Table: "totp", Column: "secret", Row: "7"}

func create(t *testing.T) (*keyset.Keyset, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyset.json")
	return must(keyset.Create(path))(t), path
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	k, path := create(t)
	for _, plaintext := range []string{"", "x", "a secret \x00 of some length"} {
		ciphertext := must(k.Encrypt([]byte(plaintext), place))(t)
		again := must(k.Encrypt([]byte(plaintext), place))(t)
		if bytes.Equal(ciphertext, again) {
			t.Error("the same secret gives the same ciphertext")
		}
		if id, ok := k.EncryptedWith(ciphertext); !ok || id != k.PrimaryAEAD() {
			t.Errorf("encrypted with %d %v, want %d", id, ok, k.PrimaryAEAD())
		}
		reopened := must(keyset.Open(path))(t)
		if got := must(reopened.Decrypt(ciphertext, place))(t); string(got) != plaintext {
			t.Errorf("got %q, want %q", got, plaintext)
		}
	}
}

// TestInMemory checks that keys without a file do all that the others do, and are
// nobody else's.
func TestInMemory(t *testing.T) {
	t.Parallel()
	k, err := keyset.InMemory()
	if err != nil {
		t.Fatal(err)
	}
	other, err := keyset.InMemory()
	if err != nil {
		t.Fatal(err)
	}
	place := keyset.AssociatedData{Table: "t", Column: "c", Row: "1"}
	ciphertext, err := k.Encrypt([]byte("secret"), place)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Decrypt(ciphertext, place); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := other.Decrypt(ciphertext, place); !errors.Is(err, keyset.ErrDecrypt) {
		t.Errorf("with other keys: %v", err)
	}
	if token, err := k.DeriveToken(k.PrimaryPRF(), "link", "1"); err != nil || len(token) != 32 {
		t.Errorf("%d bytes, %v", len(token), err)
	}
	if _, err := k.DeriveToken(k.PrimaryPRF()+1, "link", "1"); !errors.Is(err, keyset.ErrUnknownKey) {
		t.Errorf("an unknown key: %v", err)
	}
	if err := k.Check(); err != nil || len(k.KeyIDs()) != 2 || fmt.Sprintf("%v %#v", k, k) != "keyset(in memory) keyset(in memory)" {
		t.Errorf("%v, %v, %v", err, k.KeyIDs(), k)
	}
}

func TestBinding(t *testing.T) {
	t.Parallel()
	k, _ := create(t)
	ciphertext := must(k.Encrypt([]byte("secret"), place))(t)
	tests := map[string]keyset.AssociatedData{
		"row":           {Table: "totp", Column: "secret", Row: "8"},
		"column":        {Table: "totp", Column: "other", Row: "7"},
		"table":         {Table: "bank", Column: "secret", Row: "7"},
		"swapped":       {Table: "secret", Column: "totp", Row: "7"},
		"moved border":  {Table: "totps", Column: "ecret", Row: "7"},
		"moved border2": {Table: "totp", Column: "secret7", Row: "\x00"},
	}
	for name, ad := range tests {
		if got, err := k.Decrypt(ciphertext, ad); !errors.Is(err, keyset.ErrDecrypt) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for _, ad := range []keyset.AssociatedData{{}, {Table: "t", Column: "c"}, {Table: "t", Row: "r"}, {Column: "c", Row: "r"}} {
		if _, err := k.Encrypt(nil, ad); !errors.Is(err, keyset.ErrIncomplete) {
			t.Errorf("encrypt with %+v: %v", ad, err)
		}
		if _, err := k.Decrypt(ciphertext, ad); !errors.Is(err, keyset.ErrIncomplete) {
			t.Errorf("decrypt with %+v: %v", ad, err)
		}
	}
}

func TestTampering(t *testing.T) {
	t.Parallel()
	k, _ := create(t)
	ciphertext := must(k.Encrypt([]byte("secret"), place))(t)
	for n := range ciphertext {
		if _, err := k.Decrypt(ciphertext[:n], place); !errors.Is(err, keyset.ErrDecrypt) {
			t.Errorf("first %d bytes: %v", n, err)
		}
		for bit := range 8 {
			changed := slices.Clone(ciphertext)
			changed[n] ^= 1 << bit
			if _, err := k.Decrypt(changed, place); !errors.Is(err, keyset.ErrDecrypt) {
				t.Errorf("bit %d of byte %d: %v", bit, n, err)
			}
		}
	}
	if _, err := k.Decrypt(append(slices.Clone(ciphertext), 0), place); !errors.Is(err, keyset.ErrDecrypt) {
		t.Errorf("a byte more: %v", err)
	}
	other, _ := create(t)
	_, err := other.Decrypt(ciphertext, place)
	if !errors.Is(err, keyset.ErrDecrypt) || !errors.Is(err, keyset.ErrUnknownKey) {
		t.Errorf("ciphertext of another keyset: %v", err)
	}
	for _, foreign := range [][]byte{nil, {1}, {0, 1, 2, 3, 4, 5}} {
		if id, ok := k.EncryptedWith(foreign); ok {
			t.Errorf("%x is encrypted with %d", foreign, id)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	k, path := create(t)
	key := k.PrimaryPRF()
	token := must(k.DeriveToken(key, "confirm", "message 1"))(t)
	if len(token) != 32 {
		t.Errorf("a token has %d bytes", len(token))
	}
	rotated := must(keyset.Rotate(path))(t)
	for name, same := range map[string]*keyset.Keyset{"again": k, "rotated": rotated, "reopened": must(keyset.Open(path))(t)} {
		if got := must(same.DeriveToken(key, "confirm", "message 1"))(t); !bytes.Equal(got, token) {
			t.Errorf("%s: another token", name)
		}
	}
	seen := map[string]string{string(token): "confirm, message 1"}
	for _, in := range [][2]string{
		{"reset", "message 1"}, {"confirm", "message 2"}, {"message 1", "confirm"},
		{"confirmm", "essage 1"}, {"confir", "mmessage 1"}, {"confirm\x00", "message 1"}, {"confirm", "\x00message 1"},
	} {
		got := string(must(k.DeriveToken(key, in[0], in[1]))(t))
		if earlier, double := seen[got]; double {
			t.Errorf("%q has the token of %q", in, earlier)
		}
		seen[got] = in[0] + ", " + in[1]
	}
	if other := must(rotated.DeriveToken(rotated.PrimaryPRF(), "confirm", "message 1"))(t); bytes.Equal(other, token) {
		t.Error("two keys give one token")
	}
	if _, err := k.DeriveToken(k.PrimaryAEAD(), "confirm", "message 1"); !errors.Is(err, keyset.ErrUnknownKey) {
		t.Errorf("a key of the other kind: %v", err)
	}
	for _, in := range [][2]string{{"", "x"}, {"x", ""}} {
		if _, err := k.DeriveToken(key, in[0], in[1]); !errors.Is(err, keyset.ErrIncomplete) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// TestRotate rotates by one instance while another runs.
func TestRotate(t *testing.T) {
	t.Parallel()
	running, path := create(t)
	reading := must(keyset.Open(path))(t)
	before := running.KeyIDs()
	old, oldKey := must(running.Encrypt([]byte("old"), place))(t), running.PrimaryAEAD()
	must(keyset.Rotate(path))(t)

	// Encryption notices by itself.
	recent := must(running.Encrypt([]byte("new"), place))(t)
	if id, _ := running.EncryptedWith(recent); id == oldKey || id != running.PrimaryAEAD() {
		t.Errorf("encrypted with %d, and the old key is %d", id, oldKey)
	}
	if got := must(running.Decrypt(old, place))(t); string(got) != "old" {
		t.Errorf("got %q", got)
	}
	// Decryption, and derivation, notice when they meet a new key.
	if got := must(reading.Decrypt(recent, place))(t); string(got) != "new" {
		t.Errorf("got %q", got)
	}
	must(keyset.Rotate(path))(t)
	fresh := must(keyset.Open(path))(t)
	if got, want := must(reading.DeriveToken(fresh.PrimaryPRF(), "p", "i"))(t), must(fresh.DeriveToken(fresh.PrimaryPRF(), "p", "i"))(t); !bytes.Equal(got, want) {
		t.Error("another token")
	}
	after := running.KeyIDs()
	if len(before) != 2 || len(after) != 6 || !slices.IsSorted(after) || len(slices.Compact(slices.Clone(after))) != 6 {
		t.Errorf("keys %v, then %v", before, after)
	}
	for _, id := range before {
		if !slices.Contains(after, id) {
			t.Errorf("key %d is gone", id)
		}
	}
}

func TestRotateTogether(t *testing.T) {
	t.Parallel()
	k, path := create(t)
	const operators = 8
	primaries := make([]uint32, operators)
	var wg sync.WaitGroup
	for i := range operators {
		wg.Go(func() {
			rotated, err := keyset.Rotate(path)
			if err != nil {
				t.Error(err)
				return
			}
			primaries[i] = rotated.PrimaryAEAD()
		})
	}
	wg.Wait()
	if got := len(k.KeyIDs()); got != 2*(operators+1) {
		t.Errorf("%d keys, want %d", got, 2*(operators+1))
	}
	for _, id := range primaries {
		if !slices.Contains(k.KeyIDs(), id) {
			t.Errorf("key %d is lost", id)
		}
	}
}

// TestConcurrentUse encrypts in one instance and decrypts in another while keys
// are rotated.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	writer, path := create(t)
	reader := must(keyset.Open(path))(t)
	key := writer.PrimaryPRF()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				ciphertext, err := writer.Encrypt([]byte("secret"), place)
				if err != nil {
					t.Error(err)
				}
				if got, err := reader.Decrypt(ciphertext, place); err != nil || string(got) != "secret" {
					t.Errorf("got %q, %v", got, err)
				}
				for _, id := range []uint32{key, writer.PrimaryPRF()} {
					if _, err := reader.DeriveToken(id, "p", "i"); err != nil {
						t.Error(err)
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range 20 {
		if _, err := keyset.Rotate(path); err != nil {
			t.Error(err)
		}
		if err := reader.Check(); err != nil {
			t.Error(err)
		}
	}
	close(done)
	wg.Wait()
	if got := len(writer.KeyIDs()); got != 42 {
		t.Errorf("%d keys, want 42", got)
	}
}

// TestLinkedFile rotates a file that the path is a link to.
func TestLinkedFile(t *testing.T) {
	t.Parallel()
	_, file := create(t)
	link := filepath.Join(t.TempDir(), "keyset.json")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	running := must(keyset.Open(link))(t)
	rotated := must(keyset.Rotate(link))(t)
	if direct := must(keyset.Open(file))(t); direct.PrimaryAEAD() != rotated.PrimaryAEAD() || running.PrimaryAEAD() != rotated.PrimaryAEAD() {
		t.Error("the link was replaced, and not the file")
	}
}
