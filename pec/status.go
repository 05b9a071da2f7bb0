package pec

import (
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// State is how far a send got for one recipient. The set is closed: Fold sets no other,
// and never the zero value.
type State string

// The states, in ascending rank: the highest-ranked state that the facts support holds.
const (
	StatePending   State = "pending"   // decided, nothing offered to the provider yet
	StateRetrying  State = "retrying"  // provably not sent; the same message will be offered again
	StateSuspended State = "suspended" // provably not sent, and the mailbox is suspended
	StateUncertain State = "uncertain" // it may have left, and nothing proves either way
	StateSubmitted State = "submitted" // the provider answered 250, and has not certified anything yet
	StateRefused   State = "refused"   // refused in the SMTP dialogue, or given up before it left: nobody gets it
	StateRejected  State = "rejected"  // a non-acceptance notice: nobody gets it
	StateAccepted  State = "accepted"  // accepted for this certified recipient: the legal moment of sending
	StateOrdinary  State = "ordinary"  // accepted for a recipient without PEC: handed over, nothing certified will follow
	StateBounced   State = "bounced"   // an ordinary recipient's mail came back: uncertified, anybody can forge it
	StateDelayed   State = "delayed"   // a delivery-delay notice that is not the last
	StateExpired   State = "expired"   // the last delivery-delay notice: the dispatch is to be held failed
	StateFailed    State = "failed"    // a non-delivery notice
	StateDelivered State = "delivered" // a delivery receipt: the legal moment of delivery
)

// ranks are the states, the lowest first.
var ranks = [...]State{
	StatePending, StateRetrying, StateSuspended, StateUncertain, StateSubmitted, StateRefused, StateRejected,
	StateAccepted, StateOrdinary, StateBounced, StateDelayed, StateExpired, StateFailed, StateDelivered,
}

// rank orders the states; -1 is none of them.
func (s State) rank() int { return slices.Index(ranks[:], s) }

// Final tells whether nothing more is awaited. A late notice still counts.
func (s State) Final() bool {
	switch s {
	case StateRefused, StateRejected, StateOrdinary, StateBounced, StateExpired, StateFailed, StateDelivered:
		return true
	default:
		return false
	}
}

// resendable tells whether a recipient in this state may be sent the message anew:
// the failure is definite, as far as anything is.
func (s State) resendable() bool {
	switch s {
	case StateRefused, StateRejected, StateBounced, StateExpired, StateFailed:
		return true
	default:
		return false
	}
}

// Result is what a send came to, over all its recipients.
type Result string

// The results.
const (
	ResultOpen         Result = "open"          // something is still awaited
	ResultUncertain    Result = "uncertain"     // it may have left, and nothing proves either way
	ResultRejected     Result = "rejected"      // the sender's provider did not take it
	ResultDelivered    Result = "delivered"     // delivered to every recipient
	ResultAcceptedOnly Result = "accepted-only" // no failure, but for some recipient, without PEC, delivery is not certified
	ResultPartial      Result = "partial"       // failed for some recipients and not for others
	ResultFailed       Result = "failed"        // failed for every recipient
)

// Flag is something to know of a send beside its states.
type Flag string

// The flags.
const (
	FlagConflict      Flag = "conflict"       // verified notices name more than one identificativo: two copies have left
	FlagDuplicateSend Flag = "duplicate-send" // it left more than once, or left after all and was sent anew (Client.Resend)
	FlagHeld          Flag = "held"           // it may have left before the Store was restored from a backup, and is not offered (Ledger.MarkRestored)
	FlagUnverified    Flag = "unverified"     // a message that claims to be a notice about it is not proven
	FlagUnconfirmed   Flag = "unconfirmed"    // nothing certified has come an hour after the provider's 250
	FlagOverdue       Flag = "overdue"        // a certified recipient has no final notice 26 hours after acceptance (Intent.OverdueAfter)
	FlagStale         Flag = "stale"          // it would be overdue, but the mailbox has not been read that far
)

// Status is what became of a send, as Fold computes it from the facts.
type Status struct {
	MessageID  string // ours
	CertID     string // identificativo, the provider's ID; "" until a notice tells
	Key        string // the caller's name for the send; "" for none
	Resends    string // the Message-ID of the send this one repeats; "" for none
	Sender     string
	Subject    string
	Elsewhere  bool // made by another program, or lost by a Store that was restored: known from its notices alone
	Result     Result
	Settled    bool // every recipient is in a final state; a late notice still counts
	Recipients []RecipientStatus
	// Begun is when the send was decided, by our clock. Of one made elsewhere it is
	// the certified time of the first notice.
	Begun time.Time
	// SentAt is the legal time of sending: the certified time of the acceptance, in
	// the provider's offset. Zero until there is one.
	SentAt time.Time
	// GivenUp says why the message is offered no more, though it never left; "" unless it
	// was given up.
	GivenUp GivenUp
	// Attempts is how often the message was offered to the provider.
	Attempts int
	// Flags are in alphabetical order; nil when there are none.
	Flags []Flag
}

// Has tells whether a flag is set.
func (s Status) Has(f Flag) bool { return slices.Contains(s.Flags, f) }

// RecipientStatus is what became of a send for one recipient.
type RecipientStatus struct {
	Address string
	State   State
	// Reply is the provider's SMTP reply, in the states refused, retrying, suspended
	// and submitted.
	Reply Reply
	// Class is how the sender's provider classified the address; ClassUnknown until
	// a notice tells.
	Class Class
	// Failure tells why, in the states rejected, failed, expired, delayed and bounced.
	Failure envelope.Failure
	// Time is the certified time of the notice the state rests on; zero without one,
	// and for a bounce, which certifies nothing.
	Time time.Time
	// Provider is the one that issued that notice.
	Provider string
	// Evidence is the key of that notice, or of the envelope that brought the bounce.
	Evidence envelope.Digest
	// Detail is how much of the original the delivery receipt carries.
	Detail receipt.Detail
	// Content tells whether that is what was sent; "" until delivered.
	Content receipt.ContentResult
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

// byAddress are the recipients by normalised address.
func (s Status) byAddress() map[string]RecipientStatus {
	all := make(map[string]RecipientStatus, len(s.Recipients))
	for _, r := range s.Recipients {
		all[envelope.NormalizeAddress(r.Address)] = r
	}
	return all
}
