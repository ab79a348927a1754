package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
	"cryptoexchange.com/escrow/impl/internal/storetest"
)

func openMemory(t *testing.T, most int64) *sqlite.DB {
	t.Helper()
	db, err := sqlite.OpenMemory(t.Context(), most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// kept is a store that is there for as long as the test is, whoever closes it.
type kept struct{ *sqlite.DB }

func (kept) Close() error { return nil }

// TestMemoryStore has what is in memory show the behaviour of every engine.
func TestMemoryStore(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, func(t *testing.T) func() storetest.Store {
		db := openMemory(t, 16<<20)
		return func() storetest.Store { return kept{db} }
	})
}

// TestMemorySettings checks that nothing can go to a file: neither the data, nor
// what a transaction may have to restore, nor what is sorted.
func TestMemorySettings(t *testing.T) {
	t.Parallel()
	db := openMemory(t, 1<<20)
	read := func(query string) ([]string, error) { return db.TextsForTest(t.Context(), query) }
	write := func(query string) ([]string, error) { return db.WriterTextsForTest(t.Context(), query) }
	for pragma, want := range map[string]string{"journal_mode": "memory", "temp_store": "2", "foreign_keys": "1", "secure_delete": "1", "page_size": "2048"} {
		for _, on := range []func(string) ([]string, error){read, write} {
			if got, err := on("PRAGMA " + pragma); err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%s = %v, %v; want %s", pragma, got, err, want)
			}
		}
	}
	if file, err := read(`SELECT file FROM pragma_database_list WHERE name = 'main'`); err != nil || strings.Contains(file[0], string(filepath.Separator)+"tmp") {
		t.Errorf("file %q, %v", file, err)
	}
}

