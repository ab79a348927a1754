package httpapi

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// remembered is how many callers a limiter keeps apart. The one that was silent
// for the longest time is forgotten first.
const remembered = 10_000

// limiter lets each caller through at a rate.
type limiter struct {
	rate    rate.Limit // a second; 0 for no limit
	atOnce  int
	now     func() time.Time
	callers *lru.Cache[any, *rate.Limiter]
}

func newLimiter(perSecond float64, atOnce int, now func() time.Time) (*limiter, error) {
	callers, err := lru.New[any, *rate.Limiter](remembered)
	if err != nil {
		return nil, fmt.Errorf("make rate limiter: %w", err)
	}
	return &limiter{rate: rate.Limit(perSecond), atOnce: max(atOnce, 1), now: now, callers: callers}, nil
}

// RateLimitError tells a caller to wait, a second or more.
type RateLimitError struct{ Seconds int }

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("rate limit exceeded, wait %d s", e.Seconds)
}

// take counts a request, or returns a [*RateLimitError].
func (l *limiter) take(caller any) error { return l.reserve(caller, true) }

// spent tells, as take does, whether a request would be too many, and counts
// none.
func (l *limiter) spent(caller any) error { return l.reserve(caller, false) }

func (l *limiter) reserve(caller any, count bool) error {
	if l.rate <= 0 {
		return nil
	}
	bucket, known := l.callers.Get(caller)
	if !known {
		bucket = rate.NewLimiter(l.rate, l.atOnce)
		if earlier, found, _ := l.callers.PeekOrAdd(caller, bucket); found {
			bucket = earlier
		}
	}
	now := l.now()
	reservation := bucket.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait == 0 && count {
		return nil
	}
	reservation.CancelAt(now)
	if wait == 0 {
		return nil
	}
	return &RateLimitError{Seconds: int(min(math.Ceil(wait.Seconds()), longestWait))}
}

// longestWait is the most that Retry-After says, in seconds, as the contract
// has it.
const longestWait = 3600

// forget lets a caller begin anew.
func (l *limiter) forget(caller any) { l.callers.Remove(caller) }

// Limit is how often something may be done: Count times at once, and as many
// again in each Per. The zero value sets no limit.
type Limit struct {
	Count int
	Per   time.Duration
}

// UnmarshalText reads a limit such as 10/10m, or 0 for none.
func (l *Limit) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*l = Limit{}
		return nil
	}
	count, per, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(count)
	d, err2 := time.ParseDuration(per)
	if err != nil || err2 != nil || n < 1 || n > 1_000_000 || d < time.Second {
		return errors.New("want a number and a duration, such as 10/10m, or 0 for no limit")
	}
	*l = Limit{n, d}
	return nil
}

// String writes a limit as it is read.
func (l Limit) String() string {
	if l.Count == 0 {
		return "0"
	}
	per := l.Per.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(per, zero) {
			per = strings.TrimSuffix(per, zero[1:])
		}
	}
	return strconv.Itoa(l.Count) + "/" + per
}

// times makes a limit wider.
func (l Limit) times(n int) Limit { return Limit{l.Count * n, l.Per} }

// limiter makes the limiter of a limit.
func (l Limit) limiter(now func() time.Time) (*limiter, error) {
	if l.Count == 0 {
		return newLimiter(0, 0, now)
	}
	return newLimiter(float64(l.Count)/l.Per.Seconds(), l.Count, now)
}

// Limits are on what customers do without a session, and on their proofs that
// it is they.
type Limits struct {
	// Login is on tries to log in to one account from one network, and on
	// proofs within a session. An account takes ten times as many from
	// everywhere together. Nobody is locked out for good.
	Login Limit
	// Mail is on sign-ups and recoveries of one address.
	Mail Limit
	// Network is on everything that one network does without a session.
	Network Limit
}

// DefaultLimits are for people, with room for those who share an address.
func DefaultLimits() Limits {
	return Limits{
		Login:   Limit{10, 10 * time.Minute},
		Mail:    Limit{5, time.Hour},
		Network: Limit{300, 10 * time.Minute},
	}
}

// throttles are the limiters of the customer's side.
type throttles struct {
	login    *limiter // by account and network
	account  *limiter // by account
	codes    *limiter // by account: wrong codes beside the right password
	mail     *limiter // by address
	network  *limiter // by network
	proof    *limiter // by customer
	sessions *limiter // by customer
}

func newThrottles(l Limits, perSecond float64, now func() time.Time) (*throttles, error) {
	var t throttles
	var err error
	for _, made := range []struct {
		into  **limiter
		limit Limit
	}{
		{&t.login, l.Login},
		{&t.account, l.Login.times(10)},
		{&t.codes, l.Login},
		{&t.mail, l.Mail},
		{&t.network, l.Network},
		{&t.proof, l.Login},
	} {
		if *made.into, err = made.limit.limiter(now); err != nil {
			return nil, err
		}
	}
	t.sessions, err = newLimiter(perSecond, int(perSecond*burst), now)
	return &t, err
}
