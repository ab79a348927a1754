package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

var methodCases = []testCase{
	{"methods of a creation", testCreateMethods},
	{"methods that cannot be encrypted", testCreateUnsealed},
	{"methods added", testAddMethod},
	{"methods added in a race", testAddMethodRace},
	{"methods replaced", testReplaceMethod},
	{"methods removed", testRemoveMethod},
	{"default method", testSetDefaultMethod},
	{"default method chosen in a race", testSetDefaultMethodRace},
	{"methods of inactive accounts", testMethodsInactive},
}

// method is a method with everything that a method can have.
func method(id string, usable bool) disbursement.Method {
	address := &disbursement.Address{Line1: "1", Line2: "2", City: "São Paulo", State: "4", Country: "BR", PostCode: "05014"}
	m := disbursement.Method{
		ID: id, Type: disbursement.Wire, Usable: usable, CreatedAt: start, UpdatedAt: start,
		Details: disbursement.Details{
			AccountName: "Ana O'Neil", AccountType: "savings", Currency: "eur", RoutingNumber: "021000021", AccountNumberLast: "6789",
			IBANLast: "3000", BIC: "DEUTDEFF", BranchNumber: "1", RoutingCode: "2", BankName: "Bank & \"Co\"", BankAddress: address, BeneficiaryAddress: address,
			Intermediary: &disbursement.MaskedIntermediary{BankName: "Third", BankAddress: address, RoutingNumber: "1", BIC: "2", AccountNumberLast: "3"},
			Asset:        "BTC", Network: "bitcoin", AddressLast: "f3t4", HasMemo: true,
		},
	}
	if !usable {
		m.Warnings = []disbursement.Warning{{Pointer: "/bank_iban", Code: "iban_check_digits", Detail: "One is wrong."}}
	}
	return m
}

func adding(customerID int64, m disbursement.Method) account.MethodChange {
	return account.MethodChange{CustomerID: customerID, Method: m, Secret: []byte("secret"), Notice: customer.Message{ID: "n-" + m.ID, Kind: account.KindMethodsChanged}}
}

func choice(customerID int64, id, notice string) account.MethodChoice {
	return account.MethodChoice{CustomerID: customerID, MethodID: id, At: start.Add(time.Hour), Notice: customer.Message{ID: notice, Kind: account.KindMethodsChanged}}
}

// owner makes a customer who has accepted an invitation, and has methods.
func (b *bundle) owner(t *testing.T, email string, methods ...disbursement.Method) int64 {
	t.Helper()
	c := withMethods(creation(b.partner, email), &sealer{}, methods...)
	c.Message = linked(c.Message.ID, customer.KindIntroduction, account.LinkInvitation)
	id := b.create(t, c).ID
	if err := b.store.UseLink(t.Context(), accept(id, email)); err != nil {
		t.Fatal(err)
	}
	return id
}

func (b *bundle) methods(t *testing.T, customerID int64) []disbursement.Method {
	t.Helper()
	list, err := b.store.Methods(t.Context(), customerID)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// outline checks a customer's methods: their ids, the default with a star; and
// how many e-mails tell of changes.
func (b *bundle) outline(t *testing.T, customerID int64, notices int, want ...string) {
	t.Helper()
	var got []string
	for _, m := range b.methods(t, customerID) {
		if m.IsDefault {
			m.ID += "*"
		}
		got = append(got, m.ID)
	}
	told := len(slices.DeleteFunc(b.kinds(t, customerID), func(kind string) bool { return kind != account.KindMethodsChanged }))
	if diff := cmp.Diff(want, got); diff != "" || told != notices {
		t.Errorf("%d e-mails, want %d; methods (-want +got)\n%s", told, notices, diff)
	}
}

func byDefault(m disbursement.Method) disbursement.Method {
	m.IsDefault = true
	return m
}

func testAddMethod(t *testing.T, b *bundle) {
	id, other := b.member(t, "a@example.com"), b.owner(t, "b@example.com", byDefault(method("other", true)))
	first, err := b.store.AddMethod(t.Context(), adding(id, method("00", true)))
	if diff := cmp.Diff(byDefault(method("00", true)), first); err != nil || diff != "" {
		t.Errorf("the first: %v (-want +got)\n%s", err, diff)
	}
	want := []string{"00*"}
	for i := 1; i < disbursement.Most; i++ {
		m := method(fmt.Sprintf("%02d", i), true)
		got, err := b.store.AddMethod(t.Context(), adding(id, m))
		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Fatalf("%d: %v (-want +got)\n%s", i, err, diff)
		}
		want = append(want, m.ID)
	}
	if _, err := b.store.AddMethod(t.Context(), adding(id, method("99", true))); !errors.Is(err, account.ErrTooManyMethods) {
		t.Errorf("one too many: %v", err)
	}
	b.outline(t, id, disbursement.Most, want...)
	b.outline(t, other, 0, "other*")
	if diff := cmp.Diff(first, b.methods(t, id)[0]); diff != "" {
		t.Errorf("stored (-want +got)\n%s", diff)
	}
	// No id serves twice, whoever has it.
	if _, err := b.store.AddMethod(t.Context(), adding(other, method("00", true))); err == nil {
		t.Error("the id of a method was accepted twice")
	}
	b.outline(t, other, 0, "other*")
}

