package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// How long a session lasts: since its last use, and at all (ASVS 5.0, 7.3.1 and
// 7.3.2 ask for both).
const (
	SessionIdle = time.Hour
	SessionMost = 12 * time.Hour
	// touchEvery is how exactly the last use is known.
	touchEvery = time.Minute
)

// Session is a place where a customer is logged in.
type Session struct {
	ID         string // no secret
	CustomerID int64
	CreatedAt  time.Time
	SeenAt     time.Time
	ExpiresAt  time.Time // at the latest
	IP         string    // address or network
	UserAgent  string
}

// NewSession is a session to be stored, under the hash of its token.
type NewSession struct {
	Session
	Hash [32]byte
}

// MaxSessions is how many sessions are listed, as the contract has it.
const MaxSessions = 100

// Client is where a session is begun from.
type Client struct {
	IP        string
	UserAgent string
}

// MaxUserAgent is how many characters of a browser's name are kept, as the
// contract has it.
const MaxUserAgent = 300

func (c Client) userAgent() string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(c.UserAgent, ""))
	runes := []rune(clean)
	return string(runes[:min(len(runes), MaxUserAgent)])
}

// newSession makes a session and its token, of 256 random bits.
func (s *Service) newSession(customerID int64, client Client) (NewSession, string, error) {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return NewSession{}, "", fmt.Errorf("make session: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(random)
	now := s.now()
	return NewSession{Session: Session{
		ID: s.p.NewID(), CustomerID: customerID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(SessionMost),
		IP: client.IP, UserAgent: client.userAgent(),
	}, Hash: hashToken(token)}, token, nil
}

// Authenticate finds the session that a token is of, or returns
// [ErrNotLoggedIn].
func (s *Service) Authenticate(ctx context.Context, token string) (Session, error) {
	found, err := s.p.Store.SessionByHash(ctx, hashToken(token))
	if err != nil {
		return Session{}, fmt.Errorf("find session: %w", err)
	}
	now := s.now()
	if !now.Before(found.ExpiresAt) || now.Sub(found.SeenAt) >= SessionIdle {
		return Session{}, ErrNotLoggedIn
	}
	if now.Sub(found.SeenAt) >= touchEvery {
		if err := s.p.Store.TouchSession(ctx, found.ID, now); err != nil {
			return Session{}, fmt.Errorf("touch session: %w", err)
		}
		found.SeenAt = now
	}
	return found, nil
}

// Login is what somebody logs in with.
type Login struct {
	Email    string
	Password string
	Code     string // of the app, or a recovery code; empty if none was given
	Client   Client
	OldToken string // of the session that the browser had; empty if none
}

// LogIn begins a session, and gives its token. It returns
// [ErrInvalidCredentials], [ErrSecondFactorRequired], [ErrInvalidSecondFactor]
// or [ErrSuspended].
//
// An account that does not exist, has no password, or is closed takes as long
// as a wrong password, and is answered the same.
func (s *Service) LogIn(ctx context.Context, l Login) (Session, string, error) {
	c, err := s.verify(ctx, l)
	if err != nil {
		return Session{}, "", err
	}
	switch c.Status {
	case customer.Active:
	case customer.Suspended:
		return Session{}, "", ErrSuspended
	case customer.Closed:
		return Session{}, "", ErrInvalidCredentials
	}
	proof, err := s.prove(&c, l.Code)
	if err != nil {
		return Session{}, "", err
	}
	session, token, err := s.newSession(c.CustomerID, l.Client)
	if err != nil {
		return Session{}, "", err
	}
	begin := SessionBegin{Session: session, Proof: proof, PasswordHash: c.PasswordHash}
	if l.OldToken != "" {
		old := hashToken(l.OldToken)
		begin.Replaces = &old
	}
	if s.p.Hasher.Outdated(c.PasswordHash) {
		if begin.NewHash, err = s.p.Hasher.Hash(ctx, l.Password); err != nil {
			return Session{}, "", fmt.Errorf("hash password: %w", err)
		}
	}
	err = s.p.Store.BeginSession(ctx, begin)
	if errors.Is(err, ErrInvalidCredentials) && begin.NewHash != "" {
		// Another login may have renewed the hash, which is then not outdated.
		return s.LogIn(ctx, l)
	}
	if err != nil {
		return Session{}, "", fmt.Errorf("begin session: %w", err)
	}
	return session.Session, token, nil
}

// verify finds the account that an address and a password are of. Whatever is
// wrong, it takes one hash.
func (s *Service) verify(ctx context.Context, l Login) (Credentials, error) {
	key, err := emailaddr.Key(l.Email)
	if err != nil {
		key = "" // which nobody has
	}
	c, err := s.p.Store.CredentialsByEmail(ctx, key)
	unknown := errors.Is(err, customer.ErrNotFound)
	switch {
	case err != nil && !unknown:
		return Credentials{}, fmt.Errorf("read credentials: %w", err)
	case unknown || c.PasswordHash == "":
		if err := s.p.Hasher.VerifyNothing(ctx, l.Password); err != nil {
			return Credentials{}, fmt.Errorf("verify password: %w", err)
		}
		return Credentials{}, ErrInvalidCredentials
	}
	right, err := s.p.Hasher.Verify(ctx, l.Password, c.PasswordHash)
	if err != nil {
		return Credentials{}, fmt.Errorf("verify password: %w", err)
	}
	if !right {
		return Credentials{}, ErrInvalidCredentials
	}
	return c, nil
}

// LogOut ends the session that a token is of, if there is one.
func (s *Service) LogOut(ctx context.Context, session Session) error {
	err := s.p.Store.EndSession(ctx, session.CustomerID, session.ID)
	if err != nil && !errors.Is(err, ErrSessionNotFound) {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// Sessions lists where a customer is logged in, the latest first.
func (s *Service) Sessions(ctx context.Context, customerID int64) ([]Session, error) {
	now := s.now()
	all, err := s.p.Store.Sessions(ctx, customerID, now.Add(-SessionIdle), now, MaxSessions)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return all, nil
}

// EndSession ends a session of a customer, or returns [ErrSessionNotFound].
func (s *Service) EndSession(ctx context.Context, customerID int64, id string) error {
	if err := s.p.Store.EndSession(ctx, customerID, id); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// ChangePassword sets another password, ends all sessions, and begins the one
// that asked anew. It gives the new token, or returns
// [*customer.UnacceptableError].
func (s *Service) ChangePassword(ctx context.Context, session Session, current, next string, client Client) (string, error) {
	c, err := s.reauthenticate(ctx, session.CustomerID, "current_password", current)
	if err != nil {
		return "", err
	}
	if password.Normalize(current) == password.Normalize(next) {
		return "", unacceptable("new_password", CodeSamePassword, "This is the password that you have. Choose another one.")
	}
	if err := s.checkPassword("new_password", next, &c); err != nil {
		return "", err
	}
	hash, err := s.p.Hasher.Hash(ctx, next)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	renewed, token, err := s.newSession(session.CustomerID, client)
	if err != nil {
		return "", err
	}
	err = s.p.Store.ChangePassword(ctx, PasswordChange{
		CustomerID: session.CustomerID, OldHash: c.PasswordHash, NewHash: hash, SecondFactor: c.SecondFactor(), At: s.now(),
		Session: renewed, Notice: s.notice(KindPasswordChanged),
	})
	if err != nil {
		return "", fmt.Errorf("change password: %w", err)
	}
	s.p.Queued()
	return token, nil
}

// credentials reads the credentials of a customer who is logged in, or returns
// [ErrNotLoggedIn] if the account ended meanwhile.
func (s *Service) credentials(ctx context.Context, customerID int64) (Credentials, error) {
	c, err := s.p.Store.Credentials(ctx, customerID)
	if err != nil {
		return Credentials{}, fmt.Errorf("read credentials: %w", err)
	}
	if c.Status != customer.Active || c.PasswordHash == "" {
		return Credentials{}, ErrNotLoggedIn
	}
	return c, nil
}

// reauthenticate makes sure that it is the customer who asks: a session may be
// in somebody else's hands.
func (s *Service) reauthenticate(ctx context.Context, customerID int64, field, text string) (Credentials, error) {
	c, err := s.credentials(ctx, customerID)
	if err != nil {
		return Credentials{}, err
	}
	right, err := s.p.Hasher.Verify(ctx, text, c.PasswordHash)
	if err != nil {
		return Credentials{}, fmt.Errorf("verify password: %w", err)
	}
	if !right {
		return Credentials{}, wrongPassword(field)
	}
	return c, nil
}

// RemoveExpired removes sessions that ended by themselves, and sign-ups that
// nobody confirmed in time.
func (s *Service) RemoveExpired(ctx context.Context) error {
	now := s.now()
	if _, err := s.p.Store.RemoveExpired(ctx, now.Add(-SessionIdle), now.Add(-customer.SignUpValidity), now); err != nil {
		return fmt.Errorf("remove what has expired: %w", err)
	}
	return nil
}
