package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/outbox"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

// sender fails as often as it is told to, and remembers what it sent.
type sender struct {
	mu     sync.Mutex
	fails  int
	failed error // how it fails
	sent   []string
	tried  []time.Time
}

func (s *sender) Send(_ context.Context, m outbox.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = append(s.tried, time.Now())
	if s.fails > 0 {
		s.fails--
		return s.failed
	}
	s.sent = append(s.sent, m.ID)
	return nil
}

func (s *sender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

var errNoRoute = errors.New("no route to host")

// memory is a store in memory for the tests that turn the clock: a database
// does its input and output outside of it.
type memory struct {
	mu       sync.Mutex
	messages map[string]*entry
	broken   int // how many outcomes it cannot record
}

type entry struct {
	created, due time.Time
	attempts     int
	sent, failed bool
	reason       string
}

func (s *memory) Claim(_ context.Context, now, leaseEnd time.Time, limit int) ([]outbox.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var claimed []outbox.Message
	for id, e := range s.messages {
		if !e.sent && !e.failed && !e.due.After(now) && len(claimed) < limit {
			e.due, e.attempts = leaseEnd, e.attempts+1
			claimed = append(claimed, outbox.Message{ID: id, CreatedAt: e.created, Attempts: e.attempts})
		}
	}
	return claimed, nil
}

// leased finds a message if the attempt holds its lease.
func (s *memory) leased(id string, attempt int) (*entry, error) {
	e, there := s.messages[id]
	if !there {
		return nil, outbox.ErrWithdrawn
	}
	if e.attempts != attempt || e.sent || e.failed {
		return nil, outbox.ErrLeaseLost
	}
	return e, nil
}

func (s *memory) Extend(_ context.Context, id string, attempt int, leaseEnd time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.leased(id, attempt)
	if err == nil {
		e.due = leaseEnd
	}
	return err
}

func (s *memory) MarkSent(_ context.Context, id string, attempt int, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken > 0 {
		s.broken--
		return errors.New("disk full")
	}
	e, err := s.leased(id, attempt)
	if err == nil {
		e.sent = true
	}
	return err
}

func (s *memory) MarkFailed(_ context.Context, f outbox.Failure) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.leased(f.ID, f.Attempt)
	if err != nil {
		return err
	}
	if e.reason = f.Reason; f.RetryAt == nil {
		e.failed = true
	} else {
		e.due = *f.RetryAt
	}
	return nil
}

