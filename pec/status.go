package pec

import (
	"fmt"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// State is how far a send got for one recipient. The states are in ascending
// rank: of all that the facts support, the highest holds.
type State int

// The states.
const (
	StatePending   State = iota // decided, nothing offered to the provider yet
	StateRetrying               // provably not sent; the same message may be offered again
	StateSuspended              // the login was refused
	StateUncertain              // it may have left, and nothing proves either way
	StateSubmitted              // the provider answered 250, and has not certified anything yet
	StateRefused                // the provider refused it in the SMTP dialogue: nobody gets it
	StateRejected               // a non-acceptance notice: nobody gets it
	StateAccepted               // accepted for this certified recipient: the legal moment of sending
	StateOrdinary               // accepted for a recipient without PEC: handed over, nothing certified will follow
	StateDelayed                // a delivery-delay notice that is not the last
	StateExpired                // the last delivery-delay notice: the dispatch is to be held failed
	StateFailed                 // a non-delivery notice
	StateDelivered              // a delivery receipt: the legal moment of delivery
)

var stateNames = [...]string{
	"pending", "retrying", "suspended", "uncertain", "submitted", "refused", "rejected",
	"accepted", "ordinary", "delayed", "expired", "failed", "delivered",
}

// String gives the lower-case name, such as "delivered".
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return stateNames[s]
}

// Final tells whether nothing more is awaited. A late notice still counts.
func (s State) Final() bool {
	switch s {
	case StateRefused, StateRejected, StateOrdinary, StateExpired, StateFailed, StateDelivered:
		return true
	default:
		return false
	}
}

// Total is what a send came to, over all its recipients.
type Total string

// The totals.
const (
	TotalOpen         Total = "open"          // something is still awaited
	TotalUncertain    Total = "uncertain"     // it may have left, and nothing proves either way
	TotalRejected     Total = "rejected"      // the sender's provider did not take it
	TotalDelivered    Total = "delivered"     // delivered to every recipient
	TotalAcceptedOnly Total = "accepted-only" // no failure, but for some recipient, without PEC, delivery is not certified
	TotalPartial      Total = "partial"       // failed for some recipients and not for others
	TotalFailed       Total = "failed"        // failed for every recipient
)

// Status is what became of a send, as Fold computes it from the facts.
type Status struct {
	MessageID  string // ours
	CertID     string // identificativo, the provider's ID; "" until a notice tells
	Sender     string
	Subject    string
	Total      Total
	Settled    bool // every recipient is in a final state; a late notice still counts
	Recipients []RecipientStatus
	// SentAt is the legal time of sending: the certified time of the acceptance, in
	// the provider's offset. Zero until there is one.
	SentAt time.Time
	// Conflict tells that verified notices name more than one identificativo: two
	// copies have left.
	Conflict bool
	// Unconfirmed tells that an hour after the provider's 250 nothing certified had
	// come.
	Unconfirmed bool
}

// RecipientStatus is what became of a send for one recipient.
type RecipientStatus struct {
	Address string
	State   State
	// Class is how the sender's provider classified the address; ClassUnknown until
	// a notice tells.
	Class Class
	// Failure tells why, in the states rejected, failed, expired and delayed.
	Failure envelope.Failure
	// Reply is the provider's SMTP reply, in the states refused, retrying and submitted.
	Reply Reply
	// Time is the certified time of the notice the state rests on; zero without one.
	Time time.Time
	// Provider is the one that issued that notice.
	Provider string
	// Evidence is the key of that notice.
	Evidence envelope.Key
	// Detail is how much of the original the delivery receipt carries.
	Detail receipt.Detail
}

// Class says what kind of mailbox an address is.
type Class string

// The classes.
const (
	ClassUnknown   Class = ""          // no notice told yet
	ClassCertified Class = "certified" // a PEC mailbox
	ClassOrdinary  Class = "ordinary"  // any other
)

// Recipient gives the status of one recipient, and whether it is one.
func (s Status) Recipient(address string) (RecipientStatus, bool) {
	for _, r := range s.Recipients {
		if envelope.SameAddress(r.Address, address) {
			return r, true
		}
	}
	return RecipientStatus{}, false
}
