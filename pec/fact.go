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
// At is when the fact was recorded, by the clock of the process that recorded it. It is
// never a legal time. N counts attempts, suspensions and restorations, each from 1.
type Fact interface {
	fact() Fact  // the struct, also when the Fact is a pointer to it
	key() string // the Entry.Key, without the name of the send: see entryKey
}

// Intent is the decision to send one message. It is recorded before anything leaves,
// together with the exact message.
type Intent struct {
	MessageID    string   // ours, without angle brackets
	Sender       string   // the mailbox's address
	To, Cc       []string // bare addresses
	Subject      string
	Receipt      receipt.Detail     // the delivery receipt asked for; "" means full
	Digest       envelope.Digest    // of the exact message
	Size         int64              // of the message, in bytes
	Attachments  []AttachmentDigest // in the order of the message
	Key          string             // the caller's name for the send; "" for none
	Resends      string             // the Message-ID of the send this one repeats; "" for none
	OverdueAfter time.Duration      // how long after acceptance a missing final notice is overdue; zero means 26 hours
	// Restoration is the N of the last Restoration whose hold had ended when this was
	// recorded; zero for none.
	Restoration int `json:",omitempty"`
	// Adopted says that the intent was inferred from notices: the Store had lost the send
	// when its key was used again (Options.KeySecret). There is no message, and nothing is
	// offered.
	Adopted bool `json:",omitempty"`
	At      time.Time
}

// Recipients returns the addresses of To, then those of Cc.
func (f Intent) Recipients() []string {
	return append(append(make([]string, 0, len(f.To)+len(f.Cc)), f.To...), f.Cc...)
}

// KeyClaim binds the key that a caller chose (Message.Key) to a send. It is recorded
// together with the Intent.
type KeyClaim struct {
	Key       string
	MessageID string
	Request   envelope.Digest // of the request: the same key for another request is a *KeyError
	At        time.Time
}

// Attempt is the claim to hand the message over for the N-th time, from 1. It is recorded
// when the provider asks for the message, before the first byte leaves. Without an
// AttemptOutcome of the same N it is uncertain whether the message left. An attempt that
// ends before the provider asks is recorded together with its outcome.
type Attempt struct {
	N  int
	At time.Time
	// By is a random name of the claim. When the Store's answer is lost, it shows whose the
	// recorded claim is. "" in one that an earlier version recorded.
	By string `json:",omitempty"`
}

// AttemptOutcome is what attempt N led to.
type AttemptOutcome struct {
	N       int
	At      time.Time
	Outcome Outcome
}

// Abandonment ends the attempts at a send that certainly has not left. It takes the
// place of attempt N, so that nobody can make that attempt.
type Abandonment struct {
	N int
	// Reason says why; "" in one that an earlier version recorded.
	Reason GivenUp `json:",omitempty"`
	// Restoration is the N of the last Restoration if it was not known yet whether the
	// message had left before that; zero if it certainly had not.
	Restoration int `json:",omitempty"`
	At          time.Time
}

// GivenUp says why a send that certainly has not left is no longer offered. The set is
// closed.
type GivenUp string

// The reasons.
const (
	GivenUpCancelled GivenUp = "cancelled" // Cancel
	GivenUpRetryFor  GivenUp = "retry-for" // every attempt failed until Options.RetryFor had passed
)

// Resolution is a person's word on attempt N, whose outcome is uncertain. Proof outweighs
// it.
type Resolution struct {
	N    int
	Sent bool
	Note string // how the person knows
	At   time.Time
}

// Resent says that the message was sent again to a recipient, in the send By.
type Resent struct {
	Recipient string
	By        string // a Message-ID
	At        time.Time
}

// Untraced says that the mailbox was searched after Restoration N, and that it holds no
// proven notice about the send.
type Untraced struct {
	N int
	// Trace is the Message-ID of a send that keeps this one from being offered; "" for
	// none. It is another send, known from its notices alone, with the same recipients and
	// subject: it may have taken the place of this one. Or it is this send itself, if a
	// message that claims to be a notice about it is not proven.
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
