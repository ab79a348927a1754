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

var _ account.Store = (*DB)(nil)

// Ways to a link: by its e-mail, or, if its token has no id, by the hash.
const (
	selectLink = `
SELECT l.id, l.kind, l.customer_id, c.email, c.first_name, p.name, c.status = 1, l.expires_at, l.used_at
FROM links l
JOIN customers c ON c.id = l.customer_id
LEFT JOIN partners p ON p.id = c.partner_id
WHERE l.hash = ? AND l.kind = ?`
	ofMessage = ` AND l.id = ? AND l.customer_id = (SELECT customer_id FROM outbox WHERE id = ?)`
	withoutID = ` AND l.without_id = 1`
)

// Link implements [account.Store].
func (db *DB) Link(ctx context.Context, kind string, key account.LinkKey) (account.Link, error) {
	var l account.Link
	var expires int64
	var used sql.NullInt64
	query, args := selectLink+withoutID, []any{key.Hash[:], kind}
	if key.MessageID != "" {
		query, args = selectLink+ofMessage, append(args, key.MessageID, key.MessageID)
	}
	err := db.read(ctx).row(query, args...).
		Scan(&l.ID, &l.Kind, &l.CustomerID, &l.Email, &l.FirstName, &l.PartnerName, &l.Active, &expires, &used)
	if errors.Is(err, errNone) {
		return account.Link{}, account.ErrLinkNotFound
	}
	if err != nil {
		return account.Link{}, fail("find link", err)
	}
	l.ExpiresAt, l.UsedAt = fromMicros(expires), fromNullMicros(used)
	return l, nil
}

const (
	useLink = `
UPDATE links SET used_at = ?
WHERE id = ? AND used_at IS NULL
AND customer_id IN (SELECT c.id FROM customers c JOIN outbox o ON o.customer_id = c.id WHERE o.id = ? AND c.status = 1)`
	isLinkUsed = `
SELECT EXISTS (SELECT 1 FROM links WHERE id = ? AND customer_id = (SELECT customer_id FROM outbox WHERE id = ?) AND used_at IS NOT NULL)`
	useLinks    = `UPDATE links SET used_at = ? WHERE customer_id = ? AND kind = ? AND used_at IS NULL`
	setPassword = `
INSERT INTO credentials (customer_id, password_hash, password_set_at) VALUES (?, ?, ?)
ON CONFLICT (customer_id) DO UPDATE SET password_hash = excluded.password_hash, password_set_at = excluded.password_set_at`
	verifyEmail    = `UPDATE customers SET email_verified = 1, updated_at = CASE email_verified WHEN 1 THEN updated_at ELSE ? END WHERE id = ?`
	deleteSessions = `DELETE FROM sessions WHERE customer_id = ?`
)

// UseLink implements [account.Store].
func (db *DB) UseLink(ctx context.Context, use account.LinkUse) error {
	at := micros(use.At)
	return db.transaction(ctx, "use link", func(tx *tx) error {
		err := one(tx.exec(useLink, at, use.LinkID, use.LinkID))
		if errors.Is(err, errNone) {
			return whyNotUsed(tx, use.LinkID)
		}
		if err != nil {
			return err
		}
		if err := keepsFactor(tx, use.CustomerID, use.SecondFactor); err != nil {
			return err
		}
		if _, err := tx.exec(useLinks, at, use.CustomerID, use.Kind); err != nil {
			return err
		}
		if _, err := tx.exec(setPassword, use.CustomerID, use.PasswordHash, at); err != nil {
			return err
		}
		if _, err := tx.exec(verifyEmail, at, use.CustomerID); err != nil {
			return err
		}
		if _, err := tx.exec(deleteSessions, use.CustomerID); err != nil {
			return err
		}
		if use.Notice == nil {
			return nil
		}
		return insertMessage(tx, use.CustomerID, *use.Notice, use.At)
	})
}

// whyNotUsed finds out why a link could not be used.
func whyNotUsed(tx *tx, id string) error {
	var used bool
	if err := tx.row(isLinkUsed, id, id).Scan(&used); err != nil {
		return err
	}
	if used {
		return account.ErrLinkUsed
	}
	return account.ErrLinkNotFound
}

const selectInvitable = `
SELECT status = 1 AND NOT EXISTS (SELECT 1 FROM credentials WHERE customer_id = id) FROM customers WHERE id = ?`

// Invite implements [account.Store].
func (db *DB) Invite(ctx context.Context, customerID int64, m customer.Message, now time.Time, pause func([]time.Time, time.Time) time.Duration) error {
	return db.transaction(ctx, "invite", func(tx *tx) error {
		var invitable bool
		err := tx.row(selectInvitable, customerID).Scan(&invitable)
		switch {
		case errors.Is(err, errNone):
			return customer.ErrNotFound
		case err != nil:
			return err
		case !invitable:
			return account.ErrInvitationAccepted
		}
		recent, err := recentEmails(tx, customerID, now)
		if err != nil {
			return err
		}
		if wait := pause(recent[m.Kind], now); wait > 0 {
			return &account.TooManyError{RetryAfter: wait}
		}
		return insertMessage(tx, customerID, m, now)
	})
}

