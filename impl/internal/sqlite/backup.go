package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of the database to a file that must not exist,
// while others work on it. Only the owner of the process can read it. When it
// returns, the copy is on storage.
//
// VACUUM INTO reads in one transaction, as any reader, and so keeps nobody from
// writing; it writes no pages that are free, and so nothing that was deleted. It
// has a connection of its own, for those of readers may not write to any file.
func (db *DB) Backup(ctx context.Context, path string) (err error) {
	// SQLite reads a name that begins with "file:" as a URI, and would write to
	// another file, which others may read.
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	copier, err := open(db.at)
	if err != nil {
		return fail("back up", err)
	}
	err = copier.bounded(ctx, func(c *conn) error {
		_, err := c.exec(`VACUUM INTO ?`, path)
		return err
	})
	if err = errors.Join(err, copier.Close()); err != nil {
		return fail("back up", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
