package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"cryptoexchange.com/escrow/impl/internal/account"
)

// TestMigrateOrder checks that customers, e-mails and links of before keep
// working: tokens that were sent have no id.
func TestMigrateOrder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := migrateTo(t, filepath.Join(folder, fileName), 3)
	hash := sha256.Sum256([]byte("token"))
	for _, statement := range []string{
		`INSERT INTO customers (id, email, email_key, username, status, customer_group, subscribed_to_news_letter, email_verified, phone_verified, is_company, created_at, updated_at)
		 VALUES (7, 'a@example.com', 'a@example.com', '', 1, 1, 0, 0, 0, 0, 5, 5)`,
		`INSERT INTO outbox (id, customer_id, kind, created_at, due_at, attempts, last_error) VALUES ('m', 7, 'introduction', 5, 6, 1, 'no')`,
		`INSERT INTO outbox (id, customer_id, kind, created_at, attempts, sent_at) VALUES ('n', 7, 'introduction', 6, 1, 8)`,
		`INSERT INTO links (id, customer_id, kind, hash, key_id, created_at, expires_at) VALUES ('n', 7, 'invitation', x'00', 3, 6, 9)`,
		`INSERT INTO disbursement_methods (id, customer_id, type, is_default, usable, details, warnings, secret, created_at, updated_at) VALUES ('d', 7, 'ach', 1, 1, '{}', '[]', x'00', 5, 5)`,
		`INSERT INTO outbox_attempts (message_id, attempt, started_at, error) VALUES ('m', 1, 5, 'no')`,
	} {
		if _, err := old.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := old.ExecContext(t.Context(), `INSERT INTO links (id, customer_id, kind, hash, key_id, created_at, expires_at) VALUES ('m', 7, 'invitation', ?, 3, 5, 9)`, hash[:]); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db := openForTest(t, folder)
	want := account.Link{ID: "m", Kind: "invitation", CustomerID: 7, Email: "a@example.com", Active: true, ExpiresAt: fromMicros(9)}
	for name, key := range map[string]account.LinkKey{"by its hash": {Hash: hash}, "by its e-mail": {MessageID: "m", Hash: hash}} {
		if got, err := db.Link(t.Context(), "invitation", key); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := db.Link(t.Context(), "invitation", account.LinkKey{MessageID: "n", Hash: hash}); !errors.Is(err, account.ErrLinkNotFound) {
		t.Errorf("of another e-mail: %v", err)
	}
	if got, err := db.Claim(t.Context(), fromMicros(8), fromMicros(9), 5); err != nil || len(got) != 1 || got[0].Attempts != 2 || got[0].Link == nil {
		t.Errorf("claimed %+v, %v", got, err)
	}
	var sent, methods int
	if err := db.read(t.Context()).row(`SELECT l.sent_at, c.methods FROM links l JOIN customers c ON c.id = l.customer_id WHERE l.id = 'n'`).Scan(&sent, &methods); err != nil || sent != 8 || methods != 1 {
		t.Errorf("sent at %d, %d methods, %v", sent, methods, err)
	}
	var orphans int
	if err := db.read(t.Context()).row(`SELECT count(*) FROM pragma_foreign_key_check`).Scan(&orphans); err != nil || orphans > 0 {
		t.Errorf("%d rows refer to nothing, %v", orphans, err)
	}
}

// migrateTo makes a file as an earlier version had it.
func migrateTo(t *testing.T, path string, version int64) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", place{path: path}.dsn())
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, scripts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestPlans checks that what is done for each request looks at as many rows as it
// is about, and at no table as a whole.
func TestPlans(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	for _, query := range []string{
		selectWhole + `c.id = ? AND c.partner_id = ?` + latest, selectByEmail, selectIdempotencyKey, selectDue, readMessage,
		selectLink + ofMessage, selectLink + withoutID, useLink, isLinkUsed, useLinks, selectUnconfirmed,
	} {
		var plan []string
		err := db.readers.use(context.Background(), func(c *conn) error {
			return c.each(func(row scanner) error {
				var id, parent, unused int
				var detail string
				err := row.Scan(&id, &parent, &unused, &detail)
				plan = append(plan, detail)
				return err
			}, `EXPLAIN QUERY PLAN `+query, make([]any, strings.Count(query, "?"))...)
		})
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if len(plan) == 0 {
			t.Errorf("%s has no plan", query)
		}
		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "CONSTANT ROW") || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s\n%s", query, strings.Join(plan, "\n"))
			}
		}
	}
}

// TestPageSize checks that a new file has pages of the size that is wanted.
func TestPageSize(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	var size int
	if err := db.read(t.Context()).row(`PRAGMA page_size`).Scan(&size); err != nil || size != pageSize {
		t.Errorf("%d bytes, %v", size, err)
	}
}
