package mutate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/check"
	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Options say what is flipped, and against which server it is tried.
type Options struct {
	// Check is the run of the unchanged document: the document, the target, and the
	// credentials. All runs share its client.
	Check check.Config
	// Workers is how many flips are tried at a time; at least 1.
	Workers int
	// Sample is how many flips are tried, chosen by Seed; 0: all.
	Sample int
	Seed   uint64
	// Wanted chooses flips; nil: all.
	Wanted func(f *Flip) bool
	// Timeout ends what one flip takes; 0: two minutes.
	Timeout time.Duration
	// Control is told when the run of the unchanged document has ended, Started how
	// many flips are tried, Ended of each that was; nil: nobody listens. Ended may be
	// called by several at a time.
	Control func(Control)
	Started func(flips int)
	Ended   func(Outcome)
}

// Control is the run of the unchanged document.
type Control struct {
	Probes, Requests int
	Took             time.Duration
	Findings         []finding.Finding // which do not count for flips
}

// Outcome is what became of a flip.
type Outcome struct {
	Flip

	Killed bool
	// By is the probe that found out, and Found what it found.
	By    string
	Found finding.Finding
	// Before tells that it is a probe of the document as it was, whose answers were
	// judged by the flipped one: where the document declares 406 no more, nobody asks
	// for it any more.
	Before bool
	// Tried are the probes that ran, in order; Requests what they sent.
	Tried    []string
	Requests int
	Took     time.Duration
	Err      error // the flip could not be tried
}

// Result is what became of all flips.
type Result struct {
	Document string // its name
	Control  Control
	All      int       // flips that there are
	Outcomes []Outcome // of those that were tried, in the order of the document
	Left     []Left
	Took     time.Duration
}

const defaultTimeout = 2 * time.Minute

// Run tries flips of a document against a server that keeps it.
func Run(ctx context.Context, o Options) (*Result, error) {
	began := time.Now()
	seen, err := examples(o.Check.Document)
	if err != nil {
		return nil, err
	}
	e := &engine{Options: o, known: map[string]bool{}}
	result := &Result{Document: o.Check.Document.Name}
	saw := newSightings(seen.set)
	if result.Control, err = e.control(ctx, saw); err != nil {
		return nil, err
	}
	if o.Control != nil {
		o.Control(result.Control)
	}
	saw.merge(seen)
	flips, left := plan(o.Check.Document, saw)
	if o.Wanted != nil {
		flips = slices.DeleteFunc(flips, func(f Flip) bool { return !o.Wanted(&f) })
	}
	result.All, result.Left = len(flips), left
	flips = sample(flips, o.Sample, o.Seed)
	if o.Started != nil {
		o.Started(len(flips))
	}
	result.Outcomes = e.all(ctx, flips)
	result.Took = time.Since(began)
	if err := ctx.Err(); err != nil {
		return result, fmt.Errorf("try flips: %w", err)
	}
	return result, nil
}

// sample chooses flips, and keeps their order.
func sample(flips []Flip, n int, seed uint64) []Flip {
	if n <= 0 || n >= len(flips) {
		return flips
	}
	order := rand.New(rand.NewPCG(seed, seed)).Perm(len(flips))[:n] //nolint:gosec // a sample is to be foreseeable
	slices.Sort(order)
	chosen := make([]Flip, n)
	for i, at := range order {
		chosen[i] = flips[at]
	}
	return chosen
}

// engine tries flips.
type engine struct {
	Options
	known    map[string]bool // IDs of findings of the control
	handover *check.Handover
}

// control runs the unchanged document: it learns what is found anyway, and which
// probes see what.
func (e *engine) control(ctx context.Context, saw *sightings) (Control, error) {
	began := time.Now()
	var c Control
	var requests atomic.Int64
	config := e.Check
	config.Exchanged = func(p *check.Probe, op *openapi.Operation, ex *wire.Exchange) {
		requests.Add(1)
		if p.Aside {
			saw.waits(p.Name)
		}
		saw.exchange(p.Name, op, ex)
		if e.Check.Exchanged != nil {
			e.Check.Exchanged(p, op, ex)
		}
	}
	config.Started = func(n int) { c.Probes = n }
	r, err := check.New(config)
	if err != nil {
		return c, fmt.Errorf("prepare the control: %w", err)
	}
	if err := r.Reach(ctx); err != nil {
		return c, fmt.Errorf("run the control: %w", err)
	}
	if err := r.Run(ctx); err != nil {
		return c, fmt.Errorf("run the control: %w", err)
	}
	c.Requests, c.Took, c.Findings = int(requests.Load()), time.Since(began), r.Findings()
	for _, f := range c.Findings {
		e.known[f.ID] = true
	}
	e.handover = r.Handover()
	return c, nil
}

