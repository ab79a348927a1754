package check

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// laterProbes ask again for what a customer is given once in a while only: a server
// that sends one e-mail a minute answers the first request for another with 429, and
// what it answers when all goes well is not seen unless somebody waits.
func laterProbes(r *Runner) []Probe {
	if r.Mailbox == "" || !slices.ContainsFunc(r.Document.Operations, func(op *openapi.Operation) bool { return names(op, http.StatusTooManyRequests) }) {
		return nil
	}
	return []Probe{{Name: "later", Class: "A4", Aside: true, Writes: true, Run: later}}
}

// longestPause is for how long a server may put off what is asked for again.
const longestPause = 75 * time.Second

// putOff is a request that is to be sent again.
type putOff struct {
	draft *generate.Draft
	at    time.Time
}

// later tries every operation that is about a customer, each with one of its own.
func later(ctx context.Context, s *Session) {
	var waiting []putOff
	for _, op := range s.Document.Operations {
		if op.Method != http.MethodPost || !names(op, http.StatusTooManyRequests) || !aboutCustomer(op) {
			continue
		}
		d := s.newcomer(ctx, op)
		if d == nil {
			continue
		}
		ex := s.Send(ctx, d)
		if Status(ex) != http.StatusTooManyRequests {
			continue
		}
		if seconds, err := strconv.Atoi(ex.Response.Get("Retry-After")); err == nil && seconds >= 0 && time.Duration(seconds)*time.Second <= longestPause {
			waiting = append(waiting, putOff{d, time.Now().Add(time.Duration(seconds)*time.Second + time.Second/10)})
		}
	}
	for _, w := range waiting {
		timer := time.NewTimer(time.Until(w.at))
		select {
		case <-timer.C:
			s.Send(ctx, w.draft)
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// aboutCustomer tells whether an operation may be about a customer: it names a resource,
// or takes what a link may tell.
func aboutCustomer(op *openapi.Operation) bool {
	if Public(op) {
		return len(required(op)) > 0 && !slices.Contains(required(op), "email")
	}
	return len(prefixes(op.Path)) > 0
}

// newcomer has a customer created whom nobody else uses, and gives a request for an
// operation about them; nil if it is about something else.
func (s *Session) newcomer(ctx context.Context, op *openapi.Operation) *generate.Draft {
	known, created := s.fixtures.persona.introduce(ctx, s, generate.Minimal)
	if known == nil {
		return nil
	}
	resource, values := s.fixtures.match(created.Response.Get("Location"), created.Request.Target)
	s.fixtures.forget(resource, values)
	d := s.Source.Draft(op, generate.Minimal)
	if templates := prefixes(op.Path); len(templates) > 0 {
		if templates[len(templates)-1] != resource {
			return nil
		}
		for name, value := range values {
			d.Path[name] = value
		}
		return d
	}
	if !informed(d, known) {
		return nil
	}
	return d
}

// informed puts what a link told into a request, and tells whether there was anything.
func informed(d *generate.Draft, told map[string]any) bool {
	body, ok := d.Body.(map[string]any)
	some := false
	for name := range body {
		if told[name] != nil && ok {
			body[name], some = told[name], true
		}
	}
	return some
}
