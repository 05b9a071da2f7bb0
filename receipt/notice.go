package receipt

import (
	"io"
	"time"

	"github.com/gopec/gopec/envelope"
)

// Notice is a proven receipt or notice: one of *Acceptance, *NonAcceptance, *TakeInCharge,
// *Delivery, *NonDelivery, *DeliveryDelay, *VirusDetection and *Unknown. No other package
// can implement it.
type Notice interface {
	// Kind returns the kind of the notice: envelope.KindAcceptance and so on.
	Kind() envelope.Kind
	// Data returns what notices of every kind certify.
	Data() *Certified
	// Evidence returns the proven message that the notice was read from.
	Evidence() *envelope.Message
	// Close closes the evidence.
	Close() error

	notice()
}

// Certified is what notices of every kind certify about the original message and the
// event (RFC 6109, 4.4). The values are those of envelope.CertData.
type Certified struct {
	MessageID  string // the Message-ID that the sender set, without angle brackets; "" if it set none
	CertID     string // identificativo: the provider's ID of the original
	Sender     string
	Recipients []envelope.Recipient
	ReplyTo    string
	Subject    string
	Provider   string    // who issued this notice
	Time       time.Time // the legal time of the event, in the provider's own offset

	evidence *envelope.Message
}

// Data returns c itself.
func (c *Certified) Data() *Certified { return c }

// Evidence returns the proven message that the notice was read from.
func (c *Certified) Evidence() *envelope.Message { return c.evidence }

// Close closes the evidence.
func (c *Certified) Close() error { return c.evidence.Close() }

func (c *Certified) notice() {}

// Acceptance (ricevuta di accettazione) says that the sender's provider accepted the
// message. Its Time is the legal time of sending. RFC 6109, 3.1.4.
type Acceptance struct {
	Certified
}

// NonAcceptance (avviso di non accettazione) says that the sender's provider refused the
// message, so no recipient gets it. RFC 6109, 3.1.2 and 3.1.3.
type NonAcceptance struct {
	Certified
	Failure envelope.Failure
}

// TakeInCharge (ricevuta di presa in carico) says that the recipients' provider has the
// message. Providers send it to each other. RFC 6109, 3.2.1.
type TakeInCharge struct {
	Certified
	TakenInCharge []string // the recipients taken in charge
}

// Delivery (ricevuta di avvenuta consegna) says that the message is in the mailbox of one
// recipient. Its Time is the legal time of delivery. RFC 6109, 3.3.2.
type Delivery struct {
	Certified
	Recipient string
	Requested string // ricevuta tipo: the kind of receipt that the sender asked for, verbatim
	Detail    Detail // the kind of receipt that this one is
}

// Original returns the message as it was delivered, in a brief receipt with hashes in
// place of its attachments. A concise receipt has no original; the error is then
// envelope.ErrNoOriginal. The reader is valid until Close.
func (d *Delivery) Original() (*io.SectionReader, error) { return d.evidence.Original() }

// NonDelivery (avviso di mancata consegna) says that one recipient did not get the
// message. RFC 6109, 3.3.3 and 3.2.4.
type NonDelivery struct {
	Certified
	Recipient string
	Failure   envelope.Failure
}

// DeliveryDelay (avviso di mancata consegna per superamento dei tempi) says that no
// receipt came for one recipient within 12 hours (the first notice) or 24 hours (the
// second). A delivery may still follow the first. RFC 6109, 3.1.6.
type DeliveryDelay struct {
	Certified
	Recipient string
	Failure   envelope.Failure
}

// VirusDetection (avviso di rilevazione virus) says that the recipient's provider found a
// virus in the message. Providers send it to each other. RFC 6109, 3.2.3.
type VirusDetection struct {
	Certified
	Recipient string
	Failure   envelope.Failure
}

// Unknown is a genuine notice of a kind that is not in the rules. Do not conclude
// anything from it; it never means success.
type Unknown struct {
	Certified
	Token string // tipo, verbatim
}

// Kind returns envelope.KindAcceptance.
func (*Acceptance) Kind() envelope.Kind { return envelope.KindAcceptance }

// Kind returns envelope.KindNonAcceptance.
func (*NonAcceptance) Kind() envelope.Kind { return envelope.KindNonAcceptance }

// Kind returns envelope.KindTakeInCharge.
func (*TakeInCharge) Kind() envelope.Kind { return envelope.KindTakeInCharge }

// Kind returns envelope.KindDelivery.
func (*Delivery) Kind() envelope.Kind { return envelope.KindDelivery }

// Kind returns envelope.KindNonDelivery.
func (*NonDelivery) Kind() envelope.Kind { return envelope.KindNonDelivery }

// Kind returns envelope.KindDeliveryDelay.
func (*DeliveryDelay) Kind() envelope.Kind { return envelope.KindDeliveryDelay }

// Kind returns envelope.KindVirusDetection.
func (*VirusDetection) Kind() envelope.Kind { return envelope.KindVirusDetection }

// Kind returns envelope.KindUnknown.
func (*Unknown) Kind() envelope.Kind { return envelope.KindUnknown }
