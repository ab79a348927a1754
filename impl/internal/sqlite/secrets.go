package sqlite

import (
	"context"
	"fmt"
	"time"
)

// Secret is something encrypted at rest, and where it is.
type Secret struct {
	Table      string // credentials or disbursement_methods
	CustomerID int64
	ID         string // of the row, if the customer may have several; else empty
	Ciphertext []byte
}

const selectSecrets = `
SELECT 'credentials', customer_id, '', totp_secret FROM credentials WHERE totp_secret IS NOT NULL
UNION ALL
SELECT 'disbursement_methods', customer_id, id, secret FROM disbursement_methods`

// Secrets lists everything that is encrypted, to be encrypted anew.
func (db *DB) Secrets(ctx context.Context) ([]Secret, error) {
	secrets, err := list(db.read(ctx), func(row scanner) (s Secret, err error) {
		err = row.Scan(&s.Table, &s.CustomerID, &s.ID, &s.Ciphertext)
		return s, err
	}, selectSecrets)
	return secrets, fail("list secrets", err)
}

const (
	replaceTOTP   = `UPDATE credentials SET totp_secret = ? WHERE totp_secret = ? AND customer_id = ?`
	replaceMethod = `UPDATE disbursement_methods SET secret = ? WHERE secret = ? AND customer_id = ? AND id = ?`
)

// ReplaceSecret puts a ciphertext in the place of another one, unless that has
// been replaced meanwhile.
func (db *DB) ReplaceSecret(ctx context.Context, old Secret, ciphertext []byte) error {
	var err error
	switch old.Table {
	case "credentials":
		_, err = db.exec(ctx, replaceTOTP, ciphertext, old.Ciphertext, old.CustomerID)
	case "disbursement_methods":
		_, err = db.exec(ctx, replaceMethod, ciphertext, old.Ciphertext, old.CustomerID, old.ID)
	default:
		err = fmt.Errorf("table %q has none", old.Table)
	}
	return fail("replace secret", err)
}

// NoteKeys records that data depends on keys of the keyset.
func (db *DB) NoteKeys(ctx context.Context, ids []uint32, at time.Time) error {
	return db.transaction(ctx, "note keys", func(tx *tx) error {
		for _, id := range ids {
			if _, err := tx.exec(`INSERT INTO keyset_keys (id, first_seen) VALUES (?, ?) ON CONFLICT DO NOTHING`, id, micros(at)); err != nil {
				return fmt.Errorf("key %d: %w", id, err)
			}
		}
		return nil
	})
}

// NotedKeys lists the keys that data depends on.
func (db *DB) NotedKeys(ctx context.Context) ([]uint32, error) {
	ids, err := numbers(db.read(ctx), `SELECT id FROM keyset_keys ORDER BY id`)
	if err != nil {
		return nil, fail("list keys of the keyset", err)
	}
	list := make([]uint32, len(ids))
	for i, id := range ids {
		list[i] = uint32(id)
	}
	return list, nil
}
