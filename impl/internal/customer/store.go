package customer

import (
	"context"
	"time"

	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// Store keeps customers durably. Every method that returns without an error
// has done all that it says, on storage that survives the loss of power; one
// that returns [ErrUnavailable] may be tried again.
type Store interface {
	// Create stores everything in c in one transaction, or nothing of it.
	//
	// If c has an idempotency record whose key the partner has used before,
	// nothing is stored: the result is the customer as it was created then, or
	// [ErrKeyReused] if the fingerprints differ. Otherwise, if the address is in
	// use, the result is an [*EmailInUseError].
	Create(ctx context.Context, c Creation) (Created, error)

	// Customer reads a customer that the partner created, or returns
	// [ErrNotFound].
	Customer(ctx context.Context, partnerID, id int64) (Customer, error)

	// ForgetIdempotencyKeys removes the records that expired before now, and
	// tells how many they were.
	ForgetIdempotencyKeys(ctx context.Context, now time.Time) (int64, error)
}

// Creation is a customer to be stored, with all that must come to be with it.
type Creation struct {
	Customer Customer // without an ID
	EmailKey string   // unique among customers
	Message  Message
	// SignUpsBefore is the moment before which a sign-up that nobody confirmed
	// has lost its claim to the address.
	SignUpsBefore time.Time
	Idempotency   *Idempotency // nil without a key
	// Secrets are those of the customer's disbursement methods, one for each,
	// to be encrypted by Sealer once the customer has an id.
	Secrets []disbursement.Secrets
	Sealer  disbursement.Sealer
}

// Message is an e-mail to be sent to the customer.
type Message struct {
	ID   string // unique, for the Message-ID of its header
	Kind string // names its template
	Link *Link  // nil if the e-mail has none
}

// Link is the link in a message, without its token, which is kept nowhere.
type Link struct {
	Kind      string
	Hash      [32]byte // SHA-256 of the token
	KeyID     uint32   // of the key that the token is derived with
	ExpiresAt time.Time
}

// Kinds of e-mails that bring customers to the service. They name templates.
const (
	// KindIntroduction introduces the service to a customer whom a partner
	// created.
	KindIntroduction = "introduction"
	// KindConfirmation goes to an address that somebody signed up with.
	KindConfirmation = "confirmation"
)

// Idempotency records which request a customer was created by.
type Idempotency struct {
	PartnerID   int64
	Key         string // as the partner sent it
	Fingerprint []byte // of the draft
	ExpiresAt   time.Time
	// Same tells whether a fingerprint that was stored is of the same draft.
	Same func(stored []byte) bool
}

// Created is the result of [Store.Create].
type Created struct {
	Customer Customer // as it was created
	Replayed bool     // an earlier request created it
}
