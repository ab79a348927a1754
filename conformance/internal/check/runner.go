package check

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Config is what a run needs to know.
type Config struct {
	Document *openapi.Document
	Base     *url.URL // what the paths of the document are put behind
	Client   *wire.Client
	Seed     uint64
	Workers  int // probes at a time; at least 1

	Own, Other map[string]string // credentials by security scheme
	Mailbox    string            // folder in which the server's e-mails arrive; empty: none

	// More gives probes besides those that are made of the document; nil: none.
	More     func(r *Runner) []Probe
	ReadOnly bool                // leave out all that may change something
	Wanted   func(p *Probe) bool // which probes are run; nil: all
	// FirstFinding ends the run with the first finding, without trying it again.
	FirstFinding bool
	// From is what another run has come to know of the same server; nil: nothing.
	From *Handover
	// Ignored are findings that are none; nil: all are.
	Ignored func(f *finding.Finding) bool
	// CasesOf chooses the clauses whose cases are made, which takes a while; nil: all.
	CasesOf func(op *openapi.Operation, clause string) bool
	// Exchanged is told of every exchange; nil: nobody listens.
	Exchanged func(p *Probe, op *openapi.Operation, ex *wire.Exchange)
	// Started and Ended tell of progress, and what was found that had not been found
	// before; nil: nobody listens.
	Started func(probes int)
	Ended   func(p *Probe, found []finding.Finding)
}

// attempts is how often what was found is tried again.
const attempts = 3

// Runner runs probes against one server.
type Runner struct {
	Config
	Coverage *Coverage

	schemas  *schema.Set
	client   *wire.Client
	own      credentials
	other    map[string]string
	fixtures *fixtures
	judging  judging
	refusals refusals
	habits   habits
	gone     gone
	run      string // makes values of this run differ from those of all others

	mu       sync.Mutex
	serial   int                        // guarded by mu, as are the others
	made     map[string][]generate.Case // by operation
	plain    map[string]bool            // operations whose plain request was sent
	findings map[string]*finding.Finding
	skipped  map[string]string // probes, and why
	requests int
	ran      []Probe // those that were to run
	cut      bool    // not all of them did
	stop     <-chan struct{}
}

// stopped tells whether the run was broken off, while its requests are still made.
func (r *Runner) stopped() bool {
	select {
	case <-r.stop: // of nil, never
		return true
	default:
		return false
	}
}

// New prepares a run.
func New(c Config) (*Runner, error) {
	schemas, err := schema.New(c.Document)
	if err != nil {
		return nil, fmt.Errorf("read schemas: %w", err)
	}
	r := &Runner{
		Config: c, schemas: schemas, client: c.Client, other: c.Other,
		findings: map[string]*finding.Finding{}, skipped: map[string]string{},
		made: map[string][]generate.Case{}, plain: map[string]bool{},
		run: "c" + strconv.FormatInt(time.Now().UnixMilli(), 36),
	}
	r.own.values = map[string]string{}
	for scheme, value := range c.Own {
		r.own.values[scheme] = value
	}
	r.Coverage = newCoverage(c.Document)
	r.fixtures = newFixtures(c.Document, c.Mailbox)
	r.take(c.From)
	return r, nil
}

// serialLength is how many digits of a unique name differ within a run.
const serialLength = 5

// unique is a name that no run has used: lower-case letters and digits, always
// of the same length.
func (r *Runner) unique() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serial++
	digits := strconv.FormatInt(int64(r.serial), 36)
	return r.run + strings.Repeat("0", max(0, serialLength-len(digits))) + digits
}

// Probes are all probes for the document, in order.
func (r *Runner) Probes() []Probe {
	var all []Probe
	for _, p := range probers {
		if r.stopped() {
			return all
		}
		all = append(all, p(r)...)
	}
	if r.More != nil {
		all = append(all, r.More(r)...)
	}
	return all
}

// Run runs the probes that are wanted. It returns an error only if ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	r.stop = ctx.Done()
	var wanted []Probe
	for _, p := range r.Probes() {
		if (r.Wanted == nil || r.Wanted(&p)) && (!r.ReadOnly || !p.Writes) {
			wanted = append(wanted, p)
		}
	}
	r.ran = wanted
	if r.Started != nil {
		r.Started(len(wanted))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var aside sync.WaitGroup
	for i := range wanted {
		if p := &wanted[i]; p.Aside {
			aside.Go(func() { r.one(ctx, p) })
		}
	}
	wanted = slices.DeleteFunc(slices.Clone(wanted), func(p Probe) bool { return p.Aside })
	for _, late := range []bool{false, true} {
		for _, alone := range []bool{false, true} {
			r.phase(ctx, cancel, slices.DeleteFunc(slices.Clone(wanted), func(p Probe) bool { return p.Late != late || p.Alone != alone }), alone)
		}
	}
	aside.Wait()
	r.cut = ctx.Err() != nil
	r.cleanUp(context.WithoutCancel(ctx))
	if r.FirstFinding && len(r.findings) > 0 {
		return nil
	}
	return ctx.Err()
}

// phase runs probes at the same time, or one after the other.
func (r *Runner) phase(ctx context.Context, cancel context.CancelFunc, probes []Probe, alone bool) {
	workers := max(r.Workers, 1)
	if alone {
		workers = 1
	}
	queue := make(chan *Probe)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for p := range queue {
				r.one(ctx, p)
				if r.FirstFinding && r.found() {
					cancel()
				}
			}
		})
	}
	for i := range probes {
		select {
		case queue <- &probes[i]:
		case <-ctx.Done():
		}
	}
	close(queue)
	wg.Wait()
}

