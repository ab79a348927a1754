package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/account"
)

const (
	stillGood = `
SELECT EXISTS (
    SELECT 1 FROM customers c JOIN credentials k ON k.customer_id = c.id
    WHERE c.id = ? AND c.status = 1 AND k.password_hash = ?)`
	insertSession = `
INSERT INTO sessions (id, hash, customer_id, created_at, seen_at, expires_at, ip, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	recordLogin   = `UPDATE customers SET last_login_at = ?, last_login_ip = ? WHERE id = ?`
	rehash        = `UPDATE credentials SET password_hash = ? WHERE customer_id = ?`
	deleteSession = `DELETE FROM sessions WHERE hash = ?`
)

// BeginSession implements [account.Store].
func (db *DB) BeginSession(ctx context.Context, b account.SessionBegin) error {
	id := b.Session.CustomerID
	return db.transaction(ctx, "begin session", func(tx *tx) error {
		var good bool
		if err := tx.row(stillGood, id, b.PasswordHash).Scan(&good); err != nil {
			return err
		}
		if !good {
			return account.ErrInvalidCredentials
		}
		if err := useProof(tx, id, b.Proof); err != nil {
			return err
		}
		if b.Replaces != nil {
			if _, err := tx.exec(deleteSession, b.Replaces[:]); err != nil {
				return err
			}
		}
		if b.NewHash != "" {
			if _, err := tx.exec(rehash, b.NewHash, id); err != nil {
				return err
			}
		}
		if _, err := tx.exec(recordLogin, micros(b.Session.CreatedAt), b.Session.IP, id); err != nil {
			return err
		}
		return addSession(tx, b.Session)
	})
}

func addSession(tx *tx, s account.NewSession) error {
	_, err := tx.exec(insertSession, s.ID, s.Hash[:], s.CustomerID, micros(s.CreatedAt), micros(s.SeenAt), micros(s.ExpiresAt), s.IP, s.UserAgent)
	if err != nil {
		return fmt.Errorf("insert session: %w", err)
	}
	return nil
}

const selectSession = `
SELECT s.id, s.customer_id, s.created_at, s.seen_at, s.expires_at, s.ip, s.user_agent
FROM sessions s JOIN customers c ON c.id = s.customer_id AND c.status = 1 `

func scanSession(row scanner) (account.Session, error) {
	var s account.Session
	var created, seen, expires int64
	if err := row.Scan(&s.ID, &s.CustomerID, &created, &seen, &expires, &s.IP, &s.UserAgent); err != nil {
		return account.Session{}, err
	}
	s.CreatedAt, s.SeenAt, s.ExpiresAt = fromMicros(created), fromMicros(seen), fromMicros(expires)
	return s, nil
}

// SessionByHash implements [account.Store].
func (db *DB) SessionByHash(ctx context.Context, hash [32]byte) (account.Session, error) {
	s, err := scanSession(db.read(ctx).row(selectSession+`WHERE s.hash = ?`, hash[:]))
	if errors.Is(err, errNone) {
		return account.Session{}, account.ErrNotLoggedIn
	}
	return s, fail("find session", err)
}

// TouchSession implements [account.Store].
func (db *DB) TouchSession(ctx context.Context, id string, at time.Time) error {
	_, err := db.exec(ctx, `UPDATE sessions SET seen_at = max(seen_at, ?) WHERE id = ?`, micros(at), id)
	return fail("touch session", err)
}

// Sessions implements [account.Store].
func (db *DB) Sessions(ctx context.Context, customerID int64, seenAfter, expiresAfter time.Time, limit int) ([]account.Session, error) {
	sessions, err := list(db.read(ctx), scanSession,
		selectSession+`WHERE s.customer_id = ? AND s.seen_at > ? AND s.expires_at > ? ORDER BY s.created_at DESC LIMIT ?`,
		customerID, micros(seenAfter), micros(expiresAfter), limit)
	return sessions, fail("list sessions", err)
}

// EndSession implements [account.Store].
func (db *DB) EndSession(ctx context.Context, customerID int64, id string) error {
	err := one(db.exec(ctx, `DELETE FROM sessions WHERE id = ? AND customer_id = ?`, id, customerID))
	return fail("end session", orElse(err, account.ErrSessionNotFound))
}

const changePassword = `
UPDATE credentials SET password_hash = ?, password_set_at = ?
WHERE customer_id = ? AND password_hash = ? AND customer_id IN (SELECT id FROM customers WHERE status = 1)`

// ChangePassword implements [account.Store].
func (db *DB) ChangePassword(ctx context.Context, c account.PasswordChange) error {
	return db.transaction(ctx, "change password", func(tx *tx) error {
		if err := one(tx.exec(changePassword, c.NewHash, micros(c.At), c.CustomerID, c.OldHash)); err != nil {
			return orElse(err, account.ErrConflict)
		}
		if err := keepsFactor(tx, c.CustomerID, c.SecondFactor); err != nil {
			return err
		}
		if _, err := tx.exec(deleteSessions, c.CustomerID); err != nil {
			return err
		}
		// A link that was asked for before must not undo the change.
		if _, err := tx.exec(useLinks, micros(c.At), c.CustomerID, account.LinkReset); err != nil {
			return err
		}
		if err := addSession(tx, c.Session); err != nil {
			return err
		}
		return insertMessage(tx, c.CustomerID, c.Notice, c.At)
	})
}

const selectUnconfirmed = `SELECT id FROM customers WHERE customer_group = 1 AND email_verified = 0 AND created_at <= ?`

// RemoveExpired implements [account.Store].
func (db *DB) RemoveExpired(ctx context.Context, sessionsSeenBefore, signUpsBefore, now time.Time) (removed int64, err error) {
	err = db.transaction(ctx, "remove expired rows", func(tx *tx) error {
		result, err := tx.exec(`DELETE FROM sessions WHERE seen_at <= ? OR expires_at <= ?`, micros(sessionsSeenBefore), micros(now))
		if err != nil {
			return err
		}
		removed = result.changed
		ids, err := numbers(tx, selectUnconfirmed, micros(signUpsBefore))
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := removeCustomer(tx, id); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	return removed, err
}

// numbers reads a column of integers.
func numbers(q querier, query string, args ...any) ([]int64, error) {
	return list(q, func(row scanner) (n int64, err error) {
		err = row.Scan(&n)
		return n, err
	}, query, args...)
}
