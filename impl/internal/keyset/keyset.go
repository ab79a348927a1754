// Package keyset holds the keys of the service, in one file that is kept apart
// from the database: who has a copy of the database, or of a backup of it, has
// the secrets in it only with this file too.
//
// # Two uses
//
// An AEAD (AES-256-GCM) encrypts secrets at rest. What is encrypted is bound to
// its table, column and row, so that who can write to the database cannot move
// a secret to where it counts for somebody else. A ciphertext begins with the
// ID of its key, see [Keyset.EncryptedWith].
//
// A PRF (HMAC-SHA256) makes the tokens of links in e-mails. The queue of
// e-mails stores a message ID and a key ID and no token; an e-mail that is sent
// again has the same link, and who reads the queue has none.
//
// Both come from Tink, which knows several keys at once: the primary one for
// what is new, and all earlier ones for what there is.
//
// # The file
//
// It is JSON: a version, Tink's JSON form of both sets, and a SHA-256 over both
// that tells a damaged file from tampered data. The keys are in it in clear. To
// encrypt them takes a further key, which would be in a file beside this one;
// what protects this one is its mode, which must be 0600 or less, and that it
// is not in the database or its backups. A form that a key management service
// encrypts can come as another version.
//
// The file is never written in place. Whoever writes it takes a lock (the path
// and ".lock") and puts a whole new file, which is on storage (fsync), in its
// place. Without the file, what it encrypted is lost: keep a copy, and a new one
// after each [Rotate]. Nothing is made here unasked; to make a new file when the
// database has data of an old one is for the caller to refuse.
//
// # Rotation
//
// [Rotate] adds a new primary key to both sets and keeps the old keys: data,
// backups and queued e-mails need them. Running services take it over without a
// restart. They look at the file's identity (inode, size, time) whenever they
// choose a key, and when they meet a key ID that they do not know. They use a
// key only when it is on storage, for else a power failure could leave data
// without its key. A file that cannot be read, or lacks a key that is in memory
// (an old copy), is not taken over: what runs keeps running, and
// [Keyset.Check] tells.
package keyset

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
)

// Errors. Those about the file name it, and say what to do.
var (
	// ErrMissing: there is no file.
	ErrMissing = errors.New("key file is missing")
	// ErrExists: there is a file already, and it is not overwritten.
	ErrExists = errors.New("key file exists already")
	// ErrDamaged: the file is not one that was written here, or not all of it.
	ErrDamaged = errors.New("key file is damaged")
	// ErrPermissions: others than the file's owner may read or change it.
	ErrPermissions = errors.New("key file is open to others")
	// ErrVersion: the file is of a version that this program does not know.
	ErrVersion = errors.New("key file has an unknown version")
	// ErrStale: the file lacks a key that is in memory.
	ErrStale = errors.New("key file lacks a key that is in use")
	// ErrUnknownKey: there is no key of this ID.
	ErrUnknownKey = errors.New("unknown key")
	// ErrDecrypt: the ciphertext was changed, or is of another table, column or
	// row, or of a key that is not here (then it is [ErrUnknownKey] too).
	ErrDecrypt = errors.New("cannot decrypt")
	// ErrIncomplete: a part of what a secret or token is bound to is empty,
	// which would bind it to less than it seems.
	ErrIncomplete = errors.New("binding is incomplete")
)

// Keyset is the keys of one file, or of none ([InMemory]). It never prints them. It is safe for
// concurrent use.
type Keyset struct {
	path    string     // empty if there is no file
	reading sync.Mutex // so that a change is read once
	current atomic.Pointer[snapshot]
}

// Open reads a file. It returns [ErrMissing], [ErrDamaged], [ErrPermissions],
// [ErrVersion], or an error of the file system.
func Open(path string) (*Keyset, error) {
	s, err := load(path)
	if err != nil {
		return nil, err
	}
	k := &Keyset{path: path}
	k.current.Store(s)
	return k, nil
}

// Create makes a file with one new key of each kind, in a folder that exists.
// It returns [ErrExists] if there is a file, and leaves it as it is.
func Create(path string) (*Keyset, error) {
	err := locked(path, func() error {
		made, err := handles{}.withNewKeys()
		if err != nil {
			return fmt.Errorf("make keys: %w", err)
		}
		return write(path, made, placeNew)
	})
	if err != nil {
		return nil, err
	}
	return Open(path)
}

// InMemory makes one new key of each kind that is in no file, and gone with the
// process: what it encrypts is for no longer than that.
func InMemory() (*Keyset, error) {
	made, err := handles{}.withNewKeys()
	if err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	s, err := newSnapshot(made, nil)
	if err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	k := &Keyset{}
	k.current.Store(s)
	return k, nil
}

// Rotate adds a new primary key of each kind to a file, and gives the keys that
// are then in it. The old keys stay. Its errors are those of [Open]; after one,
// the file has either the new keys too or only the old ones.
func Rotate(path string) (*Keyset, error) {
	// The file may be a link to where keys are kept, and it is the file that is
	// replaced, not the link. Its lock is then one as well, by whatever name.
	file, err := resolve(path)
	if err != nil {
		return nil, err
	}
	err = locked(file, func() error {
		old, err := load(file)
		if err != nil {
			return err
		}
		rotated, err := old.handles.withNewKeys()
		if err != nil {
			return fmt.Errorf("make keys: %w", err)
		}
		return write(file, rotated, os.Rename)
	})
	if err != nil {
		return nil, err
	}
	return Open(path)
}

// Check reads the file anew, and tells whether the service could start from it:
// it returns the errors of [Open], or [ErrStale]. The keys in memory stay good
// whatever it returns. Without a file there is nothing to read.
func (k *Keyset) Check() error {
	if k.path == "" {
		return nil
	}
	k.reading.Lock()
	defer k.reading.Unlock()
	return k.reload()
}

// refresh gives the keys of the file if it changed, and those in memory if it
// did not or cannot be read.
func (k *Keyset) refresh() *snapshot {
	if k.path == "" {
		return k.current.Load()
	}
	info, err := os.Stat(k.path)
	if err != nil || k.current.Load().isFrom(info) {
		return k.current.Load()
	}
	k.reading.Lock()
	defer k.reading.Unlock()
	if !k.current.Load().isFrom(info) { // else it was read while this waited
		_ = k.reload() // Check is who tells
	}
	return k.current.Load()
}

// reload takes over what is in the file. The caller has the mutex.
func (k *Keyset) reload() error {
	next, err := load(k.path)
	if err != nil {
		return err
	}
	for _, id := range k.current.Load().ids {
		if !next.has(id) {
			return fmt.Errorf("%w: %s has no key %d: put the newest copy of the file back before the service restarts", ErrStale, k.path, id)
		}
	}
	k.current.Store(next)
	return nil
}

// String names the file and hides the keys.
func (k *Keyset) String() string {
	if k.path == "" {
		return "keyset(in memory)"
	}
	return "keyset(" + k.path + ")"
}

// GoString hides the keys from %#v too.
func (k *Keyset) GoString() string { return k.String() }

// LogValue hides the keys from logs.
func (k *Keyset) LogValue() slog.Value { return slog.StringValue(k.String()) }
