package customer_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.FixedZone("", 3600))

type bundle struct {
	service *customer.Service
	partner int64
	queued  int
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p, _, err := db.CreatePartner(t.Context(), "Shop", partner.NewKey{CreatedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{partner: p.ID}
	var mu sync.Mutex
	ids := 0
	b.service = customer.NewService(customer.Params{
		Fingerprints: plain{},
		Store:        db,
		Now:          func() time.Time { return now },
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			ids++
			return fmt.Sprint(ids)
		},
		NewLink: func(kind, messageID string, now time.Time) (customer.Link, error) {
			return customer.Link{Kind: kind, Hash: sha256.Sum256([]byte(messageID)), ExpiresAt: now.Add(time.Hour)}, nil
		},
		Queued: func() { b.queued++ },
	})
	return b
}

func text(s string) *string { return &s }

func documented() customer.Draft {
	return customer.Draft{
		Email: "Johny.Smith@Example.com", FirstName: text("Johny"), MiddleName: text("Kanez"), LastName: text("Smith"),
		Address: &customer.DraftAddress{
			Line1: "East Lane", Line2: text("Apartment 2"), City: "San Francisco", State: text("CA"), Country: "US",
			PostCode: customer.Text{Value: "10203", IsNumber: true},
		},
		PhoneNumber: &customer.Text{Value: "8885118600", IsNumber: true},
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created, err := b.service.Create(t.Context(), b.partner, documented(), "")
	if err != nil {
		t.Fatal(err)
	}
	at := now.UTC().Truncate(time.Microsecond)
	want := customer.Customer{
		ID: 1, PartnerID: &b.partner, Email: "Johny.Smith@Example.com",
		FirstName: text("Johny"), MiddleName: text("Kanez"), LastName: text("Smith"),
		Status: customer.Active, Group: customer.Introduced, EmailVerified: true, Phone: text("+18885118600"),
		Address:   &customer.Address{Line1: "East Lane", Line2: "Apartment 2", City: "San Francisco", State: "CA", Country: "US", PostCode: "10203"},
		CreatedAt: at, UpdatedAt: at,
		Invitation: &customer.Invitation{QueuedAt: at, ExpiresAt: at.Add(time.Hour)},
	}
	if diff := cmp.Diff(want, created.Customer); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := *created.Customer.Country(); got != "US" {
		t.Errorf("country %s", got)
	}
	if b.queued != 1 {
		t.Errorf("told of %d e-mails, want 1", b.queued)
	}
	read, err := b.service.Customer(t.Context(), b.partner, created.Customer.ID)
	if diff := cmp.Diff(want, read); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestCreateMinimal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created, err := b.service.Create(t.Context(), b.partner, customer.Draft{Email: "a@example.com"}, "")
	if err != nil || created.Customer.Address != nil || created.Customer.Phone != nil || created.Customer.Country() != nil {
		t.Errorf("%+v, %v", created.Customer, err)
	}
}

// TestSameAddress checks that an address is the same in any case and Unicode
// form, and with its domain in either form of IDNA.
func TestSameAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := func(email string) {
		if _, err := b.service.Create(t.Context(), b.partner, customer.Draft{Email: email}, ""); err != nil {
			t.Fatalf("%q: %v", email, err)
		}
	}
	first("jos\u00e9@m\u00fcller.example")
	for _, same := range []string{"jose\u0301@m\u00fcller.example", "JOS\u00c9@M\u00dcLLER.EXAMPLE", "jos\u00e9@xn--mller-kva.example", "jos\u00e9@mu\u0308ller.example"} {
		_, err := b.service.Create(t.Context(), b.partner, customer.Draft{Email: same}, "")
		if !errors.As(err, new(*customer.EmailInUseError)) {
			t.Errorf("%+q: %v", same, err)
		}
	}
	first("jose@m\u00fcller.example")
	if b.queued != 2 {
		t.Errorf("told of %d e-mails, want 2", b.queued)
	}
}

func TestUnacceptable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct {
		name string
		edit func(*customer.Draft)
		want []string
	}{
		{"unknown country", func(d *customer.Draft) { d.Address.Country, d.PhoneNumber = "XX", nil }, []string{"address/country unknown_country"}},
		{"reserved code", func(d *customer.Draft) { d.Address.Country, d.PhoneNumber = "UK", nil }, []string{"address/country unknown_country"}},
		{"no state", func(d *customer.Draft) { d.Address.State = nil }, []string{"address/state state_required"}},
		{"national number without address", func(d *customer.Draft) { d.Address = nil }, []string{"phone_number phone_number_needs_country"}},
		{"no such number", func(d *customer.Draft) { d.PhoneNumber = &customer.Text{Value: "12"} }, []string{"phone_number invalid_phone_number"}},
		{"no address", func(d *customer.Draft) { d.Email = "johny" }, []string{"email invalid_email"}},
		{"unreadable text", func(d *customer.Draft) {
			d.FirstName, d.MiddleName, d.LastName = text("J\u202eyhoJ"), text("\u200b"), text("Sm\u0085ith")
			d.Address.Line1, d.Address.Line2, d.Address.City, d.Address.State = "East\u2028Lane", text("\u00a0"), "\ufeffSan Francisco", text("\u3164")
			d.Address.PostCode = customer.Text{Value: "1\u20662"}
		}, []string{
			"first_name invalid_text", "middle_name invalid_text", "last_name invalid_text", "address/line1 invalid_text", "address/line2 invalid_text",
			"address/city invalid_text", "address/state invalid_text", "address/post_code invalid_text",
		}},
		{"everything", func(d *customer.Draft) {
			d.Email, d.Address.Country, d.PhoneNumber.Value = "johny@", "ZZ", "12"
		}, []string{"email invalid_email", "address/country unknown_country", "phone_number invalid_phone_number"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := documented()
			tt.edit(&d)
			_, err := b.service.Create(t.Context(), b.partner, d, "")
			var unacceptable *customer.UnacceptableError
			if !errors.As(err, &unacceptable) {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, f := range unacceptable.Findings {
				got = append(got, strings.Join(f.Path, "/")+" "+f.Code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.Contains(err.Error(), "johny") {
				t.Errorf("the error has the address: %v", err)
			}
		})
	}
	if b.queued != 0 {
		t.Errorf("told of %d e-mails, want none", b.queued)
	}
	// Nothing of all that was stored.
	if _, err := b.service.Create(t.Context(), b.partner, documented(), ""); err != nil {
		t.Error(err)
	}
}

// TestChangeOfText checks that what a partner may not call a customer, the
// customer may not either.
func TestChangeOfText(t *testing.T) {
	t.Parallel()
	c := customer.Customer{FirstName: text("Johny")}
	change := customer.Change{
		FirstName: customer.Edit[string]{Given: true, Value: text("J\u202eyhoJ")},
		Address:   customer.Edit[customer.DraftAddress]{Given: true, Value: &customer.DraftAddress{Line1: "\u200b", City: "Madrid", Country: "ES", PostCode: customer.Text{Value: "28014"}}},
	}
	var unacceptable *customer.UnacceptableError
	if err := change.Apply(&c, now); !errors.As(err, &unacceptable) || len(unacceptable.Findings) != 2 || *c.FirstName != "Johny" {
		t.Errorf("%v, %s", err, *c.FirstName)
	}
}

func TestPostCodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct {
		country, state string
		code           customer.Text
		want           string
	}{
		{"US", "NY", customer.Text{Value: "501", IsNumber: true}, "00501"},
		{"US", "NY", customer.Text{Value: "0", IsNumber: true}, "00000"},
		{"US", "NY", customer.Text{Value: "501"}, "501"}, // a string is kept as it is
		{"US", "NY", customer.Text{Value: "123456789", IsNumber: true}, "123456789"},
		{"ES", "", customer.Text{Value: "8001", IsNumber: true}, "8001"},
		{"GB", "", customer.Text{Value: "SW1A 1AA"}, "SW1A 1AA"},
	}
	for i, tt := range tests {
		d := documented()
		d.Email, d.PhoneNumber = fmt.Sprintf("%d@example.com", i), nil
		d.Address.Country, d.Address.PostCode, d.Address.State = tt.country, tt.code, nil
		if tt.state != "" {
			d.Address.State = &tt.state
		}
		created, err := b.service.Create(t.Context(), b.partner, d, "")
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		if got := created.Customer.Address.PostCode; got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, err := b.service.Create(t.Context(), b.partner, documented(), "k")
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.service.Create(t.Context(), b.partner, documented(), "k")
	if err != nil || !second.Replayed {
		t.Fatalf("%+v, %v", second, err)
	}
	if diff := cmp.Diff(first.Customer, second.Customer); diff != "" {
		t.Errorf("(-first +second)\n%s", diff)
	}
	if b.queued != 1 {
		t.Errorf("told of %d e-mails, want 1", b.queued)
	}
	for name, edit := range map[string]func(*customer.Draft){
		"other case":          func(d *customer.Draft) { d.Email = "johny.smith@example.com" },
		"string for a number": func(d *customer.Draft) { d.Address.PostCode.IsNumber = false },
		"something left out":  func(d *customer.Draft) { d.MiddleName = nil },
	} {
		d := documented()
		edit(&d)
		if _, err := b.service.Create(t.Context(), b.partner, d, "k"); !errors.Is(err, customer.ErrKeyReused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// plain makes fingerprints without a key.
type plain struct{}

func (plain) Fingerprint(digest []byte) ([]byte, error) { return digest, nil }

func (plain) Same(fingerprint, digest []byte) bool { return bytes.Equal(fingerprint, digest) }
