package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowSize is the size of [TestSlowCampaign].
type slowSize struct {
	connections int // of each slow attack
	last        time.Duration
	timed       bool // latencies are held to their bound
}

func newSlowSize(t *testing.T) slowSize {
	t.Helper()
	size := slowSize{connections: 200, last: time.Second}
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		size = slowSize{connections: 5000, last: 40 * time.Second, timed: true}
	}
	size.last = time.Duration(number(t, "ESCROW_SECONDS", uint64(size.last.Seconds()))) * time.Second
	return size
}

// What good clients do during every attack: so many connections, each of which
// asks at a fixed pace, whether or not it has been answered in time.
const (
	goodClients  = 16
	goodInterval = 160 * time.Millisecond // 100 a second together
	// mostSlower is by how much an attack may slow the slowest in a hundred.
	mostSlower = 3
)

// TestSlowCampaign attacks the real server with clients that are slow or huge,
// in one way after the other and then in all of them, while good clients create
// and read customers. The server must keep within its memory and fail none of
// the good. With ESCROW_CAMPAIGN=full there are 5,000 connections, and the good
// clients' latency may not suffer. ESCROW_ATTACK chooses attacks by a part of their
// names, and ESCROW_SECONDS says how long each lasts.
func TestSlowCampaign(t *testing.T) {
	t.Parallel()
	c := &slowCampaign{slowSize: newSlowSize(t), data: filepath.Join(t.TempDir(), "data"), bomb: newBomb()}
	c.key = start(t, c.data).key
	_ = c.phase(t, attack{name: "to begin with"}) // the first is no measure
	rest := c.phase(t, attack{name: "at rest"})
	phases := []*phase{rest}
	for _, a := range append(slices.Clone(attacks), together()) {
		if strings.Contains(a.name, os.Getenv("ESCROW_ATTACK")) {
			phases = append(phases, c.phase(t, a))
		}
	}
	t.Logf("%-28s %9s %9s %9s %7s %9s %7s %9s %9s", "attack", "held", "RSS peak", "p50", "p99", "p99/rest", "good", "errors", "5xx")
	for _, p := range phases {
		ratio := float64(p.percentile(99)) / float64(rest.percentile(99))
		t.Logf("%-28s %9d %5d MiB %9v %9v %6.1fx %7d %9d %9d", p.name, p.held, p.peak>>20,
			p.percentile(50).Round(100*time.Microsecond), p.percentile(99).Round(100*time.Microsecond), ratio, len(p.took), p.errors, p.failed)
		if p.peak > memoryBound || p.errors > 0 || p.failed > 0 {
			t.Errorf("%s: %d MiB, %d errors (%v), %d answers with 5xx", p.name, p.peak>>20, p.errors, p.example, p.failed)
		}
		if c.timed && ratio > mostSlower && !p.works {
			t.Errorf("%s: the slowest in a hundred take %v, %.1f times as long as at rest", p.name, p.percentile(99), ratio)
		}
	}
}

// together is all attacks at a time, of those that ask for no work.
func together() attack {
	return attack{name: "all that do no work", run: func(a *attacker, ctx context.Context) {
		var wg sync.WaitGroup
		for _, one := range attacks {
			if one.works {
				continue
			}
			wg.Go(func() {
				each := &attacker{host: a.host, key: a.key, connections: a.connections / 3, bomb: a.bomb}
				one.run(each, ctx)
			})
		}
		wg.Wait()
	}}
}

type slowCampaign struct {
	slowSize
	data, key string
	bomb      []byte
	rounds    int
}

// phase is what was seen during an attack.
type phase struct {
	attack
	peak int64 // of the server's memory
	held int64 // connections of the attacker, at most

	mu      sync.Mutex
	took    []time.Duration // of good requests; guarded by mu, as are the others
	errors  int             // good requests without the right answer
	failed  int             // of them with 5xx
	example string
}

// phase makes an attack on a server that has just begun.
func (c *slowCampaign) phase(t *testing.T, a attack) *phase {
	t.Helper()
	c.rounds++
	s := start(t, c.data, "--rate-limit", "0", "--network-limit", "0", "--login-limit", "0")
	defer s.kill(t)
	p := &phase{attack: a}
	ctx, cancel := context.WithTimeout(t.Context(), c.last)
	defer cancel()
	at := &attacker{host: strings.TrimPrefix(s.root, "http://"), key: c.key, connections: c.connections, bomb: c.bomb}
	var wg sync.WaitGroup
	if a.run != nil {
		wg.Go(func() { a.run(at, ctx) })
		wg.Go(func() {
			for pause(ctx, 100*time.Millisecond) {
				p.held = max(p.held, at.held.Load())
			}
		})
	}
	for i := range goodClients {
		wg.Go(func() {
			p.good(ctx, s, c.key, fmt.Sprintf("good-%d-%d", c.rounds, i), time.Duration(i)*goodInterval/goodClients)
		})
	}
	wg.Wait()
	_, p.peak = memoryOf(t, s)
	p.log(t, s.log.String())
	return p
}

// log looks for failures in the server's log. That an answer could not be written
// to an attacker who had gone is none, though pages report it; it is counted.
func (p *phase) log(t *testing.T, log string) {
	t.Helper()
	gone := 0
	for line := range strings.Lines(log) {
		switch failure := strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic"); {
		case failure && strings.Contains(line, `error="write tcp`):
			gone++
		case failure:
			t.Errorf("%s: the server's log: %s", p.name, line)
		}
	}
	if gone > 0 {
		t.Logf("%s: %d answers could not be written, which the server logs as failures of its own", p.name, gone)
	}
}

// good is a client that creates customers and reads them, at its pace. Every
// sixteenth request is on a new connection, for newcomers are to be served too.
func (p *phase) good(ctx context.Context, s *server, key, name string, offset time.Duration) {
	transport := &http.Transport{MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	began := time.Now().Add(offset)
	location := ""
	for i := 0; ; i++ {
		due := began.Add(time.Duration(i) * goodInterval)
		if !pause(ctx, time.Until(due)) {
			return
		}
		method, url, body, want := http.MethodGet, location, "", http.StatusOK
		if i%2 == 0 || location == "" {
			method, url, want = http.MethodPost, s.url+"/partner/customers", http.StatusCreated
			body = fmt.Sprintf(`{"email":"%s-%d@example.com","first_name":"Ana"}`, name, i)
		}
		// A request that has begun is finished, though the attack may be over.
		r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, url, strings.NewReader(body))
		if err != nil {
			p.note(time.Since(due), 0, want, err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		r.Close = i%16 == 15
		location = p.ask(client, r, want, due, location)
	}
}

// ask makes a good request, and gives where the customer is that it created.
func (p *phase) ask(client *http.Client, r *http.Request, want int, due time.Time, location string) string {
	response, err := client.Do(r)
	if err != nil {
		p.note(time.Since(due), 0, want, err)
		return location
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	p.note(time.Since(due), response.StatusCode, want, err)
	if created := response.Header.Get("Location"); created != "" {
		return created
	}
	return location
}

func (p *phase) note(took time.Duration, status, want int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, took)
	if status >= http.StatusInternalServerError {
		p.failed++
	}
	if status != want || err != nil {
		p.errors++
		p.example = fmt.Sprint(status, " ", err)
	}
}

func (p *phase) percentile(n int) time.Duration {
	if len(p.took) == 0 {
		return 0
	}
	slices.Sort(p.took)
	return p.took[min(len(p.took)*n/100, len(p.took)-1)]
}
