package client

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// errPassing is what may go better another time.
var errPassing = errors.New("passing")

// repeat sends a request until its outcome is final, it has been sent often enough, or
// the context ends.
func (s *sender) repeat(all *http.Request, o *outcome) {
	ctx := all.Context()
	// The library's pauses are random within 1 ± RandomizationFactor of an interval;
	// of half of a bound, that is anything up to the bound.
	schedule := &backoff.ExponentialBackOff{InitialInterval: max(s.baseWait/2, 1), MaxInterval: max(s.maxWait/2, 1), Multiplier: 2, RandomizationFactor: 1}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		s.attempt(all, o)
		switch {
		case s.final(ctx, o):
			return struct{}{}, nil
		case o.retryAfter > 0:
			// A little later than asked, each caller at a time of their own.
			return struct{}{}, &backoff.RetryAfterError{Duration: o.retryAfter + schedule.NextBackOff()}
		default:
			return struct{}{}, errPassing
		}
	}, backoff.WithBackOff(schedule), backoff.WithMaxTries(uint(s.maxAttempts)), backoff.WithMaxElapsedTime(remaining(all)),
		backoff.WithNotify(func(_ error, wait time.Duration) { s.onRetry(ctx, o.last(), wait) }))
	if err == nil || errors.Is(err, errPassing) || errors.As(err, new(*backoff.RetryAfterError)) {
		return // o is the answer
	}
	// The context ended between two attempts.
	o.err = &interruptedError{context: ctx.Err(), last: o.last()}
}

// final tells whether an outcome is the call's.
func (s *sender) final(ctx context.Context, o *outcome) bool {
	return ctx.Err() != nil || !o.passing() || o.retryAfter > s.maxWait
}

// remaining is how much time a request's context leaves, 0 for any: a pause that would
// outlast it is not begun, and who waits has the answer at once.
func remaining(request *http.Request) time.Duration {
	deadline, ok := request.Context().Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(deadline), 1)
}

// last is the error of the latest attempt.
func (o *outcome) last() error {
	switch {
	case o.err != nil:
		return o.err
	case mediaType(o.response) == mediaProblem:
		return o.problem()
	default:
		return o.unexpected("", nil)
	}
}

// passing tells whether an attempt may go better another time. Whether it may be made
// is another question.
func (o *outcome) passing() bool {
	if o.response == nil {
		return passingFailure(o.err)
	}
	switch o.response.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusConflict:
		var p struct{ Code Code }
		return json.Unmarshal(o.body, &p) == nil && p.Code == ErrIdempotencyKeyInUse
	}
	var unexpected *UnexpectedError
	if errors.As(o.err, &unexpected) {
		return unexpected.CutShort
	}
	return o.err != nil // the attempt's time was up while its answer was read
}

// passingFailure tells whether there may be an answer another time. There will be none
// from a host that does not exist, or whose certificate is no good.
func passingFailure(err error) bool {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		spoken      tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &certificate), errors.As(err, &spoken), errors.Is(err, http.ErrSchemeMismatch):
		return false
	case errors.As(err, &name):
		return !name.IsNotFound
	default:
		return true
	}
}

// maxRetryAfter is longer than anybody waits, in seconds, and short enough to be a
// Duration.
const maxRetryAfter = math.MaxInt32

// retryAfter reads Retry-After (RFC 9110 §10.2.3): seconds, or a date, which is compared
// with the answer's own, for the clocks may differ. 0 if there is none that can be read.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > maxRetryAfter {
			seconds = maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxRetryAfter*time.Second)
}
