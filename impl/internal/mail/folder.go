package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

const (
	emlSuffix       = ".eml"
	temporarySuffix = ".tmp" // of a file that is being written
)

// Folder is a [outbox.Sender] that puts each e-mail into a file, for services
// that have no mail server. Mail programs open the files, and so does [Mailbox].
type Folder struct {
	path     string
	composer *Composer
	logger   *slog.Logger
}

var (
	_ outbox.Sender    = (*Folder)(nil)
	_ outbox.Retractor = (*Folder)(nil)
)

// NewFolder makes a sender, and the folder if there is none. Only the owner of
// the process can read it.
func NewFolder(path string, composer *Composer, logger *slog.Logger) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make mail folder: %w", err)
	}
	return &Folder{path: path, composer: composer, logger: logger}, nil
}

// Send implements [outbox.Sender]. When it returns, the file is on storage. A
// message that is sent again takes the place of the first.
func (f *Folder) Send(ctx context.Context, m outbox.Message) error {
	message, err := f.composer.Compose(m)
	if err != nil {
		return err
	}
	path := filepath.Join(f.path, m.ID+emlSuffix)
	if err := writeFile(path, message); err != nil {
		return fmt.Errorf("write e-mail: %w", err)
	}
	f.logger.InfoContext(ctx, "e-mail written", slog.String("message_id", m.ID), slog.String("kind", m.Kind), slog.String("path", path))
	return nil
}

// Retract implements [outbox.Retractor].
func (f *Folder) Retract(_ context.Context, id string) error { return RemoveFile(f.path, id) }

// RemoveFile removes an e-mail from a folder, and what a process that died while
// it was writing has left of it.
func RemoveFile(folder, id string) error {
	path := filepath.Join(folder, id+emlSuffix)
	for _, name := range []string{path, path + temporarySuffix} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove e-mail: %w", err)
		}
	}
	return nil
}

// writeFile writes a file that is either there as a whole or not at all.
func writeFile(path string, data []byte) (err error) {
	temporary := path + temporarySuffix
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	// The name is on storage when the folder is.
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
