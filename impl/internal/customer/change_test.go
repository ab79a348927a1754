package customer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/customer"
)

func given(s string) customer.Edit[string] { return customer.Edit[string]{Given: true, Value: &s} }

var none = customer.Edit[string]{Given: true}

func home(country string) customer.Edit[customer.DraftAddress] {
	return customer.Edit[customer.DraftAddress]{Given: true, Value: &customer.DraftAddress{Line1: "Calle 1", City: "Madrid", Country: country, PostCode: customer.Text{Value: "28014"}}}
}

// existing is a customer before a change.
func existing() customer.Customer {
	created := now.Add(-time.Hour)
	return customer.Customer{
		FirstName: text("Ana"), LastName: text("Núñez"), Phone: text("+34912345678"), PhoneVerified: true, Language: text("es"),
		Address: &customer.Address{Line1: "Paseo 2", City: "Madrid", Country: "ES", PostCode: "28015"}, CreatedAt: created, UpdatedAt: created,
		Changed: map[customer.Field]time.Time{customer.FieldLastName: created},
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	madrid := customer.Address{Line1: "Calle 1", City: "Madrid", Country: "ES", PostCode: "28014"}
	tests := []struct {
		name    string
		change  customer.Change
		want    func(c *customer.Customer)
		changed []customer.Field
	}{
		{"nothing", customer.Change{}, func(*customer.Customer) {}, nil},
		{"not given", customer.Change{FirstName: customer.Edit[string]{Value: text("X")}, Language: customer.Edit[string]{}}, func(*customer.Customer) {}, nil},
		{
			"names", customer.Change{FirstName: given("Zoë"), MiddleName: given("M."), LastName: none},
			func(c *customer.Customer) { c.FirstName, c.MiddleName, c.LastName = text("Zoë"), text("M."), nil },
			[]customer.Field{customer.FieldFirstName, customer.FieldMiddleName, customer.FieldLastName},
		},
		{"the same name", customer.Change{FirstName: given("Ana")}, func(*customer.Customer) {}, []customer.Field{customer.FieldFirstName}},
		{"phone, in the country of the address", customer.Change{PhoneNumber: given("911 23 45 67")}, func(c *customer.Customer) {
			c.Phone, c.PhoneVerified = text("+34911234567"), false
		}, []customer.Field{customer.FieldPhone}},
		{"no phone", customer.Change{PhoneNumber: none}, func(c *customer.Customer) { c.Phone, c.PhoneVerified = nil, false }, []customer.Field{customer.FieldPhone}},
		{"address", customer.Change{Address: home("ES")}, func(c *customer.Customer) { c.Address = &madrid }, []customer.Field{customer.FieldAddress}},
		{"no address", customer.Change{Address: customer.Edit[customer.DraftAddress]{Given: true}}, func(c *customer.Customer) { c.Address = nil }, []customer.Field{customer.FieldAddress}},
		{"phone, in the country of the new address", customer.Change{Address: home("PT"), PhoneNumber: given("21 123 4567")}, func(c *customer.Customer) {
			c.Address = &customer.Address{Line1: "Calle 1", City: "Madrid", Country: "PT", PostCode: "28014"}
			c.Phone, c.PhoneVerified = text("+351211234567"), false
		}, []customer.Field{customer.FieldAddress, customer.FieldPhone}},
		{"language", customer.Change{Language: given("ES-mx")}, func(c *customer.Customer) { c.Language = text("es-MX") }, []customer.Field{customer.FieldLanguage}},
		{"no language", customer.Change{Language: none}, func(c *customer.Customer) { c.Language = nil }, []customer.Field{customer.FieldLanguage}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := existing()
			got, want := before, existing()
			if err := tt.change.Apply(&got, now); err != nil {
				t.Fatal(err)
			}
			tt.want(&want)
			for _, f := range tt.changed {
				want.Changed[f], want.UpdatedAt = now, now
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(existing().Changed, before.Changed); diff != "" {
				t.Errorf("what there was before was changed (-want +got)\n%s", diff)
			}
		})
	}
}

// TestApplyRefused checks that a change is made as a whole or not at all.
func TestApplyRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change customer.Change
		want   []string
	}{
		{"name", customer.Change{FirstName: given("\u200b"), LastName: given("fine")}, []string{"first_name invalid_text"}},
		{"empty name", customer.Change{MiddleName: given("")}, []string{"middle_name invalid_text"}},
		{"phone", customer.Change{PhoneNumber: given("12"), FirstName: given("fine")}, []string{"phone_number invalid_phone_number"}},
		{"phone without its country", customer.Change{PhoneNumber: given("911 23 45 67"), Address: customer.Edit[customer.DraftAddress]{Given: true}}, []string{"phone_number phone_number_needs_country"}},
		{"country", customer.Change{Address: home("XX")}, []string{"address/country unknown_country"}},
		{"state", customer.Change{Address: home("US")}, []string{"address/state state_required"}},
		{"language", customer.Change{Language: given("klingonese"), LastName: given("\u202e")}, []string{"last_name invalid_text", "language unknown_language"}},
		{"undetermined language", customer.Change{Language: given("und")}, []string{"language unknown_language"}},
		{"empty language", customer.Change{Language: given("")}, []string{"language unknown_language"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := existing()
			var unacceptable *customer.UnacceptableError
			if err := tt.change.Apply(&c, now); !errors.As(err, &unacceptable) {
				t.Fatalf("%v", err)
			}
			var got []string
			for _, f := range unacceptable.Findings {
				got = append(got, strings.Join(f.Path, "/")+" "+f.Code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(existing(), c); diff != "" {
				t.Errorf("something was changed (-want +got)\n%s", diff)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	created, changed := now.Add(-time.Hour), now
	partnerID := int64(1)
	c := existing()
	c.Changed = map[customer.Field]time.Time{customer.FieldLastName: changed, customer.FieldMiddleName: changed}
	origin := func(name customer.Field, byPartner bool, at time.Time) customer.Origin {
		return customer.Origin{Field: name, ByPartner: byPartner, At: at}
	}
	for _, byPartner := range []bool{false, true} {
		if byPartner {
			c.PartnerID = &partnerID
		}
		want := []customer.Origin{
			origin(customer.FieldEmail, byPartner, created), origin(customer.FieldFirstName, byPartner, created), origin(customer.FieldLastName, false, changed),
			origin(customer.FieldPhone, byPartner, created), origin(customer.FieldAddress, byPartner, created), origin(customer.FieldLanguage, byPartner, created),
		}
		if diff := cmp.Diff(want, c.Origins()); diff != "" {
			t.Errorf("by a partner: %v (-want +got)\n%s", byPartner, diff)
		}
	}
	if got := (&customer.Customer{}).Origins(); len(got) != 1 || got[0].Field != customer.FieldEmail {
		t.Errorf("of an address alone: %+v", got)
	}
}

func TestInvitationState(t *testing.T) {
	t.Parallel()
	at := now
	valid, expired := now.Add(time.Microsecond), now
	tests := []struct {
		invitation customer.Invitation
		want       customer.InvitationState
	}{
		{customer.Invitation{ExpiresAt: valid}, customer.InvitationQueued},
		{customer.Invitation{ExpiresAt: valid, SentAt: &at}, customer.InvitationSent},
		{customer.Invitation{ExpiresAt: valid, FailedAt: &at}, customer.InvitationFailed},
		{customer.Invitation{ExpiresAt: expired}, customer.InvitationExpired},
		{customer.Invitation{ExpiresAt: expired, SentAt: &at}, customer.InvitationExpired},
		{customer.Invitation{ExpiresAt: expired, FailedAt: &at}, customer.InvitationExpired},
		{customer.Invitation{ExpiresAt: expired, SentAt: &at, AcceptedAt: &at}, customer.InvitationAccepted},
	}
	for _, tt := range tests {
		if got := tt.invitation.State(now); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.invitation, got, tt.want)
		}
	}
}
