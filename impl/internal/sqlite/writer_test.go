package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openForTest(t *testing.T, folder string) *DB {
	t.Helper()
	db, err := Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// insert stores a row that needs no other.
func insert(tx *tx, id string) error {
	_, err := tx.exec(insertRequest, id, "k", "", "", nil, nil, nil, 0)
	return err
}

func ids(t *testing.T, q querier) []string {
	t.Helper()
	list, err := texts(q, `SELECT id FROM requests ORDER BY rowid`)
	if err != nil {
		t.Error(err)
	}
	return list
}

// hold keeps the writer busy until it is let go, so that what is sent meanwhile
// waits together.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- db.apart(context.WithoutCancel(t.Context()), func(*conn) error {
			close(held)
			<-free
			return nil
		})
	}()
	<-held
	return func() {
		close(free)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// queued runs f and returns when it waits for the writer, or is done.
func queued(db *DB, f func()) (done chan struct{}) {
	before := len(db.writer.jobs)
	done = make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for len(db.writer.jobs) == before {
		select {
		case <-done:
			return done
		case <-time.After(10 * time.Microsecond):
		}
	}
	return done
}

var errOwn = errors.New("of the job")

// kinds are what can become of a job: whether it is done, and what it returns
// otherwise.
var kinds = []struct {
	name string
	done bool
	run  func(tx *tx, id string) error
	is   func(error) bool
}{
	{"writes", true, insert, nil},
	{"writes twice", true, func(tx *tx, id string) error { return errors.Join(insert(tx, id), insert(tx, id+"+")) }, nil},
	{"refuses", false, func(*tx, string) error { return errOwn }, isOwn},
	{"writes and fails", false, func(tx *tx, id string) error { return errors.Join(insert(tx, id), errOwn) }, isOwn},
	{"violates a constraint", false, func(tx *tx, id string) error { return errors.Join(insert(tx, id), insert(tx, id)) },
		func(err error) bool { return strings.Contains(err.Error(), "UNIQUE") }},
	{"panics", false, func(*tx, string) error { panic("in a job") }, isPanic},
	{"writes and panics", false, func(tx *tx, id string) error {
		_ = insert(tx, id)
		panic("in a job")
	}, isPanic},
	{"panics in a row", false, func(tx *tx, _ string) error {
		return tx.each(func(scanner) error { panic("in a job") }, `SELECT 1`)
	}, isPanic},
	{"returns rows and fails", false, func(tx *tx, id string) error {
		var got string
		return errors.Join(insert(tx, id), tx.row(`UPDATE requests SET kind = 'x' RETURNING id`).Scan(&got), errOwn)
	}, isOwn},
	{"reads", true, func(tx *tx, _ string) error {
		var n int
		return tx.row(`SELECT count(*) FROM requests WHERE kind <> 'k'`).Scan(&n)
	}, nil},
	{"is cancelled", false, nil, func(err error) bool { return errors.Is(err, context.Canceled) }},
}

func isOwn(err error) bool   { return errors.Is(err, errOwn) }
func isPanic(err error) bool { return strings.Contains(err.Error(), "in a job") }

// rows are what a job leaves if it is done.
func rows(kind int, id string) []string {
	switch kinds[kind].name {
	case "writes":
		return []string{id}
	case "writes twice":
		return []string{id, id + "+"}
	default:
		return nil
	}
}

// TestTogether has jobs of all kinds share transactions: each has the outcome
// that it would have alone, sees what those before it did, and does not see what
// they failed to do.
func TestTogether(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	db := openForTest(t, t.TempDir())
	var want []string
	for round := range 30 {
		release := hold(t, db)
		var waiting []chan struct{}
		for i := range 1 + random.IntN(40) {
			id := fmt.Sprintf("%d-%d", round, i)
			kind := random.IntN(len(kinds))
			before := slices.Clone(want)
			waiting = append(waiting, queued(db, func() { doOne(t, db, kind, id, before) }))
			want = append(want, rows(kind, id)...)
		}
		release()
		for _, done := range waiting {
			<-done
		}
		if diff := cmp.Diff(want, ids(t, db.read(t.Context()))); diff != "" {
			t.Fatalf("round %d (-want +got)\n%s", round, diff)
		}
	}
}

// doOne does a job of a kind, after jobs that left some rows.
func doOne(t *testing.T, db *DB, kind int, id string, before []string) {
	k := kinds[kind]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if k.run == nil {
		time.AfterFunc(time.Millisecond, cancel)
	}
	err := db.transaction(ctx, "test", func(tx *tx) error {
		if k.run == nil {
			return context.Canceled // the writer was faster than who cancelled
		}
		if diff := cmp.Diff(before, ids(t, tx)); diff != "" {
			t.Errorf("%s sees (-want +got)\n%s", id, diff)
		}
		return k.run(tx, id)
	})
	if k.done != (err == nil) || err != nil && !k.is(err) {
		t.Errorf("%s, which %s: %v", id, k.name, err)
	}
}

// TestCommitFails checks that nobody is answered otherwise who wrote, or saw what
// others wrote.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	orphan := func(tx *tx) error {
		_, err := tx.exec(`PRAGMA defer_foreign_keys = 1`)
		_, e := tx.exec(`INSERT INTO api_keys (partner_id, hash, last4, created_at) VALUES (999, x'00', '', 0)`)
		return errors.Join(err, e)
	}
	isForeign := func(err error) bool { return strings.Contains(err.Error(), "FOREIGN KEY") }
	tests := []struct {
		name string
		run  func(*tx) error
		is   func(error) bool
	}{
		{"refuses before", func(*tx) error { return errOwn }, isOwn},
		{"writes before", func(tx *tx) error { return insert(tx, "1") }, isForeign},
		{"breaks it", orphan, isForeign},
		{"refuses after", func(*tx) error { return errOwn }, isForeign},
		{"reads after", func(tx *tx) error { return tx.each(func(scanner) error { return nil }, `SELECT 1`) }, isForeign},
		{"writes after", func(tx *tx) error { return insert(tx, "2") }, isForeign},
	}
	release := hold(t, db)
	var waiting []chan struct{}
	for _, tt := range tests {
		waiting = append(waiting, queued(db, func() {
			if err := db.transaction(t.Context(), "test", tt.run); err == nil || !tt.is(err) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}))
	}
	release()
	for _, done := range waiting {
		<-done
	}
	if err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, "3") }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if diff := cmp.Diff([]string{"3"}, ids(t, db.read(t.Context()))); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
}

