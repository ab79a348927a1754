package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Sizes of [TestHostileCampaign], and what its server may take.
const (
	ordinaryShots = 5_000
	fullShots     = 1_000_000
	hostilePeople = 12
	// flatGrowth is by how much the server may grow from the middle of a whole
	// campaign to its end: by what its limiters remember of 10,000 callers each,
	// which may fill late, and by garbage that is not yet collected.
	flatGrowth = 32 << 20
	// memoryBound is how much it may have at any time.
	memoryBound = 512 << 20 * raceFactor
)

// TestHostileCampaign sends hostile requests to the real server, and holds every
// answer to the contract from outside. With ESCROW_CAMPAIGN=full there are a
// million of them; ESCROW_REQUESTS sets another number. ESCROW_SEED repeats a
// campaign: each request follows from the seed and its number, but for the
// credentials in it.
func TestHostileCampaign(t *testing.T) {
	t.Parallel()
	c := newHostileCampaign(t)
	t.Logf("%d requests, seed %d, %d seeds of fuzzing", c.shots, c.seed, len(c.seeds))
	c.run(t)
	c.report(t)
	log := c.server.log.String()
	for _, bad := range []string{"level=ERROR", "panic", "goroutine ", "response breaks the contract"} {
		if at := strings.Index(log, bad); at >= 0 {
			t.Errorf("the server's log has %q %d times, first in: %.2000s", bad, strings.Count(log, bad), log[max(0, at-200):])
		}
	}
	if status, _ := c.server.get(t, c.server.root+"/readyz", ""); status != http.StatusOK {
		t.Errorf("ready: %d", status)
	}
}

// hostileCampaign is a campaign under way.
type hostileCampaign struct {
	server *server
	cast   *cast
	judge  *judge
	seeds  [][]byte
	shots  uint64
	seed   uint64
	whole  bool

	next    atomic.Uint64
	began   time.Time
	samples []sample // of one goroutine

	mu      sync.Mutex
	tallies map[string]*tally // by family; guarded by mu
	faults  int               // guarded by mu
}

// tally counts what came of the shots of a family.
type tally struct {
	shots, silent int
	statuses      map[int]int
}

// sample is what the server had when so many shots had been fired.
type sample struct {
	shots  uint64
	memory int64
}

// number reads a setting of a campaign.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func newHostileCampaign(t *testing.T) *hostileCampaign {
	t.Helper()
	whole := os.Getenv("ESCROW_CAMPAIGN") == "full"
	c := &hostileCampaign{judge: newJudge(t), whole: whole, shots: ordinaryShots, tallies: make(map[string]*tally)}
	if whole {
		c.shots = fullShots
	}
	c.shots = number(t, "ESCROW_REQUESTS", c.shots)
	c.seed = number(t, "ESCROW_SEED", uint64(time.Now().UnixNano()))
	c.seeds = fuzzSeeds(t, whole)
	data := filepath.Join(t.TempDir(), "data")
	settings := []string{"--rate-limit", "0", "--login-limit", "0", "--mail-limit", "0", "--network-limit", "0", "--trusted-proxies", "127.0.0.0/8"}
	s := start(t, data, settings...)
	c.cast = s.cast(t, data)
	key := s.key
	// From now on e-mails are for a server that never answers.
	s.kill(t)
	mail := deaf(t)
	c.server = start(t, data, append(settings, "--smtp-url", "smtp://"+mail+"?tls=none")...)
	c.cast.key, c.cast.host = key, strings.TrimPrefix(c.server.root, "http://")
	c.cast.revoked = "cex_live_" + strings.Repeat("A", 26)
	return c
}

// deaf listens, and says nothing to anybody.
func deaf(t *testing.T) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// cast makes customers who have logged in, and some whose links are unused.
func (s *server) cast(t *testing.T, data string) *cast {
	t.Helper()
	c := &cast{}
	const unused = 8
	for i := range hostilePeople + unused {
		email := fmt.Sprintf("person%d@example.com", i)
		status, made, _, err := s.create(t, s.key, fmt.Sprintf(`{"email":%q,"first_name":"Ana"}`, email))
		id, ok := made["id"].(float64)
		if err != nil || status != http.StatusCreated || !ok {
			t.Fatalf("%d %v %v", status, made, err)
		}
		c.customers = append(c.customers, int64(id))
	}
	tokens := letters(t, data, hostilePeople+unused)
	for i := range hostilePeople {
		p := &person{email: fmt.Sprintf("person%d@example.com", i), password: secretPhrase}
		token := tokens[p.email]
		if status, problem, _ := s.customer(t, http.MethodPost, "/invitation/accept", `{"token":"`+token+`","password":"`+p.password+`"}`, ""); status != http.StatusOK {
			t.Fatalf("%d %v", status, problem)
		}
		if problem := s.logInAs(t, p); problem != nil {
			t.Fatal(problem)
		}
		c.people = append(c.people, p)
		delete(tokens, p.email)
		if i < 3 {
			c.tokens = append(c.tokens, token) // used
		}
	}
	for _, email := range slices.Sorted(maps.Keys(tokens)) {
		c.tokens = append(c.tokens, tokens[email])
	}
	return c
}

