package sqlite

import (
	"context"
	"database/sql"
	"errors"

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
	err = db.read(ctx).row(selectProfile, customerID).Scan(&p.PartnerName, &p.SecondFactor, &set, &p.RecoveryLeft)
	if errors.Is(err, errNone) {
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
	return db.transaction(ctx, "update customer", func(tx *tx) error {
		c, err := scanCustomer(tx.row(selectCustomer+`c.id = ? AND c.status = 1`+latest, customerID))
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
		_, err = tx.exec(updateCustomer,
			c.FirstName, c.MiddleName, c.LastName, c.Phone, c.PhoneVerified,
			a.line1, a.line2, a.city, a.state,
			a.country, a.postCode, c.Language, changed, micros(c.UpdatedAt), customerID)
		return err
	})
}

const selectEmails = `
SELECT kind, created_at, sent_at, failed_at, attempts FROM outbox WHERE customer_id = ? ORDER BY created_at DESC, id DESC LIMIT ?`

// Emails implements [account.Store].
func (db *DB) Emails(ctx context.Context, customerID int64, limit int) ([]account.Email, error) {
	emails, err := list(db.read(ctx), func(row scanner) (e account.Email, err error) {
		var queued int64
		var sent, failed sql.NullInt64
		err = row.Scan(&e.Kind, &queued, &sent, &failed, &e.Attempts)
		e.QueuedAt, e.SentAt, e.FailedAt = fromMicros(queued), fromNullMicros(sent), fromNullMicros(failed)
		return e, err
	}, selectEmails, customerID, limit)
	return emails, fail("list e-mails", err)
}

const closeCustomer = `UPDATE customers SET status = 3, deleted_at = ?, reason_for_deletion = ?, updated_at = ? WHERE id = ? AND status = 1`

// CloseAccount implements [account.Store].
func (db *DB) CloseAccount(ctx context.Context, c account.Closing) error {
	return db.transaction(ctx, "close account", func(tx *tx) error {
		if err := useProof(tx, c.CustomerID, c.Proof); err != nil {
			return err
		}
		at := micros(c.At)
		if err := one(tx.exec(closeCustomer, at, c.Reason, at, c.CustomerID)); err != nil {
			return orElse(err, account.ErrConflict)
		}
		if _, err := tx.exec(deleteSessions, c.CustomerID); err != nil {
			return err
		}
		return insertMessage(tx, c.CustomerID, c.Notice, c.At)
	})
}