func (r *Runner) found() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.findings) > 0
}

// one runs a probe, and again if it found something.
func (r *Runner) one(ctx context.Context, p *Probe) {
	found, reason := r.attempt(ctx, p)
	if reason != "" {
		r.mu.Lock()
		r.skipped[p.Name] = reason
		r.mu.Unlock()
	}
	if ctx.Err() != nil && len(found) > 0 && !r.FirstFinding {
		return // what a run that was broken off found is not to be trusted
	}
	news := r.keep(found)
	if !r.FirstFinding {
		for range attempts {
			if len(news) == 0 || ctx.Err() != nil || r.ended() {
				break
			}
			again, _ := r.attempt(ctx, p)
			if r.ended() {
				break // it says nothing of what was found before
			}
			r.reproduced(news, again)
		}
	}
	if r.ended() {
		r.forget(news)
	}
	if r.Ended != nil {
		r.Ended(p, slices.DeleteFunc(found, func(f finding.Finding) bool { return !slices.Contains(news, f.ID) }))
	}
}

// attempt runs a probe once.
func (r *Runner) attempt(ctx context.Context, p *Probe) (found []finding.Finding, skipped string) {
	s := &Session{Runner: r, probe: p, Source: &generate.Source{Doc: r.Document, Seed: r.seed(p.Name), Unique: r.unique}}
	s.recorder.findings = map[string]*finding.Finding{}
	s.recorder.complete, s.recorder.ignored = r.complete, r.Ignored
	if r.ended() {
		return nil, "the server takes no connections any more"
	}
	defer func() {
		if v := recover(); v != nil {
			var reason skip
			if why, ok := v.(skip); ok {
				reason = why
			} else {
				panic(v) //nolint:forbidigo // it is not ours
			}
			skipped = reason.reason
		}
		found = s.recorder.all()
	}()
	p.Run(ctx, s)
	return nil, ""
}

// seed makes a probe's values independent of what else runs, and in which order.
func (r *Runner) seed(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return r.Seed ^ binary.BigEndian.Uint64(sum[:])
}

// complete fills in what follows from the rest of a finding.
func (r *Runner) complete(f *finding.Finding) {
	f.Position = r.Document.Position(f.Pointer)
	f.ID = finding.ID(f.Class, f.Operation, f.Pointer, f.RFC, f.Claim)
	f.Cause = causeOf(f)
	f.Seen = max(f.Seen, 1)
}

// keep adds findings to those of the run, and gives the IDs of the new ones.
func (r *Runner) keep(found []finding.Finding) (news []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range found {
		if old := r.findings[f.ID]; old != nil {
			old.Seen += f.Seen
			continue
		}
		r.findings[f.ID] = &f
		news = append(news, f.ID)
	}
	return news
}

// reproduced counts which findings came back.
func (r *Runner) reproduced(ids []string, again []finding.Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		f := r.findings[id]
		f.Attempts++
		if slices.ContainsFunc(again, func(a finding.Finding) bool { return a.ID == id }) {
			f.Reproduced++
		}
		f.Flaky = f.Reproduced < f.Attempts
	}
}

// Findings are what was found, by weight, each operation and clause for itself; see
// Mistakes.
func (r *Runner) Findings() []finding.Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []finding.Finding
	for _, f := range r.findings {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Requests is how many were sent.
func (r *Runner) Requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// Ran are the probes that were run, in order. It is for after the run, as is Cut.
func (r *Runner) Ran() []Probe { return r.ran }

// Cut tells whether the run ended before all probes had.
func (r *Runner) Cut() bool { return r.cut }

// Skipped are the probes that could not try what they are for, and why.
func (r *Runner) Skipped() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]string, len(r.skipped))
	for name, reason := range r.skipped {
		all[name] = reason
	}
	return all
}

// ErrUnreachable is returned by [Runner.Reach] if the target does not answer.
var ErrUnreachable = errors.New("target cannot be reached")

// Reach asks for anything, to learn whether the target answers at all.
func (r *Runner) Reach(ctx context.Context) error {
	ex := r.client.Do(ctx, &wire.Request{Method: "GET", Target: r.path("/")})
	if ex.Response == nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, ex.Err)
	}
	return nil
}

// path puts a path of the document behind the base.
func (r *Runner) path(target string) string {
	return strings.TrimSuffix(r.Base.EscapedPath(), "/") + target
}

// recorder keeps what happened in a session.
type recorder struct {
	mu        sync.Mutex
	exchanges []wire.Exchange             // guarded by mu
	findings  map[string]*finding.Finding // guarded by mu
	complete  func(*finding.Finding)
	ignored   func(*finding.Finding) bool // nil: none
}

func (c *recorder) add(ex *wire.Exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges = append(c.exchanges, *ex)
}

func (c *recorder) last(n int) []wire.Exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == 0 || n > len(c.exchanges) {
		n = len(c.exchanges)
	}
	return slices.Clone(c.exchanges[len(c.exchanges)-n:])
}

func (c *recorder) found(f finding.Finding) {
	c.complete(&f)
	if c.ignored != nil && c.ignored(&f) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.findings[f.ID]; old != nil {
		old.Seen++
		return
	}
	c.findings[f.ID] = &f
}

func (c *recorder) all() []finding.Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []finding.Finding
	for _, f := range c.findings {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b finding.Finding) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