// letters waits for so many e-mails, and gives the tokens in them by address.
func letters(t *testing.T, data string, n int) map[string]string {
	t.Helper()
	tokens := make(map[string]string)
	pattern := regexp.MustCompile(`(?s)\nTo: <([^>]+)>.*?#token=(?:3D)?([\w-]+)`)
	eventually(t, "the invitations are there", func() bool {
		paths, _ := filepath.Glob(filepath.Join(data, "mail", "*.eml"))
		for _, path := range paths {
			content, _ := os.ReadFile(path)
			if found := pattern.FindStringSubmatch(strings.ReplaceAll(string(content), "=\r\n", "")); found != nil {
				tokens[found[1]] = found[2]
			}
		}
		return len(tokens) == n
	})
	return tokens
}

// logInAs begins a session. It gives the problem if there was one.
func (s *server) logInAs(t *testing.T, p *person) (problem map[string]any) {
	t.Helper()
	status, answered, cookie := s.customer(t, http.MethodPost, "/session", fmt.Sprintf(`{"email":%q,"password":%q}`, p.email, p.password), "")
	if status != http.StatusOK {
		return answered
	}
	p.cookie = cookie
	return nil
}

// shot makes the n-th of the campaign.
func (c *hostileCampaign) shot(n uint64) *shot {
	rng := rand.New(rand.NewPCG(c.seed, n))
	switch kind := rng.IntN(20); {
	case kind < 14:
		return contractShot(c.cast, c.judge, rng, n)
	case kind < 17:
		return rawShot(c.cast, c.judge, rng, n)
	default:
		return corpusShot(c.cast, c.judge, rng, n, c.seeds)
	}
}

func (c *hostileCampaign) run(t *testing.T) {
	t.Helper()
	c.began = time.Now()
	c.remember(t, 0)
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.watch(t, done)
	}()
	var wg sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			w := &gunner{campaign: c, t: t}
			defer w.hangUp()
			for n := c.next.Add(1); n <= c.shots; n = c.next.Add(1) {
				w.fire(n, c.shot(n))
			}
		})
	}
	wg.Wait()
	close(done)
	<-watched
	c.remember(t, c.shots)
}

// watch looks at the server's memory, and tells how far the campaign has come.
func (c *hostileCampaign) watch(t *testing.T, done <-chan struct{}) {
	step := max(c.shots/10, 1)
	told := step
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		fired := min(c.next.Load(), c.shots)
		s := c.remember(t, fired)
		if fired >= told {
			t.Logf("%9d requests after %v: the server has %d MiB", fired, time.Since(c.began).Round(time.Second), s.memory>>20)
			told = (fired/step + 1) * step
		}
	}
}

func (c *hostileCampaign) remember(t *testing.T, fired uint64) sample {
	memory, _ := memoryOf(t, c.server)
	c.samples = append(c.samples, sample{fired, memory})
	return c.samples[len(c.samples)-1]
}

// memoryOf gives what a server has in memory now, and the most that it had.
func memoryOf(t *testing.T, s *server) (now, peak int64) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Errorf("memory of the server: %v", err)
		}
		return 0, 0
	}
	field := func(name string) int64 {
		found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(content)
		if found == nil {
			return 0
		}
		kib, _ := strconv.ParseInt(string(found[1]), 10, 64)
		return kib << 10
	}
	return field("VmRSS"), field("VmHWM")
}

// processorTime is what a server has computed so far.
func processorTime(s *server) time.Duration {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if err != nil || len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ of Linux
	return time.Duration(user+system) * tick
}

