package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

var _ customer.Store = (*DB)(nil)

// Create implements [customer.Store].
func (db *DB) Create(ctx context.Context, c customer.Creation) (customer.Created, error) {
	var created customer.Created
	err := db.transaction(ctx, "create customer", func(tx *tx) error {
		var err error
		created, err = create(tx, c)
		return err
	})
	if err != nil {
		return customer.Created{}, err
	}
	return created, nil
}

func create(tx *tx, c customer.Creation) (customer.Created, error) {
	if c.Idempotency != nil {
		earlier, err := replay(tx, c)
		if err != nil || earlier.Replayed {
			return earlier, err
		}
	}
	if err := refuseEmailInUse(tx, c.EmailKey, c.SignUpsBefore); err != nil {
		return customer.Created{}, err
	}
	id, err := insertCustomer(tx, c)
	if err != nil {
		return customer.Created{}, err
	}
	c.Customer.ID = id
	if err := insertMessage(tx, id, c.Message, c.Customer.CreatedAt); err != nil {
		return customer.Created{}, err
	}
	for i := range c.Customer.DisbursementMethods {
		m := &c.Customer.DisbursementMethods[i]
		secret, err := c.Sealer.Seal(c.Secrets[i], id, m.ID)
		if err != nil {
			return customer.Created{}, fmt.Errorf("encrypt disbursement method: %w", err)
		}
		if err := addMethod(tx, id, m, secret); err != nil {
			return customer.Created{}, err
		}
	}
	if err := insertIdempotencyKey(tx, c); err != nil {
		return customer.Created{}, err
	}
	return customer.Created{Customer: c.Customer}, nil
}

// A record that has expired is still good: what it promises has become
// optional, and has not become wrong.
const selectIdempotencyKey = `SELECT fingerprint, customer FROM idempotency_keys WHERE partner_id = ? AND key = ?`

// replay finds the customer that an earlier request with the same key created.
func replay(tx *tx, c customer.Creation) (customer.Created, error) {
	var fingerprint []byte
	var snapshot string
	err := tx.row(selectIdempotencyKey, c.Idempotency.PartnerID, c.Idempotency.Key).Scan(&fingerprint, &snapshot)
	switch {
	case errors.Is(err, errNone):
		return customer.Created{}, nil
	case err != nil:
		return customer.Created{}, fmt.Errorf("read idempotency key: %w", err)
	case !c.Idempotency.Same(fingerprint):
		return customer.Created{}, customer.ErrKeyReused
	}
	earlier := customer.Created{Replayed: true}
	if err := json.Unmarshal([]byte(snapshot), &earlier.Customer); err != nil {
		return customer.Created{}, fmt.Errorf("decode idempotency record: %w", err)
	}
	return earlier, nil
}

const insertIdempotency = `INSERT INTO idempotency_keys (partner_id, key, fingerprint, customer, expires_at) VALUES (?, ?, ?, ?, ?)`

func insertIdempotencyKey(tx *tx, c customer.Creation) error {
	if c.Idempotency == nil {
		return nil
	}
	snapshot, err := json.Marshal(c.Customer)
	if err != nil {
		return fmt.Errorf("encode idempotency record: %w", err)
	}
	k := c.Idempotency
	if _, err := tx.exec(insertIdempotency, k.PartnerID, k.Key, k.Fingerprint, string(snapshot), micros(k.ExpiresAt)); err != nil {
		return fmt.Errorf("insert idempotency key: %w", err)
	}
	return nil
}

const selectByEmail = `SELECT id, partner_id, customer_group = 1 AND email_verified = 0 AND created_at <= ? FROM customers WHERE email_key = ?`

// refuseEmailInUse need not be told of a race by the unique index: the
// transaction is the only one that writes. A sign-up that nobody confirmed in
// time gives way.
func refuseEmailInUse(tx *tx, key string, signUpsBefore time.Time) error {
	inUse := &customer.EmailInUseError{}
	var givesWay bool
	err := tx.row(selectByEmail, micros(signUpsBefore), key).Scan(&inUse.CustomerID, &inUse.PartnerID, &givesWay)
	switch {
	case errors.Is(err, errNone):
		return nil
	case err != nil:
		return fmt.Errorf("look for e-mail address: %w", err)
	case givesWay:
		return removeCustomer(tx, inUse.CustomerID)
	}
	return inUse
}

