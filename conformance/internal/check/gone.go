package check

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// A server that dies answers nothing any more, and each probe that is still to run
// would find that out anew: hundreds of findings, of which one is true. So a refused
// connection (ECONNREFUSED) is looked into once: if the server takes none for a
// while, that is reported with what was sent before, and all other probes are
// skipped.

// gone is what is known of the server's end.
type gone struct {
	mu     sync.Mutex
	isGone bool // guarded by mu, as are the others
	// last are the newest requests that reached the server and were not answered, and
	// before them those that were: one of them may have ended it.
	last []wire.Exchange
	// unwell are those that were not answered.
	unwell []wire.Exchange
}

// lastSent is how many requests are remembered.
const lastSent = 4

// Patience with a server that takes no connections: it may be restarting.
const (
	goneTries = 10
	gonePause = 300 * time.Millisecond
)

// note remembers a request that reached the server.
func (g *gone) note(ex *wire.Exchange) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if errors.Is(ex.Err, wire.ErrConnect) || g.isGone {
		return
	}
	if ex.Response == nil {
		g.unwell = append(g.unwell, *ex)
		g.unwell = g.unwell[max(0, len(g.unwell)-lastSent):]
		return
	}
	g.last = append(g.last, *ex)
	g.last = g.last[max(0, len(g.last)-lastSent):]
}

// ended tells whether the server is gone.
func (r *Runner) ended() bool {
	r.gone.mu.Lock()
	defer r.gone.mu.Unlock()
	return r.gone.isGone
}

// errReadOnly is why a request was not sent.
var errReadOnly = errors.New("not sent: the run changes nothing")

// do sends a request, and ends the probe if the server is gone. What may change
// something is not sent if the run is to change nothing, whoever asks for it: what
// a probe needs is made by requests, too.
func (s *Session) do(ctx context.Context, request *wire.Request) *wire.Exchange {
	if s.ReadOnly && !safe(request.Method) {
		return &wire.Exchange{Request: request, Err: errReadOnly}
	}
	ex := s.client.Do(ctx, request)
	s.gone.note(ex)
	if errors.Is(ex.Err, syscall.ECONNREFUSED) {
		s.isGone(ctx, ex)
	}
	return ex
}

// forget drops findings of requests that were not answered, of which none can be
// tried again: the server's end took all that were under way with it.
func (r *Runner) forget(ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		f := r.findings[id]
		if n := len(f.Steps); f.Attempts == 0 && n > 0 && f.Steps[n-1].Response == nil {
			delete(r.findings, id)
		}
	}
}

// isGone looks whether a server that refused a connection is there again soon. If it
// is not, the run has ended, with one finding.
func (s *Session) isGone(ctx context.Context, refused *wire.Exchange) {
	g := &s.gone
	g.mu.Lock()
	defer g.mu.Unlock() // whoever else is refused waits for the outcome
	if !g.isGone {
		if s.takesConnections(ctx) {
			return
		}
		g.isGone = true
		steps := append(append(append([]wire.Exchange(nil), g.last...), g.unwell...), *refused)
		f := finding.Finding{
			Class: "O13", Severity: finding.Must,
			Claim:    "takes no connections any more",
			Sent:     "what is listed, of which the last that was not answered is the likely cause",
			Expected: "a server that goes on working",
			Got:      refused.Err.Error(), Steps: steps, Replay: s.probe.ID(),
		}
		if n := len(g.unwell); n > 0 {
			f.Sent = "at last, without an answer: " + g.unwell[n-1].Request.Method + " " + g.unwell[n-1].Request.Target
		}
		s.complete(&f)
		s.keep([]finding.Finding{f})
	}
	panic(skip{"the server takes no connections any more"}) //nolint:forbidigo // as in Session.Skip
}

// takesConnections tries for a while.
func (s *Session) takesConnections(ctx context.Context) bool {
	tick := time.NewTicker(gonePause)
	defer tick.Stop()
	for range goneTries {
		ex := s.client.Do(ctx, &wire.Request{Method: "GET", Target: s.path("/")})
		if !errors.Is(ex.Err, syscall.ECONNREFUSED) {
			return true
		}
		select {
		case <-ctx.Done():
			return true // nobody knows
		case <-tick.C:
		}
	}
	return false
}
