package pec

import (
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/receipt"
)

// NoticeFact is a proven notice that was read. NewNoticeFact makes one. Joins reports
// whether it is about a given send.
type NoticeFact struct {
	Digest     envelope.Digest `json:"Key"` // of the notice; copies of one notice are one fact, and a notice without a digest counts for nothing
	Kind       envelope.Kind
	MessageID  string // msgid: of the message it is about
	CertID     string // identificativo
	Sender     string // mittente
	Recipients []envelope.Recipient
	Recipient  string // consegna: the one recipient it is about; "" in the kinds that have none
	Subject    string // oggetto
	Provider   string
	Time       time.Time        // the certified time
	Failure    envelope.Failure // the zero value unless the notice reports one
	Detail     receipt.Detail   // of a delivery
	Content    receipt.Content  // of a delivery, compared with what was sent; zero for a send made elsewhere
	Warnings   []envelope.Warning
	At         time.Time // when it was read; uncertified
}

// CertLink records which send a provider's ID (identificativo) belongs to: the reply of a
// correspondent cites that ID, not our Message-ID.
type CertLink struct {
	CertID string
	At     time.Time
}

// UnverifiedFact is a message that claims to be a notice about a send and is not proven.
// It changes no state. It is kept because a new anchor may prove it later
// (Client.Reverify).
type UnverifiedFact struct {
	SHA256    envelope.Digest // of the whole message
	Digest    envelope.Digest `json:"Key"` // of the signed part; zero if there is none
	Code      envelope.Code
	Kind      envelope.Kind // claimed, as are the following
	Recipient string
	Provider  string
	At        time.Time
}

// BounceFact is a delivery status notification (RFC 3464) about an ordinary recipient. It
// came in an anomaly envelope, and is not certified: anybody can write one.
type BounceFact struct {
	Digest    envelope.Digest `json:"Key"` // of the anomaly envelope
	Recipient string
	Code      string // enhanced status code (RFC 3463)
	Text      string // the diagnostic text
	Provider  string // From of the anomaly envelope
	At        time.Time
}

func (f NoticeFact) fact() Fact     { return f }
func (f CertLink) fact() Fact       { return f }
func (f UnverifiedFact) fact() Fact { return f }
func (f BounceFact) fact() Fact     { return f }

func (f NoticeFact) key() string     { return "notice/" + f.Digest.String() }
func (f CertLink) key() string       { return "cert/" + hashName(lowerASCII(f.CertID)) }
func (f UnverifiedFact) key() string { return "unverified/" + f.SHA256.String() }
func (f BounceFact) key() string {
	return "bounce/" + f.Digest.String() + "/" + hashName(envelope.NormalizeAddress(f.Recipient))
}

// NewNoticeFact returns the fact of a proven notice. at is the time of reading. Content is
// left zero.
func NewNoticeFact(n receipt.Notice, at time.Time) NoticeFact {
	evidence := n.Evidence()
	f := NoticeFact{
		Digest:     evidence.Digest,
		Kind:       n.Kind(),
		MessageID:  n.Data().MessageID,
		CertID:     n.Data().CertID,
		Sender:     n.Data().Sender,
		Recipients: n.Data().Recipients,
		Recipient:  evidence.CertData.Recipient,
		Subject:    n.Data().Subject,
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

// clipped returns the fact as it is recorded, with its texts clipped.
func (f NoticeFact) clipped() NoticeFact {
	f.Provider, f.Subject = clip(f.Provider, maxClaim), clip(f.Subject, maxWords)
	f.CertID, f.Failure.Text = clip(f.CertID, maxWords), clip(f.Failure.Text, maxWords)
	return f
}

// Joins reports whether the notice is about the send: msgid is our Message-ID, mittente is
// our address, and consegna, if the kind has one, is one of our recipients. The Message-ID
// alone is not enough: every recipient can read it, send a PEC of its own with it, and get
// genuine notices.
func (f NoticeFact) Joins(i Intent) bool {
	return f.joins(i, recipientSet(i))
}

func (f NoticeFact) joins(i Intent, recipients map[string]bool) bool {
	return f.Digest != (envelope.Digest{}) && f.speaksOf(i, recipients)
}

// speaksOf is joins without the proof.
func (f NoticeFact) speaksOf(i Intent, recipients map[string]bool) bool {
	if !envelope.SameMessageID(f.MessageID, i.MessageID) || !envelope.SameAddress(f.Sender, i.Sender) {
		return false
	}
	return !f.speaksOfOne() || recipients[envelope.NormalizeAddress(f.Recipient)]
}

// speaksOfOne reports whether notices of this kind are about one recipient.
func (f NoticeFact) speaksOfOne() bool {
	switch f.Kind {
	case envelope.KindDelivery, envelope.KindNonDelivery, envelope.KindDeliveryDelay, envelope.KindVirusDetection:
		return true
	default:
		return false
	}
}

// recipientSet returns the recipients by normalised address.
func recipientSet(i Intent) map[string]bool {
	set := make(map[string]bool, len(i.To)+len(i.Cc))
	for _, r := range i.Recipients() {
		set[envelope.NormalizeAddress(r)] = true
	}
	return set
}
