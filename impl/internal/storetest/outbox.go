package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/outbox"
)

// Outbox is what an engine keeps of e-mails: for the worker, and for operators.
type Outbox interface {
	outbox.Store
	// Messages lists messages, the newest first; those in one state unless it
	// is empty.
	Messages(ctx context.Context, now time.Time, state outbox.State, limit int) ([]outbox.Status, error)
	// Retry makes failed messages due, all of them or none. It returns
	// [outbox.ErrUnknown] or [outbox.ErrNotFailed].
	Retry(ctx context.Context, ids []string, now time.Time) error
	// RetryFailed makes every failed message due, and tells how many they were.
	RetryFailed(ctx context.Context, now time.Time) (int64, error)
}

var outboxCases = []testCase{
	{"outbox", testOutbox},
	{"outbox links", testOutboxLink},
	{"outbox leases", testOutboxLeases},
	{"outbox lost leases", testOutboxLost},
	{"outbox gives up", testOutboxGiveUp},
	{"outbox list", testOutboxList},
	{"outbox workers race", testOutboxRace},
}

const message = "m-a@example.com" // the id that creation gives

// claimOne claims the one message that must be due, for a minute.
func (b *bundle) claimOne(t *testing.T, now time.Time) outbox.Message {
	t.Helper()
	messages, err := b.store.Claim(t.Context(), now, now.Add(time.Minute), 10)
	if err != nil || len(messages) != 1 {
		t.Fatalf("claimed %+v, %v; want one", messages, err)
	}
	return messages[0]
}

func failure(attempt int, at time.Time, retryAt *time.Time) outbox.Failure {
	return outbox.Failure{ID: message, Attempt: attempt, At: at, Reason: "RCPT: 450 4.2.1", RetryAt: retryAt}
}

func testOutbox(t *testing.T, b *bundle) {
	name, shop := "Ana", "Shop"
	c := creation(b.partner, "a@example.com")
	c.Customer.FirstName = &name
	id := b.create(t, c).ID
	want := outbox.Message{
		ID: message, Kind: customer.KindIntroduction, CustomerID: id, CreatedAt: start, Attempts: 1,
		To: "a@example.com", FirstName: &name, PartnerName: &shop,
	}
	if diff := cmp.Diff(want, b.claimOne(t, start)); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	later := start.Add(time.Hour)
	if err := b.store.MarkFailed(t.Context(), failure(1, start, &later)); err != nil {
		t.Fatal(err)
	}
	if got := b.due(t, later.Add(-time.Microsecond)); len(got) != 0 {
		t.Errorf("due before its time: %v", got)
	}
	if got := b.claimOne(t, later); got.Attempts != 2 {
		t.Errorf("attempt %d, want 2", got.Attempts)
	}
	if err := b.store.MarkSent(t.Context(), message, 2, later); err != nil {
		t.Fatal(err)
	}
	// What comes after the end does not undo it.
	if err := b.store.MarkFailed(t.Context(), failure(2, later, &later)); !errors.Is(err, outbox.ErrLeaseLost) {
		t.Errorf("failed after it was sent: %v", err)
	}
	if err := b.store.Extend(t.Context(), message, 2, later); !errors.Is(err, outbox.ErrLeaseLost) {
		t.Errorf("extended after it was sent: %v", err)
	}
	if got := b.due(t, start.Add(240*time.Hour)); len(got) != 0 {
		t.Errorf("due after it was sent: %v", got)
	}
}

