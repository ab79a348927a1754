package httpapi

import (
	"fmt"
	"math"
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

// rateLimitError tells a caller to wait.
type rateLimitError struct{ seconds int }

func (e *rateLimitError) Error() string {
	return fmt.Sprintf("rate limit exceeded, wait %d s", e.seconds)
}

// take counts a request, or returns a [*rateLimitError].
func (l *limiter) take(caller any) error {
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
	if wait == 0 {
		return nil
	}
	reservation.CancelAt(now)
	const longest = 3600 // as the contract says
	return &rateLimitError{seconds: int(min(math.Ceil(wait.Seconds()), longest))}
}
