package pec

import (
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// State is how far a send got for one recipient. The set is closed. Fold never sets the
// zero value.
type State string

// The states, in ascending rank. A recipient is in the highest-ranked state that the facts
// support.
const (
	StatePending   State = "pending"   // recorded, and not offered to the provider yet
	StateRetrying  State = "retrying"  // certainly not sent; the same message will be offered again
	StateSuspended State = "suspended" // certainly not sent, and the mailbox is suspended
	StateUncertain State = "uncertain" // it may have left, and nothing proves that it did or did not
	StateSubmitted State = "submitted" // the provider answered 250, and has not certified anything yet
	StateRefused   State = "refused"   // refused in the SMTP dialogue, resolved as not sent, or given up: nobody gets it
	StateRejected  State = "rejected"  // a non-acceptance notice: nobody gets it
	StateAccepted  State = "accepted"  // accepted for this certified recipient: the legal moment of sending
	StateOrdinary  State = "ordinary"  // accepted for a recipient without PEC: handed over, and nothing certified will follow
	StateBounced   State = "bounced"   // the message to an ordinary recipient came back: uncertified, anybody can forge that
	StateDelayed   State = "delayed"   // a delivery-delay notice that is not the last
	StateExpired   State = "expired"   // the last delivery-delay notice: the delivery counts as failed
	StateFailed    State = "failed"    // a non-delivery notice
	StateDelivered State = "delivered" // a delivery receipt: the legal moment of delivery
)

// ranks are the states, in ascending rank.
var ranks = [...]State{
	StatePending, StateRetrying, StateSuspended, StateUncertain, StateSubmitted, StateRefused, StateRejected,
	StateAccepted, StateOrdinary, StateBounced, StateDelayed, StateExpired, StateFailed, StateDelivered,
}

// rank returns the rank of a state; -1 for a value that is none.
func (s State) rank() int { return slices.Index(ranks[:], s) }

// Final reports whether nothing more is awaited. A late notice can still change the state.
func (s State) Final() bool {
	switch s {
	case StateRefused, StateRejected, StateOrdinary, StateBounced, StateExpired, StateFailed, StateDelivered:
		return true
	default:
		return false
	}
}

// resendable reports whether the message may be sent again (Resend) to a recipient in this
// state: its failure is as definite as can be.
func (s State) resendable() bool {
	switch s {
	case StateRefused, StateRejected, StateBounced, StateExpired, StateFailed:
		return true
	default:
		return false
	}
}

// Result is what a send came to, over all its recipients. The set is closed.
type Result string

// The results.
const (
	ResultOpen         Result = "open"          // some recipient is in a state that is not final
	ResultUncertain    Result = "uncertain"     // some recipient is uncertain: it may have left, and nothing proves that it did or did not
	ResultRejected     Result = "rejected"      // the sender's provider did not take it
	ResultDelivered    Result = "delivered"     // delivered to every recipient
	ResultAcceptedOnly Result = "accepted-only" // each is delivered, or without PEC and handed over; at least one is without PEC
	ResultPartial      Result = "partial"       // failed for some recipients and not for others
	ResultFailed       Result = "failed"        // failed for every recipient
)

// Flag is something to know about a send besides its states. The set is closed.
type Flag string

// The flags.
const (
	FlagConflict      Flag = "conflict"       // verified notices name more than one identificativo: two copies have left
	FlagDuplicateSend Flag = "duplicate-send" // it left more than once, or was sent again (Client.Resend) and the first has, or may have, arrived after all
	FlagHeld          Flag = "held"           // it may have left before the Store was restored from a backup, so it is not offered (Ledger.MarkRestored)
	FlagUnverified    Flag = "unverified"     // a message that claims to be a notice about it is not proven
	FlagUnconfirmed   Flag = "unconfirmed"    // nothing certified has come an hour after the provider's 250
	FlagOverdue       Flag = "overdue"        // a certified recipient has no final notice 26 hours after acceptance (Intent.OverdueAfter); ask the provider for it: only a notice ends this
	FlagStale         Flag = "stale"          // it would be overdue, but the mailbox has not been read that far
)

// Status is what became of a send, as Fold computes it from the facts.
type Status struct {
	MessageID  string // ours
	CertID     string // identificativo, the provider's ID; "" until a notice names it
	Key        string // the caller's name for the send; "" for none
	Resends    string // the Message-ID of the send this one repeats; "" for none
	Sender     string
	Subject    string
	Elsewhere  bool // known from its notices alone: another program made it, or the Store has lost it
	Result     Result
	Settled    bool // every recipient is in a final state; a late notice can still change it
	Recipients []RecipientStatus
	// Begun is when the send was recorded, by our clock. If it was made elsewhere, it is the
	// certified time of the first notice.
	Begun time.Time
	// SentAt is the legal time of sending: the certified time of the acceptance, in the
	// provider's offset. Zero until there is an acceptance.
	SentAt time.Time
	// GivenUp says why the message is no longer offered; "" unless it was given up.
	GivenUp GivenUp
	// Attempts is how many attempts were made to hand the message over.
	Attempts int
	// Flags are in alphabetical order; nil for none.
	Flags []Flag
}

// Has reports whether a flag is set.
func (s Status) Has(f Flag) bool { return slices.Contains(s.Flags, f) }

// RecipientStatus is what became of a send for one recipient.
type RecipientStatus struct {
	Address string
	State   State
	// Reply is the provider's last SMTP reply. It is zero if none came, and in every state
	// that rests on a notice or a bounce.
	Reply Reply
	// Class says how the sender's provider classified the address; ClassUnknown until a
	// notice lists it.
	Class Class
	// Failure says why, in the states rejected, failed, expired, delayed and bounced.
	Failure envelope.Failure
	// Time is the certified time of the notice that the state rests on; zero without a
	// notice, and for a bounce, which certifies nothing.
	Time time.Time
	// Provider is the provider that issued that notice, or the envelope of the bounce.
	Provider string
	// Evidence is the digest of that notice, or of the envelope that brought the bounce.
	Evidence envelope.Digest
	// Detail is how much of the original the delivery receipt carries.
	Detail receipt.Detail
	// Content says whether that is what was sent; "" until delivered.
	Content receipt.ContentResult
}

// Class says what kind of mailbox an address is. The set is closed.
type Class string

// The classes.
const (
	ClassUnknown   Class = ""          // no notice has listed it yet
	ClassCertified Class = "certified" // a PEC mailbox
	ClassOrdinary  Class = "ordinary"  // a mailbox without PEC (esterno)
)

// Recipient returns the status of one recipient. ok is false if the address is none of the
// recipients.
func (s Status) Recipient(address string) (status RecipientStatus, ok bool) {
	for _, r := range s.Recipients {
		if envelope.SameAddress(r.Address, address) {
			return r, true
		}
	}
	return RecipientStatus{}, false
}

// byAddress returns the recipients by normalised address.
func (s Status) byAddress() map[string]RecipientStatus {
	all := make(map[string]RecipientStatus, len(s.Recipients))
	for _, r := range s.Recipients {
		all[envelope.NormalizeAddress(r.Address)] = r
	}
	return all
}
