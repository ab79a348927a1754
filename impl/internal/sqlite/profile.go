package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
)

const selectProfile = `
SELECT p.name, k.totp_since IS NOT NULL, k.password_set_at,
    (SELECT count(*) FROM recovery_codes r WHERE r.customer_id = c.id)
FROM customers c
JOIN credentials k ON k.customer_id = c.id
LEFT JOIN partners p ON p.id = c.partner_id
WHERE c.id = ?`

// Profile implements [account.Store].
func (db *DB) Profile(ctx context.Context, customerID int64) (account.Profile, error) {
	var p account.Profile
	var err error
	if p.Customer, err = db.AnyCustomer(ctx, customerID); err != nil {
		return account.Profile{}, err
	}
	var set int64
	err = db.read.QueryRowContext(ctx, selectProfile, customerID).Scan(&p.PartnerName, &p.SecondFactor, &set, &p.RecoveryLeft)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Profile{}, customer.ErrNotFound
	}
	if err != nil {
		return account.Profile{}, fail("read profile", err)
	}
	p.PasswordSetAt = fromMicros(set)
	return p, nil
}

const updateCustomer = `
UPDATE customers SET
    first_name = ?, middle_name = ?, last_name = ?, phone = ?, phone_verified = ?,
    address_line1 = ?, address_line2 = ?, address_city = ?, address_state = ?,
    address_country = ?, address_post_code = ?, language = ?, changed_fields = ?, updated_at = ?
WHERE id = ?`

// UpdateCustomer implements [account.Store].
func (db *DB) UpdateCustomer(ctx context.Context, customerID int64, change func(*customer.Customer) error) error {
	return db.transaction(ctx, "update customer", func(tx *sql.Tx) error {
		c, err := scanCustomer(tx.QueryRowContext(ctx, selectCustomer+`c.id = ? AND c.status = 1`, customerID))
		if errors.Is(err, customer.ErrNotFound) {
			return account.ErrNotLoggedIn
		}
		if err != nil {
			return err
		}
		if err := change(&c); err != nil {
			return err
		}
		changed, err := encodeChanged(c.Changed)
		if err != nil {
			return err
		}
		a := addressColumns(c.Address)
		_, err = tx.ExecContext(ctx, updateCustomer,
			c.FirstName, c.MiddleName, c.LastName, c.Phone, c.PhoneVerified,
			a.line1, a.line2, a.city, a.state,
			a.country, a.postCode, c.Language, changed, micros(c.UpdatedAt), customerID)
		return err
	})
}

const selectEmails = `
SELECT kind, created_at, sent_at, failed_at, attempts FROM outbox WHERE customer_id = ? ORDER BY created_at DESC, id DESC LIMIT ?`

// Emails implements [account.Store].
func (db *DB) Emails(ctx context.Context, customerID int64, limit int) (list []account.Email, err error) {
	rows, err := db.read.QueryContext(ctx, selectEmails, customerID, limit)
	if err != nil {
		return nil, fail("list e-mails", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e account.Email
		var queued int64
		var sent, failed sql.NullInt64
		if err := rows.Scan(&e.Kind, &queued, &sent, &failed, &e.Attempts); err != nil {
			return nil, fail("list e-mails", err)
		}
		e.QueuedAt, e.SentAt, e.FailedAt = fromMicros(queued), fromNullMicros(sent), fromNullMicros(failed)
		list = append(list, e)
	}
	return list, fail("list e-mails", rows.Err())
}

const closeCustomer = `UPDATE customers SET status = 3, deleted_at = ?, reason_for_deletion = ?, updated_at = ? WHERE id = ? AND status = 1`

// CloseAccount implements [account.Store].
func (db *DB) CloseAccount(ctx context.Context, c account.Closing) error {
	return db.transaction(ctx, "close account", func(tx *sql.Tx) error {
		if err := useProof(ctx, tx, c.CustomerID, c.Proof); err != nil {
			return err
		}
		at := micros(c.At)
		if err := one(tx.ExecContext(ctx, closeCustomer, at, c.Reason, at, c.CustomerID)); err != nil {
			return orElse(err, account.ErrConflict)
		}
		if _, err := tx.ExecContext(ctx, deleteSessions, c.CustomerID); err != nil {
			return err
		}
		return insertMessage(ctx, tx, c.CustomerID, c.Notice, c.At)
	})
}

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
func (db *DB) Secrets(ctx context.Context) (list []Secret, err error) {
	rows, err := db.read.QueryContext(ctx, selectSecrets)
	if err != nil {
		return nil, fail("list secrets", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s Secret
		if err := rows.Scan(&s.Table, &s.CustomerID, &s.ID, &s.Ciphertext); err != nil {
			return nil, fail("list secrets", err)
		}
		list = append(list, s)
	}
	return list, fail("list secrets", rows.Err())
}

// ReplaceSecret puts a ciphertext in the place of another one, unless that has
// been replaced meanwhile.
func (db *DB) ReplaceSecret(ctx context.Context, old Secret, ciphertext []byte) error {
	statement, args := `UPDATE credentials SET totp_secret = ? WHERE totp_secret = ? AND customer_id = ?`, []any{ciphertext, old.Ciphertext, old.CustomerID}
	if old.ID != "" {
		statement, args = `UPDATE disbursement_methods SET secret = ? WHERE secret = ? AND id = ?`, []any{ciphertext, old.Ciphertext, old.ID}
	}
	_, err := db.write.ExecContext(ctx, statement, args...)
	return fail("replace secret", err)
}

// NoteKeys records that data depends on keys of the keyset.
func (db *DB) NoteKeys(ctx context.Context, ids []uint32, at time.Time) error {
	return db.transaction(ctx, "note keys", func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `INSERT INTO keyset_keys (id, first_seen) VALUES (?, ?) ON CONFLICT DO NOTHING`, id, micros(at)); err != nil {
				return fmt.Errorf("key %d: %w", id, err)
			}
		}
		return nil
	})
}

// NotedKeys lists the keys that data depends on.
func (db *DB) NotedKeys(ctx context.Context) ([]uint32, error) {
	ids, err := numbers(ctx, db.read, `SELECT id FROM keyset_keys ORDER BY id`)
	if err != nil {
		return nil, fail("list keys of the keyset", err)
	}
	list := make([]uint32, len(ids))
	for i, id := range ids {
		list[i] = uint32(id)
	}
	return list, nil
}
