package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

var _ outbox.Store = (*DB)(nil)

const selectDue = `SELECT id FROM outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?`

// Claim implements [outbox.Store]. Its transaction is the only one that writes,
// so two workers never get the same message.
func (db *DB) Claim(ctx context.Context, now, leaseEnd time.Time, limit int) ([]outbox.Message, error) {
	// Most of the time nothing is due, which can be seen without a lock.
	ids, err := texts(db.read(ctx), selectDue, micros(now), 1)
	if err != nil || len(ids) == 0 {
		return nil, fail("look for due e-mails", err)
	}
	var messages []outbox.Message
	err = db.transaction(ctx, "claim e-mails", func(tx *tx) error {
		ids, err := texts(tx, selectDue, micros(now), limit)
		if err != nil {
			return err
		}
		for _, id := range ids {
			m, err := claim(tx, id, now, leaseEnd)
			if err != nil {
				return err
			}
			messages = append(messages, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return messages, nil
}

// texts reads a column of texts.
func texts(q querier, query string, args ...any) ([]string, error) {
	return list(q, func(row scanner) (s string, err error) {
		err = row.Scan(&s)
		return s, err
	}, query, args...)
}

const (
	leaseMessage = `UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE id = ?`
	beginAttempt = `INSERT INTO outbox_attempts (message_id, attempt, started_at) SELECT id, attempts, ? FROM outbox WHERE id = ?`
	readMessage  = `
SELECT o.id, o.kind, o.customer_id, o.created_at, o.attempts, c.email, c.language, c.first_name, p.name,
    l.key_id, l.kind, l.expires_at
FROM outbox o
JOIN customers c ON c.id = o.customer_id
LEFT JOIN partners p ON p.id = c.partner_id
LEFT JOIN links l ON l.customer_id = o.customer_id AND l.id = o.id
WHERE o.id = ?`
)

// claim leases one message and begins an attempt of it.
func claim(tx *tx, id string, now, leaseEnd time.Time) (outbox.Message, error) {
	if _, err := tx.exec(leaseMessage, micros(leaseEnd), id); err != nil {
		return outbox.Message{}, fmt.Errorf("lease: %w", err)
	}
	if _, err := tx.exec(beginAttempt, micros(now), id); err != nil {
		return outbox.Message{}, fmt.Errorf("begin attempt: %w", err)
	}
	var m outbox.Message
	var created int64
	var keyID, expires sql.NullInt64
	var kind sql.NullString
	err := tx.row(readMessage, id).Scan(&m.ID, &m.Kind, &m.CustomerID, &created, &m.Attempts,
		&m.To, &m.Language, &m.FirstName, &m.PartnerName, &keyID, &kind, &expires)
	if err != nil {
		return outbox.Message{}, fmt.Errorf("read message: %w", err)
	}
	m.CreatedAt = fromMicros(created)
	if kind.Valid {
		m.Link = &outbox.Link{KeyID: uint32(keyID.Int64), Kind: kind.String, ExpiresAt: fromMicros(expires.Int64)}
	}
	return m, nil
}

// What a worker may do to a message that it has leased: nothing any more if
// another attempt has begun.
const whileLeased = ` WHERE id = ? AND attempts = ? AND due_at IS NOT NULL`

// Extend implements [outbox.Store].
func (db *DB) Extend(ctx context.Context, id string, attempt int, leaseEnd time.Time) error {
	return db.transaction(ctx, "extend lease of e-mail", func(tx *tx) error {
		return updateLeased(tx, id, `UPDATE outbox SET due_at = ?`+whileLeased, micros(leaseEnd), id, attempt)
	})
}

const endAttempt = `UPDATE outbox_attempts SET ended_at = ?, error = ? WHERE message_id = ? AND attempt = ? AND ended_at IS NULL`

// MarkSent implements [outbox.Store].
func (db *DB) MarkSent(ctx context.Context, id string, attempt int, at time.Time) error {
	return db.end(ctx, attemptEnd{id: id, attempt: attempt, at: at},
		`UPDATE outbox SET due_at = NULL, sent_at = ?, last_error = NULL`+whileLeased, micros(at), id, attempt)
}

// MarkFailed implements [outbox.Store].
func (db *DB) MarkFailed(ctx context.Context, f outbox.Failure) error {
	end := attemptEnd{id: f.ID, attempt: f.Attempt, at: f.At, reason: &f.Reason}
	if f.RetryAt == nil {
		return db.end(ctx, end, `UPDATE outbox SET due_at = NULL, failed_at = ?, last_error = ?`+whileLeased, micros(f.At), f.Reason, f.ID, f.Attempt)
	}
	return db.end(ctx, end, `UPDATE outbox SET due_at = ?, last_error = ?`+whileLeased, micros(*f.RetryAt), f.Reason, f.ID, f.Attempt)
}

type attemptEnd struct {
	id      string
	attempt int
	at      time.Time
	reason  *string // nil: sent
}

// end records the outcome of an attempt in its own row in any case, and in the
// message's if the lease holds.
func (db *DB) end(ctx context.Context, a attemptEnd, update string, args ...any) error {
	var lost error
	err := db.transaction(ctx, "record outcome of e-mail", func(tx *tx) error {
		if _, err := tx.exec(endAttempt, micros(a.at), a.reason, a.id, a.attempt); err != nil {
			return fmt.Errorf("end attempt: %w", err)
		}
		err := updateLeased(tx, a.id, update, args...)
		if errors.Is(err, outbox.ErrLeaseLost) {
			lost = err
			return nil // and the attempt's own row stays
		}
		return err
	})
	return errors.Join(err, lost)
}

func updateLeased(tx *tx, id, update string, args ...any) error {
	err := one(tx.exec(update, args...))
	if !errors.Is(err, errNone) {
		return err
	}
	known, err := texts(tx, `SELECT id FROM outbox WHERE id = ?`, id)
	switch {
	case err != nil:
		return err
	case len(known) == 0:
		return outbox.ErrWithdrawn
	default:
		return outbox.ErrLeaseLost
	}
}

const selectMessages = `
SELECT id, kind, customer_id, state, attempts, created_at, at, last_error FROM (
    SELECT id, kind, customer_id, attempts, created_at, coalesce(sent_at, failed_at, due_at) AS at, coalesce(last_error, '') AS last_error,
        CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN failed_at IS NOT NULL THEN 'failed'
             WHEN last_error IS NOT NULL AND due_at > ? THEN 'waiting' ELSE 'queued' END AS state
    FROM outbox
) WHERE ? = '' OR state = ? ORDER BY created_at DESC, id DESC LIMIT ?`

// Messages lists messages for the operator, the newest first; only those in one
// state unless it is empty.
func (db *DB) Messages(ctx context.Context, now time.Time, state outbox.State, limit int) ([]outbox.Status, error) {
	messages, err := list(db.read(ctx), func(row scanner) (s outbox.Status, err error) {
		var created, at int64
		err = row.Scan(&s.ID, &s.Kind, &s.CustomerID, &s.State, &s.Attempts, &created, &at, &s.LastError)
		s.CreatedAt, s.At = fromMicros(created), fromMicros(at)
		return s, err
	}, selectMessages, micros(now), state, state, limit)
	return messages, fail("list e-mails", err)
}

const retryFailed = `UPDATE outbox SET due_at = ?, failed_at = NULL WHERE failed_at IS NOT NULL`

// RetryFailed makes every failed message due, and tells how many they were.
func (db *DB) RetryFailed(ctx context.Context, now time.Time) (int64, error) {
	result, err := db.exec(ctx, retryFailed, micros(now))
	return result.changed, fail("retry e-mails", err)
}

// Retry makes failed messages due: all of them, or none if one cannot be. It
// returns an error that names each id which no message has
// ([outbox.ErrUnknown]) or whose message has not failed
// ([outbox.ErrNotFailed]).
func (db *DB) Retry(ctx context.Context, ids []string, now time.Time) error {
	var faults []error
	err := db.transaction(ctx, "retry e-mails", func(tx *tx) error {
		for _, id := range ids {
			err := one(tx.exec(retryFailed+` AND id = ?`, micros(now), id))
			if err == nil {
				continue
			}
			if !errors.Is(err, errNone) {
				return err
			}
			known, err := texts(tx, `SELECT id FROM outbox WHERE id = ?`, id)
			switch {
			case err != nil:
				return err
			case len(known) == 0:
				faults = append(faults, fmt.Errorf("e-mail %s: %w", id, outbox.ErrUnknown))
			default:
				faults = append(faults, fmt.Errorf("e-mail %s: %w", id, outbox.ErrNotFailed))
			}
		}
		if len(faults) > 0 {
			return errRefused // and nothing is changed
		}
		return nil
	})
	if errors.Is(err, errRefused) {
		return errors.Join(faults...)
	}
	return err
}

var errRefused = errors.New("refused")
