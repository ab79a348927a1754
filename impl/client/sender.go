package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

const headerKey = "Idempotency-Key"

const (
	// maxAnswer is the longest answer that is read, in bytes. The longest of the
	// contract has some tens of thousands.
	maxAnswer = 4 << 20
	// maxRequest is the longest body that is kept to be sent again, in bytes. The
	// service takes 256 KiB.
	maxRequest = 1 << 20
)

// minSecret is the length from which on a key is looked for in what comes back, in
// bytes. A shorter one is a mistake, and may be a word of every answer.
const minSecret = 12

// sender sends requests of the generated client: it is its HttpRequestDoer.
type sender struct {
	base      *url.URL
	userAgent string
	// key gives the API key. It is a function, so that no way of printing a client can
	// print it.
	key            func() string
	http           *http.Client
	attemptTimeout time.Duration
	maxAttempts    int
	baseWait       time.Duration
	maxWait        time.Duration
	onRetry        func(ctx context.Context, err error, wait time.Duration)
}

func newSender(key string, options *Options) (*sender, error) {
	o := options.withDefaults()
	base, err := o.check()
	if err := errors.Join(checkKey(key), err); err != nil {
		return nil, err
	}
	return &sender{
		base:      base,
		userAgent: userAgent(o.UserAgent),
		key:       func() string { return key },
		http: &http.Client{
			Transport: o.Transport,
			// Whoever redirects is not the service.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		attemptTimeout: o.AttemptTimeout,
		maxAttempts:    o.MaxAttempts,
		baseWait:       o.BaseWait,
		maxWait:        o.MaxWait,
		onRetry:        o.OnRetry,
	}, nil
}

// outcome is what came of a call, or of its latest attempt.
type outcome struct {
	response   *http.Response // nil if there is none
	body       []byte
	retryAfter time.Duration
	err        error // why there is no response that can be read

	attempts int
	key      string
	sent     bool
}

// Do sends a request of the generated client, with everything that this package adds.
// The response's body is in memory.
func (s *sender) Do(request *http.Request) (*http.Response, error) {
	o := s.send(request)
	if o.err != nil {
		return nil, o.failure(request.Method+" "+request.URL.Path, o.err)
	}
	o.response.Body = io.NopCloser(bytes.NewReader(o.body))
	return o.response, nil
}

// operation is one of the contract, by method and path.
type operation struct{ method, path string }

// is tells whether a request to a path below the base URL is for the operation.
func (p operation) is(method, path string) bool {
	want, got := strings.Split(p.path, "/"), strings.Split(path, "/")
	if p.method != method || len(want) != len(got) {
		return false
	}
	for i, segment := range want {
		if segment != got[i] && !strings.HasPrefix(segment, "{") {
			return false
		}
	}
	return true
}

// takesKey tells whether a request is for an operation that takes an Idempotency-Key.
func (s *sender) takesKey(request *http.Request) bool {
	path, below := strings.CutPrefix(request.URL.Path, s.base.Path)
	if !below {
		return false
	}
	for o := range keyed {
		if o.is(request.Method, path) {
			return true
		}
	}
	return false
}

// keyValue is the contract's form of an Idempotency-Key.
var keyValue = regexp.MustCompile(`^[\x21-\x7E]{1,255}$`)

// prepare makes the request that all attempts are copies of, and tells whether it may
// be sent more than once.
func (s *sender) prepare(request *http.Request) (_ *http.Request, repeatable bool, _ error) {
	if request.URL.Scheme != s.base.Scheme || request.URL.Host != s.base.Host {
		return nil, false, errors.New("the request is to another host than the base URL's, which does not get the key")
	}
	all := request.Clone(request.Context())
	if all.Header == nil {
		all.Header = http.Header{}
	}
	takesKey := s.takesKey(all)
	if takesKey && len(all.Header.Values(headerKey)) == 0 {
		all.Header.Set(headerKey, rand.Text())
	}
	repeatable = all.Method == http.MethodGet || all.Method == http.MethodHead || all.Method == http.MethodPost && takesKey
	if keys := all.Header.Values(headerKey); len(keys) > 1 || len(keys) == 1 && !keyValue.MatchString(keys[0]) {
		return nil, false, errors.New(headerKey + ": want 1 to 255 visible ASCII characters")
	}
	if all.Header.Get("Accept") == "" {
		all.Header.Set("Accept", mediaJSON)
	}
	all.Header.Set("User-Agent", s.userAgent)
	for name, values := range all.Header {
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return nil, false, fmt.Errorf("%s: must not have control characters", name)
			}
		}
	}
	if repeatable {
		return all, true, keepBody(all)
	}
	return all, false, nil
}

