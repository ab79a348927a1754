package customer

import (
	"time"

	"golang.org/x/text/language"
)

// Field is a field that a partner supplies at creation and the customer may
// change from then on. Its text is the field's name in the contract.
type Field string

// The fields.
const (
	FieldEmail      Field = "email"
	FieldFirstName  Field = "first_name"
	FieldMiddleName Field = "middle_name"
	FieldLastName   Field = "last_name"
	FieldPhone      Field = "phone"
	FieldAddress    Field = "address"
	FieldLanguage   Field = "language"
)

// Origin is who supplied a field as it is now, and when.
type Origin struct {
	Field     Field
	ByPartner bool // at creation; else by the customer
	At        time.Time
}

// Origins tells where each field that has a value is from.
func (c *Customer) Origins() []Origin {
	fields := []struct {
		name  Field
		given bool
	}{
		{FieldEmail, true},
		{FieldFirstName, c.FirstName != nil},
		{FieldMiddleName, c.MiddleName != nil},
		{FieldLastName, c.LastName != nil},
		{FieldPhone, c.Phone != nil},
		{FieldAddress, c.Address != nil},
		{FieldLanguage, c.Language != nil},
	}
	var origins []Origin
	for _, f := range fields {
		if !f.given {
			continue
		}
		o := Origin{Field: f.name, ByPartner: c.PartnerID != nil, At: c.CreatedAt}
		if at, changed := c.Changed[f.name]; changed {
			o.ByPartner, o.At = false, at
		}
		origins = append(origins, o)
	}
	return origins
}

// Edit is a change of one field: none, unless Given; to nothing, if Value is
// nil.
type Edit[T any] struct {
	Given bool
	Value *T
}

// Change is what a customer changes of their own information.
type Change struct {
	FirstName   Edit[string]
	MiddleName  Edit[string]
	LastName    Edit[string]
	PhoneNumber Edit[string]
	Address     Edit[DraftAddress]
	Language    Edit[string]
}

// Apply makes the change, or returns [*UnacceptableError] and leaves the
// customer as it was. A national phone number is read in the country of the
// address as it is after the change.
func (ch *Change) Apply(to *Customer, now time.Time) error {
	c := *to
	var findings []Finding
	var changed []Field
	text := func(e Edit[string], name Field, field **string) {
		if e.Given {
			findings = append(findings, acceptText(e.Value, string(name))...)
			*field = e.Value
			changed = append(changed, name)
		}
	}
	text(ch.FirstName, FieldFirstName, &c.FirstName)
	text(ch.MiddleName, FieldMiddleName, &c.MiddleName)
	text(ch.LastName, FieldLastName, &c.LastName)
	if ch.Address.Given {
		address, f := ch.Address.Value.accept()
		findings = append(findings, f...)
		c.Address = address
		changed = append(changed, FieldAddress)
	}
	if ch.PhoneNumber.Given {
		number, f := acceptPhone(ch.PhoneNumber.Value, c.Country())
		findings = append(findings, f...)
		c.Phone, c.PhoneVerified = number, false
		changed = append(changed, FieldPhone)
	}
	tag, f := acceptLanguage(ch.Language.Value)
	findings = append(findings, f...)
	text(Edit[string]{ch.Language.Given, tag}, FieldLanguage, &c.Language)
	if len(findings) > 0 {
		return &UnacceptableError{findings}
	}
	if len(changed) == 0 {
		return nil
	}
	c.Changed = make(map[Field]time.Time, len(to.Changed)+len(changed))
	for name, at := range to.Changed {
		c.Changed[name] = at
	}
	for _, name := range changed {
		c.Changed[name] = now
	}
	c.UpdatedAt = now
	*to = c
	return nil
}

// CodeUnknownLanguage is the code of a [Finding].
const CodeUnknownLanguage = "unknown_language"

// acceptLanguage gives a language tag its usual form (BCP 47), such as es-MX.
func acceptLanguage(tag *string) (*string, []Finding) {
	if tag == nil {
		return nil, nil
	}
	parsed, err := language.Parse(*tag)
	if err != nil || parsed == language.Und {
		return nil, []Finding{{[]string{"language"}, CodeUnknownLanguage, "This is not the tag of a language, such as en or es-MX (BCP 47)."}}
	}
	canonical := parsed.String()
	return &canonical, nil
}
