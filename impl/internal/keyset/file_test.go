package keyset_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/keyset"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	return must(os.ReadFile(path))(t)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// secrets are the key values in the text of a file, and the keys themselves.
func secrets(t *testing.T, data []byte) []string {
	t.Helper()
	var out []string
	for _, match := range regexp.MustCompile(`"value":\s*"([^"]+)"`).FindAllSubmatch(data, -1) {
		out = append(out, string(match[1]), string(match[1][8:20]))
	}
	if len(out) == 0 {
		t.Fatal("the file has no keys")
	}
	return out
}

// TestOldFile reads what the first version of this package wrote. What is stored
// depends on it: if this fails, the file needs a new version.
func TestOldFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyset.json")
	write(t, path, read(t, "testdata/v1.json"))
	var want struct{ Ciphertext, Plaintext, Token string }
	if err := json.Unmarshal(read(t, "testdata/v1.want.json"), &want); err != nil {
		t.Fatal(err)
	}
	k := must(keyset.Open(path))(t)
	ciphertext := must(hex.DecodeString(want.Ciphertext))(t)
	if got := must(k.Decrypt(ciphertext, place))(t); string(got) != want.Plaintext {
		t.Errorf("got %q, want %q", got, want.Plaintext)
	}
	if got := hex.EncodeToString(must(k.DeriveToken(k.PrimaryPRF(), "confirm", "message 1"))(t)); got != want.Token {
		t.Errorf("got %s, want %s", got, want.Token)
	}
}

func TestFileMode(t *testing.T) {
	t.Parallel()
	_, path := create(t)
	// What a process that was killed left must not give its mode to the next file.
	if err := os.WriteFile(path+".tmp", []byte("left"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"created", "rotated"} {
		if info := must(os.Stat(path))(t); info.Mode() != 0o600 {
			t.Errorf("%s: mode %v", step, info.Mode())
		}
		must(keyset.Rotate(path))(t)
	}
	entries := must(os.ReadDir(filepath.Dir(path)))(t)
	if len(entries) != 2 { // the file and its lock
		t.Errorf("the folder has %v", entries)
	}
}

func TestCreateOverwritesNothing(t *testing.T) {
	t.Parallel()
	_, path := create(t)
	before := read(t, path)
	if _, err := keyset.Create(path); !errors.Is(err, keyset.ErrExists) || !strings.Contains(err.Error(), path) {
		t.Errorf("create again: %v", err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the file was overwritten")
	}
	if _, err := os.Stat(path + ".tmp"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("temporary file: %v", err)
	}
	if _, err := keyset.Create(filepath.Join(t.TempDir(), "no folder", "keyset.json")); err == nil {
		t.Error("made a file in no folder")
	}
}

// TestUnusableFile has files that cannot be opened, and that a running service
// does not take over.
func TestUnusableFile(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			data := read(t, path)
			if changed := bytes.Replace(data, []byte(old), []byte(with), 1); !bytes.Equal(changed, data) {
				write(t, path, changed)
				return
			}
			t.Errorf("the file has no %s", old)
		}
	}
	tests := map[string]struct {
		spoil func(t *testing.T, path string)
		want  error
		says  string
	}{
		"missing":      {func(_ *testing.T, path string) { _ = os.Remove(path) }, keyset.ErrMissing, "restore it"},
		"empty":        {func(t *testing.T, path string) { write(t, path, nil) }, keyset.ErrDamaged, "restore it"},
		"half":         {func(t *testing.T, path string) { d := read(t, path); write(t, path, d[:len(d)/2]) }, keyset.ErrDamaged, "restore it"},
		"no JSON":      {replace(`"value": "`, `"value": `), keyset.ErrDamaged, "restore it"},
		"no base64":    {replace(`"value": "`, `"value": "!`), keyset.ErrDamaged, "restore it"},
		"changed key":  {replace(`"value": "`, `"value": "AAAA`), keyset.ErrDamaged, "restore it"},
		"changed type": {replace(`AesGcmKey`, `AesSivKey`), keyset.ErrDamaged, "restore it"},
		"no version":   {replace(`"version"`, `"verfion"`), keyset.ErrDamaged, "restore it"},
		"new version":  {replace(`"version": 1`, `"version": 2`), keyset.ErrVersion, "version 2"},
		"too large":    {func(t *testing.T, path string) { write(t, path, bytes.Repeat([]byte(" "), 2<<20)) }, keyset.ErrDamaged, "restore it"},
		"folder": {func(t *testing.T, path string) {
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Error(err)
			}
		}, keyset.ErrDamaged, "restore it"},
		"group reads": {func(_ *testing.T, path string) { _ = os.Chmod(path, 0o640) }, keyset.ErrPermissions, "chmod 600"},
		"all read":    {func(_ *testing.T, path string) { _ = os.Chmod(path, 0o604) }, keyset.ErrPermissions, "chmod 600"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			running, path := create(t)
			ciphertext := must(running.Encrypt([]byte("secret"), place))(t)
			good := read(t, path)
			test.spoil(t, path)

			_, open := keyset.Open(path)
			_, rotate := keyset.Rotate(path)
			for operation, err := range map[string]error{"open": open, "rotate": rotate, "check": running.Check()} {
				if !errors.Is(err, test.want) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: %v", operation, err)
				}
				for _, secret := range secrets(t, good) {
					if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
						t.Errorf("%s tells a key", operation)
					}
				}
			}
			more := must(running.Encrypt([]byte("more"), place))(t)
			if len(running.KeyIDs()) != 2 {
				t.Errorf("keys %v", running.KeyIDs())
			}
			_, _ = running.Decrypt([]byte{1, 9, 9, 9, 9}, place) // asks the file for a key
			if _, err := running.DeriveToken(running.PrimaryPRF(), "p", "i"); err != nil {
				t.Error(err)
			}

			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			write(t, path, good)
			reopened := must(keyset.Open(path))(t)
			must(reopened.Decrypt(ciphertext, place))(t)
			must(reopened.Decrypt(more, place))(t)
			if err := running.Check(); err != nil {
				t.Errorf("restored: %v", err)
			}
		})
	}
}