const selectRecent = `SELECT kind, created_at FROM outbox WHERE customer_id = ? AND created_at > ? ORDER BY created_at DESC LIMIT 100`

// recentEmails has the times at which e-mails of each kind were queued in the
// last day, the latest first.
func recentEmails(q querier, customerID int64, now time.Time) (map[string][]time.Time, error) {
	recent := make(map[string][]time.Time)
	err := q.each(func(row scanner) error {
		var kind string
		var at int64
		if err := row.Scan(&kind, &at); err != nil {
			return err
		}
		recent[kind] = append(recent[kind], fromMicros(at))
		return nil
	}, selectRecent, customerID, micros(now.Add(-24*time.Hour)))
	return recent, err
}

const insertRequest = `
INSERT INTO requests (id, kind, email, email_key, first_name, last_name, language, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

// AddRequest implements [account.Store].
func (db *DB) AddRequest(ctx context.Context, r account.Request) error {
	_, err := db.exec(ctx, insertRequest, r.ID, r.Kind, r.Email, r.EmailKey, r.FirstName, r.LastName, r.Language, micros(r.CreatedAt))
	return fail("store request", err)
}

const selectRequests = `
SELECT id, kind, email, email_key, first_name, last_name, language, created_at FROM requests ORDER BY created_at, id LIMIT ?`

// Requests implements [account.Store].
func (db *DB) Requests(ctx context.Context, limit int) ([]account.Request, error) {
	requests, err := list(db.read(ctx), func(row scanner) (r account.Request, err error) {
		var at int64
		err = row.Scan(&r.ID, &r.Kind, &r.Email, &r.EmailKey, &r.FirstName, &r.LastName, &r.Language, &at)
		r.CreatedAt = fromMicros(at)
		return r, err
	}, selectRequests, limit)
	return requests, fail("read requests", err)
}

// Settle implements [account.Store].
func (db *DB) Settle(ctx context.Context, s account.Settlement) error {
	return db.transaction(ctx, "settle request", func(tx *tx) error {
		err := one(tx.exec(`DELETE FROM requests WHERE id = ?`, s.RequestID))
		switch {
		case errors.Is(err, errNone):
			return nil // settled by somebody else
		case err != nil:
			return err
		case s.Creation != nil:
			_, err := create(tx, *s.Creation)
			return err
		case s.CustomerID != 0:
			return settleMessage(tx, s)
		default:
			return nil
		}
	})
}

const asDecided = `
SELECT EXISTS (
    SELECT 1 FROM customers WHERE id = ? AND status = 1 AND ? = EXISTS (SELECT 1 FROM credentials WHERE customer_id = id))`

// settleMessage queues an e-mail to a customer who is as when it was decided.
func settleMessage(tx *tx, s account.Settlement) error {
	var same bool
	if err := tx.row(asDecided, s.CustomerID, s.HasPassword).Scan(&same); err != nil {
		return err
	}
	if !same {
		return account.ErrConflict
	}
	return insertMessage(tx, s.CustomerID, s.Message, s.At)
}

// CustomerByEmail implements [account.Store].
func (db *DB) CustomerByEmail(ctx context.Context, emailKey string, now time.Time) (*account.Holder, error) {
	c, err := scanCustomer(db.read(ctx).row(selectCustomer+`c.email_key = ?`+latest, emailKey))
	if err != nil {
		return nil, fail("look up address", err)
	}
	h := &account.Holder{Customer: c}
	if err := db.read(ctx).row(`SELECT EXISTS (SELECT 1 FROM credentials WHERE customer_id = ?)`, c.ID).Scan(&h.HasPassword); err != nil {
		return nil, fail("look up address", err)
	}
	if h.Emails, err = recentEmails(db.read(ctx), c.ID, now); err != nil {
		return nil, fail("look up address", err)
	}
	return h, nil
}

const selectCredentials = `
SELECT c.id, c.status, c.email, c.first_name, c.middle_name, c.last_name, c.company_name,
    coalesce(k.password_hash, ''), coalesce(k.password_set_at, 0), k.totp_secret, k.totp_since, coalesce(k.totp_last_step, 0),
    (SELECT count(*) FROM recovery_codes r WHERE r.customer_id = c.id)
