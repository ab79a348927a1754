package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

// Links makes the links in e-mails.
type Links struct {
	// Derive derives 32 bytes from a kind and an id, with the key that keyID
	// names.
	Derive func(keyID uint32, kind, id string) ([]byte, error)
	// KeyID names the key for new links.
	KeyID func() uint32
	// Validity is for how long a link is good.
	Validity time.Duration
}

// New makes the link of a message, whose token is derived from the message's id.
func (l *Links) New(kind, messageID string, now time.Time) (customer.Link, error) {
	keyID := l.KeyID()
	token, err := l.Token(keyID, kind, messageID)
	if err != nil {
		return customer.Link{}, err
	}
	return customer.Link{Kind: kind, Hash: hashToken(token), KeyID: keyID, ExpiresAt: now.Add(l.validity(kind))}, nil
}

// validity is for how long a link of a kind is good.
func (l *Links) validity(kind string) time.Duration {
	if kind == LinkReset {
		return min(l.Validity, resetValidity)
	}
	return l.Validity
}

// lapsed tells whether all links in e-mails that were queued at these times, the
// latest first, are too old.
func (l *Links) lapsed(kind string, earlier []time.Time, now time.Time) bool {
	return len(earlier) == 0 || !now.Before(earlier[0].Add(max(l.validity(kind), emailPause)))
}

// resetValidity is for how long the link of a forgotten password is good: its
// reader has just asked for it. (ASVS 5.0, 6.5.5 asks for ten minutes, which
// e-mail cannot be relied on to arrive in.)
const resetValidity = time.Hour

// secretLength is the length of the secret in a token: 256 bits in base64url
// (RFC 4648 §5).
const secretLength = 43