// gunner fires one shot after the other, on a connection that lasts as long as
// the server lets it.
type gunner struct {
	campaign *hostileCampaign
	t        *testing.T
	conn     net.Conn
	reader   *bufio.Reader
	aged     bool // the connection has been used before
}

func (w *gunner) hangUp() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// patience is how long an answer may take. The server itself gives a slow client
// 30 seconds.
const patience = time.Minute

// dial connects from an address of its own, for those who close a connection
// keep its port for a minute.
func (w *gunner) dial(rng *rand.Rand) error {
	w.hangUp()
	from := net.IPv4(127, byte(1+rng.IntN(200)), byte(rng.IntN(256)), byte(1+rng.IntN(250)))
	if runtime.GOOS != "linux" {
		from = net.IPv4(127, 0, 0, 1)
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: patience}
	conn, err := d.DialContext(w.t.Context(), "tcp", w.campaign.cast.host)
	if err != nil {
		return err
	}
	w.conn, w.reader, w.aged = conn, bufio.NewReader(conn), false
	return nil
}

// fire sends a shot, and looks at all that comes back.
func (w *gunner) fire(n uint64, s *shot) {
	replies, err := w.exchange(n, s)
	w.campaign.count(s, replies)
	if err != nil {
		w.campaign.fault(w.t, n, s, err)
		return
	}
	for i, a := range replies {
		target := ""
		if i < len(s.asked) {
			target = s.asked[i].target
		}
		if err := w.campaign.judge.check(a, target); err != nil {
			w.campaign.fault(w.t, n, s, err)
		}
	}
	if s.person != nil && len(replies) == 1 {
		w.learn(s, replies[0])
	}
}

// exchange writes a shot and reads what comes. A connection that lasted may have
// been closed by the server just then, so it gets another try.
func (w *gunner) exchange(n uint64, s *shot) ([]*reply, error) {
	if s.ending == keep && w.conn != nil {
		replies, err := w.talk(s)
		if len(replies) > 0 || err == nil || !w.aged {
			return replies, err
		}
	}
	if err := w.dial(rand.New(rand.NewPCG(n, 0))); err != nil {
		return nil, err
	}
	return w.talk(s)
}

// talk writes and reads at the same time, for the server may answer before it has
// read all.
func (w *gunner) talk(s *shot) (replies []*reply, err error) {
	_ = w.conn.SetDeadline(time.Now().Add(patience))
	conn := w.conn
	written := make(chan struct{})
	go func() {
		defer close(written)
		// A server that has refused the rest may close before it is written.
		_, err := conn.Write(s.raw)
		if tcp, ok := conn.(*net.TCPConn); ok && s.ending == halfClose && err == nil {
			_ = tcp.CloseWrite()
		}
	}()
	if s.ending == drop {
		<-written
		w.hangUp()
		return nil, nil
	}
	for {
		method := http.MethodGet
		if len(replies) < len(s.asked) {
			method = s.asked[len(replies)].method
		}
		a, err := readReply(w.reader, method)
		if a != nil {
			replies = append(replies, a)
		}
		if s.ending == keep {
			w.aged = true
			if err != nil || a.closes {
				w.hangUp()
			}
			<-written // the rest of what was refused is read by the server
			return replies, err
		}
		if err != nil {
			w.hangUp()
			<-written
			// That the server closes the connection is what was waited for.
			if errors.Is(err, io.EOF) || isReset(err) {
				err = nil
			}
			return replies, err
		}
	}
}

// isReset tells that the server closed a connection while more was on its way to
// it, which a kernel tells by a reset.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

func readReply(r *bufio.Reader, method string) (*reply, error) {
	for {
		if _, err := r.Peek(1); err != nil {
			return nil, err
		}
		response, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return nil, fmt.Errorf("no answer of HTTP: %w", err)
		}
		if response.StatusCode == http.StatusContinue {
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		return &reply{method: method, status: response.StatusCode, header: response.Header, body: body, closes: response.Close}, err
	}
}

// learn remembers what a person has, and lets them log in again if their session
// has ended.
func (w *gunner) learn(s *shot, a *reply) {
	p := s.person
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case a.status == http.StatusUnauthorized && bytes.Contains(a.body, []byte(`"not_logged_in"`)) && bytes.Contains(s.raw, []byte(p.cookie)):
		if p.lost {
			return
		}
		if problem := w.campaign.server.logInAs(w.t, p); problem != nil {
			w.t.Logf("%s cannot log in any more: %v", p.email, problem)
			p.lost = true
		}
	case a.status != http.StatusOK:
	case bytes.HasPrefix(a.body, []byte(`{"sessions":`)):
		p.sessions = idsIn(a.body)
	case bytes.HasPrefix(a.body, []byte(`{"disbursement_methods":`)):
		p.methods = idsIn(a.body)
	}
}

