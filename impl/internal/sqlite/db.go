// Package sqlite keeps everything in one SQLite file. It is the store of a
// service on one machine, with nothing to install and nothing to look after.
//
// # Durability
//
// The journal is a write-ahead log with synchronous=FULL: a transaction is on
// storage (fsync) before its commit returns. synchronous=NORMAL, which is faster
// and often advised for WAL, loses acknowledged transactions when power fails.
//
// # Concurrency
//
// SQLite has one writer at a time. One connection writes, so that transactions
// queue in Go, in order, instead of polling for a lock; it begins every
// transaction with BEGIN IMMEDIATE, for one that reads first and writes later
// can be refused by any writer in between. Reads have connections of their own,
// which see the last commit and wait for nobody. Other processes (the
// operator's commands) may use the file at the same time; busy_timeout is for
// them.
//
// # Errors
//
// SQLite's error codes are translated here and go no further: callers see the
// errors of the packages whose stores this implements.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	fileName = "escrow.db"
	lockName = "escrow.lock"
	// readers is how many reads run at once. More than there are processors
	// only helps when reads wait for storage.
	readers = 8
)

// DB is an open store. It is safe for concurrent use.
type DB struct {
	write *sql.DB // one connection
	read  *sql.DB
	path  string
}

// Open opens the store in a folder, which it makes if there is none, and brings
// its schema up to date. Only the owner of the process can read the folder.
func Open(ctx context.Context, folder string) (*DB, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	path := filepath.Join(folder, fileName)
	// SQLite gives the files of its journal the permissions of the database.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("make database file: %w", err)
	}
	write, err := sql.Open("sqlite", dsn(path, "immediate"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, write, filepath.Join(folder, lockName)); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, "deferred")+"&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &DB{write: write, read: read, path: path}, nil
}

func dsn(path, lock string) string {
	// The path is escaped, for SQLite reads it as a URI: a data folder may have
	// a ? or a % in its name.
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String() +
		"?_txlock=" + lock +
		"&_pragma=busy_timeout(5000)" + // first, for the next one may have to wait
		"&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)" +
		"&_pragma=secure_delete(1)" // what is erased is overwritten
}

// migrate brings the schema up to date. Processes that start at the same moment
// take turns.
func migrate(ctx context.Context, db *sql.DB, lockPath string) (err error) {
	lock := flock.New(lockPath, flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock data folder: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, scripts)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// Close ends all use of the store.
func (db *DB) Close() error { return errors.Join(db.read.Close(), db.write.Close()) }

// Ping tells whether the store can be read and written. It writes nothing.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return fail("ping", err)
	}
	return db.transaction(ctx, "ping", func(*sql.Tx) error { return nil })
}

// transaction runs f in a transaction that can write.
func (db *DB) transaction(ctx context.Context, name string, f func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fail(name, err)
	}
	if err := f(tx); err != nil {
		// The error to report is that of f; a transaction that cannot be
		// rolled back ends with its connection.
		_ = tx.Rollback()
		return fail(name, err)
	}
	return fail(name, tx.Commit())
}

// fail names the operation that failed, and makes errors that pass by waiting
// recognisable as such.
func fail(name string, err error) error {
	if err == nil {
		return nil
	}
	var code *sqlite.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w: %w", name, customer.ErrUnavailable, err)
	case errors.As(err, &code):
		switch code.Code() & 0xff { // the primary result code
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return fmt.Errorf("%s: %w: %w", name, customer.ErrUnavailable, err)
		}
	}
	return fmt.Errorf("%s: %w", name, err)
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

func fromNullMicros(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	t := fromMicros(us.Int64)
	return &t
}