// removeCustomer removes a customer who never was one: a sign-up that nobody
// confirmed.
func removeCustomer(tx *tx, id int64) error {
	return execAll(tx, "remove sign-up", id,
		`DELETE FROM links WHERE customer_id = ?`,
		`DELETE FROM outbox_attempts WHERE message_id IN (SELECT id FROM outbox WHERE customer_id = ?)`,
		`DELETE FROM outbox WHERE customer_id = ?`,
		`DELETE FROM customers WHERE id = ?`)
}

// execAll runs statements about one customer.
func execAll(tx *tx, name string, id int64, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.exec(statement, id); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

const insertCustomers = `
INSERT INTO customers (
    partner_id, email, email_key, username, first_name, middle_name, last_name,
    company_name, gender, date_of_birth, status, customer_group,
    subscribed_to_news_letter, email_verified, phone, phone_verified,
    is_company, notes, address_line1, address_line2, address_city,
    address_state, address_country, address_post_code, language, created_at, updated_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertCustomer(tx *tx, creation customer.Creation) (int64, error) {
	c := creation.Customer
	a := addressColumns(c.Address)
	result, err := tx.exec(insertCustomers,
		c.PartnerID, c.Email, creation.EmailKey, c.Username, c.FirstName, c.MiddleName, c.LastName,
		c.CompanyName, c.Gender, c.DateOfBirth, c.Status, c.Group,
		c.SubscribedToNewsLetter, c.EmailVerified, c.Phone, c.PhoneVerified,
		c.IsCompany, c.Notes, a.line1, a.line2, a.city,
		a.state, a.country, a.postCode, c.Language, micros(c.CreatedAt), micros(c.UpdatedAt))
	if err != nil {
		return 0, fmt.Errorf("insert customer: %w", err)
	}
	return result.id, nil
}

const (
	insertOutbox = `INSERT INTO outbox (id, customer_id, kind, created_at, due_at, attempts) VALUES (?, ?, ?, ?, ?, 0)`
	insertLink   = `INSERT INTO links (id, customer_id, kind, hash, key_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`
)

// insertMessage queues an e-mail, with its link if it has one.
func insertMessage(tx *tx, customerID int64, m customer.Message, at time.Time) error {
	if _, err := tx.exec(insertOutbox, m.ID, customerID, m.Kind, micros(at), micros(at)); err != nil {
		return fmt.Errorf("queue e-mail: %w", err)
	}
	if l := m.Link; l != nil {
		if _, err := tx.exec(insertLink, m.ID, customerID, l.Kind, l.Hash[:], l.KeyID, micros(at), micros(l.ExpiresAt)); err != nil {
			return fmt.Errorf("store link: %w", err)
		}
	}
	return nil
}

const (
	selectCustomer = `SELECT ` + customerColumns + fromCustomers
	// selectWhole tells how many disbursement methods there are too, for most
	// customers have none to be read.
	selectWhole     = `SELECT ` + customerColumns + `, c.methods` + fromCustomers
	customerColumns = `
    c.id, c.partner_id, c.email, c.username, c.first_name, c.middle_name, c.last_name,
    c.company_name, c.gender, c.date_of_birth, c.status, c.customer_group,
    c.subscribed_to_news_letter, c.email_verified, c.phone, c.phone_verified,
    c.is_company, c.notes, c.address_line1, c.address_line2, c.address_city,
    c.address_state, c.address_country, c.address_post_code, c.language, c.last_login_at,
    c.last_login_ip, c.last_login_host, c.created_at, c.updated_at, c.deleted_at,
    c.reason_for_deletion, c.changed_fields,
    l.created_at, l.sent_at, l.failed_at, l.used_at, l.expires_at`
	fromCustomers = `
FROM customers c
LEFT JOIN links l ON l.customer_id = c.id AND l.kind = 'invitation'
WHERE `
	// The invitation is that of the latest introductory e-mail.
	latest = ` ORDER BY l.created_at DESC LIMIT 1`
)

// Customer implements [customer.Store].
func (db *DB) Customer(ctx context.Context, partnerID, id int64) (customer.Customer, error) {
	return db.customer(ctx, selectWhole+`c.id = ? AND c.partner_id = ?`+latest, id, partnerID)
}

// AnyCustomer reads a customer, whoever created it, for the operator. It
// returns [customer.ErrNotFound] if there is none.
func (db *DB) AnyCustomer(ctx context.Context, id int64) (customer.Customer, error) {
	return db.customer(ctx, selectWhole+`c.id = ?`+latest, id)
}

// customer reads a customer with the disbursement methods.
func (db *DB) customer(ctx context.Context, query string, args ...any) (customer.Customer, error) {
	var c customer.Customer
	err := db.readers.use(ctx, func(reader *conn) (err error) {
		var n int
		if c, err = scanCustomer(reader.row(query, args...), &n); err == nil && n > 0 {
			c.DisbursementMethods, err = methods(reader, c.ID)
		}
		return err
	})
	return c, fail("read customer", err)
}

// customerRow is what the columns of a customer are read into. It is used again,
// for it is as large as all else that reading one customer takes.
type customerRow struct {
	customer           customer.Customer
	address            nullAddress
	created, updated   int64
	lastLogin, deleted sql.NullInt64
	changed            string
	invitation         nullInvitation
	dest               []any // the columns of selectCustomer
}

var customerRows = sync.Pool{New: func() any {
	r := new(customerRow)
	c, a, i := &r.customer, &r.address, &r.invitation
	r.dest = append(make([]any, 0, 40), // with room for more
		&c.ID, &c.PartnerID, &c.Email, &c.Username, &c.FirstName, &c.MiddleName, &c.LastName,
		&c.CompanyName, &c.Gender, &c.DateOfBirth, &c.Status, &c.Group,
		&c.SubscribedToNewsLetter, &c.EmailVerified, &c.Phone, &c.PhoneVerified,
		&c.IsCompany, &c.Notes, &a.line1, &a.line2, &a.city,
		&a.state, &a.country, &a.postCode, &c.Language, &r.lastLogin,
		&c.LastLoginIP, &c.LastLoginHost, &r.created, &r.updated, &r.deleted,
		&c.ReasonForDeletion, &r.changed,
		&i.queued, &i.sent, &i.failed, &i.used, &i.expires)
	return r
}}

// scanCustomer reads the columns of selectCustomer, and more if there are.
func scanCustomer(row scanner, more ...any) (customer.Customer, error) {
	r := customerRows.Get().(*customerRow)
	defer func() {
		r.customer = customer.Customer{} // nobody's data stays
		r.address = nullAddress{}
		customerRows.Put(r)
	}()
	err := row.Scan(append(r.dest, more...)...)
	switch {
	case errors.Is(err, errNone):
		return customer.Customer{}, customer.ErrNotFound
	case err != nil:
		return customer.Customer{}, fmt.Errorf("scan customer: %w", err)
	}
	c := &r.customer
	if c.Changed, err = decodeChanged(r.changed); err != nil {
		return customer.Customer{}, fmt.Errorf("scan customer %d: %w", c.ID, err)
	}
	c.Address, c.Invitation = r.address.address(), r.invitation.invitation()
	c.LastLoginAt, c.DeletedAt = fromNullMicros(r.lastLogin), fromNullMicros(r.deleted)
	c.CreatedAt, c.UpdatedAt = fromMicros(r.created), fromMicros(r.updated)
	return *c, nil
}

// nullInvitation is an invitation as columns, all NULL if there is none.
type nullInvitation struct {
	queued, sent, failed, used, expires sql.NullInt64
}

func (i nullInvitation) invitation() *customer.Invitation {
	if !i.queued.Valid {
		return nil
	}
	return &customer.Invitation{
		QueuedAt: fromMicros(i.queued.Int64), SentAt: fromNullMicros(i.sent), FailedAt: fromNullMicros(i.failed),
		AcceptedAt: fromNullMicros(i.used), ExpiresAt: fromMicros(i.expires.Int64),
	}
}

// decodeChanged reads a JSON object of fields and times.
func decodeChanged(text string) (map[customer.Field]time.Time, error) {
	if text == "{}" {
		return nil, nil
	}
	var raw map[customer.Field]int64
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("decode changed fields: %w", err)
	}
	if len(raw) == 0 {
		return nil, nil
	}
	changed := make(map[customer.Field]time.Time, len(raw))
	for name, at := range raw {
		changed[name] = fromMicros(at)
	}
	return changed, nil
}

func encodeChanged(changed map[customer.Field]time.Time) (string, error) {
	raw := make(map[customer.Field]int64, len(changed))
	for name, at := range changed {
		raw[name] = micros(at)
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return "", fmt.Errorf("encode changed fields: %w", err)
	}
	return string(text), nil
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
	result, err := db.exec(ctx, `DELETE FROM idempotency_keys WHERE expires_at < ?`, micros(now))
	return result.changed, fail("forget idempotency keys", err)
}
