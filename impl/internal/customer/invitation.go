package customer

import "time"

// LinkInvitation is the kind of the link in an introductory e-mail.
const LinkInvitation = "invitation"

// Invitation is how far the invitation of a customer has come: what became of
// the latest introductory e-mail, and of its link.
type Invitation struct {
	QueuedAt   time.Time
	SentAt     *time.Time // when the mail server took it
	FailedAt   *time.Time // when it was given up
	AcceptedAt *time.Time // when the customer set a password by an invitation
	ExpiresAt  time.Time  // of the link
}

// InvitationState is an invitation in one word.
type InvitationState string

// The states of an invitation.
const (
	InvitationQueued   InvitationState = "queued"
	InvitationSent     InvitationState = "sent"
	InvitationFailed   InvitationState = "failed"
	InvitationAccepted InvitationState = "accepted"
	InvitationExpired  InvitationState = "expired"
)

// State is the state at a moment. A link that is too old outweighs what became
// of its e-mail: another one has to be sent in any case.
func (i *Invitation) State(now time.Time) InvitationState {
	switch {
	case i.AcceptedAt != nil:
		return InvitationAccepted
	case !now.Before(i.ExpiresAt):
		return InvitationExpired
	case i.FailedAt != nil:
		return InvitationFailed
	case i.SentAt != nil:
		return InvitationSent
	default:
		return InvitationQueued
	}
}
