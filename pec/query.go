package pec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
)

// Status computes the status of a send as of now. A Message-ID under which nothing
// is known gives ErrUnknownSend.
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

// MessageID gives the Message-ID of the send that has a key (Message.Key);
// ErrUnknownSend when none has.
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

// Find yields the status of every send that q asks for, those begun first before
// others. At most one error is yielded, as the last pair.
func (l *Ledger) Find(ctx context.Context, q Query) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		if q.At.IsZero() {
			q.At = l.now()
		}
		for s, err := range l.selected(ctx, q) {
			if err != nil {
				yield(Status{}, err)
				return
			}
			status, f := fold(s.facts, q.At)
			if len(status.Recipients) == 0 || q.Filter == FilterOverdue && !status.Has(FlagOverdue) || q.Filter == FilterDue && !f.isDue(q.At) {
				continue // nothing but claims about it; the mailbox was not read that far; or a clock was wrong
			}
			if !yield(status, nil) {
				return
			}
		}
	}
}

// selected yields the sends that q asks for. What the store gives too many, because it
// has no summary or an old one, gets one on the way. One that cannot be read, such as
// for a fact of a later version, keeps no other from being yielded.
func (l *Ledger) selected(ctx context.Context, q Query) iter.Seq2[*send, error] {
	return func(yield func(*send, error) bool) {
		mailbox, err := l.mailboxFacts(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		var unreadable error
		for name, err := range l.store.Sends(ctx, l.box, q) {
			if err != nil {
				yield(nil, &StoreError{Op: "read", Err: err})
				return
			}
			s, err := l.loadWith(ctx, name, mailbox)
			var failed *StoreError
			if errors.As(err, &failed) {
				yield(nil, err)
				return
			}
			if err != nil {
				unreadable = cmp.Or(unreadable, fmt.Errorf("pec: message %s: %w", name, err))
				continue
			}
			summary := s.summary()
			if !q.Selects(summary) {
				if err := l.store.Summarize(ctx, l.box, name, summary); err != nil {
					yield(nil, &StoreError{Op: "write", Err: err})
					return
				}
				continue
			}
			if !yield(s, nil) {
				return
			}
		}
		if unreadable != nil {
			yield(nil, unreadable)
		}
	}
}
