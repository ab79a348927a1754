// Package outbox sends the e-mails that transactions have queued.
//
// A message is a row that was written in the transaction which gave the reason
// for it, so it exists exactly if that transaction does. The worker takes it
// through these states, which are columns and not names:
//
//	due (due_at has come) --claim--> leased (due_at is the lease's end)
//	leased --time passes, its worker lives--> leased (due_at moves on)
//	leased --accepted by the server--> sent (sent_at is set, due_at is null)
//	leased --failed--> waiting (due_at is the time of the next attempt)
//	leased --refused for good, or failed and too old--> failed (failed_at is set, due_at is null)
//	waiting, or leased by a worker that died --time passes--> due
//	failed --an operator retries--> due
//	any but sent --its customer is erased--> gone
//
// There is no state "processing" from which only the worker that entered it
// could lead: a lease ends by itself. It is short, so that a crash delays a
// message by seconds, and the worker renews it while the server is slow.
//
// # At least once
//
// SMTP has no transaction that spans two parties (RFC 5321, section 4.2.5): who
// sends learns that a message was accepted from the server's last reply. A
// message is sent again if that reply is lost, or if the worker dies before it
// has recorded it, and in no other case. It is then the same message, byte for
// byte, with the same Message-ID.
//
// Every attempt is a row of its own, begun in the claim's transaction and ended
// with its outcome. An attempt without an end is one whose worker died.
package outbox

import (
	"context"
	"errors"
	"time"
)

// Message is an e-mail to be sent.
type Message struct {
	ID          string // unique; the left side of its Message-ID
	Kind        string // names its template
	CustomerID  int64
	CreatedAt   time.Time // when it was queued
	Attempts    int       // this one included
	To          string
	Language    *string // BCP 47, as the customer gave it; nil if unknown
	FirstName   *string // nil if unknown
	PartnerName *string // who introduced the customer; nil if nobody
	Link        *Link   // nil if the e-mail has none
}

// Link is what the link in an e-mail is made of. The token itself is kept
// nowhere: it is derived when the e-mail is written.
type Link struct {
	KeyID     uint32 // of the key that the token is derived with
	Kind      string // what it is good for
	ExpiresAt time.Time
}

// Store keeps the messages.
type Store interface {
	// Claim leases up to limit messages that are due, the longest due first,
	// and begins an attempt of each, in one transaction.
	Claim(ctx context.Context, now, leaseEnd time.Time, limit int) ([]Message, error)
	// Extend moves the end of a lease, or returns [ErrLeaseLost], or
	// [ErrWithdrawn] if the message is not there any more.
	Extend(ctx context.Context, id string, attempt int, leaseEnd time.Time) error
	// MarkSent ends the work on a message. It returns [ErrLeaseLost] if another
	// attempt has begun meanwhile, when only the attempt is recorded; and
	// [ErrWithdrawn] if the message is not there any more.
	MarkSent(ctx context.Context, id string, attempt int, at time.Time) error
	// MarkFailed records a failure, under the same conditions.
	MarkFailed(ctx context.Context, f Failure) error
}

// Failure is the end of an attempt that did not succeed.
type Failure struct {
	ID      string
	Attempt int
	At      time.Time
	Reason  string
	RetryAt *time.Time // nil to give up
}

// Sender hands a message over. An error says nothing of the recipient. It is a
// [PermanentError] if it is no use to try again, a [SetupError] if somebody has
// to mend the service first, and else one that may pass by itself.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Retractor is a [Sender] that can take back what it sent. It is asked to when a
// message was withdrawn while it was being sent: its customer was erased.
type Retractor interface {
	Retract(ctx context.Context, id string) error
}

// ErrLeaseLost is returned to a worker that was so slow that another one may
// have begun to send the message.
var ErrLeaseLost = errors.New("lease lost")

// ErrWithdrawn is returned to a worker whose message is not there any more,
// because its customer is not.
var ErrWithdrawn = errors.New("e-mail withdrawn")

// ErrUnknown and ErrNotFailed refuse to retry a message.
var (
	ErrUnknown   = errors.New("there is no such e-mail")
	ErrNotFailed = errors.New("it has not failed")
)

// PermanentError says that this message cannot be sent, however often it is
// tried: the recipient's server has refused it.
type PermanentError struct{ Err error }

// Error gives the reason.
func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *PermanentError) Unwrap() error { return e.Err }

// SetupError says that no message can be sent until an operator mends
// something. The message is kept and tried again, for it is not to blame.
type SetupError struct{ Err error }

// Error gives the reason.
func (e *SetupError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *SetupError) Unwrap() error { return e.Err }

// State is what an operator calls the state of a message.
type State string

// The states. A message that is being sent is what it was before.
const (
	Queued  State = "queued"  // not tried yet, or its turn has come
	Waiting State = "waiting" // failed, and to be tried again
	Sent    State = "sent"    // accepted by the server
	Failed  State = "failed"  // given up
)

// Status is a message as an operator sees it, without any personal data.
type Status struct {
	ID         string
	Kind       string
	CustomerID int64
	State      State
	Attempts   int
	CreatedAt  time.Time
	At         time.Time // of the next attempt, of sending, or of giving up
	LastError  string    // empty if there was none
}
