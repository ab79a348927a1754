package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the engine of all systems that keep anything
)

// fillVersion is part of the name of each data set: change it with fill.go.
const fillVersion = "1"

// dataset gives a folder with n customers, whose ids are 1 to n, from the cache
// or made anew. Nothing may be started on it: see [session.copyOf].
func (b *session) dataset(ctx context.Context, s system, n int64) (string, error) {
	if s.db == "" {
		return b.folder(s)
	}
	fresh, err := b.freshData(ctx, s)
	if err != nil {
		return "", fmt.Errorf("data set of %s: %w", s.family(), err)
	}
	schema, err := schemaOf(ctx, filepath.Join(fresh, s.db))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(fillVersion + schema))
	folder := filepath.Join(b.cli.Cache, "data", fmt.Sprintf("%s-%d-%x", s.family(), n, sum[:6]))
	if _, err := os.Stat(folder); err == nil {
		return folder, os.RemoveAll(fresh)
	}
	b.out.progress("making %d customers for %s", n, s.family())
	began := time.Now()
	db, err := openDB(filepath.Join(fresh, s.db))
	if err != nil {
		return "", err
	}
	err = fill(ctx, db, s.table, n)
	if err == nil && s.source == "pocketbase" {
		err = renewKey(ctx, db, filepath.Join(fresh, keyFile))
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return "", fmt.Errorf("data set of %s: %w", s.family(), err)
	}
	b.out.progress("made in %s", time.Since(began).Round(time.Second))
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		return "", err
	}
	return folder, replaceSet(folder, fresh)
}

// replaceSet puts a data set into the cache, and removes those of the same kind
// and size that were made for other schemas.
func replaceSet(folder, made string) error {
	old, err := filepath.Glob(folder[:strings.LastIndex(folder, "-")] + "-*")
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return os.Rename(made, folder)
}

// freshData is a folder after the first customer, whose e-mail, if any, is sent.
func (b *session) freshData(ctx context.Context, s system) (string, error) {
	data, err := b.folder(s)
	if err != nil {
		return "", err
	}
	if s.mail != mailNone {
		s.mail = mailSent
	}
	v, err := b.start(ctx, s, data)
	if err != nil {
		return "", err
	}
	before := b.mail.taken.Load()
	if err := v.createOne(ctx); err != nil {
		v.kill()
		return "", err
	}
	for tries := 0; s.mail != mailNone && b.mail.taken.Load() == before; tries++ {
		if err := wait(ctx, 50*time.Millisecond); err != nil || tries == 200 {
			v.kill()
			return "", errors.Join(err, errors.New("the first e-mail was not sent; it said\n"+v.said()))
		}
	}
	return data, v.stop(ctx)
}

func openDB(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // pragmas are of a connection
	return db, nil
}

func schemaOf(ctx context.Context, path string) (string, error) {
	db, err := openDB(path)
	if err != nil {
		return "", err
	}
	all, err := texts(ctx, db, `SELECT coalesce(sql, '') FROM sqlite_master ORDER BY name`)
	return strings.Join(all, "\n"), errors.Join(err, db.Close())
}

// texts gives the first column of a query.
func texts(ctx context.Context, db *sql.DB, query string, args ...any) (all []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// copyOf makes a folder to work in of a data set, on storage before the
// measurement begins.
func (b *session) copyOf(s system, dataset string) (string, error) {
	folder, err := b.folder(s)
	if err != nil {
		return "", err
	}
	err = filepath.WalkDir(dataset, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dataset, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(folder, name), 0o700)
		}
		return copyFile(filepath.Join(folder, name), path)
	})
	return folder, err
}

func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
