package sqlite

import (
	"context"
	"errors"
	"time"
)

// ExecForTest does what no method of the store does.
func (db *DB) ExecForTest(ctx context.Context, query string, args ...any) error {
	_, err := db.exec(ctx, query, args...)
	return err
}

// TextsForTest reads a column, as any reader does.
func (db *DB) TextsForTest(ctx context.Context, query string, args ...any) ([]string, error) {
	return texts(db.read(ctx), query, args...)
}

// WriterTextsForTest does the same on the connection that writes.
func (db *DB) WriterTextsForTest(ctx context.Context, query string) (column []string, err error) {
	err = db.apart(ctx, func(c *conn) error {
		column, err = texts(c, query)
		return err
	})
	return column, err
}

// SetBusyTimeoutForTest sets for how long the store waits for others to write.
func (db *DB) SetBusyTimeoutForTest(ctx context.Context, d time.Duration) error {
	return db.apart(ctx, func(c *conn) error {
		c.SetBusyTimeout(d)
		return nil
	})
}

// HoldForTest keeps a connection in a transaction, after a statement, until it is
// let go: as another process that reads or writes.
func (db *DB) HoldForTest(begin, statement string) (release func() error, err error) {
	c, err := open(db.at)
	if err != nil {
		return nil, err
	}
	for _, query := range []string{begin, statement} {
		if _, err := c.exec(query); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return func() error {
		_, err := c.exec("ROLLBACK")
		return errors.Join(err, c.Close())
	}, nil
}