FROM customers c
LEFT JOIN credentials k ON k.customer_id = c.id
WHERE `

// Credentials implements [account.Store].
func (db *DB) Credentials(ctx context.Context, customerID int64) (account.Credentials, error) {
	return scanCredentials(db.read(ctx).row(selectCredentials+`c.id = ?`, customerID))
}

// CredentialsByEmail implements [account.Store].
func (db *DB) CredentialsByEmail(ctx context.Context, emailKey string) (account.Credentials, error) {
	return scanCredentials(db.read(ctx).row(selectCredentials+`c.email_key = ?`, emailKey))
}

func scanCredentials(row scanner) (account.Credentials, error) {
	var c account.Credentials
	var names [4]sql.NullString
	var set int64
	var since sql.NullInt64
	err := row.Scan(&c.CustomerID, &c.Status, &c.Email, &names[0], &names[1], &names[2], &names[3],
		&c.PasswordHash, &set, &c.TOTPSecret, &since, &c.TOTPLastStep, &c.RecoveryLeft)
	if errors.Is(err, errNone) {
		return account.Credentials{}, customer.ErrNotFound
	}
	if err != nil {
		return account.Credentials{}, fail("read credentials", err)
	}
	for _, name := range names {
		if name.Valid {
			c.Names = append(c.Names, name.String)
		}
	}
	c.PasswordSetAt, c.TOTPSince = fromMicros(set), fromNullMicros(since)
	return c, nil
}

const enrolTOTP = `UPDATE credentials SET totp_secret = ?, totp_last_step = 0 WHERE customer_id = ? AND totp_since IS NULL`

// EnrolTOTP implements [account.Store].
func (db *DB) EnrolTOTP(ctx context.Context, customerID int64, secret []byte) error {
	err := one(db.exec(ctx, enrolTOTP, secret, customerID))
	return fail("enrol second factor", orElse(err, account.ErrSecondFactorEnabled))
}

const (
	enableTOTP = `
UPDATE credentials SET totp_since = ?, totp_last_step = ?
WHERE customer_id = ? AND totp_secret = ? AND totp_since IS NULL`
	insertRecovery = `INSERT INTO recovery_codes (customer_id, hash) VALUES (?, ?)`
	deleteRecovery = `DELETE FROM recovery_codes WHERE customer_id = ?`
)

// EnableTOTP implements [account.Store].
func (db *DB) EnableTOTP(ctx context.Context, e account.TOTPEnable) error {
	return db.transaction(ctx, "enable second factor", func(tx *tx) error {
		if err := one(tx.exec(enableTOTP, micros(e.At), e.Step, e.CustomerID, e.Secret)); err != nil {
			return orElse(err, account.ErrConflict)
		}
		if _, err := tx.exec(deleteRecovery, e.CustomerID); err != nil {
			return err
		}
		for _, hash := range e.Recovery {
			if _, err := tx.exec(insertRecovery, e.CustomerID, hash); err != nil {
				return err
			}
		}
		return insertMessage(tx, e.CustomerID, e.Notice, e.At)
	})
}

const disableTOTP = `UPDATE credentials SET totp_secret = NULL, totp_since = NULL, totp_last_step = 0 WHERE customer_id = ? AND password_hash = ?`

// DisableTOTP implements [account.Store].
func (db *DB) DisableTOTP(ctx context.Context, d account.TOTPDisable) error {
	return db.transaction(ctx, "disable second factor", func(tx *tx) error {
		if err := useProof(tx, d.CustomerID, d.Proof); err != nil {
			return err
		}
		if err := one(tx.exec(disableTOTP, d.CustomerID, d.PasswordHash)); err != nil {
			return orElse(err, account.ErrConflict)
		}
		if _, err := tx.exec(deleteRecovery, d.CustomerID); err != nil {
			return err
		}
		return insertMessage(tx, d.CustomerID, d.Notice, d.At)
	})
}

// keepsFactor returns [account.ErrConflict] if a second factor is needed and
// there is none.
func keepsFactor(tx *tx, customerID int64, needed bool) error {
	if !needed {
		return nil
	}
	var without bool
	if err := tx.row(hasNoFactor, customerID).Scan(&without); err != nil {
		return err
	}
	if without {
		return account.ErrConflict
	}
	return nil
}

const (
	useStep     = `UPDATE credentials SET totp_last_step = ? WHERE customer_id = ? AND totp_since IS NOT NULL AND totp_last_step < ?`
	useRecovery = `DELETE FROM recovery_codes WHERE customer_id = ? AND hash = ?`
	hasNoFactor = `SELECT NOT EXISTS (SELECT 1 FROM credentials WHERE customer_id = ? AND totp_since IS NOT NULL)`
)

// useProof uses a code up, or returns [account.ErrInvalidSecondFactor] if it is
// used up, or is missing.
func useProof(tx *tx, customerID int64, p account.Proof) error {
	var err error
	switch {
	case p.Recovery != nil:
		err = one(tx.exec(useRecovery, customerID, p.Recovery))
	case p.Step != 0:
		err = one(tx.exec(useStep, p.Step, customerID, p.Step))
	default:
		var fine bool
		err = tx.row(hasNoFactor, customerID).Scan(&fine)
		if err == nil && !fine {
			err = errNone
		}
	}
	if err != nil {
		return fmt.Errorf("use second factor: %w", orElse(err, account.ErrInvalidSecondFactor))
	}
	return nil
}
