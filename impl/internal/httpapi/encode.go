package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/gen/server"
)

// A customer is what is answered most, and to write one by reflection takes
// longer than to judge it. The functions of this file write what the generated
// types stand for, property by property in the order in which the documentation
// has them; a test holds them to encoding/json.

// createdResponse is the generated response of createCustomer, written here.
type createdResponse struct {
	server.CreateCustomer201JSONResponse
}

// VisitCreateCustomerResponse implements [server.CreateCustomerResponseObject].
func (r createdResponse) VisitCreateCustomerResponse(w http.ResponseWriter) error {
	h, given := w.Header(), &r.Headers
	h.Set("Cache-Control", given.CacheControl)
	h.Set("Location", given.Location)
	h.Set("X-Content-Type-Options", given.XContentTypeOptions)
	h.Set("X-Request-Id", given.XRequestID.String())
	if given.IdempotencyReplayed != nil {
		h.Set("Idempotency-Replayed", *given.IdempotencyReplayed)
	}
	if given.PreferenceApplied != nil {
		h.Set("Preference-Applied", *given.PreferenceApplied)
	}
	return writeCustomer(w, http.StatusCreated, &r.Body)
}

// customerResponse is the generated response of getCustomer, written here.
type customerResponse struct {
	server.GetCustomer200JSONResponse
}

// VisitGetCustomerResponse implements [server.GetCustomerResponseObject].
func (r customerResponse) VisitGetCustomerResponse(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Cache-Control", r.Headers.CacheControl)
	h.Set("X-Content-Type-Options", r.Headers.XContentTypeOptions)
	h.Set("X-Request-Id", r.Headers.XRequestID.String())
	return writeCustomer(w, http.StatusOK, &r.Body)
}

var customers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

func writeCustomer(w http.ResponseWriter, status int, c *gen.Customer) error {
	b := customers.Get().(*[]byte)
	defer customers.Put(b)
	e := encoder{b: (*b)[:0]}
	e.customer(c)
	*b = e.b
	if e.err != nil {
		return fmt.Errorf("encode customer %d: %w", c.ID, e.err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := w.Write(e.b)
	return err
}

// encoder appends JSON. The first error stays.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) customer(c *gen.Customer) {
	e.integer(`{"id":`, c.ID)
	e.text(`,"username":`, &c.Username)
	e.text(`,"first_name":`, c.FirstName)
	e.text(`,"middle_name":`, c.MiddleName)
	e.text(`,"last_name":`, c.LastName)
	e.text(`,"company_name":`, c.CompanyName)
	e.text(`,"gender":`, c.Gender)
	e.date(`,"date_of_birth":`, c)
	e.text(`,"email":`, &c.Email)
	e.integer(`,"status":`, int64(c.Status))
	e.text(`,"country":`, c.Country)
	e.integer(`,"customer_group_id":`, int64(c.CustomerGroupID))
	e.integer(`,"subscribed_to_news_letter":`, int64(c.SubscribedToNewsLetter))
	e.moment(`,"created_at":`, &c.CreatedAt)
	e.moment(`,"updated_at":`, &c.UpdatedAt)
	e.integer(`,"is_verified":`, int64(c.IsVerified))
	e.text(`,"token":`, c.Token)
	e.text(`,"notes":`, c.Notes)
	e.text(`,"phone":`, c.Phone)
	e.integer(`,"is_phone_verified":`, int64(c.IsPhoneVerified))
	e.integer(`,"is_company":`, int64(c.IsCompany))
	e.moment(`,"last_login_at":`, c.LastLoginAt)
	e.text(`,"last_login_ip":`, c.LastLoginIP)
	e.text(`,"last_login_host":`, c.LastLoginHost)
	e.partner(`,"partner_id":`, c.PartnerID)
	e.text(`,"reason_for_deletion":`, c.ReasonForDeletion)
	e.moment(`,"deleted_at":`, c.DeletedAt)
	e.address(`,"address":`, c.Address)
	e.text(`,"language":`, c.Language)
	e.invitation(`,"invitation":`, c.Invitation)
	e.methods(`,"disbursement_methods":`, c.DisbursementMethods)
	e.b = append(e.b, '}')
}

func (e *encoder) address(name string, a *gen.Address) {
	if e.null(name, a == nil) {
		return
	}
	e.text(`{"line1":`, &a.Line1)
	e.text(`,"line2":`, a.Line2)
	e.text(`,"city":`, &a.City)
	e.text(`,"state":`, a.State)
	e.text(`,"country":`, &a.Country)
	e.text(`,"post_code":`, &a.PostCode)
	e.b = append(e.b, '}')
}

func (e *encoder) invitation(name string, i *gen.Invitation) {
	if e.null(name, i == nil) {
		return
	}
	state := string(i.State)
	e.text(`{"state":`, &state)
	e.moment(`,"queued_at":`, &i.QueuedAt)
	e.moment(`,"sent_at":`, i.SentAt)
	e.moment(`,"failed_at":`, i.FailedAt)
	e.moment(`,"accepted_at":`, i.AcceptedAt)
	e.moment(`,"expires_at":`, &i.ExpiresAt)
	e.b = append(e.b, '}')
}

// methods leaves the few customers who have any to encoding/json.
func (e *encoder) methods(name string, methods []gen.DisbursementMethod) {
	e.b = append(e.b, name...)
	if len(methods) == 0 {
		e.b = append(e.b, "[]"...)
		return
	}
	encoded, err := json.Marshal(methods)
	e.note(err)
	e.b = append(e.b, encoded...)
}

// null appends a name, and null if there is no value.
func (e *encoder) null(name string, is bool) bool {
	e.b = append(e.b, name...)
	if is {
		e.b = append(e.b, "null"...)
	}
	return is
}

func (e *encoder) text(name string, s *string) {
	if e.null(name, s == nil) {
		return
	}
	b, err := jsontext.AppendQuote(e.b, *s)
	e.note(err)
	e.b = b
}

func (e *encoder) integer(name string, n int64) {
	e.b = strconv.AppendInt(append(e.b, name...), n, 10)
}

func (e *encoder) partner(name string, id *int64) {
	if !e.null(name, id == nil) {
		e.b = strconv.AppendInt(e.b, *id, 10)
	}
}

func (e *encoder) moment(name string, t *scalar.Timestamp) {
	if !e.null(name, t == nil) {
		e.b = t.UTC().AppendFormat(e.b, `"`+scalar.TimestampLayout+`"`)
	}
}

func (e *encoder) date(name string, c *gen.Customer) {
	if !e.null(name, c.DateOfBirth == nil) {
		e.b = c.DateOfBirth.AppendFormat(e.b, `"`+time.DateOnly+`"`)
	}
}

func (e *encoder) note(err error) {
	if e.err == nil {
		e.err = err
	}
}