// Token derives the token of a message's link: a secret, followed by the
// message's id, by which the link is found.
func (l *Links) Token(keyID uint32, kind, messageID string) (string, error) {
	derived, err := l.Derive(keyID, kind, messageID)
	if err != nil {
		return "", fmt.Errorf("derive token of a link: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(derived) + messageID, nil
}

// keyOf takes apart what a customer sends as a token.
func keyOf(token string) LinkKey {
	key := LinkKey{Hash: hashToken(token)}
	if len(token) > secretLength {
		key.MessageID = token[secretLength:]
	}
	return key
}

func hashToken(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// Link is a link as stored, with what its page greets the customer by.
type Link struct {
	ID          string
	Kind        string
	CustomerID  int64
	Email       string
	FirstName   *string
	PartnerName *string // who introduced the customer; nil if nobody
	Active      bool    // whether the account is
	ExpiresAt   time.Time
	UsedAt      *time.Time
}

// LinkState is what a link is good for.
type LinkState string

// The states of a link.
const (
	LinkValid   LinkState = "valid"
	LinkExpired LinkState = "expired"
	LinkUsed    LinkState = "used"
)

// State is the state at a moment.
func (l *Link) State(now time.Time) LinkState {
	switch {
	case l.UsedAt != nil:
		return LinkUsed
	case !now.Before(l.ExpiresAt):
		return LinkExpired
	default:
		return LinkValid
	}
}

// link finds a link by its token. One whose account is not active any more is
// as good as none.
func (s *Service) link(ctx context.Context, kind, token string) (Link, error) {
	l, err := s.p.Store.Link(ctx, kind, keyOf(token))
	if err != nil {
		return Link{}, fmt.Errorf("find link: %w", err)
	}
	if !l.Active {
		return Link{}, ErrLinkNotFound
	}
	return l, nil
}

// CheckLink tells what a link is good for, and changes nothing; or returns
// [ErrLinkNotFound].
func (s *Service) CheckLink(ctx context.Context, kind, token string) (Link, LinkState, error) {
	l, err := s.link(ctx, kind, token)
	if err != nil {
		return Link{}, "", err
	}
	return l, l.State(s.now()), nil
}

// UseLink sets the password that a link is for, confirms the customer's e-mail
// address, and ends all sessions. It gives the address.
//
// It returns [ErrLinkNotFound], [ErrLinkExpired], [ErrLinkUsed], or
// [*customer.UnacceptableError] about the password; then the link is as good as
// before.
func (s *Service) UseLink(ctx context.Context, kind, token, newPassword string) (string, error) {
	l, err := s.link(ctx, kind, token)
	if err != nil {
		return "", err
	}
	switch l.State(s.now()) {
	case LinkUsed:
		return "", ErrLinkUsed
	case LinkExpired:
		return "", ErrLinkExpired
	case LinkValid:
	}
	c, err := s.p.Store.Credentials(ctx, l.CustomerID)
	if errors.Is(err, customer.ErrNotFound) {
		return "", ErrLinkNotFound // removed meanwhile
	}
	if err != nil {
		return "", fmt.Errorf("read credentials: %w", err)
	}
	if err := s.checkPassword("password", newPassword, &c); err != nil {
		return "", err
	}
	hash, err := s.p.Hasher.Hash(ctx, newPassword)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	use := LinkUse{LinkID: l.ID, Kind: kind, CustomerID: l.CustomerID, PasswordHash: hash, SecondFactor: c.SecondFactor(), At: s.now()}
	if c.PasswordHash != "" {
		notice := s.notice(KindPasswordChanged)
		use.Notice = &notice
	}
	if err := s.p.Store.UseLink(ctx, use); err != nil {
		return "", fmt.Errorf("use link: %w", err)
	}
	if use.Notice != nil {
		s.p.Queued()
	}
	return l.Email, nil
}

// Limits on e-mails of one kind to one customer; see [Links.lapsed] for the one
// exception.
const (
	emailPause  = time.Minute
	emailsDaily = 5
	day         = 24 * time.Hour
)

// pause tells how long to wait before another e-mail, if earlier ones were
// queued at these times, the latest first.
func pause(earlier []time.Time, now time.Time) time.Duration {
	var wait time.Duration
	if len(earlier) > 0 {
		wait = earlier[0].Add(emailPause).Sub(now)
	}
	if len(earlier) >= emailsDaily {
		wait = max(wait, earlier[emailsDaily-1].Add(day).Sub(now))
	}
	return max(wait, 0)
}

// RenewInvitation sends another invitation to the customer whom a link invited,
// and gives their address. It returns [ErrLinkNotFound], [ErrLinkUsed], or
// [*TooManyError].
func (s *Service) RenewInvitation(ctx context.Context, token string) (string, error) {
	l, err := s.link(ctx, LinkInvitation, token)
	if err != nil {
		return "", err
	}
	if l.UsedAt != nil {
		return "", ErrLinkUsed
	}
	if _, err := s.invite(ctx, l.CustomerID); err != nil {
		if errors.Is(err, ErrInvitationAccepted) {
			return "", ErrLinkUsed
		}
		return "", err
	}
	return l.Email, nil
}

// ResendInvitation sends another invitation to a customer whom the partner
// created. It returns [customer.ErrNotFound], [ErrInvitationAccepted], or
// [*TooManyError].
func (s *Service) ResendInvitation(ctx context.Context, partnerID, customerID int64) (customer.Invitation, error) {
	if _, err := s.p.Store.Customer(ctx, partnerID, customerID); err != nil {
		return customer.Invitation{}, fmt.Errorf("find customer: %w", err)
	}
	return s.invite(ctx, customerID)
}

func (s *Service) invite(ctx context.Context, customerID int64) (customer.Invitation, error) {
	now := s.now()
	m := s.notice(customer.KindIntroduction)
	link, err := s.p.Links.New(LinkInvitation, m.ID, now)
	if err != nil {
		return customer.Invitation{}, err
	}
	m.Link = &link
	if err := s.p.Store.Invite(ctx, customerID, m, now, pause); err != nil {
		return customer.Invitation{}, fmt.Errorf("invite: %w", err)
	}
	s.p.Queued()
	return customer.Invitation{QueuedAt: now, ExpiresAt: link.ExpiresAt}, nil
}
