package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/partner"
)

var _ partner.Store = (*DB)(nil)

// CreatePartner implements [partner.Store].
func (db *DB) CreatePartner(ctx context.Context, name string, key partner.NewKey) (partner.Partner, partner.Key, error) {
	p, k, _, err := db.createPartner(ctx, name, key, false)
	return p, k, err
}

// CreateFirstPartner implements [partner.Store].
func (db *DB) CreateFirstPartner(ctx context.Context, name string, key partner.NewKey) (partner.Partner, partner.Key, bool, error) {
	return db.createPartner(ctx, name, key, true)
}

func (db *DB) createPartner(ctx context.Context, name string, key partner.NewKey, onlyFirst bool) (p partner.Partner, k partner.Key, created bool, err error) {
	err = db.transaction(ctx, "create partner", func(tx *sql.Tx) error {
		if onlyFirst {
			var there bool
			if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM partners)`).Scan(&there); err != nil || there {
				return err
			}
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO partners (name, created_at) VALUES (?, ?)`, name, micros(key.CreatedAt))
		if err != nil {
			return fmt.Errorf("insert partner: %w", err)
		}
		id, err := result.LastInsertId()
		if err != nil {
			return fmt.Errorf("read id of partner: %w", err)
		}
		p = partner.Partner{ID: id, Name: name, CreatedAt: key.CreatedAt}
		k, err = insertKey(ctx, tx, id, key)
		created = err == nil
		return err
	})
	return p, k, created, err
}

// CreateKey implements [partner.Store].
func (db *DB) CreateKey(ctx context.Context, partnerID int64, key partner.NewKey) (k partner.Key, err error) {
	err = db.transaction(ctx, "create key", func(tx *sql.Tx) error {
		var exists bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM partners WHERE id = ?)`, partnerID).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return fmt.Errorf("partner %d: %w", partnerID, partner.ErrNotFound)
		}
		k, err = insertKey(ctx, tx, partnerID, key)
		return err
	})
	return k, err
}

func insertKey(ctx context.Context, tx *sql.Tx, partnerID int64, key partner.NewKey) (partner.Key, error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO api_keys (partner_id, hash, last4, created_at) VALUES (?, ?, ?, ?)`,
		partnerID, key.Hash[:], key.Last4, micros(key.CreatedAt))
	if err != nil {
		return partner.Key{}, fmt.Errorf("insert key: %w", err)
	}
	id, err := result.LastInsertId()
	if err != nil {
		return partner.Key{}, fmt.Errorf("read id of key: %w", err)
	}
	return partner.Key{ID: id, PartnerID: partnerID, Last4: key.Last4, CreatedAt: key.CreatedAt}, nil
}

// Partners implements [partner.Store].
func (db *DB) Partners(ctx context.Context) (list []partner.Partner, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, name, created_at FROM partners ORDER BY id`)
	if err != nil {
		return nil, fail("list partners", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var p partner.Partner
		var created int64
		if err := rows.Scan(&p.ID, &p.Name, &created); err != nil {
			return nil, fail("list partners", err)
		}
		p.CreatedAt = fromMicros(created)
		list = append(list, p)
	}
	return list, fail("list partners", rows.Err())
}

const selectKey = `SELECT id, partner_id, last4, created_at, revoked_at FROM api_keys `

// Keys implements [partner.Store].
func (db *DB) Keys(ctx context.Context, partnerID int64) (list []partner.Key, err error) {
	rows, err := db.read.QueryContext(ctx, selectKey+`WHERE partner_id = ? ORDER BY id`, partnerID)
	if err != nil {
		return nil, fail("list keys", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, fail("list keys", err)
		}
		list = append(list, k)
	}
	return list, fail("list keys", rows.Err())
}

// RevokeKey implements [partner.Store].
func (db *DB) RevokeKey(ctx context.Context, id int64, at time.Time) error {
	result, err := db.write.ExecContext(ctx, `UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?`, micros(at), id)
	if err != nil {
		return fail("revoke key", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return fail("revoke key", err)
	}
	if n == 0 {
		return fmt.Errorf("key %d: %w", id, partner.ErrNotFound)
	}
	return nil
}

// KeyByHash implements [partner.Store].
func (db *DB) KeyByHash(ctx context.Context, hash partner.Hash) (partner.Key, error) {
	k, err := scanKey(db.read.QueryRowContext(ctx, selectKey+`WHERE hash = ? AND revoked_at IS NULL`, hash[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return partner.Key{}, partner.ErrUnauthenticated
	}
	if err != nil {
		return partner.Key{}, fail("look up key", err)
	}
	return k, nil
}

func scanKey(row interface{ Scan(...any) error }) (partner.Key, error) {
	var k partner.Key
	var created int64
	var revoked sql.NullInt64
	if err := row.Scan(&k.ID, &k.PartnerID, &k.Last4, &created, &revoked); err != nil {
		return partner.Key{}, fmt.Errorf("scan key: %w", err)
	}
	k.CreatedAt, k.RevokedAt = fromMicros(created), fromNullMicros(revoked)
	return k, nil
}
