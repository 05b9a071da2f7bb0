package pec

import (
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// Fact is something known about a send, one of Intent, Attempt, AttemptOutcome
// and NoticeFact, or a pointer to one. Facts are appended and never changed.
type Fact interface {
	fact() Fact // the value itself, also of a pointer
}

// Intent is the decision to send one message. It is recorded before anything
// leaves.
type Intent struct {
	MessageID  string   // ours, without angle brackets
	Sender     string   // the mailbox's address
	Recipients []string // the addresses of To, then of Cc
	Subject    string
	Receipt    receipt.Detail // asked for; "" means full
	Digest     [32]byte       // SHA-256 of the exact message
	Size       int64          // of the message, in bytes
	At         time.Time
}

// Attempt is the claim to hand the message over for the N-th time, from 1. It is
// recorded before the first byte leaves; without an AttemptOutcome of the same N
// it is uncertain what left.
type Attempt struct {
	N  int
	At time.Time
}

// AttemptOutcome is what attempt N led to.
type AttemptOutcome struct {
	N       int
	At      time.Time
	Outcome Outcome
}

// NoticeFact is a proven notice that was read. NewNoticeFact makes it. Whether it
// speaks of a send of ours is told by Joins.
type NoticeFact struct {
	Key        envelope.Key // of the notice; copies of one notice are one fact, and without a key it is none
	Kind       envelope.Kind
	MessageID  string // msgid: of the message it speaks of
	CertID     string // identificativo
	Sender     string // mittente
	Recipients []envelope.Recipient
	Recipient  string // consegna: the one recipient it speaks of; "" in the kinds that have none
	Provider   string
	Time       time.Time        // the certified time
	Failure    envelope.Failure // the zero value unless the notice reports one
	Detail     receipt.Detail   // of a delivery
	Warnings   []envelope.Warning
	At         time.Time // when it was read; uncertified
}

func (f Intent) fact() Fact         { return f }
func (f Attempt) fact() Fact        { return f }
func (f AttemptOutcome) fact() Fact { return f }
func (f NoticeFact) fact() Fact     { return f }

// NewNoticeFact records a proven notice. at is the time of reading.
func NewNoticeFact(n receipt.Notice, at time.Time) NoticeFact {
	evidence := n.Evidence()
	f := NoticeFact{
		Key:        evidence.Key,
		Kind:       n.Kind(),
		MessageID:  n.Data().MessageID,
		CertID:     n.Data().CertID,
		Sender:     n.Data().Sender,
		Recipients: n.Data().Recipients,
		Recipient:  evidence.CertData.Delivered,
		Provider:   n.Data().Provider,
		Time:       n.Data().Time,
		Failure:    evidence.CertData.Failure(),
		Warnings:   evidence.Warnings,
		At:         at,
	}
	if d, ok := n.(*receipt.Delivery); ok {
		f.Detail = d.Detail
	}
	return f
}

// Joins tells whether the notice speaks of the send: msgid is our Message-ID,
// mittente our address, and consegna, where the kind has one, a recipient of ours.
// The Message-ID alone does not bind: every recipient can read it, send a PEC of
// its own with it, and earn genuine notices.
func (f NoticeFact) Joins(i Intent) bool {
	return f.joins(i, recipientSet(i))
}

func (f NoticeFact) joins(i Intent, recipients map[string]bool) bool {
	if f.Key == (envelope.Key{}) || !envelope.SameMessageID(f.MessageID, i.MessageID) || !envelope.SameAddress(f.Sender, i.Sender) {
		return false
	}
	return !f.speaksOfOne() || recipients[envelope.NormalizeAddress(f.Recipient)]
}

// speaksOfOne tells whether notices of this kind are about one recipient.
func (f NoticeFact) speaksOfOne() bool {
	switch f.Kind {
	case envelope.KindDelivery, envelope.KindNonDelivery, envelope.KindDeliveryDelay, envelope.KindVirusDetection:
		return true
	default:
		return false
	}
}

func recipientSet(i Intent) map[string]bool {
	set := make(map[string]bool, len(i.Recipients))
	for _, r := range i.Recipients {
		set[envelope.NormalizeAddress(r)] = true
	}
	return set
}
