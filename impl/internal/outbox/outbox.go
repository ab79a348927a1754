// Package outbox sends the e-mails that transactions have queued.
//
// A message is a row that was written in the transaction which gave the reason
// for it, so it exists exactly if that transaction does. The worker takes it
// through these states, which are columns and not names:
//
//	due (due_at has come) --claim--> leased (due_at is the lease's end)
//	leased --sent--> sent (due_at is null)
//	leased --failed--> waiting (due_at is the time of the next attempt)
//	waiting, or leased by a worker that died --time passes--> due
//
// There is no state "processing" from which only the worker that entered it
// could lead: a lease ends by itself. A worker that dies between sending and
// recording that it did will send again, so a message is sent at least once,
// always with the same Message-ID.
package outbox

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Message is an e-mail to be sent.
type Message struct {
	ID          string // unique; the left side of its Message-ID
	Kind        string // names its template
	Attempts    int    // this one included
	To          string
	FirstName   *string // nil if unknown
	PartnerName *string // who introduced the customer; nil if nobody
}

// Store keeps the messages.
type Store interface {
	// Claim leases up to limit messages that are due, and counts an attempt
	// for each.
	Claim(ctx context.Context, now, leaseEnd time.Time, limit int) ([]Message, error)
	// MarkSent ends the work on a message.
	MarkSent(ctx context.Context, id string, at time.Time) error
	// MarkFailed makes a message due again at retryAt.
	MarkFailed(ctx context.Context, id, reason string, retryAt time.Time) error
}

// Sender hands a message over. An error says nothing of the recipient.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

const (
	pollInterval = 2 * time.Second  // for messages queued by other processes
	sendTimeout  = 30 * time.Second // for one message
	lease        = 45 * time.Second // longer than that; what a crash delays a message by
	batch        = 1                // messages leased at once, so that a lease can be short
	backoffFirst = 5 * time.Second
	backoffMost  = time.Hour
)

// Params are what a [Worker] needs.
type Params struct {
	Store  Store
	Sender Sender
	Now    func() time.Time // the clock
	Logger *slog.Logger
}

// Worker sends messages in the background.
type Worker struct {
	p    Params
	wake chan struct{}

	mu   sync.Mutex
	stop context.CancelFunc // guarded by mu; nil if the worker does not run
	done chan struct{}      // guarded by mu
}

// NewWorker makes a worker that does not run yet.
func NewWorker(p Params) *Worker { return &Worker{p: p, wake: make(chan struct{}, 1)} }

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

// Stop ends sending, and waits until the message under way is done with. It
// does nothing if the worker does not run.
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

func (w *Worker) run(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		for ctx.Err() == nil && w.sendBatch(ctx) == batch {
		}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-ticker.C:
		}
	}
}

// sendBatch leases messages, sends each, and tells how many they were. What it
// has leased it sends, even if the worker is stopped meanwhile.
func (w *Worker) sendBatch(ctx context.Context) int {
	now := w.p.Now()
	// A claim that is cancelled half-way may have leased what nobody sends.
	claiming, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	messages, err := w.p.Store.Claim(claiming, now, now.Add(lease), batch)
	if err != nil {
		w.p.Logger.ErrorContext(ctx, "cannot claim e-mails", slog.Any("error", err))
		return 0
	}
	for _, m := range messages {
		w.send(ctx, m)
	}
	return len(messages)
}

// send hands one message over and records what became of it, even if the
// worker is stopped meanwhile.
func (w *Worker) send(ctx context.Context, m Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	log := w.p.Logger.With(slog.String("message_id", m.ID), slog.String("kind", m.Kind), slog.Int("attempts", m.Attempts))
	if err := w.p.Sender.Send(ctx, m); err != nil {
		retryAt := w.p.Now().Add(backoff(m.Attempts))
		log.WarnContext(ctx, "e-mail not sent", slog.Any("error", err), slog.Time("retry_at", retryAt))
		if err := w.p.Store.MarkFailed(ctx, m.ID, err.Error(), retryAt); err != nil {
			log.ErrorContext(ctx, "cannot record failed e-mail", slog.Any("error", err))
		}
		return
	}
	if err := w.p.Store.MarkSent(ctx, m.ID, w.p.Now()); err != nil {
		log.ErrorContext(ctx, "cannot record sent e-mail", slog.Any("error", err))
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
