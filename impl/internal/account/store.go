package account

import (
	"context"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// Store keeps accounts durably. What is said of [customer.Store] is true of it
// too: each method is one transaction, and is on storage when it returns.
type Store interface {
	// Customer reads a customer whom the partner created, or returns
	// [customer.ErrNotFound].
	Customer(ctx context.Context, partnerID, id int64) (customer.Customer, error)

	// Link finds a link of a kind, or returns [ErrLinkNotFound].
	Link(ctx context.Context, kind string, key LinkKey) (Link, error)
	// UseLink carries a use out, or returns [ErrLinkUsed] if somebody was faster,
	// [ErrLinkNotFound] if the account is not active, and [ErrConflict] if there
	// is no second factor any more.
	UseLink(ctx context.Context, use LinkUse) error
	// Invite queues a message to a customer who has no password; else it
	// returns [ErrInvitationAccepted]. pause tells, of the times at which
	// messages of its kind were queued in the last day, the latest first, how
	// long to wait; if at all, the result is [*TooManyError].
	Invite(ctx context.Context, customerID int64, m customer.Message, now time.Time, pause func(earlier []time.Time, now time.Time) time.Duration) error

	// AddRequest stores a request.
	AddRequest(ctx context.Context, r Request) error
	// Requests reads the oldest requests.
	Requests(ctx context.Context, limit int) ([]Request, error)
	// Settle carries a settlement out and removes its request. It does nothing
	// if the request is gone. It returns [*customer.EmailInUseError], or
	// [ErrConflict] if the customer is not active or has a password contrary to
	// what the settlement says; then the request is left.
	Settle(ctx context.Context, s Settlement) error
	// CustomerByEmail finds who has an address, or returns
	// [customer.ErrNotFound].
	CustomerByEmail(ctx context.Context, emailKey string, now time.Time) (*Holder, error)

	// Credentials reads what a customer logs in with, or returns
	// [customer.ErrNotFound].
	Credentials(ctx context.Context, customerID int64) (Credentials, error)
	// CredentialsByEmail does the same for an address.
	CredentialsByEmail(ctx context.Context, emailKey string) (Credentials, error)
	// BeginSession stores a session, and that the customer logged in. It
	// returns [ErrInvalidSecondFactor] if the proof was used before, and
	// [ErrInvalidCredentials] if the password changed or the account is not
	// active any more.
	BeginSession(ctx context.Context, b SessionBegin) error
	// SessionByHash finds a session of an active account, or returns
	// [ErrNotLoggedIn].
	SessionByHash(ctx context.Context, hash [32]byte) (Session, error)
	// TouchSession records that a session was used.
	TouchSession(ctx context.Context, id string, at time.Time) error
	// Sessions lists a customer's sessions that were seen after a moment and
	// expire after another, the latest first.
	Sessions(ctx context.Context, customerID int64, seenAfter, expiresAfter time.Time, limit int) ([]Session, error)
	// EndSession ends a session, or returns [ErrSessionNotFound].
	EndSession(ctx context.Context, customerID int64, id string) error
	// ChangePassword carries a change out, or returns [ErrConflict] if the old
	// hash is not what is stored, the account is not active, or there is no
	// second factor any more.
	ChangePassword(ctx context.Context, c PasswordChange) error

	// EnrolTOTP stores an encrypted secret that does not count yet, or returns
	// [ErrSecondFactorEnabled].
	EnrolTOTP(ctx context.Context, customerID int64, secret []byte) error
	// EnableTOTP makes the secret count, or returns [ErrConflict] if it is not
	// what is stored.
	EnableTOTP(ctx context.Context, e TOTPEnable) error
	// DisableTOTP removes the secret and the recovery codes, or returns
	// [ErrInvalidSecondFactor] if the proof was used before, and [ErrConflict]
	// if the password changed.
	DisableTOTP(ctx context.Context, d TOTPDisable) error

	// Profile reads a customer's own information, or returns
	// [customer.ErrNotFound].
	Profile(ctx context.Context, customerID int64) (Profile, error)
	// UpdateCustomer lets change change a customer, inside a transaction. It
	// returns [ErrNotLoggedIn] if the account is not active any more.
	UpdateCustomer(ctx context.Context, customerID int64, change func(*customer.Customer) error) error
	// Emails lists the latest e-mails to a customer, the latest first.
	Emails(ctx context.Context, customerID int64, limit int) ([]Email, error)
	// CloseAccount carries a closing out, or returns [ErrInvalidSecondFactor]
	// if the proof was used before.
	CloseAccount(ctx context.Context, c Closing) error

	// Methods lists a customer's disbursement methods in the order of their
	// ids, which is that in which they were added. What changes them returns
	// [ErrNotLoggedIn] if the account is not active any more.
	Methods(ctx context.Context, customerID int64) ([]disbursement.Method, error)
	// AddMethod stores a method, as the default if it is the only one, or the
	// first that is usable; or
	// returns [ErrTooManyMethods].
	AddMethod(ctx context.Context, c MethodChange) (disbursement.Method, error)
	// ReplaceMethod puts a method in the place of the one with its id, or
	// returns [ErrMethodNotFound].
	ReplaceMethod(ctx context.Context, c MethodChange) (disbursement.Method, error)
	// RemoveMethod removes a method, and makes another the default if it was;
	// or returns [ErrMethodNotFound].
	RemoveMethod(ctx context.Context, c MethodChoice) error
	// SetDefaultMethod makes a method the default, or returns
	// [ErrMethodNotFound] or [ErrMethodNotUsable].
	SetDefaultMethod(ctx context.Context, c MethodChoice) (disbursement.Method, error)

	// RemoveExpired removes sessions that ended by themselves, and sign-ups
	// that nobody confirmed, and tells how many rows that were.
	RemoveExpired(ctx context.Context, sessionsSeenBefore, signUpsBefore, now time.Time) (int64, error)
}

// LinkKey is what a token says of its link.
type LinkKey struct {
	MessageID string   // of the e-mail; empty in tokens of before contract 1.2.2
	Hash      [32]byte // SHA-256 of the token
}

// LinkUse is the use of a link.
type LinkUse struct {
	LinkID       string
	Kind         string
	CustomerID   int64
	PasswordHash string
	SecondFactor bool // whether the password is good only beside one
	At           time.Time
	Notice       *customer.Message // nil for none
}

// Holder is who has an e-mail address.
type Holder struct {
	Customer    customer.Customer
	HasPassword bool
	// Emails has the times at which e-mails of each kind were queued in the
	// last day, the latest first.
	Emails map[string][]time.Time
}

// SessionBegin is a login to be recorded.
type SessionBegin struct {
	Session      NewSession
	Proof        Proof
	PasswordHash string    // that was verified
	NewHash      string    // to take its place; empty to keep it
	Replaces     *[32]byte // hash of the token of the browser's old session; nil if none
}

// PasswordChange is a change of password. Session takes the place of all.
type PasswordChange struct {
	CustomerID       int64
	OldHash, NewHash string
	SecondFactor     bool // whether the new password is good only beside one
	At               time.Time
	Session          NewSession
	Notice           customer.Message
}

// TOTPEnable is a second factor to be turned on.
type TOTPEnable struct {
	CustomerID int64
	Secret     []byte // encrypted, as stored
	Step       int64  // of the code that proved it
	Recovery   [][]byte
	At         time.Time
	Notice     customer.Message
}

// TOTPDisable is a second factor to be turned off.
type TOTPDisable struct {
	CustomerID   int64
	Proof        Proof
	PasswordHash string // of the password that is good enough without
	At           time.Time
	Notice       customer.Message
}

// Closing is the end of an account.
type Closing struct {
	CustomerID int64
	Proof      Proof
	At         time.Time
	Reason     string
	Notice     customer.Message
}