var idPattern = regexp.MustCompile(`"id":"([0-9a-f-]{36})"`)

func idsIn(body []byte) (ids []string) {
	for _, found := range idPattern.FindAllSubmatch(body, 20) {
		ids = append(ids, string(found[1]))
	}
	return ids
}

func (c *hostileCampaign) count(s *shot, replies []*reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.tallies[s.family]
	if f == nil {
		f = &tally{statuses: make(map[int]int)}
		c.tallies[s.family] = f
	}
	f.shots++
	if len(replies) == 0 {
		f.silent++
	}
	for _, a := range replies {
		f.statuses[a.status]++
	}
}

// fault reports what must not be; the first of them with the request.
func (c *hostileCampaign) fault(t *testing.T, n uint64, s *shot, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults++; c.faults <= 20 {
		t.Errorf("request %d (%s; %s; seed %d): %.1500v\n%.3000q", n, s.family, s.broken, c.seed, err, s.raw)
	}
}

// report prints the figures, and holds the memory to its bounds.
func (c *hostileCampaign) report(t *testing.T) {
	t.Helper()
	took := time.Since(c.began)
	total := &tally{statuses: make(map[int]int)}
	line := func(name string, f *tally) {
		var b strings.Builder
		for _, status := range slices.Sorted(maps.Keys(f.statuses)) {
			fmt.Fprintf(&b, " %d:%d", status, f.statuses[status])
		}
		t.Logf("%-24s %8d fired, %7d without an answer;%s", name, f.shots, f.silent, b.String())
	}
	for _, family := range slices.Sorted(maps.Keys(c.tallies)) {
		f := c.tallies[family]
		total.shots += f.shots
		total.silent += f.silent
		for status, n := range f.statuses {
			total.statuses[status] += n
		}
		line(family, f)
	}
	line("all", total)
	answers, failed := 0, 0
	for status, n := range total.statuses {
		answers += n
		if status >= http.StatusInternalServerError {
			failed += n
		}
	}
	t.Logf("%d requests in %v (%.0f/s; the server computed for %v), %d answers, every one held to the contract: %d with 5xx, %d faults in all; panics %d",
		total.shots, took.Round(time.Second), float64(total.shots)/took.Seconds(), processorTime(c.server), answers, failed, c.faults, strings.Count(c.server.log.String(), "panic"))
	if c.faults > 0 {
		t.Errorf("%d faults", c.faults)
	}
	c.checkPeople(t)
	c.checkMemory(t)
}

// checkPeople looks whether sessions were good to the end. By a rare chance a
// guess is right, and changes how somebody logs in.
func (c *hostileCampaign) checkPeople(t *testing.T) {
	t.Helper()
	lost := 0
	for _, p := range c.cast.people {
		if p.lost {
			lost++
		}
	}
	if lost > len(c.cast.people)/4 {
		t.Errorf("%d of %d people cannot log in any more: sessions were not tried", lost, len(c.cast.people))
	}
}

// checkMemory compares the middle of the campaign with its end.
func (c *hostileCampaign) checkMemory(t *testing.T) {
	t.Helper()
	_, peak := memoryOf(t, c.server)
	middle, end := c.memoryBetween(0.45, 0.55), c.memoryBetween(0.9, 1)
	t.Logf("memory of the server: %d MiB at the start, %d in the middle, %d at the end (medians), %d at most; bounds: %d more at the end than in the middle, %d at most",
		c.samples[0].memory>>20, middle>>20, end>>20, peak>>20, flatGrowth>>20, memoryBound>>20)
	if peak > memoryBound {
		t.Errorf("the server had %d MiB", peak>>20)
	}
	if c.whole && end > middle+flatGrowth {
		t.Errorf("the server grows: %d MiB in the middle, %d at the end", middle>>20, end>>20)
	}
}

// memoryBetween gives the median of what the server had in a part of the campaign.
func (c *hostileCampaign) memoryBetween(from, to float64) int64 {
	var list []int64
	for _, s := range c.samples {
		if at := float64(s.shots) / float64(c.shots); at >= from && at <= to {
			list = append(list, s.memory)
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}