// testOutboxLink checks that a message comes with its link, and its customer's
// language.
func testOutboxLink(t *testing.T, b *bundle) {
	language := "es-MX"
	c := signUp("a@example.com", start)
	c.Customer.Language = &language
	id := b.create(t, c).ID
	want := outbox.Message{
		ID: message, Kind: customer.KindConfirmation, CustomerID: id, CreatedAt: start, Attempts: 1, To: "a@example.com", Language: &language,
		Link: &outbox.Link{KeyID: keyID, Kind: account.LinkConfirmation, ExpiresAt: start.Add(72 * time.Hour)},
	}
	if diff := cmp.Diff(want, b.claimOne(t, start)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func testOutboxLeases(t *testing.T, b *bundle) {
	b.create(t, creation(b.partner, "a@example.com"))
	if got := b.due(t, start); len(got) != 1 { // leased for a minute
		t.Fatalf("due %v", got)
	}
	if got := b.due(t, start.Add(time.Minute-time.Microsecond)); len(got) != 0 {
		t.Errorf("claimed during a lease: %v", got)
	}
	if err := b.store.Extend(t.Context(), message, 1, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := b.due(t, start.Add(time.Hour-time.Microsecond)); len(got) != 0 {
		t.Errorf("claimed during an extended lease: %v", got)
	}
	if got := b.claimOne(t, start.Add(time.Hour)); got.Attempts != 2 {
		t.Errorf("after a lease: %+v", got)
	}
}

// testOutboxLost has a worker whose lease has ended, and who reports when
// another one has begun: only its own attempt is recorded.
func testOutboxLost(t *testing.T, b *bundle) {
	b.create(t, creation(b.partner, "a@example.com"))
	b.claimOne(t, start)
	b.claimOne(t, start.Add(time.Minute))
	at := start.Add(61 * time.Second)
	for what, err := range map[string]error{
		"extend": b.store.Extend(t.Context(), message, 1, start.Add(time.Hour)),
		"sent":   b.store.MarkSent(t.Context(), message, 1, at),
		"failed": b.store.MarkFailed(t.Context(), failure(1, at, &at)),
	} {
		if !errors.Is(err, outbox.ErrLeaseLost) {
			t.Errorf("%s: %v, want %v", what, err, outbox.ErrLeaseLost)
		}
	}
	if got := b.due(t, start.Add(2*time.Minute-time.Microsecond)); len(got) != 0 {
		t.Errorf("the other worker's lease was cut short: %v", got)
	}
	if err := b.store.MarkSent(t.Context(), message, 2, at); err != nil {
		t.Error(err)
	}
}

func testOutboxGiveUp(t *testing.T, b *bundle) {
	b.create(t, creation(b.partner, "a@example.com"))
	b.claimOne(t, start)
	if err := b.store.Retry(t.Context(), []string{message}, start); !errors.Is(err, outbox.ErrNotFailed) {
		t.Errorf("retried while under way: %v", err)
	}
	if err := b.store.MarkFailed(t.Context(), failure(1, start, nil)); err != nil {
		t.Fatal(err)
	}
	if got := b.due(t, start.Add(240*time.Hour)); len(got) != 0 {
		t.Errorf("due after it was given up: %v", got)
	}
	err := b.store.Retry(t.Context(), []string{message, "m-unknown"}, start)
	if !errors.Is(err, outbox.ErrUnknown) || !strings.Contains(err.Error(), "m-unknown") {
		t.Errorf("unknown: %v", err)
	}
	if got := b.due(t, start); len(got) != 0 {
		t.Errorf("retried together with an unknown one: %v", got)
	}
	if err := b.store.Retry(t.Context(), []string{message}, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := b.claimOne(t, start.Add(time.Hour)); got.Attempts != 2 {
		t.Errorf("retried: %+v", got)
	}
	if err := b.store.MarkFailed(t.Context(), failure(2, start, nil)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{1, 0} {
		if n, err := b.store.RetryFailed(t.Context(), start.Add(time.Hour)); err != nil || n != want {
			t.Errorf("retried %d, %v; want %d", n, err, want)
		}
	}
	b.claimOne(t, start.Add(time.Hour))
}

func testOutboxList(t *testing.T, b *bundle) {
	now := start.Add(time.Hour)
	want := make(map[outbox.State]outbox.Status)
	for i, state := range []outbox.State{outbox.Sent, outbox.Failed, outbox.Waiting, outbox.Queued} {
		email := fmt.Sprintf("%s@example.com", state)
		c := creation(b.partner, email)
		c.Customer.CreatedAt = start.Add(time.Duration(i) * time.Second)
		s := outbox.Status{ID: c.Message.ID, Kind: customer.KindIntroduction, CustomerID: b.create(t, c).ID, State: state, CreatedAt: c.Customer.CreatedAt, At: c.Customer.CreatedAt}
		if state != outbox.Queued {
			b.claimOne(t, c.Customer.CreatedAt)
			s.Attempts, s.At = 1, now.Add(time.Second)
		}
		f := outbox.Failure{ID: s.ID, Attempt: 1, At: s.At, Reason: "DATA: 554"}
		var err error
		switch state {
		case outbox.Sent:
			err = b.store.MarkSent(t.Context(), s.ID, 1, s.At)
		case outbox.Waiting:
			f.RetryAt, s.LastError = &s.At, f.Reason
			err = b.store.MarkFailed(t.Context(), f)
		case outbox.Failed:
			s.LastError = f.Reason
			err = b.store.MarkFailed(t.Context(), f)
		case outbox.Queued:
		}
		if err != nil {
			t.Fatal(err)
		}
		want[state] = s
	}
	for state, s := range want {
		got, err := b.store.Messages(t.Context(), now, state, 10)
		if diff := cmp.Diff([]outbox.Status{s}, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", state, err, diff)
		}
	}
	got, err := b.store.Messages(t.Context(), now, "", 3)
	if diff := cmp.Diff([]outbox.Status{want[outbox.Queued], want[outbox.Waiting], want[outbox.Failed]}, got); err != nil || diff != "" {
		t.Errorf("all: %v (-want +got)\n%s", err, diff)
	}
}

func testOutboxRace(t *testing.T, b *bundle) {
	const messages = 40
	for i := range messages {
		b.create(t, creation(b.partner, fmt.Sprintf("%d@example.com", i)))
	}
	var mu sync.Mutex
	seen := make(map[string]int)
	err := errors.Join(race(messages, func(int) error {
		got, err := b.store.Claim(context.WithoutCancel(t.Context()), start, start.Add(time.Minute), 2)
		mu.Lock()
		defer mu.Unlock()
		for _, m := range got {
			seen[m.ID]++
		}
		return err
	})...)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != messages {
		t.Errorf("%d messages were claimed, want %d", len(seen), messages)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was claimed %d times", id, n)
		}
	}
}