// TestTransactionLost has SQLite roll back by itself, as it does if storage is
// full.
func TestTransactionLost(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	release := hold(t, db)
	first := queued(db, func() {
		if err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, "1") }); err == nil {
			t.Error("who wrote before was told that it was done")
		}
	})
	second := queued(db, func() {
		if err := db.transaction(t.Context(), "test", func(tx *tx) error {
			_, err := tx.exec(`INSERT OR ROLLBACK INTO requests SELECT * FROM requests`)
			return err
		}); err == nil {
			t.Error("who broke it was told that it was done")
		}
	})
	third := queued(db, func() {
		if err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, "3") }); err != nil {
			t.Errorf("who came later: %v", err)
		}
	})
	release()
	<-first
	<-second
	<-third
	if diff := cmp.Diff([]string{"3"}, ids(t, db.read(t.Context()))); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
}

// TestBusy has another process write for longer than anybody waits: all who wait
// are told, and the next succeed.
func TestBusy(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	if err := db.SetBusyTimeoutForTest(t.Context(), 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	other, err := db.HoldForTest("BEGIN IMMEDIATE", "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	release := hold(t, db)
	var waiting []chan struct{}
	for i := range 10 {
		waiting = append(waiting, queued(db, func() {
			if err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, strconv.Itoa(i)) }); !errors.Is(err, customer.ErrUnavailable) {
				t.Error(err)
			}
		}))
	}
	release()
	for _, done := range waiting {
		<-done
	}
	if err := other(); err != nil {
		t.Fatal(err)
	}
	if err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, "later") }); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"later"}, ids(t, db.read(t.Context()))); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
}

// TestWaits has another process write for a while: nobody is refused.
func TestWaits(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	other, err := db.HoldForTest("BEGIN IMMEDIATE", "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, strconv.Itoa(i)) }); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	if err := other(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// TestFull fills the queue: who comes then is refused at once, and nobody else.
func TestFull(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	release := hold(t, db)
	var wg sync.WaitGroup
	for i := range mostWaiting {
		wg.Go(func() {
			if err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, strconv.Itoa(i)) }); err != nil {
				t.Error(err)
			}
		})
	}
	for len(db.writer.jobs) < mostWaiting {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if err := db.transaction(t.Context(), "test", func(*tx) error { return nil }); !errors.Is(err, customer.ErrUnavailable) {
		t.Errorf("one too many: %v", err)
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("it was told after %v", d)
	}
	release()
	wg.Wait()
	if n := len(ids(t, db.read(t.Context()))); n != mostWaiting {
		t.Errorf("%d rows, want %d", n, mostWaiting)
	}
}

// TestAbandoned cancels a job that waits: its caller is told at once, and it is
// not done.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	done := queued(db, func() {
		if err := db.transaction(ctx, "test", func(tx *tx) error { return insert(tx, "1") }); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
	cancel()
	<-done // though the writer is busy
	release()
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if got := ids(t, db.read(t.Context())); len(got) != 0 {
		t.Errorf("rows %v", got)
	}
}

// TestCloseWhileBusy closes the store amid jobs: what was acknowledged is there
// when it is opened again, and nothing else.
func TestCloseWhileBusy(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	db := openForTest(t, folder)
	var mu sync.Mutex
	want := []string{}
	var wg sync.WaitGroup
	enough := make(chan struct{})
	var once sync.Once
	for i := range 32 {
		wg.Go(func() {
			for n := range 10_000 {
				id := fmt.Sprintf("%d-%d", i, n)
				err := db.transaction(t.Context(), "test", func(tx *tx) error { return insert(tx, id) })
				if errors.Is(err, errClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					once.Do(func() { close(enough) })
					return
				}
				mu.Lock()
				if want = append(want, id); len(want) == 500 {
					once.Do(func() { close(enough) })
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	got := ids(t, openForTest(t, folder).read(t.Context()))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-acknowledged +there)\n%s", diff)
	}
	if _, err := texts(db.read(t.Context()), `SELECT 1`); !errors.Is(err, errClosed) {
		t.Errorf("who reads afterwards: %v", err)
	}
}
