package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// sealer notes what it is asked to encrypt.
type sealer struct {
	sealed []string
	err    error
}

func (s *sealer) Seal(secrets disbursement.Secrets, customerID int64, methodID string) ([]byte, error) {
	s.sealed = append(s.sealed, fmt.Sprint(secrets.AccountNumber, " of ", customerID, ", ", methodID))
	return []byte("secret"), s.err
}

// withMethods gives a creation methods, whose secrets are their ids.
func withMethods(c customer.Creation, s disbursement.Sealer, methods ...disbursement.Method) customer.Creation {
	c.Sealer, c.Customer.DisbursementMethods = s, methods
	for _, m := range methods {
		c.Secrets = append(c.Secrets, disbursement.Secrets{AccountNumber: "number " + m.ID})
	}
	return c
}

func testCreateMethods(t *testing.T, b *bundle) {
	s := &sealer{}
	c := withKey(withMethods(creation(b.partner, "a@example.com"), s, method("1", false), byDefault(method("2", true))), "k", 1)
	want := b.create(t, c)
	if diff := cmp.Diff(c.Customer.DisbursementMethods, want.DisbursementMethods); diff != "" {
		t.Errorf("created (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{fmt.Sprint("number 1 of ", want.ID, ", 1"), fmt.Sprint("number 2 of ", want.ID, ", 2")}, s.sealed); diff != "" {
		t.Errorf("encrypted (-want +got)\n%s", diff)
	}
	got, err := b.store.Customer(t.Context(), b.partner, want.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("read: %v (-want +got)\n%s", err, diff)
	}
	if diff := cmp.Diff(want.DisbursementMethods, b.methods(t, want.ID)); diff != "" {
		t.Errorf("listed (-want +got)\n%s", diff)
	}
	again, err := b.store.Create(t.Context(), c)
	if diff := cmp.Diff(want, again.Customer); err != nil || diff != "" || !again.Replayed {
		t.Errorf("repeated: %v (-want +got)\n%s", err, diff)
	}
	b.outline(t, b.create(t, creation(b.partner, "b@example.com")).ID, 0)
}

func testCreateUnsealed(t *testing.T, b *bundle) {
	refused := errors.New("no key")
	c := withKey(withMethods(creation(b.partner, "a@example.com"), &sealer{err: refused}, method("1", true)), "k", 1)
	if _, err := b.store.Create(t.Context(), c); !errors.Is(err, refused) {
		t.Errorf("%v, want %v", err, refused)
	}
	c.Sealer = &sealer{}
	if created, err := b.store.Create(t.Context(), c); err != nil || created.Replayed {
		t.Errorf("after a failure: %+v, %v; something was left", created, err)
	}
}
