package sqlite

import (
	"context"
	"errors"
	"fmt"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

// OpenMemory makes a store in the memory of the process, which nothing else can
// open, and which is gone when it is closed. Nothing of it is ever in a file. It
// takes most bytes at most; whoever would write more is told
// [customer.ErrUnavailable] until [DB.Forget] has made room.
func OpenMemory(ctx context.Context, most int64) (_ *DB, err error) {
	at, g := newMemory(), &gate{}
	db := &DB{at: at, readers: newReaders(at, g)}
	db.keys = &keyRing{trusted: keysTrusted, load: db.goodKeys}
	// This connection comes first and goes last: without one there is nothing.
	c, err := open(at, fmt.Sprintf("max_page_count = %d", most/pageSize))
	if err != nil {
		return nil, fmt.Errorf("open database in memory: %w", err)
	}
	if err := migrate(ctx, at); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	db.writer = newWriter(c, g, func(*conn) {})
	return db, nil
}

// forgetAtOnce is how many customers are forgotten in one transaction, so that
// others wait for milliseconds.
const forgetAtOnce = 500

// Forget removes the oldest customers, with everything of theirs, until all data
// takes less than three quarters of limit, in bytes, if it takes more than limit;
// and tells how many they were. Of those who are left, it removes the oldest
// e-mails that are done with, and the oldest sessions. It is for a store that must
// not grow for ever and whose data nobody needs for long: a sandbox's.
func (db *DB) Forget(ctx context.Context, limit int64) (forgotten int64, err error) {
	size, err := db.size(ctx)
	if err != nil || size <= limit {
		return 0, err
	}
	for size > limit/4*3 {
		var customers, rest int64
		err := db.transaction(ctx, "forget the oldest", func(tx *tx) error {
			var err error
			customers, rest, err = forget(tx)
			return err
		})
		if err != nil {
			return forgotten, err
		}
		forgotten += customers
		if customers+rest == 0 {
			return forgotten, nil // what there is, is of a few who are at work
		}
		if size, err = db.size(ctx); err != nil {
			return forgotten, err
		}
	}
	return forgotten, nil
}

// size is how much the data takes, in bytes, without what is free.
func (db *DB) size(ctx context.Context) (int64, error) {
	var pages int64
	err := db.read(ctx).row(`SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)`).Scan(&pages)
	return pages * pageSize, fail("measure", err)
}

// selectOldest finds the last of the customers to be forgotten, and when they were
// created: one in four, and not too many at once.
const selectOldest = `SELECT coalesce(max(id), 0), coalesce(max(created_at), 0), count(*)
FROM (SELECT id, created_at FROM customers ORDER BY id LIMIT (SELECT min(?, count(*) / 4) FROM customers))`

// forgetRows are statements about all customers up to one.
var forgetRows = []string{
	`DELETE FROM sessions WHERE customer_id <= ?`,
	`DELETE FROM recovery_codes WHERE customer_id <= ?`,
	`DELETE FROM credentials WHERE customer_id <= ?`,
	`DELETE FROM links WHERE customer_id <= ?`,
	`DELETE FROM disbursement_methods WHERE customer_id <= ?`,
	`DELETE FROM outbox_attempts WHERE message_id IN (SELECT id FROM outbox WHERE customer_id <= ?)`,
	`DELETE FROM outbox WHERE customer_id <= ?`,
	`DELETE FROM customers WHERE id <= ?`,
}

// forgetMore are statements about what few customers may have much of.
var forgetMore = []string{
	`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY created_at LIMIT (SELECT min(?, count(*) / 4) FROM sessions))`,
	// E-mails have ids in the order of time.
	`DELETE FROM outbox_attempts WHERE message_id IN (SELECT id FROM outbox WHERE due_at IS NULL ORDER BY id LIMIT (SELECT min(?, count(*) / 4) FROM outbox))`,
	`DELETE FROM outbox WHERE due_at IS NULL AND id NOT IN (SELECT message_id FROM outbox_attempts) AND id IN (SELECT id FROM outbox WHERE due_at IS NULL ORDER BY id LIMIT (SELECT min(?, count(*) / 4) FROM outbox))`,
}

// forget forgets some, and tells how many customers and how many other rows.
func forget(tx *tx) (customers, rest int64, err error) {
	var last, created int64
	if err := tx.row(selectOldest, forgetAtOnce).Scan(&last, &created, &customers); err != nil {
		return 0, 0, fmt.Errorf("find the oldest customers: %w", err)
	}
	if err := execAll(tx, "forget customers", last, forgetRows...); err != nil {
		return 0, 0, err
	}
	// An idempotency key is as old as its customer.
	if _, err := tx.exec(`DELETE FROM idempotency_keys WHERE expires_at <= ?`, created+customer.KeyRetention.Microseconds()); err != nil {
		return 0, 0, fmt.Errorf("forget idempotency keys: %w", err)
	}
	for _, statement := range forgetMore {
		r, err := tx.exec(statement, forgetAtOnce)
		if err != nil {
			return 0, 0, fmt.Errorf("forget sessions and e-mails: %w", err)
		}
		rest += r.changed
	}
	return customers, rest, nil
}