// in starts a worker in a bubble whose clock the test turns, on a store with one
// message that was queued just now.
func in(t *testing.T, s outbox.Sender, run func(t *testing.T, store *memory, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{messages: map[string]*entry{"m": {created: time.Now()}}}
		var log bytes.Buffer
		w := outbox.NewWorker(outbox.Params{Store: store, Sender: s, Now: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		w.Start(t.Context())
		run(t, store, &log)
		w.Stop()
	})
}

// wait turns the clock.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestBackoff checks that a message which fails is tried again, later each time,
// until it is sent.
func TestBackoff(t *testing.T) {
	s := &sender{fails: 14, failed: errNoRoute}
	in(t, s, func(t *testing.T, _ *memory, log *bytes.Buffer) {
		wait(24 * time.Hour)
		if len(s.sent) != 1 || len(s.tried) != 15 {
			t.Fatalf("sent %v after %d attempts, want one after 15", s.sent, len(s.tried))
		}
		first := s.tried[1].Sub(s.tried[0])
		last := s.tried[14].Sub(s.tried[13])
		if first < 3*time.Second || first > 10*time.Second || last < 40*time.Minute || last > 80*time.Minute {
			t.Errorf("waited %v after the first failure and %v after the last", first, last)
		}
		if got := strings.Count(log.String(), "level=WARN msg=\"e-mail not sent\""); got != 14 {
			t.Errorf("%d failures in the log, want 14", got)
		}
	})
}

// TestGiveUp checks that a message is tried until it is 72 hours old, at that
// moment for the last time.
func TestGiveUp(t *testing.T) {
	s := &sender{fails: 1e6, failed: errNoRoute}
	in(t, s, func(t *testing.T, store *memory, log *bytes.Buffer) {
		began := time.Now()
		wait(240 * time.Hour)
		last := s.tried[len(s.tried)-1].Sub(began)
		if last < 72*time.Hour || last > 72*time.Hour+5*time.Second {
			t.Errorf("last tried after %v, want 72 h", last)
		}
		if e := store.messages["m"]; !e.failed || e.reason != errNoRoute.Error() {
			t.Errorf("%+v", e)
		}
		if got := strings.Count(log.String(), "level=ERROR msg=\"e-mail given up\""); got != 1 {
			t.Errorf("given up %d times in the log, want once", got)
		}
	})
}

// TestPermanent checks that what is refused for good is tried once.
func TestPermanent(t *testing.T) {
	s := &sender{fails: 1, failed: fmt.Errorf("send: %w", &outbox.PermanentError{Err: errors.New("RCPT: 550 5.1.1")})}
	in(t, s, func(t *testing.T, store *memory, log *bytes.Buffer) {
		wait(24 * time.Hour)
		if e := store.messages["m"]; len(s.tried) != 1 || !e.failed || e.reason != "send: RCPT: 550 5.1.1" {
			t.Errorf("tried %d times, %+v", len(s.tried), e)
		}
		if !strings.Contains(log.String(), "level=ERROR msg=\"e-mail given up\"") {
			t.Errorf("log: %s", log)
		}
	})
}

// TestSetup checks that what an operator has to mend is an error in the log and
// costs no message.
func TestSetup(t *testing.T) {
	s := &sender{fails: 3, failed: &outbox.SetupError{Err: errors.New("AUTH: 535 5.7.8")}}
	in(t, s, func(t *testing.T, store *memory, log *bytes.Buffer) {
		wait(time.Hour)
		if e := store.messages["m"]; len(s.tried) != 4 || !e.sent {
			t.Errorf("tried %d times, %+v", len(s.tried), e)
		}
		if got := strings.Count(log.String(), "level=ERROR msg=\"e-mail not sent, the set-up"); got != 3 {
			t.Errorf("%d errors in the log, want 3: %s", got, log)
		}
	})
}

// TestRecordAgain checks that an outcome which could not be recorded is recorded
// later, instead of the message being sent again.
func TestRecordAgain(t *testing.T) {
	s := &sender{}
	in(t, s, func(t *testing.T, store *memory, _ *bytes.Buffer) {
		store.mu.Lock()
		store.broken = 3
		store.messages["n"] = &entry{}
		store.mu.Unlock()
		wait(time.Hour)
		if s.count() != 2 || !store.messages["m"].sent || !store.messages["n"].sent {
			t.Errorf("sent %v", s.sent)
		}
	})
}

// TestWake checks that a message is sent without waiting for the next look.
func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{messages: map[string]*entry{}}
		s := &sender{}
		w := outbox.NewWorker(outbox.Params{Store: store, Sender: s, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		w.Start(t.Context())
		synctest.Wait()
		began := time.Now()
		store.mu.Lock()
		store.messages["m"] = &entry{}
		store.mu.Unlock()
		for range 3 { // never waits
			w.Wake()
		}
		synctest.Wait()
		if s.count() != 1 || time.Since(began) != 0 {
			t.Errorf("sent %d after %v", s.count(), time.Since(began))
		}
		w.Stop()
	})
}

// TestDeadWorker checks that what a worker had claimed when it died is sent by
// the next one.
func TestDeadWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{messages: map[string]*entry{"m": {}}}
		if _, err := store.Claim(t.Context(), time.Now(), time.Now().Add(10*time.Second), 1); err != nil {
			t.Fatal(err)
		}
		s := &sender{}
		w := outbox.NewWorker(outbox.Params{Store: store, Sender: s, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		w.Start(t.Context())
		wait(9 * time.Second)
		if s.count() != 0 {
			t.Error("sent during another worker's lease")
		}
		wait(5 * time.Second)
		if s.count() != 1 {
			t.Error("not sent after the lease")
		}
		w.Stop()
	})
}

// slow is a sender whose server takes its time, unless it is cancelled.
type slow struct {
	takes      time.Duration
	mu         sync.Mutex
	begun, now int   // sendings, all and under way
	most       int   // of those under way
	ended      error // of the last
}

func (s *slow) Send(ctx context.Context, _ outbox.Message) (err error) {
	s.mu.Lock()
	s.begun, s.now = s.begun+1, s.now+1
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now--
		s.ended = err
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.takes):
		return nil
	}
}

// TestSlow checks that a lease is kept for as long as the server takes, that
// slow messages do not hold others up, and that so many are sent at once and no
// more.
func TestSlow(t *testing.T) {
	s := &slow{takes: time.Minute}
	in(t, s, func(t *testing.T, store *memory, _ *bytes.Buffer) {
		store.mu.Lock()
		for i := range 2*outbox.Senders - 1 {
			store.messages[fmt.Sprint(i)] = &entry{}
		}
		store.mu.Unlock()
		wait(3 * time.Minute)
		if s.begun != 2*outbox.Senders || s.most != outbox.Senders {
			t.Errorf("sent %d times, up to %d at once; want %d and %d", s.begun, s.most, 2*outbox.Senders, outbox.Senders)
		}
	})
}

