package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

var _ customer.Store = (*DB)(nil)

// Create implements [customer.Store].
func (db *DB) Create(ctx context.Context, c customer.Creation) (customer.Created, error) {
	var created customer.Created
	err := db.transaction(ctx, "create customer", func(tx *sql.Tx) error {
		var err error
		created, err = create(ctx, tx, c)
		return err
	})
	if err != nil {
		return customer.Created{}, err
	}
	return created, nil
}

func create(ctx context.Context, tx *sql.Tx, c customer.Creation) (customer.Created, error) {
	if c.Idempotency != nil {
		earlier, err := replay(ctx, tx, c)
		if err != nil || earlier.Replayed {
			return earlier, err
		}
	}
	if err := refuseEmailInUse(ctx, tx, c.EmailKey); err != nil {
		return customer.Created{}, err
	}
	id, err := insertCustomer(ctx, tx, c)
	if err != nil {
		return customer.Created{}, err
	}
	c.Customer.ID = id
	if err := insertMessage(ctx, tx, c); err != nil {
		return customer.Created{}, err
	}
	if err := insertIdempotencyKey(ctx, tx, c); err != nil {
		return customer.Created{}, err
	}
	return customer.Created{Customer: c.Customer}, nil
}

// A record that has expired is still good: what it promises has become
// optional, and has not become wrong.
const selectIdempotencyKey = `SELECT fingerprint, customer FROM idempotency_keys WHERE partner_id = ? AND key = ?`

// replay finds the customer that an earlier request with the same key created.
func replay(ctx context.Context, tx *sql.Tx, c customer.Creation) (customer.Created, error) {
	var fingerprint []byte
	var snapshot string
	err := tx.QueryRowContext(ctx, selectIdempotencyKey, c.Idempotency.PartnerID, c.Idempotency.Key).Scan(&fingerprint, &snapshot)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return customer.Created{}, nil
	case err != nil:
		return customer.Created{}, fmt.Errorf("read idempotency key: %w", err)
	case !bytes.Equal(fingerprint, c.Idempotency.Fingerprint):
		return customer.Created{}, customer.ErrKeyReused
	}
	earlier := customer.Created{Replayed: true}
	if err := json.Unmarshal([]byte(snapshot), &earlier.Customer); err != nil {
		return customer.Created{}, fmt.Errorf("decode idempotency record: %w", err)
	}
	return earlier, nil
}

const insertIdempotency = `INSERT INTO idempotency_keys (partner_id, key, fingerprint, customer, expires_at) VALUES (?, ?, ?, ?, ?)`

func insertIdempotencyKey(ctx context.Context, tx *sql.Tx, c customer.Creation) error {
	if c.Idempotency == nil {
		return nil
	}
	snapshot, err := json.Marshal(c.Customer)
	if err != nil {
		return fmt.Errorf("encode idempotency record: %w", err)
	}
	k := c.Idempotency
	if _, err := tx.ExecContext(ctx, insertIdempotency, k.PartnerID, k.Key, k.Fingerprint, string(snapshot), micros(k.ExpiresAt)); err != nil {
		return fmt.Errorf("insert idempotency key: %w", err)
	}
	return nil
}

const selectByEmail = `SELECT id, partner_id FROM customers WHERE email_key = ?`

// refuseEmailInUse need not be told of a race by the unique index: the
// transaction is the only one that writes.
func refuseEmailInUse(ctx context.Context, tx *sql.Tx, key string) error {
	inUse := &customer.EmailInUseError{}
	err := tx.QueryRowContext(ctx, selectByEmail, key).Scan(&inUse.CustomerID, &inUse.PartnerID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for e-mail address: %w", err)
	}
	return inUse
}

