package impl

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"cryptoexchange.com/escrow/impl/internal/keyset"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

// keysetFile is the name of the keyset inside the data folder.
const keysetFile = "keyset.json"

func (c *Config) keysetPath() string { return keysetPath(c.Data, c.Keyset) }

func keysetPath(data, path string) string {
	if path != "" {
		return path
	}
	return filepath.Join(data, keysetFile)
}

// openKeyset opens the keyset, or makes it for a store that depends on none. A
// store notes the keys that its data depends on, so that one which is missing
// is found at the start and not when a customer logs in.
func openKeyset(ctx context.Context, store *sqlite.DB, path string) (*keyset.Keyset, error) {
	noted, err := store.NotedKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := keyset.Open(path)
	if errors.Is(err, keyset.ErrMissing) && len(noted) == 0 {
		keys, err = keyset.Create(path)
		if errors.Is(err, keyset.ErrExists) { // another process was faster
			keys, err = keyset.Open(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	ids := keys.KeyIDs()
	for _, id := range noted {
		if !slices.Contains(ids, id) {
			return nil, fmt.Errorf("keyset: %s lacks the key %d, which data in the database is encrypted with: it is an older copy, or another service's; restore the latest", path, id)
		}
	}
	return keys, store.NoteKeys(ctx, ids, time.Now())
}

// totpCipher encrypts the secrets of second factors, bound to their rows.
type totpCipher struct{ keys *keyset.Keyset }

func (totpCipher) place(customerID int64) keyset.AssociatedData {
	return keyset.AssociatedData{Table: "credentials", Column: "totp_secret", Row: strconv.FormatInt(customerID, 10)}
}

// Encrypt implements account.Cipher.
func (c totpCipher) Encrypt(plaintext []byte, customerID int64) ([]byte, error) {
	return c.keys.Encrypt(plaintext, c.place(customerID))
}

// Decrypt implements account.Cipher.
func (c totpCipher) Decrypt(ciphertext []byte, customerID int64) ([]byte, error) {
	return c.keys.Decrypt(ciphertext, c.place(customerID))
}

// RotateKeyset adds a key to the keyset of a data folder, notes it, and encrypts
// everything anew with it. It tells how many values that were. A service that
// runs on the folder takes the key over by itself. It may be interrupted and
// begun again.
func (o *Operator) RotateKeyset(ctx context.Context, path string) (int, error) {
	path = keysetPath(o.data, path)
	// A keyset that lacks a key must not be rotated, but restored.
	if _, err := openKeyset(ctx, o.store, path); err != nil {
		return 0, err
	}
	keys, err := keyset.Rotate(path)
	if err != nil {
		return 0, fmt.Errorf("keyset: %w", err)
	}
	if err := o.store.NoteKeys(ctx, keys.KeyIDs(), time.Now()); err != nil {
		return 0, err
	}
	return o.reencrypt(ctx, keys)
}

// reencrypt encrypts anew what is not encrypted with the primary key.
func (o *Operator) reencrypt(ctx context.Context, keys *keyset.Keyset) (int, error) {
	cipher, done := totpCipher{keys}, 0
	secrets, err := o.store.Secrets(ctx)
	if err != nil {
		return 0, err
	}
	for _, s := range secrets {
		if id, ok := keys.EncryptedWith(s.Ciphertext); ok && id == keys.PrimaryAEAD() {
			continue
		}
		plaintext, err := cipher.Decrypt(s.Ciphertext, s.CustomerID)
		if err != nil {
			return done, fmt.Errorf("customer %d: %w", s.CustomerID, err)
		}
		ciphertext, err := cipher.Encrypt(plaintext, s.CustomerID)
		if err != nil {
			return done, fmt.Errorf("customer %d: %w", s.CustomerID, err)
		}
		if err := o.store.ReplaceSecret(ctx, s, ciphertext); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}
