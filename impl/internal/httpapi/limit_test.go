package httpapi

import (
	"errors"
	"testing"
	"time"
)

func TestLimitText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want Limit // zero and not "0" for refused
	}{
		{"0", Limit{}},
		{"10/10m", Limit{10, 10 * time.Minute}},
		{"1/1s", Limit{1, time.Second}},
		{"5/1h", Limit{5, time.Hour}},
		{"300/1h30m", Limit{300, 90 * time.Minute}},
		{"1000000/24h", Limit{1_000_000, 24 * time.Hour}},
		{"", Limit{}}, {"10", Limit{}}, {"/1h", Limit{}}, {"0/1h", Limit{}}, {"-1/1h", Limit{}}, {"1.5/1h", Limit{}}, {"10/", Limit{}},
		{"10/0s", Limit{}}, {"10/999ms", Limit{}}, {"10/-1h", Limit{}}, {"10/1h/1h", Limit{}}, {"1000001/1h", Limit{}}, {"10/1d", Limit{}}, {" 10/1h", Limit{}},
	}
	for _, tt := range tests {
		var got Limit
		err := got.UnmarshalText([]byte(tt.text))
		refused := tt.want == Limit{} && tt.text != "0"
		if got != tt.want || refused != (err != nil) {
			t.Errorf("%q: %v, %v; want %v", tt.text, got, err, tt.want)
		}
		if err == nil && got.String() != tt.text {
			t.Errorf("%q is written %q", tt.text, got)
		}
	}
}

// TestLimiter checks that waiting for as long as is said is enough, and no less
// is, whatever the limit.
func TestLimiter(t *testing.T) {
	t.Parallel()
	tests := []Limit{{1, time.Second}, {3, 10 * time.Second}, {10, 10 * time.Minute}, {7, time.Hour}, {300, 10 * time.Minute}}
	for _, tt := range tests {
		now := time.Unix(1_700_000_000, 123_456_789)
		l, err := tt.limiter(func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		for i := range tt.Count {
			if err := l.take("a"); err != nil {
				t.Fatalf("%v: try %d: %v", tt, i+1, err)
			}
		}
		for range 5 {
			var limited *RateLimitError
			if err := l.take("a"); !errors.As(err, &limited) || limited.Seconds < 1 {
				t.Fatalf("%v: %v", tt, err)
			}
			if err := l.take("b"); err != nil {
				t.Errorf("%v: another caller: %v", tt, err)
			}
			l.forget("b")
			wait := time.Duration(limited.Seconds) * time.Second
			now = now.Add(wait - time.Second)
			if err := l.take("a"); wait > time.Second && err == nil {
				t.Errorf("%v: %v was enough, and more was asked", tt, wait-time.Second)
			}
			now = now.Add(time.Second)
			if err := l.take("a"); err != nil {
				t.Errorf("%v: after %v: %v", tt, wait, err)
			}
			for l.take("a") == nil {
			}
		}
		l.forget("a")
		if err := l.take("a"); err != nil {
			t.Errorf("%v: forgotten: %v", tt, err)
		}
	}
}

// TestNoLimit checks that the zero value lets everything through.
func TestNoLimit(t *testing.T) {
	t.Parallel()
	l, err := Limit{}.limiter(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		if err := l.take("a"); err != nil {
			t.Fatal(err)
		}
	}
}