// keepBody makes a request's body one that can be read again and again.
func keepBody(request *http.Request) error {
	if request.Body == nil || request.Body == http.NoBody || request.GetBody != nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(request.Body, maxRequest+1))
	if err != nil {
		return fmt.Errorf("body of the request: %w", err)
	}
	if len(body) > maxRequest {
		return fmt.Errorf("body of the request: longer than %d bytes", maxRequest)
	}
	request.ContentLength = int64(len(body))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

// send sends a request as often as it takes, and reads the answer.
func (s *sender) send(request *http.Request) *outcome {
	if request.Body != nil {
		defer request.Body.Close() //nolint:errcheck // it has been read, or nobody wants it
	}
	all, repeatable, err := s.prepare(request)
	if err != nil {
		return &outcome{err: err}
	}
	o := &outcome{key: all.Header.Get(headerKey)}
	if !repeatable {
		s.attempt(all, o)
	} else {
		s.repeat(all, o)
	}
	if o.response != nil {
		o.response.Request = request // which has no key
	}
	return o
}

// errAttemptTimeout is os.ErrDeadlineExceeded, and not the context's error, which tells
// that the whole call is at its end.
func (s *sender) errAttemptTimeout() error {
	return fmt.Errorf("no complete answer within %s: %w", s.attemptTimeout, os.ErrDeadlineExceeded)
}

// attempt sends a request once, and puts what comes of it into o.
func (s *sender) attempt(all *http.Request, o *outcome) {
	caller := all.Context()
	o.response, o.body, o.retryAfter, o.err = nil, nil, 0, nil
	if o.err = caller.Err(); o.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(caller, s.attemptTimeout)
	defer cancel()
	var connected atomic.Bool // asked while the transport may still run
	defer func() {
		o.sent = o.sent || connected.Load()
		if key := s.key(); o.err != nil && len(key) >= minSecret && strings.Contains(o.err.Error(), key) {
			o.err = errors.New("an error whose text has the key, and is withheld")
		}
	}()
	request := all.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	if all.GetBody != nil {
		body, err := all.GetBody()
		if err != nil {
			o.err = fmt.Errorf("body of the request: %w", err)
			return
		}
		request.Body = body
	}
	request.Header.Set("Authorization", "Bearer "+s.key())
	o.attempts++
	response, err := s.http.Do(request) //nolint:gosec // prepare has compared its host
	if err != nil {
		o.err = s.explain(caller, ctx, err)
		return
	}
	defer response.Body.Close() //nolint:errcheck // what was wanted of it has been read
	o.response, o.retryAfter = response, retryAfter(response.Header, time.Now())
	o.body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	s.withhold(o)
	switch {
	case err != nil && ctx.Err() != nil:
		o.err = s.explain(caller, ctx, err)
	case err != nil:
		o.err = o.cutShort(err)
	case len(o.body) > maxAnswer:
		o.err = o.unexpected(fmt.Sprintf("longer than %d bytes", maxAnswer), nil)
	case request.Method != http.MethodHead && isJSON(response) && !json.Valid(o.body):
		o.err = o.cutShort(errors.New("the body is no complete JSON"))
	case isRedirect(response):
		o.err = o.unexpected("a redirect"+redirectTarget(response), nil)
	}
}

// withhold takes the key out of a response. Some proxies complain by showing what they
// were sent.
func (s *sender) withhold(o *outcome) {
	key := s.key()
	if len(key) < minSecret {
		return
	}
	for _, fields := range []http.Header{o.response.Header, o.response.Trailer} {
		for name, values := range fields {
			if strings.Contains(strings.ToLower(strings.Join(values, "\n")), strings.ToLower(key)) {
				delete(fields, name)
			}
		}
	}
	if o.response.StatusCode >= http.StatusBadRequest {
		o.body = bytes.ReplaceAll(o.body, []byte(key), []byte("[key]"))
	}
}

// explain tells the end of one attempt from the end of the call.
func (s *sender) explain(caller, attempt context.Context, err error) error {
	switch {
	case caller.Err() != nil:
		return caller.Err()
	case attempt.Err() != nil:
		return s.errAttemptTimeout()
	default:
		return err
	}
}

func isJSON(r *http.Response) bool {
	media := mediaType(r)
	return media == mediaJSON || media == mediaProblem
}

func isRedirect(r *http.Response) bool { return r.StatusCode >= 300 && r.StatusCode < 400 }

// redirectTarget says where a redirect leads to, without path and query, which may be
// secret.
func redirectTarget(r *http.Response) string {
	target, err := r.Location()
	if err != nil || target.Host == "" {
		return ""
	}
	return " to " + target.Scheme + "://" + target.Host
}
