package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// KindMethodsChanged is the e-mail that tells a customer of every change of
// where money is sent to: whoever changes that wants the money.
const KindMethodsChanged = "disbursement_methods_changed"

// Errors about disbursement methods.
var (
	// ErrMethodNotFound: the customer has no method of this id.
	ErrMethodNotFound = errors.New("disbursement method not found")
	// ErrTooManyMethods: there are [disbursement.Most] of them.
	ErrTooManyMethods = errors.New("too many disbursement methods")
	// ErrMethodNotUsable: no money can be sent there.
	ErrMethodNotUsable = errors.New("disbursement method not usable")
)

// CodeNotUsable is the code of a [customer.Finding].
const CodeNotUsable = "method_not_usable"

// MethodChange is a method to be stored.
type MethodChange struct {
	CustomerID int64
	Method     disbursement.Method
	Secret     []byte // encrypted
	Notice     customer.Message
}

// MethodChoice is a method that something is to be done with.
type MethodChoice struct {
	CustomerID int64
	MethodID   string
	At         time.Time
	Notice     customer.Message
}

// Methods lists where a customer has money sent to, the oldest first.
func (s *Service) Methods(ctx context.Context, customerID int64) ([]disbursement.Method, error) {
	list, err := s.p.Store.Methods(ctx, customerID)
	if err != nil {
		return nil, fmt.Errorf("list disbursement methods: %w", err)
	}
	return list, nil
}

// AddMethod adds a method. It returns [ErrTooManyMethods] or
// [*customer.UnacceptableError].
func (s *Service) AddMethod(ctx context.Context, customerID int64, text string, d disbursement.Draft) (disbursement.Method, error) {
	change, err := s.acceptMethod(ctx, customerID, text, d, s.p.NewID())
	if err != nil {
		return disbursement.Method{}, err
	}
	m, err := s.p.Store.AddMethod(ctx, change)
	if err != nil {
		return disbursement.Method{}, fmt.Errorf("add disbursement method: %w", err)
	}
	s.p.Queued()
	return m, nil
}

// ReplaceMethod puts a method in the place of one. It returns
// [ErrMethodNotFound] or [*customer.UnacceptableError].
func (s *Service) ReplaceMethod(ctx context.Context, customerID int64, text, id string, d disbursement.Draft) (disbursement.Method, error) {
	change, err := s.acceptMethod(ctx, customerID, text, d, id)
	if err != nil {
		return disbursement.Method{}, err
	}
	m, err := s.p.Store.ReplaceMethod(ctx, change)
	if err != nil {
		return disbursement.Method{}, fmt.Errorf("replace disbursement method: %w", err)
	}
	s.p.Queued()
	return m, nil
}

// acceptMethod checks a draft, strictly, once it is sure that it is the
// customer who asks.
func (s *Service) acceptMethod(ctx context.Context, customerID int64, text string, d disbursement.Draft, id string) (MethodChange, error) {
	if _, err := s.reauthenticate(ctx, customerID, "password", text); err != nil {
		return MethodChange{}, err
	}
	p, err := s.p.Store.Profile(ctx, customerID)
	if err != nil {
		return MethodChange{}, fmt.Errorf("read profile: %w", err)
	}
	accepted, findings := disbursement.Accept(d, disbursement.Terms{ID: id, Holder: p.Customer.Names(), Now: s.now()})
	if len(findings) > 0 {
		return MethodChange{}, &customer.UnacceptableError{Findings: customer.FromDisbursement(findings, "method")}
	}
	secret, err := s.p.Sealer.Seal(accepted.Secrets, customerID, id)
	if err != nil {
		return MethodChange{}, fmt.Errorf("encrypt disbursement method: %w", err)
	}
	return MethodChange{CustomerID: customerID, Method: accepted.Method, Secret: secret, Notice: s.notice(KindMethodsChanged)}, nil
}

// choose is what remove and set-default have in common.
func (s *Service) choose(ctx context.Context, customerID int64, text, id string) (MethodChoice, error) {
	if _, err := s.reauthenticate(ctx, customerID, "password", text); err != nil {
		return MethodChoice{}, err
	}
	return MethodChoice{CustomerID: customerID, MethodID: id, At: s.now(), Notice: s.notice(KindMethodsChanged)}, nil
}

// RemoveMethod removes a method. It returns [ErrMethodNotFound] or
// [*customer.UnacceptableError].
func (s *Service) RemoveMethod(ctx context.Context, customerID int64, text, id string) error {
	choice, err := s.choose(ctx, customerID, text, id)
	if err != nil {
		return err
	}
	if err := s.p.Store.RemoveMethod(ctx, choice); err != nil {
		return fmt.Errorf("remove disbursement method: %w", err)
	}
	s.p.Queued()
	return nil
}

// SetDefaultMethod has money sent to a method from now on. It returns
// [ErrMethodNotFound] or [*customer.UnacceptableError].
func (s *Service) SetDefaultMethod(ctx context.Context, customerID int64, text, id string) (disbursement.Method, error) {
	choice, err := s.choose(ctx, customerID, text, id)
	if err != nil {
		return disbursement.Method{}, err
	}
	m, err := s.p.Store.SetDefaultMethod(ctx, choice)
	if errors.Is(err, ErrMethodNotUsable) {
		return disbursement.Method{}, &customer.UnacceptableError{Findings: []customer.Finding{{
			Code: CodeNotUsable, Detail: "No money can be sent to this method. Replace it by one that is correct first.",
		}}}
	}
	if err != nil {
		return disbursement.Method{}, fmt.Errorf("choose disbursement method: %w", err)
	}
	s.p.Queued()
	return m, nil
}
