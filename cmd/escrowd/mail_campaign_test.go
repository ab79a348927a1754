package main_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"cryptoexchange.com/escrow/impl/smtptest"
)

// campaign is the size of [TestMailCampaign].
type campaign struct {
	messages, kills int
	// each is what a session takes on average per stage, so that the messages
	// last for all the kills.
	each time.Duration
}

func campaignSize() campaign {
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		return campaign{messages: 2000, kills: 200, each: 25 * time.Millisecond}
	}
	return campaign{messages: 60, kills: 6, each: 15 * time.Millisecond}
}

// TestMailCampaign kills escrowd at random moments while its mail server fails at
// random stages, and then accounts for every message: each was accepted, and more
// than once only where the server's last word was lost or the worker died before
// it had recorded that the message was sent. With ESCROW_CAMPAIGN=full it kills
// 200 times over 2,000 messages.
func TestMailCampaign(t *testing.T) {
	t.Parallel()
	size := campaignSize()
	data := filepath.Join(t.TempDir(), "data")
	f := &faulty{each: size.each}
	mail := smtptest.Start(t, smtptest.Config{Act: f.act})
	args := []string{"--smtp-url", "smtp://" + mail.Addr + "?tls=none", "--rate-limit", "0", "--public-url", "https://escrow.example.com"}
	began := time.Now()

	// Nothing gets through before all is queued.
	d := start(t, data, args...)
	key := d.key
	release := f.hold()
	want := queueMany(t, d, key, size.messages)
	release()
	var kills []time.Time
	for range size.kills {
		kills = append(kills, f.kill(t, d))
		d = start(t, data, args...)
	}
	f.heal()
	db := openDatabase(t, data)
	eventually(t, "every message is sent", func() bool {
		var open int
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM outbox WHERE sent_at IS NULL`).Scan(&open); err != nil {
			t.Fatal(err)
		}
		return open == 0
	})
	account := newAccount(t, db, mail.Deliveries(), kills)
	account.check(t, want)
	t.Logf("%d messages, %d kills, %d sessions, %d of them made to fail, %d attempts (%d failed, %d whose worker died): "+
		"%d delivered, %d of them again because the last reply was lost, %d because the worker died before recording, %d unexplained; %v",
		len(want), len(kills), mail.Sessions(), f.failed(), account.attempts, account.failures, account.deaths,
		account.deliveries, account.replyLost, account.workerDied, account.unexplained, time.Since(began).Round(time.Second))
}

// faulty decides what the mail server does.
type faulty struct {
	each time.Duration

	mu      sync.Mutex
	held    chan struct{}  // guarded by mu; sessions wait for it
	healed  bool           // guarded by mu
	faults  map[int]bool   // guarded by mu; sessions that were made to fail
	deadly  smtptest.Stage // guarded by mu; the next session there kills
	execute func()         // guarded by mu
}

var stages = []smtptest.Stage{smtptest.Connect, smtptest.Hello, smtptest.Mail, smtptest.Rcpt, smtptest.Data, smtptest.Content, smtptest.End}

// act fails a session in three, at a stage and in a way by chance.
func (f *faulty) act(session int, stage smtptest.Stage) smtptest.Action {
	f.mu.Lock()
	held, deadly := f.held, f.deadly == stage
	if deadly {
		f.deadly = ""
	}
	execute := f.execute
	f.mu.Unlock()
	if held != nil {
		<-held
	}
	action := f.choose(session, stage)
	if deadly {
		// A moment later, or just now.
		action.Delay = 0
		go func() {
			<-time.After(rand.N(4 * time.Millisecond))
			execute()
		}()
	}
	return action
}

func (f *faulty) choose(session int, stage smtptest.Stage) smtptest.Action {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.healed {
		return smtptest.Action{}
	}
	action := smtptest.Action{Delay: rand.N(2 * f.each)}
	if rand.IntN(3*len(stages)) > 0 {
		return action
	}
	if f.faults == nil {
		f.faults = make(map[int]bool)
	}
	f.faults[session] = true
	switch rand.IntN(3) {
	case 0: // an error that passes; 5xx would end the message
		action.Code = 451
	case 1:
		action.Delay += 400 * time.Millisecond
	default:
		action.Drop = true
	}
	if stage == smtptest.End && rand.IntN(2) == 0 {
		action = smtptest.Action{Drop: true} // the case that matters
	}
	return action
}

// hold keeps every session waiting until the result is called.
func (f *faulty) hold() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	held := make(chan struct{})
	f.held = held
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.held = nil
		close(held)
	}
}

// heal ends all faults.
func (f *faulty) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.healed = true
}

func (f *faulty) failed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.faults)
}

// kill ends a server with SIGKILL: after a time by chance, or as soon as a
// session has come to a stage by chance. It tells when.
func (f *faulty) kill(t *testing.T, d *server) time.Time {
	t.Helper()
	<-time.After(rand.N(400 * time.Millisecond))
	done := make(chan time.Time, 1)
	var once sync.Once
	execute := func() {
		once.Do(func() {
			if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			_ = d.cmd.Wait()
			done <- time.Now() // it does nothing any more
		})
	}
	if rand.IntN(3) == 0 {
		execute()
	} else {
		f.mu.Lock()
		// Where it matters as often as everywhere else together.
		f.deadly, f.execute = smtptest.End, execute
		if rand.IntN(2) == 0 {
			f.deadly = stages[rand.IntN(len(stages))]
		}
		f.mu.Unlock()
	}
	select {
	case at := <-done:
		return at
	case <-time.After(3 * time.Second): // everything waits for its next attempt
		execute()
		return <-done
	}
}

// queueMany creates customers, and gives their addresses.
func queueMany(t *testing.T, d *server, key string, n int) map[string]bool {
	t.Helper()
	addresses := make(map[string]bool)
	for i := range n {
		addresses[fmt.Sprintf("customer-%d@example.com", i)] = true
	}
	work := make(chan string)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for email := range work {
				if status, body, _, err := d.create(t, key, `{"email":"`+email+`","first_name":"Ana"}`); status != 201 {
					t.Errorf("create: %d %v %v", status, body, err)
				}
			}
		})
	}
	for email := range addresses {
		work <- email
	}
	close(work)
	wg.Wait()
	return addresses
}

func openDatabase(t *testing.T, data string) *sql.DB {
	t.Helper()
	path := (&url.URL{Scheme: "file", Opaque: filepath.Join(data, "escrow.db")}).String()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// attempt is a row of outbox_attempts.
type attempt struct {
	began, ended time.Time // ended is zero if the worker died
	failed       bool
	reason       string
}

// account explains what the mail server accepted by what the workers recorded.
type account struct {
	byID map[string][]attempt // in order
	got  map[string][]smtptest.Delivery
	// kills are the moments by which a worker was dead.
	kills []time.Time

	attempts, failures, deaths        int
	deliveries, replyLost, workerDied int
	unexplained, recorded             int
}

func newAccount(t *testing.T, db *sql.DB, deliveries []smtptest.Delivery, kills []time.Time) *account {
	t.Helper()
	a := &account{byID: make(map[string][]attempt), got: make(map[string][]smtptest.Delivery), kills: kills, deliveries: len(deliveries)}
	rows, err := db.QueryContext(t.Context(), `SELECT message_id, started_at, coalesce(ended_at, 0), error IS NOT NULL, coalesce(error, '') FROM outbox_attempts ORDER BY message_id, attempt`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var began, ended int64
		var try attempt
		if err := rows.Scan(&id, &began, &ended, &try.failed, &try.reason); err != nil {
			t.Fatal(err)
		}
		if try.began = time.UnixMicro(began); ended != 0 {
			try.ended = time.UnixMicro(ended)
		}
		a.byID[id] = append(a.byID[id], try)
		a.attempts++
		switch {
		case ended == 0:
			a.deaths++
		case try.failed:
			a.failures++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, d := range deliveries {
		id := messageID(t, d)
		a.got[id] = append(a.got[id], d)
	}
	return a
}

// messageID gives the left side of a Message-ID.
func messageID(t *testing.T, d smtptest.Delivery) string {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(d.Data))
	if err != nil {
		t.Fatal(err)
	}
	id := m.Header.Get("Message-Id")
	at := bytes.IndexByte([]byte(id), '@')
	if at < 2 {
		t.Fatalf("Message-ID %q", id)
	}
	return id[1:at]
}

// check looks at each message: which addresses they went to, whether they are
// always the same, and why they came as often as they did.
func (a *account) check(t *testing.T, want map[string]bool) {
	t.Helper()
	reached := make(map[string]string) // ids by address
	for id, list := range a.got {
		for _, d := range list {
			if earlier, known := reached[d.To]; known && earlier != id {
				t.Errorf("%s got %s and %s: not always the same Message-ID", d.To, earlier, id)
			}
			reached[d.To] = id
			if sha256.Sum256(d.Data) != sha256.Sum256(list[0].Data) {
				t.Errorf("%s is not always the same", id)
			}
		}
		a.explain(t, id, list)
	}
	for email := range want {
		if reached[email] == "" {
			t.Errorf("%s got nothing", email)
		}
	}
	if len(reached) != len(want) || len(a.byID) != len(want) || a.recorded != len(want) {
		t.Errorf("%d addresses, %d messages, %d recorded as sent; want %d", len(reached), len(a.byID), a.recorded, len(want))
	}
	if extra := a.deliveries - len(want); extra != a.replyLost+a.workerDied || a.unexplained != 0 {
		t.Errorf("%d delivered again; %d explained by a lost reply, %d by a death, %d unexplained", extra, a.replyLost, a.workerDied, a.unexplained)
	}
}

// explain finds the attempt in which each delivery was made. An attempt begins
// before its session and ends, if it ends, after the server has accepted; two
// attempts of a message never overlap.
func (a *account) explain(t *testing.T, id string, list []smtptest.Delivery) {
	t.Helper()
	used := make(map[int]bool)
	for _, d := range list {
		i := -1
		for k, try := range a.byID[id] {
			if !try.began.After(d.At) {
				i = k
			}
		}
		if i < 0 || used[i] {
			a.unexplained++
			t.Errorf("%s was delivered in session %d without an attempt of its own", id, d.Session)
			continue
		}
		used[i] = true
		try := a.byID[id][i]
		switch {
		case !try.ended.IsZero() && !try.failed:
			a.recorded++
			if !d.Confirmed {
				t.Errorf("%s was recorded as sent in session %d, whose last reply was never written", id, d.Session)
			}
		case try.failed && !d.Confirmed && !try.ended.Before(d.At):
			a.replyLost++
		case try.ended.IsZero() && a.killedAfter(try.began, d.At, id, i):
			a.workerDied++
		default:
			a.unexplained++
			t.Errorf("%s was delivered in session %d (confirmed: %v), and nothing explains that it was sent again: %+v", id, d.Session, d.Confirmed, try)
		}
	}
}

// killedAfter tells whether the worker of an attempt was killed during it: after
// the attempt began and before the next one did.
func (a *account) killedAfter(began, accepted time.Time, id string, i int) bool {
	next := time.Now()
	if i+1 < len(a.byID[id]) {
		next = a.byID[id][i+1].began
	}
	// The server may accept what was on its way when the worker died.
	const onItsWay = 2 * time.Second
	return slices.ContainsFunc(a.kills, func(at time.Time) bool {
		return at.After(began) && at.Before(next) && accepted.Before(at.Add(onItsWay))
	})
}
