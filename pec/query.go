package pec

import (
	"context"
	"errors"
	"io"
	"slices"
)

// Status computes the status of a send as of now. If nothing is known under the Message-ID,
// the error is ErrUnknownSend.
func (l *Ledger) Status(ctx context.Context, messageID string) (Status, error) {
	s, err := l.load(ctx, messageID)
	if err != nil {
		return Status{}, err
	}
	status := Fold(s.facts, l.now())
	if len(status.Recipients) == 0 {
		return Status{}, ErrUnknownSend
	}
	return status, nil
}

// MessageID returns the Message-ID of the send that has a key (Message.Key). If none has,
// the error is ErrUnknownSend.
func (l *Ledger) MessageID(ctx context.Context, key string) (string, error) {
	claim, err := l.claim(ctx, key)
	if err != nil {
		return "", err
	}
	if claim == nil {
		return "", ErrUnknownSend
	}
	return claim.MessageID, nil
}

// Facts returns all facts about a send, in the order of recording, without those about its
// mailbox. If nothing is known under the Message-ID, the error is ErrUnknownSend.
func (l *Ledger) Facts(ctx context.Context, messageID string) ([]Fact, error) {
	s, err := l.loadWith(ctx, sendName(messageID), nil)
	if err != nil {
		return nil, err
	}
	return s.facts, nil
}

// Raw opens the message that belongs to a fact about a send, byte for byte: for an Intent
// the message that was sent, for a NoticeFact the notice, for an UnverifiedFact or a
// BounceFact the message that was read. If there is none, the error is ErrNotFound.
func (l *Ledger) Raw(ctx context.Context, messageID string, f Fact) (io.ReadCloser, error) {
	raw, err := l.store.Raw(ctx, l.box, entryKey(messageID, f))
	if b, ok := f.fact().(BounceFact); ok && errors.Is(err, ErrNotFound) {
		key, failed := l.bounceRaw(ctx, messageID, b)
		if failed != nil {
			return nil, failed
		}
		if key != "" {
			raw, err = l.store.Raw(ctx, l.box, key)
		}
	}
	if errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err != nil {
		return nil, &StoreError{Op: "read", Err: err}
	}
	return raw, nil
}

// bounceRaw returns the key of the entry that has the message of a bounce: the entry of the
// first recipient for which the bounce was recorded. "" if there is none.
func (l *Ledger) bounceRaw(ctx context.Context, messageID string, f BounceFact) (string, error) {
	facts, err := l.factsAbout(ctx, sendName(messageID))
	i := slices.IndexFunc(facts, func(o Fact) bool {
		b, ok := o.(BounceFact)
		return ok && b.Digest == f.Digest
	})
	if err != nil || i < 0 {
		return "", err
	}
	return entryKey(messageID, facts[i]), nil
}
