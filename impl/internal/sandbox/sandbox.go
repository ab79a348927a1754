// Package sandbox lets a partner provoke answers that are hard to come by, to test
// how a program of theirs handles them.
//
// There is one table of e-mail addresses. A [Store] stands before the real one and
// fails for those as the real one, or what is around it, would: with the same
// errors, so that the problem which is answered is made where all are made, by the
// one table of package httpapi, and is held to the contract as all are. What comes
// before the store is real: who calls, whether the request keeps the contract, and
// whether what it says can be accepted. So the answer to a request that is good
// depends on the address alone.
//
// A provoked failure stores nothing, queues no e-mail, and uses no idempotency key
// up, as real failures do not.
//
// The addresses are in a domain that nobody can ever have (RFC 2606 §2, RFC 6761
// §6.5), for mail that escapes to reach nobody. Outside of a sandbox nothing of
// this package is in use, and they are addresses as all others.
package sandbox

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/httpapi"
)

// Domain is that of all addresses.
const Domain = "sandbox.example"

// retryAfter is what callers are told to wait, in seconds: tests wait for it.
const retryAfter = 1

// delay is how long the answer to a customer of the slow address is held back:
// longer than most tests want to wait, and shorter than clients wait by themselves.
const delay = 5 * time.Second

// Address is an address that provokes an answer. A tag makes another of it that
// provokes the same: name+tag.
type Address struct {
	Name   string        // before the @
	Status int           // of the answer
	Code   string        // of the problem; empty if the customer is created
	Delay  time.Duration // before the answer; nothing waits for it but the caller

	err error
}

// String gives the address without a tag.
func (a Address) String() string { return a.Name + "@" + Domain }

// addresses is the table.
var addresses = []Address{
	// The customer is somebody else's, which a sandbox with one partner has no
	// other way to show.
	{Name: "email_already_in_use", Status: http.StatusForbidden, Code: "email_already_in_use", err: &customer.EmailInUseError{}},
	{Name: "unacceptable_data", Status: http.StatusUnprocessableEntity, Code: "unacceptable_data", err: &customer.UnacceptableError{Findings: []customer.Finding{
		{Path: []string{"email"}, Code: customer.CodeInvalidEmail, Detail: "This is not an e-mail address that can be written to."},
	}}},
	{Name: "rate_limit_exceeded", Status: http.StatusTooManyRequests, Code: "rate_limit_exceeded", err: &httpapi.RateLimitError{Seconds: retryAfter}},
	{Name: "internal_error", Status: http.StatusInternalServerError, Code: "internal_error", err: errors.New("provoked by the address")},
	{Name: "service_unavailable", Status: http.StatusServiceUnavailable, Code: "service_unavailable", err: customer.ErrUnavailable},
	// Nothing is wrong, but that the answer comes late: who does not wait for it
	// does not know that there is a customer.
	{Name: "slow", Status: http.StatusCreated, Delay: delay},
}

// Addresses lists all of them.
func Addresses() []Address { return slices.Clone(addresses) }

// find gives the row of an address, in the form in which equal ones are equal; or
// one that provokes nothing.
func find(emailKey string) Address {
	local, ours := strings.CutSuffix(emailKey, "@"+Domain)
	if !ours {
		return Address{}
	}
	name, _, _ := strings.Cut(local, "+")
	if i := slices.IndexFunc(addresses, func(a Address) bool { return a.Name == name }); i >= 0 {
		return addresses[i]
	}
	return Address{}
}

// Store is a [customer.Store] that provokes answers.
type Store struct{ customer.Store }

var _ customer.Store = Store{}

// Create implements [customer.Store].
func (s Store) Create(ctx context.Context, c customer.Creation) (customer.Created, error) {
	a := find(c.EmailKey)
	if a.err != nil {
		return customer.Created{}, a.err
	}
	created, err := s.Store.Create(ctx, c)
	// The answer to a repetition is at hand.
	if err == nil && !created.Replayed && a.Delay > 0 {
		select {
		case <-time.After(a.Delay):
		case <-ctx.Done(): // the customer is there nevertheless
		}
	}
	return created, err
}
