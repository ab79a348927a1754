package keyset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	tinkkeyset "github.com/tink-crypto/tink-go/v2/keyset"
)

const (
	// version is that of the file.
	version = 1
	// fileMode lets the owner of the process read and write; othersMode is what
	// nobody else may do.
	fileMode, othersMode = 0o600, 0o077
	// maxSize bounds what is read, in bytes. A rotation adds about 500.
	maxSize = 1 << 20
)

const mend = "restore it from where you keep it; without it, what it encrypted cannot be read"

// document is the file.
type document struct {
	Version int             `json:"version"`
	AEAD    json.RawMessage `json:"aead"`   // a Tink keyset
	PRF     json.RawMessage `json:"prf"`    // a Tink keyset
	SHA256  string          `json:"sha256"` // hex, of both
}

// checksum is over both sets without white space between tokens.
func (d document) checksum() (string, error) {
	var text bytes.Buffer
	for _, set := range []json.RawMessage{d.AEAD, d.PRF} {
		if err := json.Compact(&text, set); err != nil {
			return "", err
		}
		text.WriteByte('\n') // which compact JSON has not
	}
	sum := sha256.Sum256(text.Bytes())
	return hex.EncodeToString(sum[:]), nil
}

// resolve follows links to the file itself.
func resolve(path string) (string, error) {
	file, err := filepath.EvalSymlinks(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w: %s: %s", ErrMissing, path, mend)
	case err != nil:
		return "", fmt.Errorf("find key file: %w", err)
	}
	return file, nil
}

// load reads a file, and returns when it is on storage.
func load(path string) (_ *snapshot, err error) {
	name, err := resolve(path)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat() // before it is read, so that no later change is missed
	switch {
	case err != nil:
		return nil, fmt.Errorf("read key file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a file: %s", ErrDamaged, path, mend)
	case info.Mode().Perm()&othersMode != 0:
		return nil, fmt.Errorf("%w: %s has mode %04o: run chmod 600 %q", ErrPermissions, path, info.Mode().Perm(), name)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	h, err := decode(path, data)
	if err != nil {
		return nil, err
	}
	s, err := newSnapshot(h, info)
	if err != nil {
		return nil, fmt.Errorf("%w: %s has keys of another kind: %s", ErrDamaged, path, mend)
	}
	if err := errors.Join(file.Sync(), syncFolder(filepath.Dir(name))); err != nil {
		return nil, fmt.Errorf("bring key file onto storage: %w", err)
	}
	return s, nil
}

// decode reads the text of a file. The errors of parsers may quote keys; they
// are not passed on.
func decode(path string, data []byte) (handles, error) {
	damaged := fmt.Errorf("%w: %s: %s", ErrDamaged, path, mend)
	var d document
	// The version comes first: other versions may have other fields.
	if len(data) > maxSize || json.Unmarshal(data, &struct{ Version *int }{&d.Version}) != nil || d.Version < 1 {
		return handles{}, damaged
	}
	if d.Version != version {
		return handles{}, fmt.Errorf("%w: %s has version %d: use a program as new as the one that wrote it, for this one knows version %d", ErrVersion, path, d.Version, version)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return handles{}, damaged
	}
	if sum, err := d.checksum(); err != nil || sum != d.SHA256 {
		return handles{}, damaged
	}
	a, errA := insecurecleartextkeyset.Read(tinkkeyset.NewJSONReader(bytes.NewReader(d.AEAD)))
	p, errP := insecurecleartextkeyset.Read(tinkkeyset.NewJSONReader(bytes.NewReader(d.PRF)))
	if errA != nil || errP != nil {
		return handles{}, damaged
	}
	return handles{a, p}, nil
}

// encode writes the text of a file.
func encode(h handles) ([]byte, error) {
	var a, p bytes.Buffer
	if err := errors.Join(
		insecurecleartextkeyset.Write(h.aead, tinkkeyset.NewJSONWriter(&a)),
		insecurecleartextkeyset.Write(h.prf, tinkkeyset.NewJSONWriter(&p)),
	); err != nil {
		return nil, err
	}
	d := document{Version: version, AEAD: a.Bytes(), PRF: p.Bytes()}
	sum, err := d.checksum()
	if err != nil {
		return nil, err
	}
	d.SHA256 = sum
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// locked runs f while no other process or goroutine that writes this file does.
func locked(path string, f func() error) (err error) {
	lock := flock.New(path+".lock", flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock key file: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	return f()
}

// write puts a whole file at path, by a function that gives a file its name. The
// caller has the lock.
func write(path string, h handles, place func(from, to string) error) error {
	data, err := encode(h)
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if _, err := decode(path, data); err != nil { // what cannot be read must not replace what can
		return fmt.Errorf("write key file: %w", err)
	}
	temporary := path + ".tmp"
	if err := writeTemporary(temporary, data); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := place(temporary, path); err != nil {
		return errors.Join(fmt.Errorf("write key file: %w", err), os.Remove(temporary))
	}
	// The name is on storage when the folder is.
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}

// writeTemporary writes a file that is new, whatever a process that was killed
// has left, for that may have another mode. It is there as a whole or not at all.
func writeTemporary(path string, data []byte) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// placeNew gives a file its name if no file has it, which a rename would
// overwrite.
func placeNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s: move it away first if it is not needed", ErrExists, to)
	}
	if err != nil {
		return err
	}
	return os.Remove(from)
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
