package receipt

import (
	"io"
	"time"

	"github.com/gopec/gopec/envelope"
)

// Notice is one of *Acceptance, *NonAcceptance, *TakeInCharge, *Delivery,
// *NonDelivery, *DeliveryDelay, *VirusDetection and *Unknown.
type Notice interface {
	// Kind is the kind of the notice: envelope.KindAcceptance and so on.
	Kind() envelope.Kind
	// Data is what notices of every kind certify.
	Data() *Certified
	// Evidence is the proven message the notice was read from.
	Evidence() *envelope.Message
	// Close releases the evidence.
	Close() error

	notice()
}

// Certified is what notices of every kind certify about the original message and
// about the event (RFC 6109, 4.4). See envelope.CertData for each value.
type Certified struct {
	MessageID  string // the Message-ID the sender set, without angle brackets; "" when it set none
	CertID     string // identificativo: the provider's ID of the original
	Sender     string
	Recipients []envelope.Recipient
	ReplyTo    string
	Subject    string
	Provider   string    // who issued this notice
	Time       time.Time // the legal time of the event, in the provider's own offset

	evidence *envelope.Message
}

// Data gives c itself.
func (c *Certified) Data() *Certified { return c }

// Evidence is the proven message the notice was read from.
func (c *Certified) Evidence() *envelope.Message { return c.evidence }

// Close releases the evidence.
func (c *Certified) Close() error { return c.evidence.Close() }

func (c *Certified) notice() {}

// Acceptance (ricevuta di accettazione) says that the sender's provider took the
// message: the legal moment of sending. RFC 6109, 3.1.4.
type Acceptance struct {
	Certified
}

// NonAcceptance (avviso di non accettazione) says that the sender's provider
// refused the message: nobody gets it. RFC 6109, 3.1.2 and 3.1.3.
type NonAcceptance struct {
	Certified
	Failure envelope.Failure
}

// TakeInCharge (ricevuta di presa in carico) passes between providers: the
// recipients' one has the message. RFC 6109, 3.2.1.
type TakeInCharge struct {
	Certified
	TakenInCharge []string // the recipients taken in charge
}

// Delivery (ricevuta di avvenuta consegna) says that the message is in the mailbox
// of one recipient: the legal moment of delivery. RFC 6109, 3.3.2.
type Delivery struct {
	Certified
	Recipient string
	Requested string // ricevuta: the kind of receipt the sender asked for, verbatim
	Detail    Detail // the kind this one is
}

// Original is the message as the recipient's provider delivered it. In a concise
// receipt there is none: envelope.ErrNoOriginal.
func (d *Delivery) Original() (*io.SectionReader, error) { return d.evidence.Original() }

// NonDelivery (avviso di mancata consegna) says that one recipient did not get the
// message. RFC 6109, 3.3.3 and 3.2.4.
type NonDelivery struct {
	Certified
	Recipient string
	Failure   envelope.Failure
}

// DeliveryDelay (avviso di mancata consegna per superamento dei tempi) says that
// nothing was heard of one recipient within 12 or 24 hours. A delivery may still
// follow the first. RFC 6109, 3.1.6.
type DeliveryDelay struct {
	Certified
	Recipient string
	Failure   envelope.Failure
}

// VirusDetection (avviso di rilevazione virus) passes between providers. RFC
// 6109, 3.2.3.
type VirusDetection struct {
	Certified
	Recipient string
	Failure   envelope.Failure
}

// Unknown is a notice of a kind that is not in the rules. It is genuine, and it
// means nothing: least of all success.
type Unknown struct {
	Certified
	Token string // tipo, verbatim
}

// Kind is envelope.KindAcceptance.
func (*Acceptance) Kind() envelope.Kind { return envelope.KindAcceptance }

// Kind is envelope.KindNonAcceptance.
func (*NonAcceptance) Kind() envelope.Kind { return envelope.KindNonAcceptance }

// Kind is envelope.KindTakeInCharge.
func (*TakeInCharge) Kind() envelope.Kind { return envelope.KindTakeInCharge }

// Kind is envelope.KindDelivery.
func (*Delivery) Kind() envelope.Kind { return envelope.KindDelivery }

// Kind is envelope.KindNonDelivery.
func (*NonDelivery) Kind() envelope.Kind { return envelope.KindNonDelivery }

// Kind is envelope.KindDeliveryDelay.
func (*DeliveryDelay) Kind() envelope.Kind { return envelope.KindDeliveryDelay }

// Kind is envelope.KindVirusDetection.
func (*VirusDetection) Kind() envelope.Kind { return envelope.KindVirusDetection }

// Kind is envelope.KindUnknown.
func (*Unknown) Kind() envelope.Kind { return envelope.KindUnknown }
