package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
)

const setStatus = `UPDATE customers SET status = ?, updated_at = ? WHERE id = ? AND status = ?`

// SetStatus suspends a customer, which ends all sessions, or restores one. It
// returns [customer.ErrNotFound] for a customer who does not exist, and
// [account.ErrConflict] for one who is not in the status from.
func (db *DB) SetStatus(ctx context.Context, id int64, from, to customer.Status, at time.Time) error {
	return db.transaction(ctx, "set status", func(tx *tx) error {
		if err := exists(tx, id); err != nil {
			return err
		}
		if err := one(tx.exec(setStatus, to, micros(at), id, from)); err != nil {
			return orElse(err, account.ErrConflict)
		}
		if to == customer.Active {
			return nil
		}
		_, err := tx.exec(deleteSessions, id)
		return err
	})
}

func exists(tx *tx, id int64) error {
	var there bool
	if err := tx.row(`SELECT EXISTS (SELECT 1 FROM customers WHERE id = ?)`, id).Scan(&there); err != nil {
		return err
	}
	if !there {
		return customer.ErrNotFound
	}
	return nil
}

// The key of an erased customer is no address, so that nobody can have it.
const eraseCustomer = `
UPDATE customers SET
    email = 'erased-' || id || '@erased.invalid', email_key = 'erased ' || id,
    username = '', first_name = NULL, middle_name = NULL, last_name = NULL, company_name = NULL,
    gender = NULL, date_of_birth = NULL, phone = NULL, phone_verified = 0, notes = NULL,
    address_line1 = NULL, address_line2 = NULL, address_city = NULL, address_state = NULL,
    address_country = NULL, address_post_code = NULL, language = NULL, changed_fields = '{}',
    last_login_ip = NULL, last_login_host = NULL, subscribed_to_news_letter = 0,
    status = 3, deleted_at = coalesce(deleted_at, ?1), updated_at = ?1, reason_for_deletion = 'Erased.'
WHERE id = ?2`

// eraseRows removes what belongs to a customer. An e-mail that was not sent
// goes too: nothing may be sent any more, not even if an operator tries what
// failed again, and a worker that is sending it finds that it is gone.
var eraseRows = []string{
	`DELETE FROM requests WHERE email_key = (SELECT email_key FROM customers WHERE id = ?)`,
	deleteSessions, deleteRecovery,
	`DELETE FROM credentials WHERE customer_id = ?`,
	`DELETE FROM links WHERE customer_id = ?`,
	`DELETE FROM disbursement_methods WHERE customer_id = ?`,
	`DELETE FROM idempotency_keys WHERE json_extract(customer, '$.ID') = ?`,
	`DELETE FROM outbox_attempts WHERE message_id IN (SELECT id FROM outbox WHERE customer_id = ? AND sent_at IS NULL)`,
	`DELETE FROM outbox WHERE customer_id = ? AND sent_at IS NULL`,
}

// Erase removes everything personal of a customer, in whatever status, and
// gives the ids of the e-mails that were written, or are being written. What is
// kept is that the account was there: its id, partner, status and times, and
// which kinds of e-mails were sent when. It returns [customer.ErrNotFound], or
// [customer.ErrUnavailable] if copies are left because others use the file: then
// it gives the ids nevertheless, and is to be called again.
func (db *DB) Erase(ctx context.Context, id int64, at time.Time) (emails []string, err error) {
	err = db.transaction(ctx, "erase customer", func(tx *tx) error {
		if err := exists(tx, id); err != nil {
			return err
		}
		if emails, err = texts(tx, `SELECT id FROM outbox WHERE customer_id = ?`, id); err != nil {
			return err
		}
		if err := execAll(tx, "erase customer", id, eraseRows...); err != nil {
			return err
		}
		_, err := tx.exec(eraseCustomer, micros(at), id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return emails, db.writeBack(ctx)
}

// writeBack makes sure that what was erased is neither in the file nor in the
// journal any more. secure_delete has overwritten the rows where they were, but
// not the copies that are left in the gaps of pages from which rows have moved;
// so the file is written anew. Nobody else writes meanwhile, some seconds for
// each gigabyte.
func (db *DB) writeBack(ctx context.Context) error {
	err := db.apart(ctx, func(c *conn) error {
		if err := vacuum(db.at); err != nil {
			return err
		}
		for range writeBackTries {
			if pages, moved, err := c.checkpoint("TRUNCATE"); err != nil || pages == moved {
				return err
			}
		}
		return fmt.Errorf("%w: somebody reads all the time", customer.ErrUnavailable)
	})
	return fail("write back what was erased", err)
}

// vacuum has a connection of its own: the one that writes would put the copy in
// memory.
func vacuum(at place) error {
	c, err := open(at)
	if err != nil {
		return err
	}
	_, err = c.exec(`VACUUM`)
	return errors.Join(err, c.Close())
}

// writeBackTries is how often that is tried; each time waits for busy_timeout.
const writeBackTries = 3
