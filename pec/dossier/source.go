package dossier

import (
	"context"
	"errors"
	"io"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// Source is where the evidence about one message comes from. FromLedger, FromFolder and
// FromEnvelope return one. The zero Source has no evidence.
type Source struct {
	gather func(ctx context.Context) (*evidence, error)
}

// evidence is what all files of a dossier are made from.
type evidence struct {
	facts    Recorded
	chosen   bool   // the facts name the message
	original opener // nil to look for it among the messages
	messages []candidate
	crls     [][]byte
	token    []byte // the timestamp of the manifest; nil for none
}

// candidate is a message that may be evidence.
type candidate struct {
	name string // in the dossier that Verify reads; "" for Write
	open opener
}

func (s Source) evidence(ctx context.Context) (*evidence, error) {
	if s.gather == nil {
		return nil, &Error{Reason: ReasonUnknown, Err: errors.New("the zero Source has no evidence: use FromLedger, FromFolder or FromEnvelope")}
	}
	return s.gather(ctx)
}

// FromLedger takes the evidence of a send from a store. The send may be one of the ledger's
// own, or one that another program made and whose notices the ledger has. If the ledger
// knows nothing under the Message-ID, the error is an *Error with ReasonUnknown.
func FromLedger(ledger *pec.Ledger, messageID string) Source {
	return Source{func(ctx context.Context) (*evidence, error) {
		facts, err := ledger.Facts(ctx, messageID)
		if errors.Is(err, pec.ErrUnknownSend) {
			return nil, &Error{Reason: ReasonUnknown, Err: err}
		}
		if err != nil {
			return nil, err
		}
		e := &evidence{chosen: true, facts: Recorded{Direction: DirectionSent, MessageID: envelope.NormalizeMessageID(messageID)}}
		bounced := map[envelope.Digest]bool{}
		for _, fact := range facts {
			e.facts.add(fact)
			if b, ok := fact.(pec.BounceFact); ok && bounced[b.Digest] {
				continue // its message was already added
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

// add adds a candidate, unless open is nil.
func (e *evidence) add(open opener) {
	if open != nil {
		e.messages = append(e.messages, candidate{open: open})
	}
}

// rawOf returns an opener for the message that belongs to a fact; nil if the store has none.
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

// FromEnvelope takes the evidence from a received PEC. raw is its whole transport envelope
// (busta di trasporto), as it was received, and must stay readable until Write returns. For
// any other message the error is an *Error with ReasonUnknown.
func FromEnvelope(raw *io.SectionReader) Source {
	return Source{func(context.Context) (*evidence, error) {
		e := &evidence{facts: Recorded{Direction: DirectionReceived}}
		e.add(func(context.Context) (io.ReadCloser, error) {
			return section{io.NewSectionReader(raw, 0, raw.Size())}, nil
		})
		return e, nil
	}}
}

// section adds a Close without effect to a message that is read in place.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }
