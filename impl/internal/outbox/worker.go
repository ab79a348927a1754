package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// Senders is how many messages are sent at once.
	Senders = 4

	pollInterval  = 2 * time.Second  // for messages queued by other processes
	lease         = 10 * time.Second // what a crash delays a message by
	renewal       = 3 * time.Second  // between extensions of a lease
	sendTimeout   = 5 * time.Minute  // for one message, however slow the server
	storeTimeout  = 10 * time.Second
	recordTries   = 5               // an outcome that is not recorded is a second e-mail
	recordPause   = time.Second     // between them
	stopGrace     = 5 * time.Second // for messages under way when the worker is stopped
	backoffFirst  = 5 * time.Second
	backoffMost   = time.Hour
	defaultGiveUp = 72 * time.Hour
)

// Params are what a [Worker] needs.
type Params struct {
	Store  Store
	Sender Sender
	Now    func() time.Time // the clock
	Logger *slog.Logger
	// GiveUpAfter is the age at which a message that fails is given up; 0 for
	// 72 hours.
	GiveUpAfter time.Duration
}

// Worker sends messages in the background, several at once.
type Worker struct {
	p    Params
	wake chan struct{}

	mu   sync.Mutex
	stop context.CancelFunc // guarded by mu; nil if the worker does not run
	done chan struct{}      // guarded by mu
}

// NewWorker makes a worker that does not run yet.
func NewWorker(p Params) *Worker {
	if p.GiveUpAfter == 0 {
		p.GiveUpAfter = defaultGiveUp
	}
	return &Worker{p: p, wake: make(chan struct{}, 1)}
}

// Start begins to send. It does nothing if the worker runs.
func (w *Worker) Start(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		return
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.done = make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		w.run(ctx)
	}(w.done)
}

// Stop ends sending. Messages under way have a few seconds to be done with; what
// then becomes of them is recorded before Stop returns. It does nothing if the
// worker does not run.
func (w *Worker) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == nil {
		return
	}
	w.stop()
	<-w.done
	w.stop = nil
}

// Wake tells the worker that a message was queued. It never waits.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it has been told
	}
}

// run claims as many messages as there are senders free, each time that one
// becomes free or there may be a new message.
func (w *Worker) run(ctx context.Context) {
	sending, hurry := context.WithCancel(context.WithoutCancel(ctx))
	defer hurry()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	finished := make(chan struct{}, Senders)
	busy := 0
	for {
		if busy < Senders && ctx.Err() == nil {
			for _, m := range w.claim(ctx, Senders-busy) {
				busy++
				go func() {
					w.send(sending, m)
					finished <- struct{}{}
				}()
			}
		}
		select {
		case <-ctx.Done():
			defer time.AfterFunc(stopGrace, hurry).Stop()
			for ; busy > 0; busy-- {
				<-finished
			}
			return
		case <-finished:
			busy--
		case <-w.wake:
		case <-ticker.C:
		}
	}
}

// claim leases messages. What is leased is sent, even if the worker is stopped
// meanwhile.
func (w *Worker) claim(ctx context.Context, limit int) []Message {
	// A claim that is cancelled half-way may have leased what nobody sends.
	claiming, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	now := w.p.Now()
	messages, err := w.p.Store.Claim(claiming, now, now.Add(lease), limit)
	if err != nil {
		w.p.Logger.ErrorContext(ctx, "cannot claim e-mails", slog.Any("error", err))
		return nil
	}
	return messages
}

// send hands one message over and records what became of it.
func (w *Worker) send(ctx context.Context, m Message) {
	log := w.p.Logger.With(slog.String("message_id", m.ID), slog.String("kind", m.Kind), slog.Int("attempts", m.Attempts))
	ended := w.attempt(ctx, m, log)
	if ended == nil {
		w.record(ctx, log, m, func(ctx context.Context) error {
			return w.p.Store.MarkSent(ctx, m.ID, m.Attempts, w.p.Now())
		})
		return
	}
	f := Failure{ID: m.ID, Attempt: m.Attempts, At: w.p.Now(), Reason: ended.Error()}
	retryAt, again := w.retryAt(m, ended, f.At)
	if again {
		f.RetryAt = &retryAt
	}
	report(ctx, log, ended, f.RetryAt)
	w.record(ctx, log, m, func(ctx context.Context) error { return w.p.Store.MarkFailed(ctx, f) })
}

// attempt sends, and keeps the lease meanwhile.
func (w *Worker) attempt(ctx context.Context, m Message, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		w.keep(ctx, cancel, m, log)
	}()
	// An extension must not come after the outcome.
	defer func() { <-kept }()
	defer cancel()
	return w.p.Sender.Send(ctx, m)
}

// keep extends the lease of a message until ctx ends. If it is lost, it cancels
// the sending: somebody else does it, or will.
func (w *Worker) keep(ctx context.Context, cancel context.CancelFunc, m Message, log *slog.Logger) {
	ticker := time.NewTicker(renewal)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := w.p.Store.Extend(ctx, m.ID, m.Attempts, w.p.Now().Add(lease))
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrLeaseLost), errors.Is(err, ErrWithdrawn):
			log.WarnContext(ctx, "lease of e-mail lost", slog.Any("error", err))
			cancel()
			return
		case err != nil: // the next one may come in time
			log.WarnContext(ctx, "cannot extend lease of e-mail", slog.Any("error", err))
		}
	}
}

// retryAt tells when to try again, or that it is no use. The last attempt is
// made when the message reaches the age at which it is given up.
func (w *Worker) retryAt(m Message, failed error, now time.Time) (time.Time, bool) {
	end := m.CreatedAt.Add(w.p.GiveUpAfter)
	if errors.As(failed, new(*PermanentError)) || !now.Before(end) {
		return time.Time{}, false
	}
	at := now.Add(backoff(m.Attempts))
	if at.After(end) {
		at = end
	}
	return at, true
}

func report(ctx context.Context, log *slog.Logger, failed error, retryAt *time.Time) {
	cause := slog.Any("error", failed)
	switch {
	case retryAt == nil:
		log.ErrorContext(ctx, "e-mail given up", cause)
	case errors.As(failed, new(*SetupError)):
		log.ErrorContext(ctx, "e-mail not sent, the set-up of the mail server needs to be mended", cause, slog.Time("retry_at", *retryAt))
	default:
		log.WarnContext(ctx, "e-mail not sent", cause, slog.Time("retry_at", *retryAt))
	}
}

// record stores an outcome, even if the worker is stopped meanwhile or the store
// is busy: what is not recorded is sent again.
func (w *Worker) record(ctx context.Context, log *slog.Logger, m Message, store func(context.Context) error) {
	ctx = context.WithoutCancel(ctx)
	for try := 1; ; try++ {
		storing, cancel := context.WithTimeout(ctx, storeTimeout)
		err := store(storing)
		cancel()
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrLeaseLost):
			log.WarnContext(ctx, "e-mail was claimed again before its outcome was recorded")
			return
		case errors.Is(err, ErrWithdrawn):
			w.retract(ctx, log, m)
			return
		case try == recordTries:
			log.ErrorContext(ctx, "cannot record outcome of e-mail", slog.Any("error", err))
			return
		}
		<-time.After(recordPause)
	}
}

// retract takes back a message that was withdrawn while it was being sent, if
// the sender can.
func (w *Worker) retract(ctx context.Context, log *slog.Logger, m Message) {
	log.WarnContext(ctx, "e-mail was withdrawn while it was being sent")
	r, can := w.p.Sender.(Retractor)
	if !can {
		return
	}
	if err := r.Retract(ctx, m.ID); err != nil {
		log.ErrorContext(ctx, "cannot take back e-mail", slog.Any("error", err))
	}
}

// backoff doubles with each attempt, up to a limit, and varies by a quarter so
// that messages which failed together do not return together.
func backoff(attempts int) time.Duration {
	d := backoffMost
	if doublings := attempts - 1; doublings < 10 {
		d = min(backoffFirst<<doublings, backoffMost)
	}
	return d*3/4 + rand.N(d/2) //nolint:gosec // nothing depends on its being hard to guess
}
