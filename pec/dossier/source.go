package dossier

import (
	"context"
	"errors"
	"io"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// Source is where the evidence about one message comes from: FromLedger, FromFolder
// or FromEnvelope. The zero Source has none.
type Source struct {
	gather func(ctx context.Context) (*evidence, error)
}

// evidence is what a dossier is made of: all else in it follows from this.
type evidence struct {
	facts    Facts
	chosen   bool   // facts tell which message it is about
	original opener // nil when it is to be looked for among the messages
	messages []candidate
	crls     [][]byte
	token    []byte // a timestamp of the manifest; nil for none
}

// candidate is a message that may be evidence.
type candidate struct {
	name string // in a dossier that is read; "" otherwise
	open opener
}

func (s Source) evidence(ctx context.Context) (*evidence, error) {
	if s.gather == nil {
		return nil, &Error{Reason: ReasonUnknown}
	}
	return s.gather(ctx)
}

// FromLedger takes the evidence of a send from a store: one of ours, or one made by
// another program of which notices were read. A Message-ID under which nothing is
// known gives an *Error with ReasonUnknown.
func FromLedger(ledger *pec.Ledger, messageID string) Source {
	return Source{func(ctx context.Context) (*evidence, error) {
		facts, err := ledger.Facts(ctx, messageID)
		if errors.Is(err, pec.ErrUnknownSend) {
			return nil, &Error{Reason: ReasonUnknown, Err: err}
		}
		if err != nil {
			return nil, err
		}
		e := &evidence{chosen: true, facts: Facts{Direction: DirectionSent, MessageID: envelope.NormalizeMessageID(messageID)}}
		bounced := map[envelope.Digest]bool{}
		for _, fact := range facts {
			e.facts.add(fact)
			if b, ok := fact.(pec.BounceFact); ok && bounced[b.Digest] {
				continue // its message is there already
			}
			open, err := rawOf(ctx, ledger, messageID, fact)
			if err != nil {
				return nil, err
			}
			switch fact := fact.(type) {
			case pec.Intent:
				e.facts.MessageID, e.facts.Sender = fact.MessageID, fact.Sender
				e.original = open
			case pec.NoticeFact:
				if e.facts.Sender == "" {
					e.facts.Sender = fact.Sender
				}
				e.add(open)
			case pec.UnverifiedFact:
				e.add(open)
			case pec.BounceFact:
				e.add(open)
				bounced[fact.Digest] = open != nil
			}
		}
		return e, nil
	}}
}

func (e *evidence) add(open opener) {
	if open != nil {
		e.messages = append(e.messages, candidate{open: open})
	}
}

// rawOf opens the message that belongs to a fact; nil where the store has none.
func rawOf(ctx context.Context, ledger *pec.Ledger, messageID string, f pec.Fact) (opener, error) {
	open := func(ctx context.Context) (io.ReadCloser, error) { return ledger.Raw(ctx, messageID, f) }
	r, err := open(ctx)
	if errors.Is(err, pec.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return open, r.Close()
}

// FromEnvelope takes a received PEC: a transport envelope (busta di trasporto), whole
// and as it was received. raw must stay readable until Write returns. Any other
// message gives an *Error with ReasonUnknown.
func FromEnvelope(raw *io.SectionReader) Source {
	return Source{func(context.Context) (*evidence, error) {
		e := &evidence{facts: Facts{Direction: DirectionReceived}}
		e.add(func(context.Context) (io.ReadCloser, error) {
			return section{io.NewSectionReader(raw, 0, raw.Size())}, nil
		})
		return e, nil
	}}
}

// section is a message that is read in place.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }
