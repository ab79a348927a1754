package sqlite

import (
	"context"
	"database/sql"
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
	err = db.changeKeys(ctx, "create partner", func(tx *tx) error {
		if onlyFirst {
			var there bool
			if err := tx.row(`SELECT EXISTS (SELECT 1 FROM partners)`).Scan(&there); err != nil || there {
				return err
			}
		}
		result, err := tx.exec(`INSERT INTO partners (name, created_at) VALUES (?, ?)`, name, micros(key.CreatedAt))
		if err != nil {
			return fmt.Errorf("insert partner: %w", err)
		}
		p = partner.Partner{ID: result.id, Name: name, CreatedAt: key.CreatedAt}
		k, err = insertKey(tx, p.ID, key)
		created = err == nil
		return err
	})
	return p, k, created, err
}

// changeKeys runs f in a transaction, and makes sure that all processes learn of
// it.
func (db *DB) changeKeys(ctx context.Context, name string, f func(*tx) error) error {
	return fail(name, db.keys.change(ctx, func() error { return db.writer.do(ctx, &job{run: f}) }))
}

// CreateKey implements [partner.Store].
func (db *DB) CreateKey(ctx context.Context, partnerID int64, key partner.NewKey) (k partner.Key, err error) {
	err = db.changeKeys(ctx, "create key", func(tx *tx) error {
		var exists bool
		if err := tx.row(`SELECT EXISTS (SELECT 1 FROM partners WHERE id = ?)`, partnerID).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return fmt.Errorf("partner %d: %w", partnerID, partner.ErrNotFound)
		}
		k, err = insertKey(tx, partnerID, key)
		return err
	})
	return k, err
}

func insertKey(tx *tx, partnerID int64, key partner.NewKey) (partner.Key, error) {
	result, err := tx.exec(`INSERT INTO api_keys (partner_id, hash, last4, created_at) VALUES (?, ?, ?, ?)`,
		partnerID, key.Hash[:], key.Last4, micros(key.CreatedAt))
	if err != nil {
		return partner.Key{}, fmt.Errorf("insert key: %w", err)
	}
	return partner.Key{ID: result.id, PartnerID: partnerID, Last4: key.Last4, CreatedAt: key.CreatedAt}, nil
}

// Partners implements [partner.Store].
func (db *DB) Partners(ctx context.Context) ([]partner.Partner, error) {
	partners, err := list(db.read(ctx), func(row scanner) (p partner.Partner, err error) {
		var created int64
		err = row.Scan(&p.ID, &p.Name, &created)
		p.CreatedAt = fromMicros(created)
		return p, err
	}, `SELECT id, name, created_at FROM partners ORDER BY id`)
	return partners, fail("list partners", err)
}

const selectKey = `SELECT id, partner_id, last4, created_at, revoked_at FROM api_keys `

// Keys implements [partner.Store].
func (db *DB) Keys(ctx context.Context, partnerID int64) ([]partner.Key, error) {
	keys, err := list(db.read(ctx), scanKey, selectKey+`WHERE partner_id = ? ORDER BY id`, partnerID)
	return keys, fail("list keys", err)
}

// RevokeKey implements [partner.Store].
func (db *DB) RevokeKey(ctx context.Context, id int64, at time.Time) error {
	return db.changeKeys(ctx, "revoke key", func(tx *tx) error {
		err := one(tx.exec(`UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?`, micros(at), id))
		return orElse(err, fmt.Errorf("key %d: %w", id, partner.ErrNotFound))
	})
}

// KeyByHash implements [partner.Store].
func (db *DB) KeyByHash(ctx context.Context, hash partner.Hash) (partner.Key, error) {
	keys, err := db.keys.keys(ctx)
	if err != nil {
		return partner.Key{}, fail("look up key", err)
	}
	if keys == nil { // they are being changed
		k, err := scanKey(db.read(ctx).row(selectKey+`WHERE hash = ? AND revoked_at IS NULL`, hash[:]))
		return k, fail("look up key", orElse(err, partner.ErrUnauthenticated))
	}
	k, good := keys[hash]
	if !good {
		return partner.Key{}, partner.ErrUnauthenticated
	}
	return k, nil
}

// goodKeys reads all keys that are good.
func (db *DB) goodKeys(ctx context.Context) (map[partner.Hash]partner.Key, error) {
	good := make(map[partner.Hash]partner.Key)
	err := db.read(ctx).each(func(row scanner) error {
		var hash []byte
		var k partner.Key
		var created int64
		if err := row.Scan(&hash, &k.ID, &k.PartnerID, &k.Last4, &created); err != nil {
			return err
		}
		k.CreatedAt = fromMicros(created)
		good[partner.Hash(hash)] = k
		return nil
	}, `SELECT hash, id, partner_id, last4, created_at FROM api_keys WHERE revoked_at IS NULL`)
	return good, err
}

func scanKey(row scanner) (partner.Key, error) {
	var k partner.Key
	var created int64
	var revoked sql.NullInt64
	if err := row.Scan(&k.ID, &k.PartnerID, &k.Last4, &created, &revoked); err != nil {
		return partner.Key{}, fmt.Errorf("scan key: %w", err)
	}
	k.CreatedAt, k.RevokedAt = fromMicros(created), fromNullMicros(revoked)
	return k, nil
}
