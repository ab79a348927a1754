package check

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Identity is who sends a request.
type Identity int

// Identities.
const (
	Own       Identity = iota // with the first credentials
	Other                     // with those of another tenant; see Session.HasOther
	Anonymous                 // with none
)

// Session is what one run of a probe works with. It belongs to one goroutine,
// but for Send and SendRaw, which may be called by several.
type Session struct {
	*Runner
	Source *generate.Source // seeded by the probe's name

	probe    *Probe
	recorder recorder
	settling bool // what is sent is to find out what names a resource
}

// Skip ends the run of a probe that cannot try what it is for. The reason is
// reported: it is why a clause was not judged.
func (s *Session) Skip(reason string) {
	panic(skip{reason}) //nolint:forbidigo // ends the probe, as Skip of package testing ends a test; attempt recovers
}

type skip struct{ reason string }

// Option changes how a request is sent.
type Option func(*sending)

type sending struct {
	identity    Identity
	credentials map[string]string // by scheme; replaces those of the identity
	change      func(*wire.Request)
	fields      []wire.Field
	once        bool // whoever obtains a credential must not wait for themselves
}

// As sends with other credentials.
func As(i Identity) Option { return func(o *sending) { o.identity = i } }

// WithCredentials sends with exactly these, by security scheme.
func WithCredentials(values map[string]string) Option {
	return func(o *sending) { o.credentials = values }
}

// WithHeader adds a header line.
func WithHeader(name, value string) Option {
	return func(o *sending) { o.fields = append(o.fields, wire.Field{Name: name, Value: value}) }
}

// once sends with the credentials that are there, and obtains none.
func once(o *sending) { o.once = true }

// Changed changes the request at last, when all else is in it.
func Changed(f func(*wire.Request)) Option { return func(o *sending) { o.change = f } }

// Draft gives a valid request for an operation. Its path parameters are those of
// a resource that is there: made for this call if fresh is set, or shared with
// others, who do not change it. It skips the probe if there is none.
func (s *Session) Draft(ctx context.Context, op *openapi.Operation, fresh bool) *generate.Draft {
	d := s.NewDraft(op)
	values, err := s.fixtures.resolve(ctx, s, op, fresh)
	if err != nil {
		s.Skip(err.Error())
	}
	for name, value := range values {
		d.Path[name] = value
	}
	s.refer(ctx, d)
	return d
}

// NewDraft gives a valid request for an operation, with path parameters that are
// made up.
func (s *Session) NewDraft(op *openapi.Operation) *generate.Draft {
	d := s.Source.Draft(op, generate.Typical)
	s.fixtures.persona.fill(d)
	return d
}

// encode makes the request that a draft says, without credentials.
func (s *Session) encode(d *generate.Draft) (*wire.Request, error) {
	target, header, body, err := s.Source.Encode(d)
	if err != nil {
		return nil, fmt.Errorf("encode a request of %s: %w", d.Op.ID, err)
	}
	return &wire.Request{Method: d.Op.Method, Target: s.path(target), Header: header, Body: body}, nil
}

// Send sends a request for an operation, with the credentials that it needs, and
// judges the answer by what holds for any.
func (s *Session) Send(ctx context.Context, d *generate.Draft, options ...Option) *wire.Exchange {
	var o sending
	for _, option := range options {
		option(&o)
	}
	if o.identity == Own && o.credentials == nil && !o.once {
		s.ensure(ctx, d.Op)
	}
	ex := s.send(ctx, d, &o)
	if o.identity == Own && o.credentials == nil && !o.once && s.expired(ctx, d.Op, ex) {
		ex = s.send(ctx, d, &o)
	}
	if OK(ex) {
		for _, p := range d.Op.Parameters { // without which it would not have been
			if _, sent := d.Values(p.In)[p.Name]; sent {
				s.Coverage.Mark(p.Pointer, SentValid|Judged)
			}
		}
	}
	return ex
}

func (s *Session) send(ctx context.Context, d *generate.Draft, o *sending) *wire.Exchange {
	request, err := s.encode(d)
	if err != nil {
		return &wire.Exchange{Request: &wire.Request{Method: d.Op.Method}, Err: err}
	}
	s.authorize(request, d.Op, o)
	request.Header = append(request.Header, o.fields...)
	if o.change != nil {
		o.change(request)
	}
	return s.sendRaw(ctx, d.Op, request, o.identity == Own && o.credentials == nil)
}

// SendRaw sends a request as it is. The answer is judged as that of op, or, if
// that is nil, as one of a server that has no such operation.
func (s *Session) SendRaw(ctx context.Context, op *openapi.Operation, request *wire.Request) *wire.Exchange {
	return s.sendRaw(ctx, op, request, false)
}

// sendRaw sends a request. What the answer names is remembered as the run's own
// only if it was sent with the run's own credentials.
func (s *Session) sendRaw(ctx context.Context, op *openapi.Operation, request *wire.Request, own bool) *wire.Exchange {
	ex := s.do(ctx, request)
	if errors.Is(ex.Err, errReadOnly) {
		return ex
	}
	s.recorder.add(ex)
	s.count(op, ex)
	if ctx.Err() == nil {
		for _, f := range s.judge(op, ex) {
			f.Steps, f.Replay = append(f.Steps, *ex), s.probe.ID()
			s.recorder.found(f)
		}
		if own {
			s.fixtures.harvest(op, ex)
			s.settle(ctx, op, ex)
		} else {
			s.fixtures.note(op, ex)
		}
	}
	return ex
}

// Report takes what was found. Steps are filled in with the last exchanges of the
// session, if there are none: as many as steps says, or all if it is 0.
func (s *Session) Report(f finding.Finding, steps int) {
	if f.Operation == "" && s.probe.Op != nil {
		f.Operation = s.probe.Op.ID
	}
	if f.Class == "" {
		f.Class = s.probe.Class
	}
	if len(f.Steps) == 0 {
		f.Steps = s.recorder.last(steps)
	}
	f.Replay = s.probe.ID()
	s.recorder.found(f)
}

// HasOther tells whether there are credentials of another tenant for an operation.
func (s *Session) HasOther(op *openapi.Operation) bool {
	return slices.ContainsFunc(op.Security, func(alternative map[string][]string) bool {
		for scheme := range alternative {
			if s.other[scheme] == "" {
				return false
			}
		}
		return len(alternative) > 0
	})
}

// OK tells whether an exchange succeeded: 2xx.
func OK(ex *wire.Exchange) bool {
	return ex.Response != nil && ex.Response.Status/100 == 2
}

// Status is that of the answer, or 0.
func Status(ex *wire.Exchange) int {
	if ex.Response == nil {
		return 0
	}
	return ex.Response.Status
}

var errNoFixture = errors.New("no resource")