// all tries flips, several at a time.
func (e *engine) all(ctx context.Context, flips []Flip) []Outcome {
	outcomes := make([]Outcome, len(flips))
	queue := make(chan int)
	var wg sync.WaitGroup
	for range max(e.Workers, 1) {
		wg.Go(func() {
			handover := e.handover
			for i := range queue {
				t := &trial{engine: e, Outcome: Outcome{Flip: flips[i]}, handover: handover}
				t.run(ctx)
				outcomes[i], handover = t.Outcome, t.handover
				if e.Ended != nil && ctx.Err() == nil {
					e.Ended(t.Outcome)
				}
			}
		})
	}
	for i := range flips {
		select {
		case queue <- i:
		case <-ctx.Done():
		}
	}
	close(queue)
	wg.Wait()
	return slices.DeleteFunc(outcomes, func(o Outcome) bool { return o.Pointer == "" })
}

// trial is one flip that is tried.
type trial struct {
	Outcome
	engine   *engine
	handover *check.Handover

	runner *check.Runner
	stage  stage
	ignore map[string]bool // IDs of findings that the unchanged document gives, too
	mu     sync.Mutex      // guards Tried and what is found
}

// run tries the probes that may see the flip, a stage after the other, up to the
// first kill.
func (t *trial) run(ctx context.Context) {
	began := time.Now()
	defer func() { t.Took = time.Since(began) }()
	if t.Equivalent != "" || t.Direction == openapi.Answer && len(t.Seen) == 0 {
		return
	}
	timeout := t.engine.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if t.Err = t.prepare(); t.Err != nil {
		return
	}
	t.stagesOnce(ctx)
	if t.Direction == openapi.Answer {
		if !t.Killed && t.Err == nil {
			t.asItWas(ctx)
		}
	}
	if !t.Killed && t.Err == nil && len(t.Tried) > 0 && t.refresh(ctx) {
		t.Tried = nil
		if t.Err = t.prepare(); t.Err == nil {
			t.stagesOnce(ctx)
		}
	}
}

// stagesOnce tries all stages.
func (t *trial) stagesOnce(ctx context.Context) {
	for _, s := range t.stages() {
		t.stage = s
		for ctx.Err() == nil && !t.Killed {
			if err := t.runner.Run(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Err = fmt.Errorf("try %s: %w", t.Name(), err)
				return
			}
			if !t.judge(ctx) {
				break
			}
		}
	}
	t.handover = t.runner.Handover()
}

// asItWas runs the probes of the document as it was, and judges what they are
// answered by the flipped one.
func (t *trial) asItWas(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ops := map[string]*openapi.Operation{}
	for _, op := range t.runner.Document.Operations {
		ops[op.ID] = op
	}
	t.stage = t.named(t.Seen)
	config := t.engine.Check
	config.Workers, config.From = 1, t.handover
	config.Started = nil
	config.CasesOf, config.Wanted = t.casesOf, t.stage.wants
	config.Ended = func(p *check.Probe, _ []finding.Finding) {
		if !slices.Contains(t.Tried, p.Name) {
			t.Tried = append(t.Tried, p.Name)
		}
	}
	config.Exchanged = func(p *check.Probe, op *openapi.Operation, ex *wire.Exchange) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.Requests++
		if op == nil || ops[op.ID] == nil || t.Killed {
			return
		}
		for _, f := range t.runner.Judge(ops[op.ID], ex) {
			if !t.engine.known[f.ID] && t.near(f.Pointer) {
				t.Killed, t.Before, t.By, t.Found = true, true, p.Name, f
				cancel()
				return
			}
		}
	}
	r, err := check.New(config)
	if err != nil {
		t.Err = fmt.Errorf("try %s: %w", t.Name(), err)
		return
	}
	if err := r.Run(ctx); err != nil && !t.Killed && !errors.Is(err, context.DeadlineExceeded) {
		t.Err = fmt.Errorf("try %s: %w", t.Name(), err)
	}
	t.handover = r.Handover()
}

// refresh has the unchanged document used by somebody new: a log-in may have ended,
// which a flipped document does not tell from a refusal, and who made flips before
// may have as many things as anybody may have. It tells whether it could.
func (t *trial) refresh(ctx context.Context) bool {
	config := t.engine.Check
	config.Workers, config.From = 1, nil
	config.Started, config.Ended, config.Exchanged = nil, nil, nil
	config.CasesOf = func(*openapi.Operation, string) bool { return false }
	used := map[string]bool{}
	config.Wanted = func(p *check.Probe) bool {
		if p.Op == nil || p.Class != "A4" || !slices.Contains(t.Operations[:min(2, len(t.Operations))], p.Op.ID) || used[p.Op.ID] {
			return false
		}
		used[p.Op.ID] = true
		return true
	}
	r, err := check.New(config)
	if err != nil || r.Run(ctx) != nil {
		return false
	}
	r.Join(ctx) // what was tried may have been to log out
	t.handover = r.Handover()
	return true
}

