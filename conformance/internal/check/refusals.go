package check

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// signature is how answers are told apart: the status, and what names the kind of
// an error in its body.
type signature struct {
	status int
	code   string
}

// signatureOf reads it from an answer. The kind of a problem is its code, or its
// type (RFC 9457 3.1.1).
func signatureOf(ex *wire.Exchange) signature {
	sig := signature{status: Status(ex)}
	if ex.Response == nil || sig.status < http.StatusBadRequest {
		return sig
	}
	var body struct {
		Code any `json:"code"`
		Type any `json:"type"`
	}
	if json.Unmarshal(ex.Response.Body, &body) != nil {
		return sig
	}
	for _, v := range []any{body.Code, body.Type} {
		if text, ok := v.(string); ok && text != "" && text != "about:blank" {
			sig.code = text
			break
		}
	}
	return sig
}

// refusals is how a server answers what breaks a schema. Documents seldom say
// which of their statuses that is; and what is refused for another reason, such as
// a name that is taken, must not be mistaken for it.
type refusals struct {
	mu        sync.Mutex
	baselines map[string]signature   // of valid requests, by operation; guarded by mu
	words     map[string]string      // of the answers to them; guarded by mu
	known     map[string][]signature // of invalid requests, by operation; guarded by mu
}

// baseline is what a valid request of an operation is answered with, the first
// time that this is asked.
func (s *Session) baseline(ctx context.Context, op *openapi.Operation) signature {
	s.refusals.mu.Lock()
	sig, ok := s.refusals.baselines[op.ID]
	s.refusals.mu.Unlock()
	if ok {
		return sig
	}
	ex := s.Send(ctx, s.Draft(ctx, op, op.Method != http.MethodGet))
	sig = signatureOf(ex)
	s.refusals.mu.Lock()
	defer s.refusals.mu.Unlock()
	if s.refusals.baselines == nil {
		s.refusals.baselines, s.refusals.words = map[string]signature{}, map[string]string{}
	}
	if sig.status != 0 && sig.status != http.StatusTooManyRequests {
		s.refusals.baselines[op.ID], s.refusals.words[op.ID] = sig, s.wordsOf(ex)
	}
	return sig
}

// passingWords are those in which two answers of the same meaning differ: ids, times,
// counts.
var passingWords = regexp.MustCompile(`[0-9a-fA-F]{4,}(-[0-9a-fA-F]{4,})*|[0-9]+`)

// wordsOf is the body of an answer without what is different each time.
func (s *Session) wordsOf(ex *wire.Exchange) string {
	if ex.Response == nil {
		return ""
	}
	serial := regexp.MustCompile(regexp.QuoteMeta(s.run) + "[0-9a-z]*")
	return passingWords.ReplaceAllString(serial.ReplaceAllString(string(ex.Response.Body), "*"), "*")
}

// saysTheSame tells whether an answer is, but for what differs each time, that to a
// valid request of an operation.
func (s *Session) saysTheSame(op *openapi.Operation, ex *wire.Exchange) bool {
	s.refusals.mu.Lock()
	defer s.refusals.mu.Unlock()
	return s.refusals.words[op.ID] == s.wordsOf(ex)
}

// refuses gives the signatures with which an operation refuses a request that
// breaks its schema: learned from a body that is of no declared type, and from
// cases that are invalid beyond doubt. Empty: unknown.
func (s *Session) refuses(ctx context.Context, op *openapi.Operation) []signature {
	s.refusals.mu.Lock()
	known, ok := s.refusals.known[op.ID]
	s.refusals.mu.Unlock()
	if ok {
		return known
	}
	baseline := s.baseline(ctx, op)
	for _, ex := range s.malformed(ctx, op) {
		sig := signatureOf(ex)
		if refusal(sig) && sig != baseline && !slices.Contains(known, sig) {
			known = append(known, sig)
		}
	}
	s.refusals.mu.Lock()
	defer s.refusals.mu.Unlock()
	if s.refusals.known == nil {
		s.refusals.known = map[string][]signature{}
	}
	s.refusals.known[op.ID] = known
	return known
}

// malformed sends requests that are invalid beyond doubt.
func (s *Session) malformed(ctx context.Context, op *openapi.Operation) []*wire.Exchange {
	var probes []*wire.Exchange
	if op.Body != nil && len(op.Body.Content) > 0 {
		for _, wrong := range []string{`[[["conformance"]]]`, `{"conformance-unknown":{"a":[1]}}`, `"conformance"`} {
			d := s.Draft(ctx, op, false)
			if !strings.Contains(d.ContentType, "json") {
				break
			}
			d.RawBody = []byte(wrong)
			probes = append(probes, s.Send(ctx, d))
		}
	}
	for _, c := range s.simpleCases(op) {
		if len(probes) >= 6 {
			break
		}
		if c.Side == breaks && (c.In == "query" || c.In == "header") {
			probes = append(probes, s.sendCase(ctx, c))
		}
	}
	return probes
}

// refusal tells whether an answer may refuse what breaks a schema: 400 and 422
// are the statuses for it (RFC 9110 15.5.1, 15.5.21).
func refusal(s signature) bool {
	return s.status == http.StatusBadRequest || s.status == http.StatusUnprocessableEntity
}
