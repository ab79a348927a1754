package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
	"cryptoexchange.com/escrow/impl/internal/httpapi"
	"cryptoexchange.com/escrow/impl/internal/sandbox"
)

// TestAddresses checks that the table agrees with that of the problems, and that
// each address can be given, in the form in which equal ones are compared.
func TestAddresses(t *testing.T) {
	t.Parallel()
	statuses := make(map[string]int)
	for _, p := range httpapi.Problems() {
		statuses[p.Code] = p.Status
	}
	for _, a := range sandbox.Addresses() {
		if key, err := emailaddr.Key(a.String()); err != nil || key != a.String() {
			t.Errorf("%s: %q, %v", a, key, err)
		}
		if a.Code != "" && (a.Code != a.Name || a.Status != statuses[a.Code]) {
			t.Errorf("%s provokes %d %s, which has %d", a, a.Status, a.Code, statuses[a.Code])
		}
		if (a.Code == "") != (a.Delay > 0) {
			t.Errorf("%s provokes nothing, or two things", a)
		}
	}
}

// counting is a store that counts what comes to it.
type counting struct {
	customer.Store
	calls  int
	result customer.Created
	err    error
}

func (c *counting) Create(context.Context, customer.Creation) (customer.Created, error) {
	c.calls++
	return c.result, c.err
}

// TestStore checks what comes to the store behind, and when it is answered.
func TestStore(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for name, tt := range map[string]struct {
		email  string
		behind counting
		calls  int
		took   time.Duration
	}{
		"ordinary":         {"ana@example.com", counting{}, 1, 0},
		"provoked":         {"internal_error@sandbox.example", counting{}, 0, 0},
		"with a tag":       {"internal_error+1@sandbox.example", counting{}, 0, 0},
		"slow":             {"slow@sandbox.example", counting{}, 1, 5 * time.Second},
		"slow, repeated":   {"slow@sandbox.example", counting{result: customer.Created{Replayed: true}}, 1, 0},
		"slow, and failed": {"slow@sandbox.example", counting{err: failed}, 1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			created, err := sandbox.Store{Store: &tt.behind}.Create(t.Context(), customer.Creation{EmailKey: tt.email})
			if tt.behind.calls != tt.calls || time.Since(began) != tt.took || created.Replayed != tt.behind.result.Replayed || (err == nil) != (tt.calls == 1 && tt.behind.err == nil) {
				t.Errorf("%s: %d calls, %v after %v", name, tt.behind.calls, err, time.Since(began))
			}
		})
	}
	// Who is gone waits no longer.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := (sandbox.Store{Store: &counting{}}).Create(ctx, customer.Creation{EmailKey: "slow@sandbox.example"}); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