const insertCustomers = `
INSERT INTO customers (
    partner_id, email, email_key, username, first_name, middle_name, last_name,
    company_name, gender, date_of_birth, status, customer_group,
    subscribed_to_news_letter, email_verified, phone, phone_verified,
    is_company, notes, address_line1, address_line2, address_city,
    address_state, address_country, address_post_code, created_at, updated_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertCustomer(ctx context.Context, tx *sql.Tx, creation customer.Creation) (int64, error) {
	c := creation.Customer
	a := addressColumns(c.Address)
	result, err := tx.ExecContext(ctx, insertCustomers,
		c.PartnerID, c.Email, creation.EmailKey, c.Username, c.FirstName, c.MiddleName, c.LastName,
		c.CompanyName, c.Gender, c.DateOfBirth, c.Status, c.Group,
		c.SubscribedToNewsLetter, c.EmailVerified, c.Phone, c.PhoneVerified,
		c.IsCompany, c.Notes, a.line1, a.line2, a.city,
		a.state, a.country, a.postCode, micros(c.CreatedAt), micros(c.UpdatedAt))
	if err != nil {
		return 0, fmt.Errorf("insert customer: %w", err)
	}
	id, err := result.LastInsertId()
	if err != nil {
		return 0, fmt.Errorf("read id of customer: %w", err)
	}
	return id, nil
}

const insertOutbox = `INSERT INTO outbox (id, customer_id, kind, created_at, due_at, attempts) VALUES (?, ?, ?, ?, ?, 0)`

func insertMessage(ctx context.Context, tx *sql.Tx, c customer.Creation) error {
	at := micros(c.Customer.CreatedAt)
	if _, err := tx.ExecContext(ctx, insertOutbox, c.Message.ID, c.Customer.ID, c.Message.Kind, at, at); err != nil {
		return fmt.Errorf("queue e-mail: %w", err)
	}
	return nil
}

const selectCustomer = `
SELECT
    id, partner_id, email, username, first_name, middle_name, last_name,
    company_name, gender, date_of_birth, status, customer_group,
    subscribed_to_news_letter, email_verified, phone, phone_verified,
    is_company, notes, address_line1, address_line2, address_city,
    address_state, address_country, address_post_code, last_login_at,
    last_login_ip, last_login_host, created_at, updated_at, deleted_at,
    reason_for_deletion
FROM customers WHERE id = ?`

// Customer implements [customer.Store].
func (db *DB) Customer(ctx context.Context, partnerID, id int64) (customer.Customer, error) {
	c, err := scanCustomer(db.read.QueryRowContext(ctx, selectCustomer+` AND partner_id = ?`, id, partnerID))
	if err != nil {
		return customer.Customer{}, fail("read customer", err)
	}
	return c, nil
}

// AnyCustomer reads a customer, whoever created it, for the operator. It
// returns [customer.ErrNotFound] if there is none.
func (db *DB) AnyCustomer(ctx context.Context, id int64) (customer.Customer, error) {
	c, err := scanCustomer(db.read.QueryRowContext(ctx, selectCustomer, id))
	if err != nil {
		return customer.Customer{}, fail("read customer", err)
	}
	return c, nil
}

func scanCustomer(row *sql.Row) (customer.Customer, error) {
	var c customer.Customer
	var a nullAddress
	var created, updated int64
	var lastLogin, deleted sql.NullInt64
	err := row.Scan(
		&c.ID, &c.PartnerID, &c.Email, &c.Username, &c.FirstName, &c.MiddleName, &c.LastName,
		&c.CompanyName, &c.Gender, &c.DateOfBirth, &c.Status, &c.Group,
		&c.SubscribedToNewsLetter, &c.EmailVerified, &c.Phone, &c.PhoneVerified,
		&c.IsCompany, &c.Notes, &a.line1, &a.line2, &a.city,
		&a.state, &a.country, &a.postCode, &lastLogin,
		&c.LastLoginIP, &c.LastLoginHost, &created, &updated, &deleted,
		&c.ReasonForDeletion)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return customer.Customer{}, customer.ErrNotFound
	case err != nil:
		return customer.Customer{}, fmt.Errorf("scan customer: %w", err)
	}
	c.Address = a.address()
	c.LastLoginAt, c.DeletedAt = fromNullMicros(lastLogin), fromNullMicros(deleted)
	c.CreatedAt, c.UpdatedAt = fromMicros(created), fromMicros(updated)
	return c, nil
}

// nullAddress is an address as columns, all NULL if there is none.
type nullAddress struct {
	line1, line2, city, state, country, postCode sql.NullString
}

func addressColumns(a *customer.Address) nullAddress {
	if a == nil {
		return nullAddress{}
	}
	required := func(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }
	optional := func(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
	return nullAddress{required(a.Line1), optional(a.Line2), required(a.City), optional(a.State), required(a.Country), required(a.PostCode)}
}

func (a nullAddress) address() *customer.Address {
	if !a.line1.Valid {
		return nil
	}
	return &customer.Address{
		Line1: a.line1.String, Line2: a.line2.String, City: a.city.String,
		State: a.state.String, Country: a.country.String, PostCode: a.postCode.String,
	}
}

// ForgetIdempotencyKeys implements [customer.Store].
func (db *DB) ForgetIdempotencyKeys(ctx context.Context, now time.Time) (int64, error) {
	result, err := db.write.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE expires_at < ?`, micros(now))
	if err != nil {
		return 0, fail("forget idempotency keys", err)
	}
	n, err := result.RowsAffected()
	return n, fail("forget idempotency keys", err)
}
