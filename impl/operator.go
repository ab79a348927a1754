package impl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/httpapi"
	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/outbox"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
	"cryptoexchange.com/escrow/impl/internal/text"
)

// What an operator works with.
type (
	// Partner is a marketplace, broker or shop.
	Partner = partner.Partner
	// Key is an API key without its secret.
	Key = partner.Key
	// Secret is an API key in full; it does not print itself.
	Secret = partner.Secret
)

// Mails, as operators see them.
type (
	// Mail is an e-mail, without the address that it goes to.
	Mail = outbox.Status
	// MailState is the state of an e-mail: queued, waiting, sent or failed.
	MailState = outbox.State
)

// ErrNotFound is returned for a partner, key or customer that does not exist.
var ErrNotFound = errors.New("not found")

// maxPartnerName is the longest name of a partner, in characters.
const maxPartnerName = 100

// Operator does what needs no request: it works on a data folder, whether or
// not a service runs on it.
type Operator struct {
	data     string
	store    *sqlite.DB
	partners *partner.Service
}

// databaseFile is in every data folder.
const databaseFile = "escrow.db"

// OpenOperator opens a data folder that a service or an operator has used
// before, and makes none. The caller must Close the result.
func OpenOperator(ctx context.Context, data string) (*Operator, error) {
	_, err := os.Stat(filepath.Join(data, databaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data folder %s: there is no data of escrowd here", data)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return NewOperator(ctx, data)
}

// NewOperator opens a data folder, which it makes if there is none. The caller
// must Close the result.
func NewOperator(ctx context.Context, data string) (*Operator, error) {
	store, err := sqlite.Open(ctx, data)
	if err != nil {
		return nil, err
	}
	return &Operator{data: data, store: store, partners: partner.NewService(store, time.Now)}, nil
}

// Close lets go of the data folder.
func (o *Operator) Close() error { return o.store.Close() }

// CreatePartner makes a partner with one key. The name is 1 to 100 characters
// that people can read: customers do, in their e-mail.
func (o *Operator) CreatePartner(ctx context.Context, name string) (Partner, Secret, error) {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxPartnerName || !utf8.ValidString(name) || strings.TrimSpace(name) != name {
		return Partner{}, "", fmt.Errorf("name of a partner: want 1 to %d characters, without spaces around", maxPartnerName)
	}
	if err := text.Check(name); err != nil {
		return Partner{}, "", fmt.Errorf("name of a partner: %w", err)
	}
	return o.partners.CreatePartner(ctx, name)
}

// Partners lists all partners.
func (o *Operator) Partners(ctx context.Context) ([]Partner, error) { return o.store.Partners(ctx) }

// CreateKey makes a further key for a partner, or returns [ErrNotFound].
func (o *Operator) CreateKey(ctx context.Context, partnerID int64) (Key, Secret, error) {
	key, secret, err := o.partners.CreateKey(ctx, partnerID)
	return key, secret, notFound(err)
}

// Keys lists a partner's keys, revoked ones too, or returns [ErrNotFound].
func (o *Operator) Keys(ctx context.Context, partnerID int64) ([]Key, error) {
	keys, err := o.store.Keys(ctx, partnerID)
	if err == nil && len(keys) == 0 {
		return nil, ErrNotFound // a partner is made with a key, and keys stay
	}
	return keys, err
}

// RevokeKey ends a key with effect on the next request, or returns
// [ErrNotFound].
func (o *Operator) RevokeKey(ctx context.Context, id int64) error {
	return notFound(o.partners.RevokeKey(ctx, id))
}

// Customer reads a customer, whoever created it, or returns [ErrNotFound].
func (o *Operator) Customer(ctx context.Context, id int64) (gen.Customer, error) {
	c, err := o.store.AnyCustomer(ctx, id)
	if err != nil {
		return gen.Customer{}, notFound(err)
	}
	return httpapi.ToAPICustomer(&c, time.Now())
}

// ErrStatus is returned for a customer whose account is not in the status that
// is to be left.
var ErrStatus = errors.New("the account is not in the status that this changes")

// SuspendCustomer keeps a customer from logging in, and ends all sessions. It
// returns [ErrNotFound], or [ErrStatus] for one who is not active.
func (o *Operator) SuspendCustomer(ctx context.Context, id int64) error {
	return notFound(o.store.SetStatus(ctx, id, customer.Active, customer.Suspended, time.Now()))
}

// RestoreCustomer lets a suspended customer log in again. It returns
// [ErrNotFound], or [ErrStatus] for one who is not suspended.
func (o *Operator) RestoreCustomer(ctx context.Context, id int64) error {
	return notFound(o.store.SetStatus(ctx, id, customer.Suspended, customer.Active, time.Now()))
}

// EraseCustomer removes everything personal of a customer for good, in the
// database and in the folder of e-mails. Kept is that there was an account: its
// id, the partner, its status and times, and which kinds of e-mails were sent
// when. It returns [ErrNotFound].
func (o *Operator) EraseCustomer(ctx context.Context, id int64) error {
	emails, err := o.store.Erase(ctx, id, time.Now())
	// Even if the database is not written back yet: the next try would not know
	// of e-mails that were never sent.
	for _, email := range emails {
		err = errors.Join(err, mail.RemoveFile(filepath.Join(o.data, mailFolder), email))
	}
	return notFound(err)
}

// Backup writes a consistent copy of the database to a file that must not exist,
// while the service runs. The keyset is not in it: keep that apart.
func (o *Operator) Backup(ctx context.Context, path string) error { return o.store.Backup(ctx, path) }

// Mails lists e-mails, the newest first; only those in one state unless it is
// empty.
func (o *Operator) Mails(ctx context.Context, state MailState, limit int) ([]Mail, error) {
	return o.store.Messages(ctx, time.Now(), state, limit)
}

// RetryMails makes failed e-mails due, all of them or none. The error names each
// id that is unknown, or whose e-mail has not failed.
func (o *Operator) RetryMails(ctx context.Context, ids []string) error {
	return o.store.Retry(ctx, ids, time.Now())
}

// RetryFailedMails makes every failed e-mail due, and tells how many they were.
func (o *Operator) RetryFailedMails(ctx context.Context) (int64, error) {
	return o.store.RetryFailed(ctx, time.Now())
}

func notFound(err error) error {
	if errors.Is(err, account.ErrConflict) {
		return ErrStatus
	}
	if errors.Is(err, partner.ErrNotFound) || errors.Is(err, customer.ErrNotFound) {
		return ErrNotFound
	}
	return err
}
