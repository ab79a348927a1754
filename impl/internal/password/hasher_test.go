package password_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/password"
)

// fast makes hashes that cost next to nothing.
var fast = password.Params{Memory: 8, Iterations: 1, Parallelism: 1, Concurrency: 2, Waiting: 100, MaxWait: time.Minute}

func newHasher(t *testing.T, p password.Params) *password.Hasher {
	t.Helper()
	h, err := password.NewHasher(p)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func hashOf(t *testing.T, h *password.Hasher, pw string) string {
	t.Helper()
	phc, err := h.Hash(t.Context(), pw)
	if err != nil {
		t.Fatal(err)
	}
	return phc
}

func TestHash(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.DefaultParams())
	a, b := hashOf(t, h, "ladder violin moss"), hashOf(t, h, "ladder violin moss")
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	if !form.MatchString(a) || a == b {
		t.Errorf("hashes %s and %s", a, b)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	h := newHasher(t, fast)
	long := strings.Repeat("x", 255)
	tests := []struct {
		name, set, given string
		want             bool
	}{
		{"same", "ladder violin moss", "ladder violin moss", true},
		{"another", "ladder violin moss", "ladder violin mosS", false},
		{"nothing", "ladder violin moss", "", false},
		{"space at the end", "ladder violin moss", "ladder violin moss ", false},
		{"decomposed", "jos\u00e9 violin moss", "jose\u0301 violin moss", true},
		{"full width", "ladder violin 7", "ladder violin \uff17", true},
		{"last of 256", long + "a", long + "b", false},
		{"after a zero", "ladder\x00violin", "ladder\x00moss", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := h.Verify(t.Context(), tt.given, hashOf(t, h, tt.set))
			if err != nil || got != tt.want {
				t.Errorf("Verify = %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

// TestVerifyGarbage checks that what is no hash is an error, never a match and
// never quoted.
func TestVerifyGarbage(t *testing.T) {
	t.Parallel()
	h := newHasher(t, fast)
	const salt, key = "MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
	for _, phc := range []string{
		"", "ladder violin moss", "$$$$$", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"$argon2i$v=19$m=8,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=18$m=8,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=8,t=0,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=8,t=1,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=8,t=1,p=1$" + salt + "$",
		"$argon2id$v=19$m=8,t=1,p=1$" + salt + "$AAAA",
		"$argon2id$v=19$m=8,t=1,p=1$" + salt + "$!" + key,
		"$argon2id$v=19$m=a,t=1,p=1$" + salt + "$" + key,
	} {
		match, err := h.Verify(t.Context(), "ladder violin moss", phc)
		if match || err == nil {
			t.Errorf("Verify against %q = %v, %v", phc, match, err)
			continue
		}
		if strings.Contains(err.Error(), "violin") || len(phc) > 0 && strings.Contains(err.Error(), phc) {
			t.Errorf("%v quotes", err)
		}
		if !h.Outdated(phc) {
			t.Errorf("%q is not outdated", phc)
		}
	}
}

func TestOutdated(t *testing.T) {
	t.Parallel()
	h := newHasher(t, fast)
	old := hashOf(t, h, "ladder violin moss")
	if h.Outdated(old) {
		t.Error("outdated at once")
	}
	for name, change := range map[string]func(*password.Params){
		"memory":      func(p *password.Params) { p.Memory = 16 },
		"iterations":  func(p *password.Params) { p.Iterations = 2 },
		"parallelism": func(p *password.Params) { p.Memory, p.Parallelism = 16, 2 },
	} {
		p := fast
		change(&p)
		changed := newHasher(t, p)
		if !changed.Outdated(old) {
			t.Errorf("%s changed, and the hash is not outdated", name)
		}
		if match, err := changed.Verify(t.Context(), "ladder violin moss", old); err != nil || !match {
			t.Errorf("%s changed: Verify = %v, %v", name, match, err)
		}
	}
}

// TestVerifyNothing checks that nothing is found, in the time of a real hash.
func TestVerifyNothing(t *testing.T) {
	t.Parallel()
	p := fast
	p.Memory = 8 * 1024
	h := newHasher(t, p)
	phc := hashOf(t, h, "ladder violin moss")
	shortest := func(verify func() error) time.Duration {
		least := time.Hour
		for range 10 {
			start := time.Now()
			if err := verify(); err != nil {
				t.Fatal(err)
			}
			least = min(least, time.Since(start))
		}
		return least
	}
	known := shortest(func() error { _, err := h.Verify(t.Context(), "kettle", phc); return err })
	nothing := shortest(func() error { return h.VerifyNothing(t.Context(), "kettle") })
	if nothing < known/3 || nothing > 3*known {
		t.Errorf("a real hash takes %v, nothing %v", known, nothing)
	}
}

func TestNewHasherRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*password.Params){
		"no memory":      func(p *password.Params) { p.Memory = 7 },
		"no iterations":  func(p *password.Params) { p.Iterations = 0 },
		"no parallelism": func(p *password.Params) { p.Parallelism = 0 },
		"no concurrency": func(p *password.Params) { p.Concurrency = 0 },
		"no waiting":     func(p *password.Params) { p.Waiting = -1 },
	} {
		p := fast
		change(&p)
		if _, err := password.NewHasher(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestHashCancelled(t *testing.T) {
	t.Parallel()
	h := newHasher(t, fast)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "ladder violin moss"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash: %v", err)
	}
	if err := h.VerifyNothing(ctx, "ladder violin moss"); !errors.Is(err, context.Canceled) {
		t.Errorf("VerifyNothing: %v", err)
	}
}

// TestConcurrent checks that everyone gets an answer, and that turns are given
// back.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	h := newHasher(t, fast)
	for range 3 {
		var wg sync.WaitGroup
		for range fast.Concurrency + fast.Waiting {
			wg.Go(func() {
				if err := h.VerifyNothing(t.Context(), "kettle"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// TestBusy looks at callers who come while a hash is being made.
func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fast
		p.Concurrency, p.Waiting = 1, 2
		h := newHasher(t, p)
		release := password.Occupy(h)
		results := make(chan error, 2)
		ctx, cancel := context.WithCancel(t.Context())
		for _, c := range []context.Context{ctx, t.Context()} {
			go func() { results <- h.VerifyNothing(c, "kettle") }()
		}
		synctest.Wait()
		if err := h.VerifyNothing(t.Context(), "kettle"); !errors.Is(err, password.ErrBusy) {
			t.Errorf("too many waiting: %v", err)
		}
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled while waiting: %v", err)
		}
		start := time.Now()
		if err := <-results; !errors.Is(err, password.ErrBusy) {
			t.Errorf("waiting for too long: %v", err)
		}
		if diff := cmp.Diff(p.MaxWait, time.Since(start)); diff != "" {
			t.Error(diff)
		}
		go func() { results <- h.VerifyNothing(t.Context(), "kettle") }()
		synctest.Wait()
		release()
		if err := <-results; err != nil {
			t.Errorf("after the hash was made: %v", err)
		}
	})
}
