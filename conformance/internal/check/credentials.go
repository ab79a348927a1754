package check

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// credentials are those that the run was given, and those that it obtained from
// the server itself as a customer would: see [persona].
type credentials struct {
	mu       sync.Mutex
	values   map[string]string // by scheme; guarded by mu, as are the others
	acquired map[string]bool   // not given: they may be obtained again
	hopeless map[string]bool   // cannot be obtained

	joining sync.Mutex // held by whoever obtains one
}

func (c *credentials) snapshot() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.values)
}

// Credentials gives the credentials of an identity, by security scheme.
func (r *Runner) Credentials(i Identity) map[string]string {
	switch i {
	case Own:
		return r.own.snapshot()
	case Other:
		return maps.Clone(r.other)
	default:
		return nil
	}
}

// Alternative gives the schemes of the first alternative of an operation's
// security for which there are credentials; ok is false if there is none. An
// operation that is public has one without schemes.
func (r *Runner) Alternative(op *openapi.Operation, i Identity) (schemes []string, ok bool) {
	values := r.Credentials(i)
	if len(op.Security) == 0 {
		return nil, true
	}
	open := false
	for _, alternative := range op.Security {
		if len(alternative) == 0 {
			open = true
			continue
		}
		complete := true
		for scheme := range alternative {
			complete = complete && values[scheme] != ""
		}
		if complete {
			for scheme := range alternative {
				schemes = append(schemes, scheme)
			}
			return schemes, true
		}
	}
	return nil, open
}

// Public tells whether an operation needs no credential.
func Public(op *openapi.Operation) bool {
	for _, alternative := range op.Security {
		if len(alternative) > 0 {
			return false
		}
	}
	return true
}

// authorize puts credentials into a request.
func (r *Runner) authorize(request *wire.Request, op *openapi.Operation, o *sending) {
	if o.credentials != nil {
		for scheme, value := range o.credentials {
			Authorize(request, r.Document.Schemes[scheme], value)
		}
		return
	}
	schemes, _ := r.Alternative(op, o.identity)
	values := r.Credentials(o.identity)
	for _, scheme := range schemes {
		Authorize(request, r.Document.Schemes[scheme], values[scheme])
	}
}

// Authorize puts a credential into a request as its scheme says. That of HTTP
// Basic is user:password.
func Authorize(request *wire.Request, scheme *openapi.SecurityScheme, value string) {
	if scheme == nil {
		return
	}
	field := func(name, value string) {
		request.Header = append(request.Header, wire.Field{Name: name, Value: value})
	}
	switch {
	case scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "basic"):
		field("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(value)))
	case scheme.Type == "apiKey" && scheme.In == "header":
		field(scheme.Name, value)
	case scheme.Type == "apiKey" && scheme.In == "cookie":
		for i, f := range request.Header {
			if strings.EqualFold(f.Name, "Cookie") {
				request.Header[i].Value += "; " + scheme.Name + "=" + value
				return
			}
		}
		field("Cookie", scheme.Name+"="+value)
	case scheme.Type == "apiKey" && scheme.In == "query":
		mark := "?"
		if strings.Contains(request.Target, "?") {
			mark = "&"
		}
		request.Target += mark + url.QueryEscape(scheme.Name) + "=" + url.QueryEscape(value)
	case scheme.Type == "http", scheme.Type == "oauth2", scheme.Type == "openIdConnect":
		field("Authorization", "Bearer "+value)
	}
}

// ensure obtains the credential that an operation needs and nobody gave, if the
// server's e-mails can be read.
func (s *Session) ensure(ctx context.Context, op *openapi.Operation) {
	if op == nil || s.fixtures.persona.mailbox == "" {
		return
	}
	if _, ok := s.Alternative(op, Own); ok {
		return
	}
	for _, alternative := range op.Security {
		for scheme := range alternative {
			s.obtain(ctx, scheme, "")
		}
	}
}

// obtain obtains a credential in place of one that is no good any more.
func (s *Session) obtain(ctx context.Context, scheme, old string) bool {
	c := &s.own
	def := s.Document.Schemes[scheme]
	if def == nil || def.Type != "apiKey" || def.In != "cookie" || s.fixtures.persona.mailbox == "" {
		return false
	}
	c.joining.Lock()
	defer c.joining.Unlock()
	c.mu.Lock()
	value, hopeless := c.values[scheme], c.hopeless[scheme]
	c.mu.Unlock()
	if value != old {
		return true // somebody has done it meanwhile
	}
	if hopeless {
		return false
	}
	if value = s.fixtures.persona.join(ctx, s, def.Name); value == "" && ctx.Err() != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.acquired == nil {
		c.acquired, c.hopeless = map[string]bool{}, map[string]bool{}
	}
	if value == "" {
		c.hopeless[scheme] = true
		return false
	}
	c.values[scheme], c.acquired[scheme] = value, true
	return true
}

// Join obtains the credential that a log-in sets, of somebody new, if the server's
// e-mails can be read. It tells whether it did.
func (r *Runner) Join(ctx context.Context) bool {
	scheme := r.cookieScheme()
	if r.Mailbox == "" || scheme == nil {
		return false
	}
	s := &Session{Runner: r, probe: &Probe{Name: "join"}, Source: &generate.Source{Doc: r.Document, Seed: r.Seed, Unique: r.unique}}
	s.recorder.findings, s.recorder.complete = map[string]*finding.Finding{}, r.complete
	r.own.mu.Lock()
	old := r.own.values[scheme.ID]
	r.own.mu.Unlock()
	return s.obtain(ctx, scheme.ID, old)
}

// expired obtains a credential again that has ended, and tells whether it did.
func (s *Session) expired(ctx context.Context, op *openapi.Operation, ex *wire.Exchange) bool {
	if Status(ex) != http.StatusUnauthorized {
		return false
	}
	schemes, _ := s.Alternative(op, Own)
	for _, scheme := range schemes {
		s.own.mu.Lock()
		value, acquired := s.own.values[scheme], s.own.acquired[scheme]
		s.own.mu.Unlock()
		if acquired && carries(ex.Request, value) {
			return s.obtain(ctx, scheme, value)
		}
		if acquired {
			return true // it has been obtained again since
		}
	}
	return false
}

func carries(request *wire.Request, value string) bool {
	for _, f := range request.Header {
		if strings.Contains(f.Value, value) {
			return true
		}
	}
	return false
}
