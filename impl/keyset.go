package impl

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"cryptoexchange.com/escrow/impl/internal/disbursement"
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

// sealer encrypts what is secret at rest, bound to where it is stored.
type sealer struct{ keys *keyset.Keyset }

// placeOf says where a secret is: nothing that is encrypted for one place can be
// moved to another.
func placeOf(s sqlite.Secret) keyset.AssociatedData {
	id := strconv.FormatInt(s.CustomerID, 10)
	if s.ID == "" {
		return keyset.AssociatedData{Table: s.Table, Column: "totp_secret", Row: id}
	}
	return keyset.AssociatedData{Table: s.Table, Column: "secret", Row: id + "/" + s.ID}
}

func placeOfTOTP(customerID int64) keyset.AssociatedData {
	return placeOf(sqlite.Secret{Table: "credentials", CustomerID: customerID})
}

// Encrypt implements account.Cipher.
func (s sealer) Encrypt(plaintext []byte, customerID int64) ([]byte, error) {
	return s.keys.Encrypt(plaintext, placeOfTOTP(customerID))
}

// Decrypt implements account.Cipher.
func (s sealer) Decrypt(ciphertext []byte, customerID int64) ([]byte, error) {
	return s.keys.Decrypt(ciphertext, placeOfTOTP(customerID))
}

// Seal implements disbursement.Sealer.
func (s sealer) Seal(secrets disbursement.Secrets, customerID int64, methodID string) ([]byte, error) {
	plaintext, err := secrets.Encode()
	if err != nil {
		return nil, err
	}
	return s.keys.Encrypt(plaintext, placeOf(sqlite.Secret{Table: "disbursement_methods", CustomerID: customerID, ID: methodID}))
}

// Fingerprint implements customer.Fingerprinter: the id of the key, and what it
// makes of the digest.
func (s sealer) Fingerprint(digest []byte) ([]byte, error) {
	return s.fingerprint(s.keys.PrimaryPRF(), digest)
}

func (s sealer) fingerprint(keyID uint32, digest []byte) ([]byte, error) {
	derived, err := s.keys.DeriveToken(keyID, "idempotency", hex.EncodeToString(digest))
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(nil, keyID), derived...), nil
}

// Same implements customer.Fingerprinter.
func (s sealer) Same(fingerprint, digest []byte) bool {
	if len(fingerprint) < 4 {
		return false
	}
	again, err := s.fingerprint(binary.BigEndian.Uint32(fingerprint), digest)
	return err == nil && bytes.Equal(fingerprint, again)
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

// reencrypt encrypts anew what is not encrypted with the primary key. What cannot
// be is left as it is, and keeps nothing else from it.
func (o *Operator) reencrypt(ctx context.Context, keys *keyset.Keyset) (int, error) {
	secrets, err := o.store.Secrets(ctx)
	if err != nil {
		return 0, err
	}
	done := 0
	var failed []error
	for _, s := range secrets {
		if id, ok := keys.EncryptedWith(s.Ciphertext); ok && id == keys.PrimaryAEAD() {
			continue
		}
		if err := o.replace(ctx, keys, s); err != nil {
			failed = append(failed, fmt.Errorf("customer %d: %w", s.CustomerID, err))
			continue
		}
		done++
	}
	return done, errors.Join(failed...)
}

func (o *Operator) replace(ctx context.Context, keys *keyset.Keyset, s sqlite.Secret) error {
	plaintext, err := keys.Decrypt(s.Ciphertext, placeOf(s))
	if err != nil {
		return err
	}
	ciphertext, err := keys.Encrypt(plaintext, placeOf(s))
	if err != nil {
		return err
	}
	return o.store.ReplaceSecret(ctx, s, ciphertext)
}