// TestOldCopy puts an old copy of the file back while a service runs.
func TestOldCopy(t *testing.T) {
	t.Parallel()
	running, path := create(t)
	old := read(t, path)
	must(keyset.Rotate(path))(t)
	recent := must(running.Encrypt([]byte("secret"), place))(t)
	primary := running.PrimaryAEAD()
	write(t, path, old)
	must(running.Encrypt([]byte("more"), place))(t)
	if running.PrimaryAEAD() != primary {
		t.Error("the old copy was taken over")
	}
	must(running.Decrypt(recent, place))(t)
	if err := running.Check(); !errors.Is(err, keyset.ErrStale) || !strings.Contains(err.Error(), path) {
		t.Errorf("check: %v", err)
	}
}

func TestHidesSecrets(t *testing.T) {
	t.Parallel()
	k, path := create(t)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("keys", slog.Any("keys", k))
	text := fmt.Sprintf("%v %+v %#v %s %q %x %v", k, k, k, k, k, k, struct{ K *keyset.Keyset }{k}) + logged.String()
	for _, secret := range secrets(t, read(t, path)) {
		if strings.Contains(text, secret) {
			t.Errorf("a key is in %s", text)
		}
	}
	if want := "keyset(" + path + ")"; k.String() != want || k.GoString() != want || !strings.Contains(logged.String(), want) {
		t.Errorf("got %s, and logged %s", k, &logged)
	}
	ciphertext := must(k.Encrypt([]byte("plaintext"), place))(t)
	ciphertext[10] ^= 1
	if _, err := k.Decrypt(ciphertext, place); err == nil || strings.Contains(err.Error(), "plaintext") {
		t.Errorf("decrypt: %v", err)
	}
}

// FuzzOpen opens files with anything in them: they are refused or usable.
func FuzzOpen(f *testing.F) {
	good, err := os.ReadFile("testdata/v1.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(good), "", "{}", "null", `{"version":1}`, `{"version":1,"aead":{},"prf":{},"sha256":""}`, `{"version":null}`, `{"version":1e9}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "keyset.json")
		write(t, path, data)
		k, err := keyset.Open(path)
		if err != nil {
			if !errors.Is(err, keyset.ErrDamaged) && !errors.Is(err, keyset.ErrVersion) {
				t.Error(err)
			}
			return
		}
		must(k.Decrypt(must(k.Encrypt([]byte("secret"), place))(t), place))(t)
		must(k.DeriveToken(k.PrimaryPRF(), "p", "i"))(t)
	})
}
