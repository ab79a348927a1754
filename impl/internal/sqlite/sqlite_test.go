package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
	"cryptoexchange.com/escrow/impl/internal/storetest"
)

func open(t *testing.T, folder string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, func(t *testing.T) func() storetest.Store {
		folder := t.TempDir()
		return func() storetest.Store { return open(t, folder) }
	})
}

// TestOpenTogether opens one empty folder many times at once, as processes do
// that are started together.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a folder with ? and % and ü", "data")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			db, err := sqlite.Open(t.Context(), folder)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(db.Ping(t.Context()), db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	db := open(t, folder)
	defer db.Close()
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v; want it for the owner only", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
}

// TestDurability checks the settings that make a commit durable, on the
// connections that the store itself uses.
func TestDurability(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	defer db.Close()
	for name, read := range map[string]func(context.Context, string) ([]string, error){
		"write": db.WriterTextsForTest,
		"read":  func(ctx context.Context, query string) ([]string, error) { return db.TextsForTest(ctx, query) },
	} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "secure_delete": "1"} {
			if got, err := read(t.Context(), "PRAGMA "+pragma); err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s = %s, %v; want %s", name, pragma, got, err, want)
			}
		}
	}
}

// TestUnavailable checks that what passes by waiting is told as such.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	defer db.Close()
	// Another process writes for longer than anybody waits.
	if err := db.SetBusyTimeoutForTest(t.Context(), 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	release, err := db.HoldForTest("BEGIN IMMEDIATE", "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, customer.ErrUnavailable) {
		t.Errorf("while another writes: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), file); err == nil {
		t.Error("a file was opened as a folder")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "escrow.db"), []byte("this is not a database, is it?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), folder); err == nil {
		t.Error("something else was opened as a database")
	}
}

// TestOldSnapshots checks that the answer to a repetition is given from records
// of versions that knew less of a customer, or more.
func TestOldSnapshots(t *testing.T) {
	t.Parallel()
	for name, snapshot := range map[string]string{
		"first version": `{"ID":1,"PartnerID":1,"Email":"a@example.com","Status":1,"Group":2,"EmailVerified":true,"CreatedAt":"2026-11-24T10:00:00Z","UpdatedAt":"2026-11-24T10:00:00Z"}`,
		"later version": `{"ID":1,"PartnerID":1,"Email":"a@example.com","Status":1,"Group":2,"EmailVerified":true,"CreatedAt":"2026-11-24T10:00:00Z","UpdatedAt":"2026-11-24T10:00:00Z","Planet":{"Name":"Mars"},"Invitation":null,"Changed":null}`,
	} {
		db := open(t, t.TempDir())
		defer db.Close()
		p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at})
		if err != nil {
			t.Fatal(err)
		}
		id := marked(t, db, p.ID, "mark0001", 0)
		exec(t, db, `UPDATE idempotency_keys SET customer = ?`, snapshot)
		again := customer.Creation{Idempotency: &customer.Idempotency{PartnerID: p.ID, Key: "0001", Fingerprint: []byte{1}, Same: func([]byte) bool { return true }}}
		got, err := db.Create(t.Context(), again)
		if err != nil || !got.Replayed || got.Customer.ID != id || got.Customer.Email != "a@example.com" || got.Customer.Invitation != nil || !got.Customer.CreatedAt.Equal(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if _, err := db.Erase(t.Context(), id, at); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Create(t.Context(), again); err == nil && got.Replayed {
			t.Errorf("%s: erasing left it", name)
		}
	}
}
