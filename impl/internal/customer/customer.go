// Package customer is the heart of the service: what a customer is, what a
// partner may say of one, and the rules by which one comes to be.
//
// It knows neither HTTP nor SQL. Requests come in as a [Draft], are checked by
// [Service.Create], and go to a [Store], which is an interface here and a
// database elsewhere. Refusals are errors of the types in errors.go; the
// adapters decide what they look like on their side.
//
// # One transaction
//
// A customer, the introductory e-mail and the record of the Idempotency-Key
// come to be together or not at all. The store is therefore handed all three at
// once, as a [Creation], and decides inside its transaction, where nobody can
// come between: the key first, the e-mail address second. A repetition thus
// finds its own customer, and never meets the refusal of an address that it
// took itself.
package customer

import (
	"time"

	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// Status is the state of a customer's account.
type Status int

// The states of an account.
const (
	Active    Status = 1 // may log in
	Suspended Status = 2 // kept from logging in by the operator
	Closed    Status = 3 // ended
)

// Group tells how a customer came.
type Group int

// The ways by which customers come.
const (
	SignedUp   Group = 1 // alone
	Introduced Group = 2 // by a partner
)

// Address is a postal address. Line2 and State are empty if there is none.
type Address struct {
	Line1    string
	Line2    string
	City     string
	State    string
	Country  string // ISO 3166-1 alpha-2
	PostCode string
}

// Customer is a customer as stored. Pointers are nil for what is unknown; all
// times are in UTC, to the microsecond.
type Customer struct {
	ID                     int64
	PartnerID              *int64 // who created it; nil if it signed up alone
	Email                  string // as given
	Username               string
	FirstName              *string
	MiddleName             *string
	LastName               *string
	CompanyName            *string
	Gender                 *string
	DateOfBirth            *string // RFC 3339 full-date
	Status                 Status
	Group                  Group
	SubscribedToNewsLetter bool
	EmailVerified          bool
	Phone                  *string // E.164
	PhoneVerified          bool
	IsCompany              bool
	Notes                  *string
	Address                *Address
	Language               *string // of e-mails, BCP 47; nil if it was never told
	LastLoginAt            *time.Time
	LastLoginIP            *string
	LastLoginHost          *string
	CreatedAt              time.Time
	UpdatedAt              time.Time
	DeletedAt              *time.Time
	ReasonForDeletion      *string
	// Changed has the fields that the customer has changed since creation, and
	// when. All others stand as whoever created the customer said.
	Changed map[Field]time.Time
	// Invitation is nil for a customer who was never invited.
	Invitation *Invitation
	// DisbursementMethods are where money is sent to, the oldest first.
	DisbursementMethods []disbursement.Method
}

// Names lists the parts of the name that are known, in order.
func (c *Customer) Names() []string {
	var names []string
	for _, part := range []*string{c.FirstName, c.MiddleName, c.LastName} {
		if part != nil {
			names = append(names, *part)
		}
	}
	return names
}

// Unconfirmed tells whether the customer signed up alone and has not confirmed
// the e-mail address yet.
func (c *Customer) Unconfirmed() bool { return c.Group == SignedUp && !c.EmailVerified }

// Country gives the country of the address, or nil without one.
func (c *Customer) Country() *string {
	if c.Address == nil {
		return nil
	}
	return &c.Address.Country
}

// Text is a value that came as text, or as a number, which has lost the zeros
// that may have led it.
type Text struct {
	Value    string
	IsNumber bool
}

// Draft is what a partner says of a customer. It keeps the contract; whether
// what it names exists is for [Service.Create] to find out.
type Draft struct {
	Email       string
	FirstName   *string
	MiddleName  *string
	LastName    *string
	Address     *DraftAddress
	PhoneNumber *Text
	Language    *string
	// DisbursementMethods are where to send money to.
	DisbursementMethods []disbursement.Draft
	// Lenient takes methods that fail the checks of what decides money, as not
	// usable, with warnings.
	Lenient bool
}

// DraftAddress is the address in a [Draft].
type DraftAddress struct {
	Line1    string
	Line2    *string
	City     string
	State    *string
	Country  string
	PostCode Text
}