// TestMemoryApart checks that two stores have nothing in common, and leave no
// files where the process is.
func TestMemoryApart(t *testing.T) {
	t.Parallel()
	one, other := openMemory(t, 1<<20), openMemory(t, 1<<20)
	if _, _, err := one.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
	if list, err := other.Partners(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
	found, err := filepath.Glob("*escrow-*")
	if err != nil || len(found) > 0 {
		t.Errorf("files %v, %v", found, err)
	}
	if _, err := os.Stat("/escrow-1"); err == nil {
		t.Error("there is a file at the root")
	}
}

// TestMemoryTogether has many read and write at once: nobody is refused, and
// nobody waits for longer than a moment.
func TestMemoryTogether(t *testing.T) {
	t.Parallel()
	db := openMemory(t, 32<<20)
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	longest := make([]time.Duration, 16)
	var wg sync.WaitGroup
	for worker := range longest {
		wg.Go(func() {
			for i := range 50 {
				began := time.Now()
				c, err := db.Create(t.Context(), ordinary(p.ID, fmt.Sprintf("%d-%d@example.com", worker, i), at))
				if err == nil {
					_, err = db.Customer(t.Context(), p.ID, c.Customer.ID)
				}
				if err != nil {
					t.Error(err)
					return
				}
				longest[worker] = max(longest[worker], time.Since(began))
			}
		})
	}
	wg.Wait()
	if d := slices.Max(longest); d > 5*time.Second {
		t.Errorf("somebody waited for %v", d)
	}
}

// ordinary is a customer with an idempotency key.
func ordinary(partnerID int64, email string, now time.Time) customer.Creation {
	return customer.Creation{
		Customer: customer.Customer{PartnerID: &partnerID, Email: email, Status: customer.Active, Group: customer.Introduced, EmailVerified: true, CreatedAt: now, UpdatedAt: now},
		EmailKey: email,
		Message:  customer.Message{ID: "m-" + email, Kind: customer.KindIntroduction, Link: &customer.Link{Kind: customer.LinkInvitation, ExpiresAt: now.Add(time.Hour)}},
		Idempotency: &customer.Idempotency{PartnerID: partnerID, Key: email, Fingerprint: []byte{1}, ExpiresAt: now.Add(customer.KeyRetention),
			Same: func([]byte) bool { return true }},
	}
}

// TestForget fills a store beyond its limit: the oldest go, with everything of
// theirs, and the others stay as they are.
func TestForget(t *testing.T) {
	t.Parallel()
	const limit = 2 << 20
	db := openMemory(t, 64<<20)
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := db.Forget(t.Context(), limit); n != 0 || err != nil {
		t.Fatalf("of an empty store: %d, %v", n, err)
	}
	const many = 4000
	now := at
	for i := range many {
		now = now.Add(time.Second)
		if _, err := db.Create(t.Context(), ordinary(p.ID, fmt.Sprintf("%05d@example.com", i), now)); err != nil {
			t.Fatal(err)
		}
	}
	forgotten, err := db.Forget(t.Context(), limit)
	if err != nil || forgotten < many/10 || forgotten >= many {
		t.Fatalf("%d were forgotten, %v", forgotten, err)
	}
	t.Logf("%d of %d were forgotten", forgotten, many)
	if n, err := db.Forget(t.Context(), limit); n != 0 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
	for id, want := range map[int64]error{1: customer.ErrNotFound, forgotten: customer.ErrNotFound, forgotten + 1: nil, many: nil} {
		if _, err := db.Customer(t.Context(), p.ID, id); !errors.Is(err, want) {
			t.Errorf("customer %d: %v, want %v", id, err, want)
		}
	}
	oldest := fmt.Sprintf("%05d@example.com", forgotten) // of those who stay
	if c, err := db.Create(t.Context(), ordinary(p.ID, oldest, now)); err != nil || !c.Replayed || c.Customer.ID != forgotten+1 {
		t.Errorf("a repetition for one who stays: %+v, %v", c, err)
	}
	if c, err := db.Create(t.Context(), ordinary(p.ID, "00000@example.com", now)); err != nil || c.Replayed || c.Customer.ID != many+1 {
		t.Errorf("the address of one who was forgotten: %+v, %v", c, err)
	}
	checkOrphans(t, db)
}

// checkOrphans looks in all tables for rows of customers who are not there, so
// that a table which comes later is not overlooked.
func checkOrphans(t *testing.T, db *sqlite.DB) {
	t.Helper()
	tables, err := db.TextsForTest(t.Context(), `SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'customer_id'`)
	if err != nil || len(tables) < 6 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	for _, table := range tables {
		if rows, err := db.TextsForTest(t.Context(), `SELECT customer_id FROM `+table+` WHERE customer_id NOT IN (SELECT id FROM customers)`); err != nil || len(rows) > 0 {
			t.Errorf("%s has rows of %d customers who are gone, %v", table, len(rows), err)
		}
	}
	for _, query := range []string{
		`SELECT "table" FROM pragma_foreign_key_check`,
		`SELECT key FROM idempotency_keys WHERE json_extract(customer, '$.ID') NOT IN (SELECT id FROM customers)`,
		`SELECT message_id FROM outbox_attempts WHERE message_id NOT IN (SELECT id FROM outbox)`,
	} {
		if rows, err := db.TextsForTest(t.Context(), query); err != nil || len(rows) > 0 {
			t.Errorf("%s: %v, %v", query, rows, err)
		}
	}
}

// TestForgetMails has few customers with many e-mails, which are done with.
func TestForgetMails(t *testing.T) {
	t.Parallel()
	db := openMemory(t, 64<<20)
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Create(t.Context(), ordinary(p.ID, "a@example.com", at))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO outbox (id, customer_id, kind, created_at, attempts, sent_at) SELECT printf('m%08d', i), ?, 'password_changed', 0, 1, 0 FROM n`, c.Customer.ID)
	exec(t, db, `INSERT INTO outbox_attempts (message_id, attempt, started_at) SELECT id, 1, 0 FROM outbox WHERE sent_at IS NOT NULL`)
	const limit = 512 << 10
	if n, err := db.Forget(t.Context(), limit); n != 0 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if left, err := db.TextsForTest(t.Context(), `SELECT id FROM outbox`); err != nil || len(left) >= 15000 || !slices.Contains(left, "m00020000") || !slices.Contains(left, "m-a@example.com") || slices.Contains(left, "m00000001") {
		t.Errorf("%d e-mails are left, %v", len(left), err)
	}
	if _, err := db.Customer(t.Context(), p.ID, c.Customer.ID); err != nil {
		t.Error(err)
	}
	checkOrphans(t, db)
}

// TestMemoryFull fills a store to the brim: whoever comes then is told that this
// passes, nothing is half written, and there is room when some were forgotten.
func TestMemoryFull(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	db := openMemory(t, most)
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for err == nil && n < 10_000 {
		_, err = db.Create(t.Context(), ordinary(p.ID, fmt.Sprintf("%05d@example.com", n), at.Add(time.Duration(n)*time.Second)))
		n++
	}
	if !errors.Is(err, customer.ErrUnavailable) {
		t.Fatalf("customer %d: %v", n, err)
	}
	checkOrphans(t, db)
	if forgotten, err := db.Forget(t.Context(), most/2); forgotten == 0 || err != nil {
		t.Fatalf("%d, %v", forgotten, err)
	}
	if _, err := db.Create(t.Context(), ordinary(p.ID, "later@example.com", at.Add(time.Hour))); err != nil {
		t.Error(err)
	}
}
