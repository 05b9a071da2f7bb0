package receipt

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gopec/gopec/envelope"
)

// KindError reports a proven PEC message that is not a notice: a transport or an
// anomaly envelope.
type KindError struct {
	Kind envelope.Kind // KindTransport or KindAnomaly
}

// Error implements error.
func (e *KindError) Error() string {
	return fmt.Sprintf("receipt: the message is no notice but of kind %v", e.Kind)
}

// Open reads a message and proves that it is a notice. One that is not proven
// gives an *envelope.VerifyError, an envelope gives a *KindError, and any other
// error means that the message could not be read. See envelope.Open for how r is
// read.
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

// ErrNotProven reports a message that envelope.Open did not make.
var ErrNotProven = errors.New("receipt: the message is not proven")

// New gives the notice that a proven message is; its Close closes m. An envelope
// gives a *KindError, a message that was put together otherwise ErrNotProven.
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
