package customer

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinel errors.
var (
	// ErrNotFound: there is no such customer, or it is not the caller's.
	ErrNotFound = errors.New("customer not found")
	// ErrKeyInUse: the first request with this idempotency key is under way.
	ErrKeyInUse = errors.New("idempotency key in use")
	// ErrKeyReused: this idempotency key came with another draft before.
	ErrKeyReused = errors.New("idempotency key reused with another request")
	// ErrUnavailable: the store cannot answer at the moment. Nothing was
	// changed, or it is unknown whether anything was.
	ErrUnavailable = errors.New("store unavailable")
)

// EmailInUseError refuses a draft whose e-mail address belongs to a customer.
type EmailInUseError struct {
	CustomerID int64  // who has the address
	PartnerID  *int64 // who created that customer; nil if it signed up alone
}

// Error says what is wrong, without the address.
func (e *EmailInUseError) Error() string { return "e-mail address in use" }

// CreatedBy tells whether the partner created the customer that has the address.
func (e *EmailInUseError) CreatedBy(partnerID int64) bool {
	return e.PartnerID != nil && *e.PartnerID == partnerID
}

// Finding is one thing in a draft that cannot be accepted.
type Finding struct {
	Path   []string // names of properties, from the outside in
	Code   string   // stable
	Detail string   // what is wrong and how to mend it; never holds the value
}

// UnacceptableError refuses a draft that names what does not exist. It lists
// everything that was found.
type UnacceptableError struct{ Findings []Finding }

// Error names the places and codes of the findings.
func (e *UnacceptableError) Error() string {
	places := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		places[i] = fmt.Sprintf("/%s: %s", strings.Join(f.Path, "/"), f.Code)
	}
	return "unacceptable data: " + strings.Join(places, ", ")
}
