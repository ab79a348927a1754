package keyset

import (
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	// tokenSize is the size of a token in bytes, all that HMAC-SHA256 gives.
	tokenSize = 32
	// tinkPrefix is the first byte of what Tink encrypts; the key's ID follows,
	// in 4 bytes, the highest first.
	// https://developers.google.com/tink/wire-format#tink_output_prefix
	tinkPrefix, tinkPrefixSize = 1, 5
)

// AssociatedData is where a secret is kept. A secret can be decrypted only with
// that with which it was encrypted. All are needed.
type AssociatedData struct {
	Table, Column string
	Row           string // the row's key, which must never change
}

// Encrypt encrypts a secret with the primary key. It returns [ErrIncomplete] if
// a part of ad is empty.
func (k *Keyset) Encrypt(plaintext []byte, ad AssociatedData) ([]byte, error) {
	bound, err := bind("secret", ad.Table, ad.Column, ad.Row)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	ciphertext, err := k.refresh().aead.Encrypt(plaintext, bound)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return ciphertext, nil
}

// Decrypt gives what was encrypted, by whichever key, or returns [ErrDecrypt]
// or [ErrIncomplete].
func (k *Keyset) Decrypt(ciphertext []byte, ad AssociatedData) ([]byte, error) {
	bound, err := bind("secret", ad.Table, ad.Column, ad.Row)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	id, ok := k.EncryptedWith(ciphertext)
	if !ok {
		return nil, ErrDecrypt
	}
	s := k.current.Load()
	if !slices.Contains(s.aeadIDs, id) {
		s = k.refresh()
	}
	if !slices.Contains(s.aeadIDs, id) {
		return nil, fmt.Errorf("%w: %w %d", ErrDecrypt, ErrUnknownKey, id)
	}
	plaintext, err := s.aead.Decrypt(ciphertext, bound)
	if err != nil {
		return nil, ErrDecrypt // Tink's error says no more
	}
	return plaintext, nil
}

// EncryptedWith tells the ID of the key with which something was encrypted,
// whether or not the key is here. It is false for what [Keyset.Encrypt] cannot
// have made. It proves nothing; [Keyset.Decrypt] does.
func (*Keyset) EncryptedWith(ciphertext []byte) (keyID uint32, ok bool) {
	if len(ciphertext) < tinkPrefixSize || ciphertext[0] != tinkPrefix {
		return 0, false
	}
	return binary.BigEndian.Uint32(ciphertext[1:tinkPrefixSize]), true
}

// DeriveToken derives 32 bytes from a key of the PRF, see [Keyset.PrimaryPRF].
// They are the same whenever key, purpose and id are, and without the key they
// are random. A purpose is what the token is good for, so that one of another
// kind with the same id is another. It returns [ErrUnknownKey], or
// [ErrIncomplete] if purpose or id is empty.
func (k *Keyset) DeriveToken(keyID uint32, purpose, id string) ([]byte, error) {
	bound, err := bind("token", purpose, id)
	if err != nil {
		return nil, fmt.Errorf("derive token: %w", err)
	}
	p, ok := k.current.Load().prfs.PRFs[keyID]
	if !ok {
		p, ok = k.refresh().prfs.PRFs[keyID]
	}
	if !ok {
		return nil, fmt.Errorf("derive token: %w %d", ErrUnknownKey, keyID)
	}
	token, err := p.ComputePRF(bound, tokenSize)
	if err != nil {
		return nil, fmt.Errorf("derive token: %w", err)
	}
	return token, nil
}

// PrimaryAEAD is the ID of the key that encrypts.
func (k *Keyset) PrimaryAEAD() uint32 { return k.refresh().primaryAEAD }

// PrimaryPRF is the ID of the key to derive new tokens from. It is kept with
// what the token is for.
func (k *Keyset) PrimaryPRF() uint32 { return k.refresh().prfs.PrimaryID }

// KeyIDs lists the IDs of all keys in ascending order, both kinds together. No
// two keys of one file have the same.
func (k *Keyset) KeyIDs() []uint32 { return slices.Clone(k.refresh().ids) }

// bind writes each part after its length, so that no two lists of parts give
// the same bytes. What is stored depends on this; it must not change.
func bind(parts ...string) ([]byte, error) {
	var out []byte
	for _, part := range parts {
		if part == "" {
			return nil, ErrIncomplete
		}
		out = binary.BigEndian.AppendUint64(out, uint64(len(part)))
		out = append(out, part...)
	}
	return out, nil
}
