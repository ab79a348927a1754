package sqlite

import (
	"context"
	"errors"
	"time"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

var _ outbox.Store = (*DB)(nil)

// A claim moves due_at to the end of the lease in the statement that finds the
// messages: SQLite runs it as one transaction, so two workers never get the
// same message.
const claimMessages = `
UPDATE outbox SET due_at = ?, attempts = attempts + 1
WHERE id IN (SELECT id FROM outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?)
RETURNING id, kind, attempts,
    (SELECT email FROM customers WHERE customers.id = customer_id),
    (SELECT first_name FROM customers WHERE customers.id = customer_id),
    (SELECT partners.name FROM customers JOIN partners ON partners.id = partner_id WHERE customers.id = customer_id)`

// Claim implements [outbox.Store].
func (db *DB) Claim(ctx context.Context, now, leaseEnd time.Time, limit int) (messages []outbox.Message, err error) {
	rows, err := db.write.QueryContext(ctx, claimMessages, micros(leaseEnd), micros(now), limit)
	if err != nil {
		return nil, fail("claim e-mails", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m outbox.Message
		if err := rows.Scan(&m.ID, &m.Kind, &m.Attempts, &m.To, &m.FirstName, &m.PartnerName); err != nil {
			return nil, fail("claim e-mails", err)
		}
		messages = append(messages, m)
	}
	return messages, fail("claim e-mails", rows.Err())
}

// MarkSent implements [outbox.Store].
func (db *DB) MarkSent(ctx context.Context, id string, at time.Time) error {
	_, err := db.write.ExecContext(ctx, `UPDATE outbox SET due_at = NULL, sent_at = ?, last_error = NULL WHERE id = ?`, micros(at), id)
	return fail("mark e-mail sent", err)
}

// MarkFailed implements [outbox.Store].
func (db *DB) MarkFailed(ctx context.Context, id, reason string, retryAt time.Time) error {
	_, err := db.write.ExecContext(ctx, `UPDATE outbox SET due_at = ?, last_error = ? WHERE id = ? AND sent_at IS NULL`, micros(retryAt), reason, id)
	return fail("mark e-mail failed", err)
}
