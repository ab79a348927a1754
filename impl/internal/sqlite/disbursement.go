package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

const (
	selectMethods = `
SELECT id, type, is_default, usable, details, warnings, created_at, updated_at
FROM disbursement_methods WHERE customer_id = ? ORDER BY id`
	insertMethod = `
INSERT INTO disbursement_methods (id, customer_id, type, is_default, usable, details, warnings, secret, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// methods lists a customer's disbursement methods, the oldest first.
func methods(q querier, customerID int64) ([]disbursement.Method, error) {
	return list(q, scanMethod, selectMethods, customerID)
}

func scanMethod(row scanner) (disbursement.Method, error) {
	var m disbursement.Method
	var details, warnings string
	var created, updated int64
	if err := row.Scan(&m.ID, &m.Type, &m.IsDefault, &m.Usable, &details, &warnings, &created, &updated); err != nil {
		return disbursement.Method{}, err
	}
	if err := json.Unmarshal([]byte(details), &m.Details); err != nil {
		return disbursement.Method{}, fmt.Errorf("method %s: decode details: %w", m.ID, err)
	}
	if err := json.Unmarshal([]byte(warnings), &m.Warnings); err != nil {
		return disbursement.Method{}, fmt.Errorf("method %s: decode warnings: %w", m.ID, err)
	}
	m.CreatedAt, m.UpdatedAt = fromMicros(created), fromMicros(updated)
	return m, nil
}

// encodeMethod gives details and warnings as they are stored.
func encodeMethod(m *disbursement.Method) (details, warnings string, err error) {
	d, err := json.Marshal(m.Details)
	if err != nil {
		return "", "", fmt.Errorf("encode details: %w", err)
	}
	w, err := json.Marshal(m.Warnings)
	if err != nil {
		return "", "", fmt.Errorf("encode warnings: %w", err)
	}
	return string(d), string(w), nil
}

func addMethod(tx *tx, customerID int64, m *disbursement.Method, secret []byte) error {
	details, warnings, err := encodeMethod(m)
	if err != nil {
		return err
	}
	_, err = tx.exec(insertMethod, m.ID, customerID, m.Type, m.IsDefault, m.Usable, details, warnings, secret, micros(m.CreatedAt), micros(m.UpdatedAt))
	if err != nil {
		return fmt.Errorf("insert disbursement method: %w", err)
	}
	return nil
}

// Methods implements [account.Store].
func (db *DB) Methods(ctx context.Context, customerID int64) ([]disbursement.Method, error) {
	list, err := methods(db.read(ctx), customerID)
	return list, fail("list disbursement methods", err)
}

const isActive = `SELECT EXISTS (SELECT 1 FROM customers WHERE id = ? AND status = 1)`

// changeMethods runs f in a transaction, unless the account was suspended,
// closed or erased since its owner was asked for the password.
func (db *DB) changeMethods(ctx context.Context, name string, customerID int64, f func(*tx) error) error {
	return db.transaction(ctx, name, func(tx *tx) error {
		var active bool
		if err := tx.row(isActive, customerID).Scan(&active); err != nil {
			return err
		}
		if !active {
			return account.ErrNotLoggedIn
		}
		return f(tx)
	})
}

// AddMethod implements [account.Store].
func (db *DB) AddMethod(ctx context.Context, c account.MethodChange) (disbursement.Method, error) {
	m := c.Method
	err := db.changeMethods(ctx, "add disbursement method", c.CustomerID, func(tx *tx) (err error) {
		var there int
		if err := tx.row(`SELECT count(*) FROM disbursement_methods WHERE customer_id = ?`, c.CustomerID).Scan(&there); err != nil {
			return err
		}
		if there >= disbursement.Most {
			return account.ErrTooManyMethods
		}
		if m.IsDefault, err = becomesDefault(tx, c.CustomerID, m.Usable, there == 0); err != nil {
			return err
		}
		if err := addMethod(tx, c.CustomerID, &m, c.Secret); err != nil {
			return err
		}
		return insertMessage(tx, c.CustomerID, c.Notice, m.UpdatedAt)
	})
	return m, err
}

// becomesDefault tells whether a method that is added is the default: the first
// one, and the first that is usable, for which an unusable one makes room.
func becomesDefault(tx *tx, customerID int64, usable, first bool) (bool, error) {
	if first || !usable {
		return first, nil
	}
	err := one(tx.exec(`UPDATE disbursement_methods SET is_default = 0 WHERE customer_id = ? AND is_default = 1 AND usable = 0`, customerID))
	if errors.Is(err, errNone) {
		return false, nil
	}
	return err == nil, err
}

const updateMethod = `
UPDATE disbursement_methods SET type = ?, usable = ?, details = ?, warnings = ?, secret = ?, updated_at = ?
WHERE id = ? AND customer_id = ?
RETURNING id, type, is_default, usable, details, warnings, created_at, updated_at`

// ReplaceMethod implements [account.Store].
func (db *DB) ReplaceMethod(ctx context.Context, c account.MethodChange) (m disbursement.Method, err error) {
	details, warnings, err := encodeMethod(&c.Method)
	if err != nil {
		return disbursement.Method{}, err
	}
	err = db.changeMethods(ctx, "replace disbursement method", c.CustomerID, func(tx *tx) error {
		row := tx.row(updateMethod, c.Method.Type, c.Method.Usable, details, warnings, c.Secret, micros(c.Method.UpdatedAt), c.Method.ID, c.CustomerID)
		if m, err = scanMethod(row); err != nil {
			return noMethod(err)
		}
		return insertMessage(tx, c.CustomerID, c.Notice, c.Method.UpdatedAt)
	})
	return m, err
}

func noMethod(err error) error {
	if errors.Is(err, errNone) {
		return account.ErrMethodNotFound
	}
	return err
}

// The oldest of the usable ones, or else the oldest of all, becomes the default.
const promoteMethod = `
UPDATE disbursement_methods SET is_default = 1
WHERE id = (SELECT id FROM disbursement_methods WHERE customer_id = ?1 ORDER BY usable DESC, id LIMIT 1)
    AND NOT EXISTS (SELECT 1 FROM disbursement_methods WHERE customer_id = ?1 AND is_default = 1)`

// RemoveMethod implements [account.Store].
func (db *DB) RemoveMethod(ctx context.Context, c account.MethodChoice) error {
	return db.changeMethods(ctx, "remove disbursement method", c.CustomerID, func(tx *tx) error {
		if err := one(tx.exec(`DELETE FROM disbursement_methods WHERE id = ? AND customer_id = ?`, c.MethodID, c.CustomerID)); err != nil {
			return orElse(err, account.ErrMethodNotFound)
		}
		if _, err := tx.exec(promoteMethod, c.CustomerID); err != nil {
			return err
		}
		return insertMessage(tx, c.CustomerID, c.Notice, c.At)
	})
}

const chooseMethod = `
UPDATE disbursement_methods SET is_default = 1, updated_at = ? WHERE id = ? AND customer_id = ?
RETURNING id, type, is_default, usable, details, warnings, created_at, updated_at`

// SetDefaultMethod implements [account.Store].
func (db *DB) SetDefaultMethod(ctx context.Context, c account.MethodChoice) (m disbursement.Method, err error) {
	err = db.changeMethods(ctx, "choose disbursement method", c.CustomerID, func(tx *tx) error {
		if _, err := tx.exec(`UPDATE disbursement_methods SET is_default = 0 WHERE customer_id = ? AND is_default = 1`, c.CustomerID); err != nil {
			return err
		}
		if m, err = scanMethod(tx.row(chooseMethod, micros(c.At), c.MethodID, c.CustomerID)); err != nil {
			return noMethod(err)
		}
		if !m.Usable {
			return account.ErrMethodNotUsable
		}
		return insertMessage(tx, c.CustomerID, c.Notice, c.At)
	})
	return m, err
}