// TestHangs checks that a server which never answers is left after a while.
func TestHangs(t *testing.T) {
	s := &slow{takes: 1e6 * time.Hour}
	in(t, s, func(t *testing.T, store *memory, _ *bytes.Buffer) {
		wait(6 * time.Minute)
		if e := store.messages["m"]; s.begun < 2 || !strings.Contains(e.reason, "deadline") {
			t.Errorf("tried %d times, %+v", s.begun, e)
		}
	})
}

// TestLostLease checks that a worker leaves a message that another one has
// claimed.
func TestLostLease(t *testing.T) {
	s := &slow{takes: time.Minute}
	in(t, s, func(t *testing.T, store *memory, log *bytes.Buffer) {
		wait(time.Second)
		store.mu.Lock()
		store.messages["m"].attempts++
		store.mu.Unlock()
		wait(4 * time.Second)
		if !errors.Is(s.ended, context.Canceled) || !strings.Contains(log.String(), "lease of e-mail lost") {
			t.Errorf("ended with %v; %s", s.ended, log)
		}
		if e := store.messages["m"]; e.reason != "" {
			t.Errorf("recorded %q over another's", e.reason)
		}
	})
}

// TestStopInTime checks that a slow server does not keep the worker from
// stopping, and that what becomes of its message is recorded.
func TestStopInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{messages: map[string]*entry{"m": {created: time.Now()}}}
		w := outbox.NewWorker(outbox.Params{Store: store, Sender: &slow{takes: time.Hour}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		w.Start(t.Context())
		wait(time.Second)
		began := time.Now()
		w.Stop()
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("stopping took %v", d)
		}
		if e := store.messages["m"]; !strings.Contains(e.reason, "canceled") {
			t.Errorf("%+v", e)
		}
	})
}

// TestStartStop starts and stops a worker over and over while it sends what a
// database holds: each message is sent once, and nothing is left running.
func TestStartStop(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	db, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	const messages = 60
	want := make([]string, messages)
	for i := range messages {
		want[i] = fmt.Sprintf("m%02d", i)
		email := fmt.Sprintf("%d@example.com", i)
		if _, err := db.Create(t.Context(), customer.Creation{
			Customer: customer.Customer{PartnerID: &p.ID, Email: email, CreatedAt: time.Now()},
			EmailKey: email, Message: customer.Message{ID: want[i], Kind: customer.KindIntroduction},
		}); err != nil {
			t.Fatal(err)
		}
	}
	s := &sender{}
	w := outbox.NewWorker(outbox.Params{Store: db, Sender: s, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	w.Stop() // before the first start
	for range 30 {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { w.Start(t.Context()) })
			wg.Go(w.Stop)
		}
		wg.Wait()
		w.Stop()
	}
	w.Start(t.Context())
	defer w.Stop()
	// Less than a lease: what a stopped worker had claimed it has sent.
	for deadline := time.Now().Add(30 * time.Second); s.count() < messages; {
		if time.Now().After(deadline) {
			t.Fatalf("sent %d of %d", s.count(), messages)
		}
		runtime.Gosched()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.sent)
	if !slices.Equal(s.sent, want) {
		t.Errorf("sent %v", s.sent)
	}
}

// retractor is a sender that takes its time, and takes back.
type retractor struct {
	takes  time.Duration
	failed error
	taken  []string
}

func (s *retractor) Send(ctx context.Context, _ outbox.Message) error {
	select {
	case <-time.After(s.takes):
		return s.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *retractor) Retract(_ context.Context, id string) error {
	s.taken = append(s.taken, id)
	return nil
}

// TestWithdrawn has messages that are removed while they are being sent: they
// are taken back, whether or not they were sent, and one that takes long is not
// waited for.
func TestWithdrawn(t *testing.T) {
	for name, s := range map[string]*retractor{"sent": {takes: 2 * time.Second}, "failed": {takes: 2 * time.Second, failed: errNoRoute}, "long": {takes: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			in(t, s, func(t *testing.T, store *memory, log *bytes.Buffer) {
				wait(time.Second)
				store.mu.Lock()
				delete(store.messages, "m")
				store.mu.Unlock()
				wait(10 * time.Second)
				if !slices.Equal(s.taken, []string{"m"}) || !strings.Contains(log.String(), "e-mail was withdrawn") {
					t.Errorf("taken back: %v, log %s", s.taken, log)
				}
			})
		})
	}
}
