package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
)

// Kinds of a [Request].
const (
	RequestSignUp = "sign_up"
	RequestReset  = "password_reset"
)

// Request is a sign-up or a recovery as it came.
type Request struct {
	ID        string
	Kind      string
	Email     string
	EmailKey  string
	FirstName *string
	LastName  *string
	Language  *string
	CreatedAt time.Time
}

// SignUp takes a sign-up, to be settled in the background. It returns
// [*customer.UnacceptableError] for what could be of no account.
func (s *Service) SignUp(ctx context.Context, d customer.Draft) error {
	now := s.now()
	c, key, err := d.SignUp(now)
	if err != nil {
		return err
	}
	return s.request(ctx, Request{
		Kind: RequestSignUp, Email: c.Email, EmailKey: key,
		FirstName: c.FirstName, LastName: c.LastName, Language: c.Language, CreatedAt: now,
	})
}

// RequestReset takes the address of somebody who forgot their password, to be
// settled in the background.
func (s *Service) RequestReset(ctx context.Context, email string) error {
	key, err := emailaddr.Key(email)
	if err != nil {
		return unacceptable("email", customer.CodeInvalidEmail, "This is not an e-mail address that can be written to.")
	}
	return s.request(ctx, Request{Kind: RequestReset, Email: email, EmailKey: key, CreatedAt: s.now()})
}

func (s *Service) request(ctx context.Context, r Request) error {
	r.ID = s.p.NewID()
	if err := s.p.Store.AddRequest(ctx, r); err != nil {
		return fmt.Errorf("store request: %w", err)
	}
	return nil
}

// Settlement is what a request comes to: a customer to be created, an e-mail to
// one who is there, or nothing.
type Settlement struct {
	RequestID  string
	Creation   *customer.Creation // nil if none
	CustomerID int64              // to whom Message goes; 0 if there is none
	// HasPassword is whether that customer had a password when it was decided.
	HasPassword bool
	Message     customer.Message
	At          time.Time // of the e-mail
}

// settleTries is how often it is decided anew what a request comes to.
const settleTries = 3

// settle decides what a request comes to, and carries it out. If the address was
// taken meanwhile, or who has it changed, it decides anew.
func (s *Service) settle(ctx context.Context, r Request) error {
	for try := 1; ; try++ {
		settlement, err := s.decide(ctx, r)
		if err != nil {
			return err
		}
		err = s.p.Store.Settle(ctx, settlement)
		changed := errors.Is(err, ErrConflict) || errors.As(err, new(*customer.EmailInUseError))
		if changed && try < settleTries {
			continue
		}
		if err != nil {
			return fmt.Errorf("settle request: %w", err)
		}
		if settlement.Creation != nil || settlement.CustomerID != 0 {
			s.p.Queued()
		}
		return nil
	}
}

func (s *Service) decide(ctx context.Context, r Request) (Settlement, error) {
	now := s.now()
	nothing := Settlement{RequestID: r.ID}
	holder, err := s.p.Store.CustomerByEmail(ctx, r.EmailKey, now)
	switch {
	case errors.Is(err, customer.ErrNotFound):
		holder = nil
	case err != nil:
		return Settlement{}, fmt.Errorf("look up address: %w", err)
	}
	free := holder == nil || holder.Customer.Unconfirmed() && now.Sub(holder.Customer.CreatedAt) >= customer.SignUpValidity
	switch {
	case free && r.Kind == RequestSignUp:
		return s.newCustomer(r, now)
	case free || holder.Customer.Status != customer.Active:
		return nothing, nil
	}
	kind, linkKind := answer(r.Kind, holder)
	earlier := holder.Emails[kind]
	// Whoever asks in a customer's name must not keep them from a link that works
	// for the rest of the day.
	overdue := linkKind == LinkReset && s.p.Links.lapsed(linkKind, earlier, now)
	if pause(earlier, now) > 0 && !overdue {
		return nothing, nil
	}
	m := s.notice(kind)
	if linkKind != "" {
		link, err := s.p.Links.New(linkKind, m.ID, now)
		if err != nil {
			return Settlement{}, err
		}
		if linkKind == LinkConfirmation {
			link.ExpiresAt = minTime(link.ExpiresAt, holder.Customer.CreatedAt.Add(customer.SignUpValidity))
		}
		m.Link = &link
	}
	return Settlement{RequestID: r.ID, CustomerID: holder.Customer.ID, HasPassword: holder.HasPassword, Message: m, At: now}, nil
}

