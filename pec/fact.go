package pec

import (
	"fmt"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// Fact is something known about a send or about its mailbox. Facts are appended and
// never changed. A Fact is one of these structs, or a pointer to one:
//
//   - about a send: Intent, KeyClaim, Attempt, AttemptOutcome, Abandonment, Resolution,
//     Resent, Untraced, NoticeFact, CertLink, UnverifiedFact and BounceFact
//   - about the mailbox: Suspension, Resumption, SetAside, Recovered, Restoration,
//     FolderRead and ReadTo
//
// The At of each is when it was recorded, by the clock of who recorded it: never a
// legal time. N numbers attempts, and suspensions, from 1.
type Fact interface {
	fact() Fact  // the value itself, also of a pointer
	key() string // the Entry.Key of a fact about send, within what distinguishes sends
}

// Intent is the decision to send one message. It is recorded, with the exact
// message, before anything leaves.
type Intent struct {
	MessageID    string   // ours, without angle brackets
	Sender       string   // the mailbox's address
	To, Cc       []string // bare addresses
	Subject      string
	Receipt      receipt.Detail     // asked for; "" means full
	Digest       envelope.Digest    // of the exact message
	Size         int64              // of the message, in bytes
	Attachments  []AttachmentDigest // as they were given, in order
	Key          string             // the caller's name for the send; "" for none
	Resends      string             // the Message-ID of the send this one repeats; "" for none
	OverdueAfter time.Duration      // how long after acceptance a final notice is missed; zero means 26 hours
	// Restoration is the N of the last Restoration that held nothing back when this was
	// recorded; zero for none.
	Restoration int `json:",omitempty"`
	// Adopted tells that it was inferred from notices: the Store had lost the send when
	// its key was used again (Options.KeySecret). There is no message, and nothing is
	// offered.
	Adopted bool `json:",omitempty"`
	At      time.Time
}

// Recipients are the addresses of To, then of Cc.
func (f Intent) Recipients() []string {
	return append(append(make([]string, 0, len(f.To)+len(f.Cc)), f.To...), f.Cc...)
}

// KeyClaim gives a send the key that its caller chose (Message.Key). It is
// recorded together with the Intent.
type KeyClaim struct {
	Key       string
	MessageID string
	Request   envelope.Digest // of what was asked for: the same key for another request is an error
	At        time.Time
}

// Attempt is the claim to hand the message over for the N-th time, from 1. It is
// recorded when the provider asks for the message and before the first byte leaves;
// without an AttemptOutcome of the same N it is uncertain what left. An attempt that ends
// before the provider asks is recorded together with its outcome.
type Attempt struct {
	N  int
	At time.Time
	// By names who claimed it, at random. When the Store's answer was lost it tells the
	// claim from another's; "" in one that an earlier version recorded.
	By string `json:",omitempty"`
}

// AttemptOutcome is what attempt N led to.
type AttemptOutcome struct {
	N       int
	At      time.Time
	Outcome Outcome
}

// Abandonment ends the attempts at a send that provably has not left. It takes the
// place of attempt N, so that nobody can make that one.
type Abandonment struct {
	N int
	// Reason is why; "" in one that an earlier version recorded.
	Reason GivenUp `json:",omitempty"`
	// Restoration is the N of the Restoration after which it was not yet known whether the
	// message had left before; zero when it certainly had not.
	Restoration int `json:",omitempty"`
	At          time.Time
}

// GivenUp says why a send that provably has not left is offered no more. The set is
// closed.
type GivenUp string

// The reasons.
const (
	GivenUpCancelled GivenUp = "cancelled" // Cancel
	GivenUpRetryFor  GivenUp = "retry-for" // every attempt in Options.RetryFor failed
)

// Resolution is the caller's word on attempt N, whose outcome is uncertain. What is
// proven outweighs it.
type Resolution struct {
	N    int
	Sent bool
	Note string // how the caller knows
	At   time.Time
}

// Resent tells that a recipient was sent the message anew, in the send By.
type Resent struct {
	Recipient string
	By        string // a Message-ID
	At        time.Time
}

// Untraced says that the mailbox was searched for a send after Restoration N, and holds
// no notice about it.
type Untraced struct {
	N int
	// Trace is the Message-ID of a send that is known from its notices alone and has the
	// same recipients and subject, and so may have taken the place of this one; or of this
	// one, when a notice about it is not proven. "" for neither: it may be offered.
	Trace string
	At    time.Time
}

func (f Untraced) fact() Fact       { return f }
func (f Intent) fact() Fact         { return f }
func (f KeyClaim) fact() Fact       { return f }
func (f Attempt) fact() Fact        { return f }
func (f AttemptOutcome) fact() Fact { return f }
func (f Abandonment) fact() Fact    { return f }
func (f Resolution) fact() Fact     { return f }
func (f Resent) fact() Fact         { return f }

func (f Untraced) key() string       { return fmt.Sprintf("untraced/%d", f.N) }
func (f Intent) key() string         { return "intent" }
func (f KeyClaim) key() string       { return "key/" + hashName(f.Key) }
func (f Attempt) key() string        { return fmt.Sprintf("attempt/%d", f.N) }
func (f AttemptOutcome) key() string { return fmt.Sprintf("outcome/%d", f.N) }
func (f Abandonment) key() string    { return Attempt{N: f.N}.key() }
func (f Resolution) key() string     { return fmt.Sprintf("resolution/%d", f.N) }
func (f Resent) key() string         { return "resent/" + hashName(envelope.NormalizeAddress(f.Recipient)) }
