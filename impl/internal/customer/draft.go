package customer

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cryptoexchange.com/escrow/impl/internal/country"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
	"cryptoexchange.com/escrow/impl/internal/phone"
	"cryptoexchange.com/escrow/impl/internal/text"
)

// Codes of a [Finding].
const (
	CodeInvalidEmail       = "invalid_email"
	CodeUnknownCountry     = "unknown_country"
	CodeStateRequired      = "state_required"
	CodeInvalidPhoneNumber = "invalid_phone_number"
	CodePhoneNeedsCountry  = "phone_number_needs_country"
	CodeInvalidText        = "invalid_text"
)

// accept turns a draft into the customer that it describes, with the key of the
// e-mail address and the secrets of the disbursement methods; or says everything
// that speaks against it.
func (d *Draft) accept(partnerID *int64, newID func() string, now time.Time) (Customer, string, []disbursement.Secrets, error) {
	var findings []Finding
	key, err := emailaddr.Key(d.Email)
	if err != nil {
		findings = append(findings, Finding{[]string{"email"}, CodeInvalidEmail, "This is not an e-mail address that can be written to."})
	}
	findings = append(findings, acceptText(d.FirstName, "first_name")...)
	findings = append(findings, acceptText(d.MiddleName, "middle_name")...)
	findings = append(findings, acceptText(d.LastName, "last_name")...)
	address, f := d.Address.accept()
	findings = append(findings, f...)
	number, f := d.phone()
	findings = append(findings, f...)
	tag, f := acceptLanguage(d.Language)
	findings = append(findings, f...)
	group := Introduced
	if partnerID == nil {
		group = SignedUp
	}
	c := Customer{
		PartnerID:  partnerID,
		Email:      d.Email,
		FirstName:  d.FirstName,
		MiddleName: d.MiddleName,
		LastName:   d.LastName,
		Status:     Active,
		Group:      group,
		// The partner vouches for the address of a customer whom it introduces.
		EmailVerified: partnerID != nil,
		Phone:         number,
		Address:       address,
		Language:      tag,
		CreatedAt:     now,
		UpdatedAt:     now,
	}
	secrets, f := d.disburse(&c, newID, now)
	if findings = append(findings, f...); len(findings) > 0 {
		return Customer{}, "", nil, &UnacceptableError{findings}
	}
	return c, key, secrets, nil
}

// SignUp turns a draft into a customer who signs up alone, and gives the key of
// their e-mail address; or returns [*UnacceptableError].
func (d *Draft) SignUp(now time.Time) (c Customer, emailKey string, err error) {
	c, emailKey, _, err = d.accept(nil, nil, now) // there are no methods that need an id
	return c, emailKey, err
}

func (a *DraftAddress) accept() (*Address, []Finding) {
	if a == nil {
		return nil, nil
	}
	findings := slices.Concat(
		acceptText(&a.Line1, "address", "line1"),
		acceptText(a.Line2, "address", "line2"),
		acceptText(&a.City, "address", "city"),
		acceptText(a.State, "address", "state"),
		acceptText(&a.PostCode.Value, "address", "post_code"),
	)
	if !country.Exists(a.Country) {
		findings = append(findings, Finding{[]string{"address", "country"}, CodeUnknownCountry, "This is not an ISO 3166-1 alpha-2 code of a country."})
	}
	if a.State == nil && country.NeedsState(a.Country) {
		findings = append(findings, Finding{[]string{"address", "state"}, CodeStateRequired, "An address in this country needs its state, province or territory."})
	}
	return &Address{
		Line1:    a.Line1,
		Line2:    value(a.Line2),
		City:     a.City,
		State:    value(a.State),
		Country:  a.Country,
		PostCode: PostCode(a.PostCode, a.Country),
	}, findings
}

// acceptText judges a name or a line of an address; nil is accepted.
func acceptText(s *string, path ...string) []Finding {
	if s == nil {
		return nil
	}
	if err := text.Check(*s); err != nil {
		return []Finding{{path, CodeInvalidText, "This text is not accepted: " + err.Error() + "."}}
	}
	return nil
}

// PostCode restores the zeros that led a ZIP Code (five digits, USPS
// Publication 28) before it became a number.
func PostCode(code Text, country string) string {
	const zipDigits = 5
	if missing := zipDigits - len(code.Value); code.IsNumber && country == "US" && missing > 0 {
		return strings.Repeat("0", missing) + code.Value
	}
	return code.Value
}

// CheckText judges a field that people read, as names are judged; nil is
// accepted. It returns [*UnacceptableError].
func CheckText(s *string, field string) error {
	if findings := acceptText(s, field); len(findings) > 0 {
		return &UnacceptableError{findings}
	}
	return nil
}

func (d *Draft) phone() (*string, []Finding) {
	if d.PhoneNumber == nil {
		return nil, nil
	}
	var in *string
	if d.Address != nil {
		in = &d.Address.Country
	}
	return acceptPhone(&d.PhoneNumber.Value, in)
}

// acceptPhone reads a phone number, in a country if there is one.
func acceptPhone(number, country *string) (*string, []Finding) {
	if number == nil {
		return nil, nil
	}
	e164, err := phone.E164(*number, value(country))
	switch {
	case errors.Is(err, phone.ErrNeedsCountry):
		return nil, []Finding{{[]string{"phone_number"}, CodePhoneNeedsCountry, "Without an address, give the phone number in the international form, as a string that begins with + and the country's calling code."}}
	case err != nil:
		return nil, []Finding{{[]string{"phone_number"}, CodeInvalidPhoneNumber, "No numbering plan knows this phone number. Give it in the international form, or in the national form of the address's country."}}
	}
	return &e164, nil
}

// digest tells drafts apart: two have the same one if and only if they say the
// same, value by value, as they were given.
func (d *Draft) digest() ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode draft: %w", err)
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
