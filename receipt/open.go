package receipt

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gopec/gopec/envelope"
)

// KindError reports a proven PEC message that is not a notice: a transport or anomaly
// envelope.
type KindError struct {
	Kind envelope.Kind // envelope.KindTransport or envelope.KindAnomaly
}

// Error implements error.
func (e *KindError) Error() string {
	return fmt.Sprintf("receipt: the message is not a notice; its kind is %v", e.Kind)
}

// Open reads a message, verifies it with v, and returns the notice that it is. A message
// that is not proven is an *envelope.VerifyError; an envelope is a *KindError. Any other
// error means that the message could not be read. For a PEC message of any kind use
// envelope.Open, and then New. See envelope.Open for how r is read. Call Close when done
// with the Notice.
func Open(ctx context.Context, r io.Reader, v *envelope.Verifier) (Notice, error) {
	m, err := envelope.Open(ctx, r, v)
	if err != nil {
		return nil, err
	}
	n, err := New(m)
	if err != nil {
		m.Close()
		return nil, err
	}
	return n, nil
}

// ErrNotProven reports an envelope.Message that envelope.Open did not make, or a notice
// that Open and New did not make.
var ErrNotProven = errors.New("receipt: the message was not opened with envelope.Open, so it is not proven")

// New returns the notice that a proven message is. Closing the notice closes m. If m is
// an envelope, the error is a *KindError. If m was not made by envelope.Open, it is
// ErrNotProven. After an error m stays open, and the caller closes it.
func New(m *envelope.Message) (Notice, error) {
	if !m.Proven() {
		return nil, ErrNotProven
	}
	d := m.CertData
	if d == nil || !m.Kind.IsNotice() {
		return nil, &KindError{m.Kind}
	}
	c := Certified{
		MessageID:  d.MessageID,
		CertID:     d.CertID,
		Sender:     d.Sender,
		Recipients: d.Recipients,
		ReplyTo:    d.ReplyTo,
		Subject:    d.Subject,
		Provider:   d.Provider,
		Time:       d.Time,
		evidence:   m,
	}
	switch m.Kind {
	case envelope.KindAcceptance:
		return &Acceptance{c}, nil
	case envelope.KindNonAcceptance:
		return &NonAcceptance{c, d.Failure()}, nil
	case envelope.KindTakeInCharge:
		return &TakeInCharge{c, d.TakenInCharge}, nil
	case envelope.KindDelivery:
		return &Delivery{c, d.Recipient, d.Receipt, detail(m)}, nil
	case envelope.KindNonDelivery:
		return &NonDelivery{c, d.Recipient, d.Failure()}, nil
	case envelope.KindDeliveryDelay:
		return &DeliveryDelay{c, d.Recipient, d.Failure()}, nil
	case envelope.KindVirusDetection:
		return &VirusDetection{c, d.Recipient, d.Failure()}, nil
	default:
		return &Unknown{c, d.Token}, nil
	}
}
