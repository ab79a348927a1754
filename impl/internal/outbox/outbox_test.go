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
	mu    sync.Mutex
	fails int
	sent  []string
	tried []time.Time
	times func() time.Time
}

func (s *sender) Send(_ context.Context, m outbox.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = append(s.tried, s.times())
	if s.fails > 0 {
		s.fails--
		return errors.New("no route to host")
	}
	s.sent = append(s.sent, m.ID)
	return nil
}

func (s *sender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

// memory is a store in memory for the tests that turn the clock: a database
// does its input and output outside of it.
type memory struct {
	mu       sync.Mutex
	messages map[string]*entry
}

type entry struct {
	due      time.Time
	attempts int
	sent     bool
}

func (s *memory) Claim(_ context.Context, now, leaseEnd time.Time, limit int) ([]outbox.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var claimed []outbox.Message
	for id, e := range s.messages {
		if !e.sent && !e.due.After(now) && len(claimed) < limit {
			e.due, e.attempts = leaseEnd, e.attempts+1
			claimed = append(claimed, outbox.Message{ID: id, Attempts: e.attempts})
		}
	}
	return claimed, nil
}

func (s *memory) MarkSent(_ context.Context, id string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages[id].sent = true
	return nil
}

func (s *memory) MarkFailed(_ context.Context, id, _ string, retryAt time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages[id].due = retryAt
	return nil
}

// TestBackoff checks that a message which fails is tried again, later each time,
// until it is sent.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{messages: map[string]*entry{"m": {}}}
		s := &sender{fails: 14, times: time.Now}
		var log bytes.Buffer
		w := outbox.NewWorker(outbox.Params{Store: store, Sender: s, Now: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		w.Start(t.Context())
		time.Sleep(24 * time.Hour) // in the bubble's clock
		synctest.Wait()
		w.Stop()
		if len(s.sent) != 1 || len(s.tried) != 15 {
			t.Fatalf("sent %v after %d attempts, want one after 15", s.sent, len(s.tried))
		}
		first := s.tried[1].Sub(s.tried[0])
		last := s.tried[14].Sub(s.tried[13])
		if first < 3*time.Second || first > 10*time.Second || last < 40*time.Minute || last > 80*time.Minute {
			t.Errorf("waited %v after the first failure and %v after the last", first, last)
		}
		if got := strings.Count(log.String(), "e-mail not sent"); got != 14 {
			t.Errorf("%d failures in the log, want 14", got)
		}
	})
}

// TestWake checks that a message is sent without waiting for the next look.
func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{messages: map[string]*entry{}}
		s := &sender{times: time.Now}
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
		if _, err := store.Claim(t.Context(), time.Now(), time.Now().Add(45*time.Second), 1); err != nil {
			t.Fatal(err)
		}
		s := &sender{times: time.Now}
		w := outbox.NewWorker(outbox.Params{Store: store, Sender: s, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		w.Start(t.Context())
		time.Sleep(44 * time.Second)
		synctest.Wait()
		if s.count() != 0 {
			t.Error("sent during another worker's lease")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if s.count() != 1 {
			t.Error("not sent after the lease")
		}
		w.Stop()
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
	s := &sender{times: time.Now}
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