// answer chooses the e-mail that somebody who has an account, or is about to,
// gets for a request; and the kind of its link, empty for none.
func answer(request string, h *Holder) (kind, linkKind string) {
	switch {
	case h.Customer.Unconfirmed():
		return customer.KindConfirmation, LinkConfirmation
	case !h.HasPassword:
		return customer.KindIntroduction, LinkInvitation
	case request == RequestReset:
		return KindPasswordReset, LinkReset
	default:
		return KindAlreadyRegistered, ""
	}
}

func (s *Service) newCustomer(r Request, now time.Time) (Settlement, error) {
	d := customer.Draft{Email: r.Email, FirstName: r.FirstName, LastName: r.LastName, Language: r.Language}
	c, key, err := d.SignUp(now)
	if errors.As(err, new(*customer.UnacceptableError)) {
		return Settlement{RequestID: r.ID}, nil // the rules were others when it came
	}
	if err != nil {
		return Settlement{}, err
	}
	m := s.notice(customer.KindConfirmation)
	link, err := s.p.Links.New(LinkConfirmation, m.ID, now)
	if err != nil {
		return Settlement{}, err
	}
	link.ExpiresAt = minTime(link.ExpiresAt, now.Add(customer.SignUpValidity))
	m.Link = &link
	return Settlement{RequestID: r.ID, Creation: &customer.Creation{
		Customer: c, EmailKey: key, Message: m, SignUpsBefore: now.Add(-customer.SignUpValidity),
	}}, nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Intake settles requests in the background. It comes at times of its own
// choosing, so that when it works says nothing of who has just asked.
type Intake struct {
	s      *Service
	logger *slog.Logger

	mu   sync.Mutex
	stop context.CancelFunc // guarded by mu; nil if it does not run
	done chan struct{}      // guarded by mu
}

// NewIntake makes an intake that does not run yet.
func NewIntake(s *Service, logger *slog.Logger) *Intake { return &Intake{s: s, logger: logger} }

// Times between two looks for requests.
const (
	intakeLeast = 300 * time.Millisecond
	intakeMost  = 1200 * time.Millisecond
)

// Start begins to settle requests. It does nothing if the intake runs.
func (i *Intake) Start(ctx context.Context) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stop != nil {
		return
	}
	ctx, i.stop = context.WithCancel(ctx)
	i.done = make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		i.run(ctx)
	}(i.done)
}

// Stop ends it, and waits for the request under way. It does nothing if the
// intake does not run.
func (i *Intake) Stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stop == nil {
		return
	}
	i.stop()
	<-i.done
	i.stop = nil
}

func (i *Intake) run(ctx context.Context) {
	for {
		if err := i.SettleAll(ctx); err != nil && ctx.Err() == nil {
			i.logger.ErrorContext(ctx, "cannot settle sign-ups and recoveries", slog.Any("error", err))
		}
		wait := intakeLeast + rand.N(intakeMost-intakeLeast) //nolint:gosec // unpredictable enough: it hides work in noise
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// batch is how many requests are read at once.
const batch = 100

// SettleAll settles the requests that there are. One that fails is left for the
// next time, and keeps none of the others waiting.
func (i *Intake) SettleAll(ctx context.Context) error {
	requests, err := i.s.p.Store.Requests(ctx, batch)
	if err != nil {
		return fmt.Errorf("read requests: %w", err)
	}
	var failed []error
	for _, r := range requests {
		if ctx.Err() != nil {
			break
		}
		failed = append(failed, i.s.settle(ctx, r))
	}
	return errors.Join(failed...)
}