func testAddMethodRace(t *testing.T, b *bundle) {
	id := b.member(t, "a@example.com")
	won := 0
	for _, err := range race(3*disbursement.Most, func(i int) error {
		_, err := b.store.AddMethod(context.WithoutCancel(t.Context()), adding(id, method(fmt.Sprint(i), true)))
		return err
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, account.ErrTooManyMethods) {
			t.Errorf("a loser got %v", err)
		}
	}
	list := b.methods(t, id)
	chosen := len(slices.DeleteFunc(slices.Clone(list), func(m disbursement.Method) bool { return !m.IsDefault }))
	if won != disbursement.Most || len(list) != disbursement.Most || chosen != 1 {
		t.Errorf("%d were added, %d are there, %d of them the default; want %d, as many, and 1", won, len(list), chosen, disbursement.Most)
	}
}

func testReplaceMethod(t *testing.T, b *bundle) {
	id := b.owner(t, "a@example.com", byDefault(method("1", false)), method("2", true))
	other := b.owner(t, "b@example.com", byDefault(method("3", true)))
	change := adding(id, disbursement.Method{ID: "1", Type: disbursement.ACH, Usable: true, CreatedAt: start.Add(time.Hour), UpdatedAt: start.Add(time.Hour)})
	got, err := b.store.ReplaceMethod(t.Context(), change)
	want := byDefault(change.Method) // whether it is the default, and since when, stays
	want.CreatedAt = start
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if diff := cmp.Diff([]disbursement.Method{want, method("2", true)}, b.methods(t, id)); diff != "" {
		t.Errorf("stored (-want +got)\n%s", diff)
	}
	for _, unknown := range []string{"3", "4", ""} { // another customer's, and nobody's
		if _, err := b.store.ReplaceMethod(t.Context(), adding(id, method(unknown, true))); !errors.Is(err, account.ErrMethodNotFound) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
	b.outline(t, id, 1, "1*", "2")
	if diff := cmp.Diff([]disbursement.Method{byDefault(method("3", true))}, b.methods(t, other)); diff != "" {
		t.Errorf("another customer's (-want +got)\n%s", diff)
	}
}

func testRemoveMethod(t *testing.T, b *bundle) {
	id := b.owner(t, "a@example.com", method("1", false), byDefault(method("2", true)), method("3", false), method("4", true))
	other := b.owner(t, "b@example.com", byDefault(method("5", true)))
	for _, unknown := range []string{"5", "6", ""} {
		if err := b.store.RemoveMethod(t.Context(), choice(id, unknown, "x")); !errors.Is(err, account.ErrMethodNotFound) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
	b.outline(t, id, 0, "1", "2*", "3", "4")
	for i, step := range []struct {
		remove string
		want   []string
	}{
		{"2", []string{"1", "3", "4*"}}, // the oldest that is usable follows
		{"3", []string{"1", "4*"}},
		{"4", []string{"1*"}}, // or else the oldest
		{"1", nil},
	} {
		if err := b.store.RemoveMethod(t.Context(), choice(id, step.remove, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		b.outline(t, id, i+1, step.want...)
	}
	b.outline(t, other, 0, "5*")
}

func testSetDefaultMethod(t *testing.T, b *bundle) {
	id := b.owner(t, "a@example.com", byDefault(method("1", true)), method("2", true), method("3", false))
	other := b.owner(t, "b@example.com", byDefault(method("4", true)), method("5", true))
	for unfit, want := range map[string]error{"3": account.ErrMethodNotUsable, "5": account.ErrMethodNotFound, "6": account.ErrMethodNotFound, "": account.ErrMethodNotFound} {
		if _, err := b.store.SetDefaultMethod(t.Context(), choice(id, unfit, "x")); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", unfit, err, want)
		}
	}
	b.outline(t, id, 0, "1*", "2", "3")
	want := byDefault(method("2", true))
	want.UpdatedAt = start.Add(time.Hour)
	for i := range 2 { // again is no error
		got, err := b.store.SetDefaultMethod(t.Context(), choice(id, "2", fmt.Sprint(i)))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	}
	b.outline(t, id, 2, "1", "2*", "3")
	b.outline(t, other, 0, "4*", "5")
}

func testSetDefaultMethodRace(t *testing.T, b *bundle) {
	id := b.owner(t, "a@example.com", byDefault(method("1", true)), method("2", true))
	if err := errors.Join(race(20, func(i int) error {
		_, err := b.store.SetDefaultMethod(context.WithoutCancel(t.Context()), choice(id, fmt.Sprint(1+i%2), fmt.Sprint(i)))
		return err
	})...); err != nil {
		t.Fatal(err)
	}
	if list := b.methods(t, id); list[0].IsDefault == list[1].IsDefault {
		t.Errorf("%+v: not one is the default", list)
	}
}

// testMethodsInactive checks that nothing changes, and nothing personal comes to
// be, when an account is suspended or erased while its owner is asked for the
// password.
func testMethodsInactive(t *testing.T, b *bundle) {
	id := b.owner(t, "a@example.com", byDefault(method("1", true)), method("2", true))
	try := func(id int64) {
		t.Helper()
		_, added := b.store.AddMethod(t.Context(), adding(id, method("3", true)))
		_, replaced := b.store.ReplaceMethod(t.Context(), adding(id, method("1", true)))
		_, chosen := b.store.SetDefaultMethod(t.Context(), choice(id, "2", "x"))
		removed := b.store.RemoveMethod(t.Context(), choice(id, "2", "x"))
		for what, err := range map[string]error{"added": added, "replaced": replaced, "chosen": chosen, "removed": removed} {
			if !errors.Is(err, account.ErrNotLoggedIn) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	b.status(t, id, customer.Active, customer.Suspended)
	try(id)
	b.outline(t, id, 0, "1*", "2")
	if _, err := b.store.Erase(t.Context(), id, start); err != nil {
		t.Fatal(err)
	}
	try(id)
	b.outline(t, id, 0)
	try(999)
}
