// Package account is the customer's side of the service: how a customer comes to
// have a password, logs in, keeps the account safe, and is in charge of their
// own information. Partners have no part in it.
//
// It knows neither HTTP nor SQL nor keys: [Store], [Hasher], [Cipher] and the
// derivation of tokens are interfaces and functions here.
//
// # Links
//
// Everything begins with a link in an e-mail: an invitation, the confirmation of
// a sign-up, or a forgotten password. All three do the same: set a password, and
// so prove that the address is the customer's. A link's token is derived from
// the id of its e-mail by a key that is kept outside the database (see [Links]),
// so that a queue, a backup or a log of e-mails holds no token, and an e-mail
// that is sent twice carries the same one. What is stored is the token's hash.
// Looking at a link changes nothing, because mail scanners look at links. Using
// one uses up all of its kind.
//
// A sign-up has no password until its address is confirmed. If the password were
// chosen first, somebody could sign up with another's address and wait for its
// owner to confirm it.
//
// # Who has an account is nobody's business
//
// Sign-ups and recoveries are stored as they come and answered at once, before
// anyone looks whether the address is known: known and unknown addresses take
// the very same path. [Intake] settles them in the background, a random moment
// later. Logging in costs one hash of a password whether there is an account
// or not.
//
// # Sessions
//
// A session is a row, and its cookie a random token whose hash is in the row. It
// ends when the customer says so, changes the password, closes the account or is
// suspended; an hour after its last use; and after twelve hours.
package account

import (
	"context"
	"errors"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// Kinds of links. Tokens are derived with them.
const (
	LinkInvitation   = customer.LinkInvitation
	LinkConfirmation = "confirmation"
	LinkReset        = "password_reset"
)

// Kinds of e-mails, beside those of package customer. They name templates.
const (
	KindAlreadyRegistered    = "already_registered"
	KindPasswordReset        = "password_reset"
	KindPasswordChanged      = "password_changed"
	KindSecondFactorEnabled  = "second_factor_enabled"
	KindSecondFactorDisabled = "second_factor_disabled"
	KindAccountClosed        = "account_closed"
)

// Errors. Adapters decide what they look like on their side.
var (
	// ErrLinkNotFound: no link has this token.
	ErrLinkNotFound = errors.New("link not found")
	// ErrLinkExpired: the link is too old.
	ErrLinkExpired = errors.New("link expired")
	// ErrLinkUsed: the link has done what it was for.
	ErrLinkUsed = errors.New("link used")
	// ErrInvitationAccepted: there is nothing to invite the customer to.
	ErrInvitationAccepted = errors.New("invitation accepted")
	// ErrInvalidCredentials: no account has this address and password.
	ErrInvalidCredentials = errors.New("invalid credentials")
	// ErrSecondFactorRequired: the password is right, and a code is needed.
	ErrSecondFactorRequired = errors.New("second factor required")
	// ErrInvalidSecondFactor: the password is right, and the code is not.
	ErrInvalidSecondFactor = errors.New("invalid second factor")
	// ErrSuspended: the password is right, and the account is suspended.
	ErrSuspended = errors.New("account suspended")
	// ErrNotLoggedIn: there is no such session.
	ErrNotLoggedIn = errors.New("not logged in")
	// ErrSessionNotFound: the customer has no session of this id.
	ErrSessionNotFound = errors.New("session not found")
	// ErrSecondFactorEnabled: there is a second factor already.
	ErrSecondFactorEnabled = errors.New("second factor enabled")
	// ErrNotEnrolled: there is no second factor to confirm or to turn off.
	ErrNotEnrolled = errors.New("no second factor enrolled")
	// ErrConflict: what a decision was based on changed while it was carried
	// out. Nothing was done.
	ErrConflict = errors.New("changed meanwhile")
)

// TooManyError refuses another e-mail to a customer who was sent several.
type TooManyError struct{ RetryAfter time.Duration }

// Error says how long to wait.
func (e *TooManyError) Error() string { return "too many e-mails, wait " + e.RetryAfter.String() }

// Codes of a [customer.Finding] of this package.
const (
	CodeWrongPassword = "wrong_password"
	CodeWrongCode     = "wrong_code"
	CodeCodeRequired  = "code_required"
	CodeSamePassword  = "password_unchanged"
)

func unacceptable(field, code, detail string) error {
	return &customer.UnacceptableError{Findings: []customer.Finding{{Path: []string{field}, Code: code, Detail: detail}}}
}

func wrongPassword(field string) error {
	return unacceptable(field, CodeWrongPassword, "This is not your password.")
}

func wrongCode() error {
	return unacceptable("code", CodeWrongCode, "This code is wrong, or was used before. Wait for the next one.")
}

// Hasher makes and verifies hashes of passwords, slowly. package password has it.
type Hasher interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, password, hash string) (bool, error)
	// VerifyNothing takes the time of Verify, for accounts without a password.
	VerifyNothing(ctx context.Context, password string) error
	Outdated(hash string) bool
}

// Cipher encrypts what is secret at rest, bound to the customer whose it is.
type Cipher interface {
	Encrypt(plaintext []byte, customerID int64) ([]byte, error)
	Decrypt(ciphertext []byte, customerID int64) ([]byte, error)
}

// Credentials is what a customer logs in with.
type Credentials struct {
	CustomerID    int64
	Status        customer.Status
	Email         string
	Names         []string // all that are known
	PasswordHash  string   // empty if none was set
	PasswordSetAt time.Time
	TOTPSecret    []byte     // encrypted; nil if none was enrolled
	TOTPSince     *time.Time // nil if there is none, or it is not confirmed
	TOTPLastStep  int64
	RecoveryLeft  int // recovery codes not used yet
}

// SecondFactor tells whether logging in needs a second factor.
func (c *Credentials) SecondFactor() bool { return c.TOTPSince != nil }

func (c *Credentials) subject() password.Subject {
	return password.Subject{Email: c.Email, Names: c.Names}
}

// Service applies the rules. It is safe for concurrent use.
type Service struct {
	p      Params
	policy *password.Policy
}

// Params are what a [Service] needs.
type Params struct {
	Store  Store
	Hasher Hasher
	Cipher Cipher
	Sealer disbursement.Sealer
	Links  *Links
	Now    func() time.Time // the clock
	// NewID gives unique ids of e-mails, sessions, requests and disbursement
	// methods, in the order of time.
	NewID func() string
	// Queued is called after an e-mail was queued, to send it without delay.
	Queued func()
	// Issuer names the service in authenticator apps.
	Issuer string
}

// NewService makes a service. It fails only if the program was built with a
// damaged list of passwords.
func NewService(p Params) (*Service, error) {
	policy, err := password.NewPolicy()
	if err != nil {
		return nil, err
	}
	return &Service{p: p, policy: policy}, nil
}

func (s *Service) now() time.Time { return s.p.Now().UTC().Truncate(time.Microsecond) }

// checkPassword returns a [*customer.UnacceptableError] about a field whose
// password is not good enough.
func (s *Service) checkPassword(field, text string, c *Credentials) error {
	err := s.policy.Check(text, c.SecondFactor(), c.subject())
	var refused *password.RefusedError
	if errors.As(err, &refused) {
		return unacceptable(field, refused.Code, refused.Detail)
	}
	return err
}

// notice is an e-mail that tells a customer what happened to the account.
func (s *Service) notice(kind string) customer.Message {
	return customer.Message{ID: s.p.NewID(), Kind: kind}
}
