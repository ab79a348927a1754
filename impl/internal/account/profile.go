package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

// Profile is a customer as they see themselves.
type Profile struct {
	Customer      customer.Customer
	PartnerName   *string // who introduced them; nil if nobody
	SecondFactor  bool
	RecoveryLeft  int
	PasswordSetAt time.Time
}

// Profile reads a customer's own information.
func (s *Service) Profile(ctx context.Context, customerID int64) (Profile, error) {
	p, err := s.p.Store.Profile(ctx, customerID)
	if errors.Is(err, customer.ErrNotFound) {
		return Profile{}, ErrNotLoggedIn // erased meanwhile
	}
	if err != nil {
		return Profile{}, fmt.Errorf("read profile: %w", err)
	}
	return p, nil
}

// Update changes a customer's own information, or returns
// [*customer.UnacceptableError].
func (s *Service) Update(ctx context.Context, customerID int64, change customer.Change) (Profile, error) {
	now := s.now()
	err := s.p.Store.UpdateCustomer(ctx, customerID, func(c *customer.Customer) error { return change.Apply(c, now) })
	if err != nil {
		return Profile{}, fmt.Errorf("update profile: %w", err)
	}
	return s.Profile(ctx, customerID)
}

// Email is what became of an e-mail to a customer.
type Email struct {
	Kind     string
	QueuedAt time.Time
	SentAt   *time.Time
	FailedAt *time.Time
	Attempts int
}

// Export is everything that is kept of a customer, but for what is secret.
type Export struct {
	At       time.Time
	Profile  Profile
	Sessions []Session
	Emails   []Email
}

// MaxEmails is how many e-mails an export lists, as the contract has it.
const MaxEmails = 256

// Export collects everything that is kept of a customer.
func (s *Service) Export(ctx context.Context, customerID int64) (Export, error) {
	e := Export{At: s.now()}
	var err error
	if e.Profile, err = s.Profile(ctx, customerID); err != nil {
		return Export{}, err
	}
	if e.Sessions, err = s.Sessions(ctx, customerID); err != nil {
		return Export{}, err
	}
	if e.Emails, err = s.p.Store.Emails(ctx, customerID, MaxEmails); err != nil {
		return Export{}, fmt.Errorf("list e-mails: %w", err)
	}
	return e, nil
}

// defaultReason is why an account was closed by a customer who does not say.
const defaultReason = "Closed at the customer's request."

// Close ends an account and all of its sessions, or returns
// [*customer.UnacceptableError].
func (s *Service) Close(ctx context.Context, customerID int64, text, code string, reason *string) error {
	if err := customer.CheckText(reason, "reason"); err != nil {
		return err
	}
	c, err := s.reauthenticate(ctx, customerID, "password", text)
	if err != nil {
		return err
	}
	proof, err := s.proveAgain(&c, code)
	if err != nil {
		return err
	}
	closing := Closing{CustomerID: customerID, Proof: proof, At: s.now(), Reason: defaultReason, Notice: s.notice(KindAccountClosed)}
	if reason != nil {
		closing.Reason = *reason
	}
	if err := reproved(s.p.Store.CloseAccount(ctx, closing)); err != nil {
		return fmt.Errorf("close account: %w", err)
	}
	s.p.Queued()
	return nil
}
