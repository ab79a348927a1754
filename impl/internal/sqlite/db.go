// Package sqlite keeps everything in one SQLite file, or in memory for a sandbox. It
// is the store of a service on one machine, with nothing to install and nothing to
// look after.
//
// # Durability
//
// The journal is a write-ahead log with synchronous=FULL: a transaction is on
// storage (fsync) before its commit returns. synchronous=NORMAL, which is faster
// and often advised for WAL, loses acknowledged transactions when power fails.
//
// # Concurrency
//
// SQLite has one writer at a time. One connection writes, so that whoever wants
// to write queues in Go, in order, instead of polling for a lock; it begins every
// transaction with BEGIN IMMEDIATE, for one that reads first and writes later
// can be refused by any writer in between. Those who wait at the same moment
// share a transaction and its fsync; writer.go says what becomes of them if one
// fails, or all. Reads have connections of their own, which see the last commit
// and wait for nobody. Other processes (the operator's commands) may use the file
// at the same time; busy_timeout is for them.
//
// A long journal is moved to the file beside those who write, and not by the one
// whose commit makes it long (checkpoint.go). API keys are in memory, and processes
// learn of each other's changes from the size of a file (keys.go).
//
// In memory ([OpenMemory]) there is no journal: who writes keeps the others from
// reading meanwhile, see gate.
//
// # Two ways to one library
//
// Statements go to zombiezen.com/go/sqlite, which keeps what it has parsed, reads
// columns one by one and starts no goroutine for a statement: it takes about half
// as long as database/sql, which makes values and names of all columns first.
// The migrations go through database/sql, as goose wants it. Both are layers on
// the one SQLite of modernc.org/sqlite/lib, and so know of each other's locks.
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
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver that goose uses
	"zombiezen.com/go/sqlite"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	fileName = "escrow.db"
	lockName = "escrow.lock"
)

// pageSize is that of a new file, in bytes. A customer changes a page of the index
// of e-mail addresses that hardly anybody else changes; half the usual size is
// half as much to write to the journal and to the file for each.
const pageSize = 2048

// DB is an open store. It is safe for concurrent use.
type DB struct {
	at      place
	writer  *writer
	readers *readers
	keys    *keyRing

	checkpoints *checkpointer      // nil in memory, which has no journal
	stop        context.CancelFunc // of what runs in the background
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
	at := place{path: path}
	db := &DB{at: at, readers: newReaders(at, nil)}
	db.keys = &keyRing{path: filepath.Join(folder, keysName), lockPath: filepath.Join(folder, lockName), trusted: keysTrusted, load: db.goodKeys}
	if err := db.prepare(ctx); err != nil {
		return nil, err
	}
	c, err := open(at,
		"temp_store = MEMORY", // what a savepoint may have to restore, not in a file
		"cache_size = -4096",  // KiB; enough for what a large group changes, and each commit looks at all of it
		"wal_autocheckpoint = 0")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.checkpoints = newCheckpointer(db)
	db.writer = newWriter(c, nil, db.checkpoints.committed)
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	db.stop = stop
	go db.checkpoints.serve(background)
	return db, nil
}

// prepare makes the folder what this version wants. Processes that start at the
// same moment take turns.
func (db *DB) prepare(ctx context.Context) (err error) {
	lock := flock.New(db.keys.lockPath, flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock data folder: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	c, err := open(db.at) // which gives a new file its form
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := errors.Join(c.Close(), migrate(ctx, db.at)); err != nil {
		return err
	}
	return db.keys.settle(false) // whoever was changing keys is dead
}

// migrate brings the schema up to date.
func migrate(ctx context.Context, at place) (err error) {
	db, err := sql.Open("sqlite", at.dsn())
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
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

// Close ends all use of the store. What waits to be written is written.
func (db *DB) Close() error {
	if db.checkpoints != nil {
		db.stop()
		<-db.checkpoints.done
	}
	return errors.Join(db.writer.close(), db.readers.close())
}

// Ping tells whether the store can be read and written. It writes nothing.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	if err := db.read(ctx).row(`SELECT 1`).Scan(&one); err != nil {
		return fail("ping", err)
	}
	return db.transaction(ctx, "ping", func(*tx) error { return nil })
}

// read is for one statement that changes nothing.
func (db *DB) read(ctx context.Context) querier { return reading{ctx, db.readers} }

// transaction runs f in a transaction that can write, which others may share. If
// f fails, it has changed nothing.
func (db *DB) transaction(ctx context.Context, name string, f func(*tx) error) error {
	return fail(name, db.writer.do(ctx, &job{run: f}))
}

// exec runs one statement in a transaction.
func (db *DB) exec(ctx context.Context, query string, args ...any) (r result, err error) {
	err = db.writer.do(ctx, &job{run: func(tx *tx) error {
		var err error
		r, err = tx.exec(query, args...)
		return err
	}})
	return r, err
}

// apart runs f on the connection that writes, outside of a transaction.
func (db *DB) apart(ctx context.Context, f func(*conn) error) error {
	return db.writer.do(ctx, &job{alone: true, run: func(tx *tx) error { return f(tx.conn) }})
}

// fail names the operation that failed, and makes errors that pass by waiting
// recognisable as such.
func fail(name string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: %w", name, customer.ErrUnavailable, err)
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultCantOpen, sqlite.ResultReadOnly:
		return fmt.Errorf("%s: %w: %w", name, customer.ErrUnavailable, err)
	default:
		return fmt.Errorf("%s: %w", name, err)
	}
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
