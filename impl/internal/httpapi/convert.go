package httpapi

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/impl/internal/contract"
	"cryptoexchange.com/escrow/impl/internal/customer"
)

// FromAPINewCustomer converts the body of createCustomer. It fails on a
// disbursement method that breaks the contract.
func FromAPINewCustomer(c *gen.NewCustomer) (customer.Draft, error) {
	d := customer.Draft{
		Email:      c.Email,
		FirstName:  c.FirstName,
		MiddleName: c.MiddleName,
		LastName:   c.LastName,
		Language:   c.Language,
	}
	if c.PhoneNumber != nil {
		number := fromAPIText(*c.PhoneNumber)
		d.PhoneNumber = &number
	}
	if c.Address != nil {
		d.Address = fromAPIAddress(c.Address)
	}
	if c.DisbursementMethods != nil {
		for _, m := range *c.DisbursementMethods {
			method, err := fromAPIMethod(m)
			if err != nil {
				return customer.Draft{}, err
			}
			d.DisbursementMethods = append(d.DisbursementMethods, method)
		}
	}
	return d, nil
}

func fromAPIAddress(a *gen.NewAddress) *customer.DraftAddress {
	return &customer.DraftAddress{
		Line1:    a.Line1,
		Line2:    a.Line2,
		City:     a.City,
		State:    a.State,
		Country:  a.Country,
		PostCode: fromAPIText(a.PostCode),
	}
}

func fromAPIText(v scalar.StringOrInteger) customer.Text {
	return customer.Text{Value: v.Text(), IsNumber: v.IsInteger()}
}

// ToAPICustomer converts a customer as stored, as it is now. It fails on a
// stored date that is none.
func ToAPICustomer(c *customer.Customer, now time.Time) (gen.Customer, error) {
	born, err := toAPIDate(c.DateOfBirth)
	if err != nil {
		return gen.Customer{}, fmt.Errorf("customer %d: date of birth: %w", c.ID, err)
	}
	methods, err := toAPIMethods(c.DisbursementMethods)
	if err != nil {
		return gen.Customer{}, fmt.Errorf("customer %d: %w", c.ID, err)
	}
	return gen.Customer{
		ID:                     c.ID,
		Username:               c.Username,
		FirstName:              c.FirstName,
		MiddleName:             c.MiddleName,
		LastName:               c.LastName,
		CompanyName:            c.CompanyName,
		Gender:                 c.Gender,
		DateOfBirth:            born,
		Email:                  c.Email,
		Status:                 gen.CustomerStatus(c.Status),
		Country:                c.Country(),
		CustomerGroupID:        gen.CustomerCustomerGroupID(c.Group),
		SubscribedToNewsLetter: toAPIFlag(c.SubscribedToNewsLetter),
		CreatedAt:              scalar.Timestamp{Time: c.CreatedAt},
		UpdatedAt:              scalar.Timestamp{Time: c.UpdatedAt},
		IsVerified:             toAPIFlag(c.EmailVerified),
		Token:                  nil, // a secret never leaves
		Notes:                  c.Notes,
		Phone:                  c.Phone,
		IsPhoneVerified:        toAPIFlag(c.PhoneVerified),
		IsCompany:              toAPIFlag(c.IsCompany),
		LastLoginAt:            toAPITimestamp(c.LastLoginAt),
		LastLoginIP:            c.LastLoginIP,
		LastLoginHost:          c.LastLoginHost,
		PartnerID:              c.PartnerID,
		ReasonForDeletion:      c.ReasonForDeletion,
		DeletedAt:              toAPITimestamp(c.DeletedAt),
		Address:                toAPIAddress(c.Address),
		Language:               c.Language,
		Invitation:             toAPIInvitation(c.Invitation, now),
		DisbursementMethods:    methods,
	}, nil
}

func toAPIInvitation(i *customer.Invitation, now time.Time) *gen.Invitation {
	if i == nil {
		return nil
	}
	return &gen.Invitation{
		State:      gen.InvitationState(i.State(now)),
		QueuedAt:   scalar.Timestamp{Time: i.QueuedAt},
		SentAt:     toAPITimestamp(i.SentAt),
		FailedAt:   toAPITimestamp(i.FailedAt),
		AcceptedAt: toAPITimestamp(i.AcceptedAt),
		ExpiresAt:  scalar.Timestamp{Time: i.ExpiresAt},
	}
}

func toAPIAddress(a *customer.Address) *gen.Address {
	if a == nil {
		return nil
	}
	return &gen.Address{
		Line1:    a.Line1,
		Line2:    toAPIOptional(a.Line2),
		City:     a.City,
		State:    toAPIOptional(a.State),
		Country:  a.Country,
		PostCode: a.PostCode,
	}
}

func toAPIOptional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func toAPIFlag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func toAPITimestamp(t *time.Time) *scalar.Timestamp {
	if t == nil {
		return nil
	}
	return &scalar.Timestamp{Time: *t}
}

func toAPIDate(s *string) (*openapi_types.Date, error) {
	if s == nil {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, *s)
	if err != nil {
		return nil, err
	}
	return &openapi_types.Date{Time: t}, nil
}

// maxFaults is how many faults a problem lists; error_count has all that were
// found.
const maxFaults = 20

// ToAPIProblem converts a problem that is answered to the request with an id.
func ToAPIProblem(p *problem, requestID uuid.UUID) gen.Problem {
	out := gen.Problem{
		Type:       typeBase + p.Code,
		Title:      p.title(),
		Status:     int32(p.Status),
		Detail:     p.detail,
		Code:       p.Code,
		RequestID:  requestID,
		CustomerID: p.customerID,
	}
	if n := len(p.faults); n > 0 {
		count := int32(min(n, 1<<30))
		faults := make([]gen.Fault, 0, maxFaults)
		for _, f := range p.faults[:min(n, maxFaults)] {
			faults = append(faults, toAPIFault(f))
		}
		out.ErrorCount, out.Errors = &count, &faults
	}
	return out
}

// The most characters that the contract lets a fault have.
const (
	maxPointer = 1000
	maxName    = 200
	maxDetail  = 500
)

func toAPIFault(f contract.Fault) gen.Fault {
	out := gen.Fault{Code: f.Code, Detail: cut(f.Detail, maxDetail)}
	if f.In == "" {
		pointer := cut(f.Pointer, maxPointer)
		out.Pointer = &pointer
		return out
	}
	in, name := gen.FaultIn(f.In), cut(f.Name, maxName)
	out.In, out.Name = &in, &name
	return out
}

// cut makes a text no longer than the contract lets it be.
func cut(s string, maxLength int) string {
	if runes := []rune(s); len(runes) > maxLength {
		return string(runes[:maxLength-1]) + "…"
	}
	return s
}