// prepare makes a runner for the flipped document.
func (t *trial) prepare() error {
	raw, err := t.Document()
	if err != nil {
		return err
	}
	doc, err := openapi.Load(t.engine.Check.Document.Name, raw)
	if err != nil {
		return fmt.Errorf("read the flipped document: %w", err)
	}
	t.ignore = map[string]bool{}
	config := t.engine.Check
	config.Document, config.Workers, config.FirstFinding, config.From = doc, 1, true, t.handover
	config.Started, config.Ended, config.Exchanged = nil, nil, nil
	config.CasesOf = t.casesOf
	config.Ignored = func(f *finding.Finding) bool { return t.engine.known[f.ID] || t.ignore[f.ID] }
	allowed := config.Wanted
	config.Wanted = func(p *check.Probe) bool {
		return t.stage.wants(p) && !slices.Contains(t.Tried, p.Name) && (allowed == nil || allowed(p))
	}
	var requests atomic.Int64
	config.Exchanged = func(p *check.Probe, op *openapi.Operation, ex *wire.Exchange) {
		requests.Add(1)
		if listens := t.engine.Check.Exchanged; listens != nil {
			listens(p, op, ex)
		}
	}
	config.Ended = func(p *check.Probe, found []finding.Finding) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.Tried = append(t.Tried, p.Name)
		t.Requests = int(requests.Load())
		if len(found) > 0 && t.By == "" {
			t.By, t.Found = p.Name, found[0]
			if i := slices.IndexFunc(found, func(f finding.Finding) bool { return t.near(f.Pointer) }); i > 0 {
				t.Found = found[i]
			}
		}
	}
	t.runner, err = check.New(config)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", t.Name(), err)
	}
	return nil
}

// judge looks at what a stage found. A finding that does not point to the flip is
// tried with the unchanged document: if it comes there as well, it does not count,
// and the stage is to go on.
func (t *trial) judge(ctx context.Context) (goOn bool) {
	if t.By == "" {
		return false
	}
	if t.near(t.Found.Pointer) || !t.foundAnyway(ctx) {
		t.Killed = true
		return false
	}
	t.ignore[t.Found.ID] = true
	t.By, t.Found = "", finding.Finding{}
	if t.Err = t.prepare(); t.Err != nil {
		return false
	}
	return true
}

// near tells whether a pointer is of what was flipped, of what it is in, or below.
func (t *trial) near(pointer string) bool {
	return pointer != "" && slices.ContainsFunc(t.touches, func(touch string) bool {
		return within(pointer, touch) || within(touch, pointer)
	})
}

// foundAnyway tells whether the unchanged document gives a finding, too.
func (t *trial) foundAnyway(ctx context.Context) bool {
	config := t.engine.Check
	config.Workers, config.FirstFinding, config.From = 1, false, t.runner.Handover()
	config.Started, config.Ended, config.Exchanged = nil, nil, nil
	config.CasesOf = t.casesOf
	config.Wanted = func(p *check.Probe) bool { return p.Name == t.By }
	r, err := check.New(config)
	if err != nil || r.Run(ctx) != nil {
		return false
	}
	return slices.ContainsFunc(r.Findings(), func(f finding.Finding) bool { return f.ID == t.Found.ID })
}

// stage is a set of probes.
type stage struct {
	// cases chooses those of cases, by the operation's ID and the clause, and wants
	// all.
	cases func(op, clause string) bool
	wants func(p *check.Probe) bool
}

func (t *trial) casesOf(op *openapi.Operation, clause string) bool {
	return t.stage.cases(op.ID, clause)
}

// stages are the probes that may see the flip, the likeliest first.
func (t *trial) stages() []stage {
	if t.Direction == openapi.Answer {
		var list []stage
		for rest := range slices.Chunk(t.Seen, 2) {
			list = append(list, t.named(rest))
		}
		return list
	}
	some := func(ops []string, test func(clause string) bool) stage {
		return stage{
			cases: func(op, clause string) bool { return slices.Contains(ops, op) && test(clause) },
			wants: func(p *check.Probe) bool {
				return p.Op != nil && slices.Contains(ops, p.Op.ID) && slices.ContainsFunc(p.Clauses, test)
			},
		}
	}
	exact := func(clause string) bool { return clause == t.touches[0] }
	about := func(clause string) bool {
		return slices.ContainsFunc(t.touches, func(touch string) bool { return within(clause, touch) })
	}
	used := func(ops []string) stage {
		return stage{cases: func(string, string) bool { return false }, wants: func(p *check.Probe) bool {
			return p.Op != nil && slices.Contains(ops, p.Op.ID) && p.Class == "A4" && len(p.Clauses) == 0
		}}
	}
	whole := stage{cases: func(string, string) bool { return false }, wants: func(p *check.Probe) bool {
		return p.Op == nil && slices.ContainsFunc(p.Clauses, about)
	}}
	first, rest := t.Operations[:1], t.Operations[1:]
	return []stage{some(first, exact), used(first), some(first, about), some(rest, exact), some(rest, about), used(rest), whole}
}

// named is a stage of probes by name.
func (t *trial) named(names []string) stage {
	return stage{
		cases: func(op, clause string) bool { return slices.Contains(names, check.CaseName(op, clause)) },
		wants: func(p *check.Probe) bool { return slices.Contains(names, p.Name) },
	}
}
