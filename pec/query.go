package pec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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

// Change is one fact that was recorded, and what it changed.
type Change struct {
	// Position is the place of the change: Changes goes on behind it.
	Position Position
	// MessageID names the send; "" for a fact about the mailbox.
	MessageID string
	// Fact is what was recorded.
	Fact Fact
	// Before and After are the status of the send without and with the fact, as of when
	// it was recorded. Zero for a fact about the mailbox.
	Before, After Status
}

// Recipients are those whose state the fact changed, as they are after it.
func (c Change) Recipients() []RecipientStatus {
	var changed []RecipientStatus
	for _, after := range c.After.Recipients {
		before, known := c.Before.Recipient(after.Address)
		if !known || before.State != after.State {
			changed = append(changed, after)
		}
	}
	return changed
}

// Changes yields all that was recorded behind a Position, in the order of
// recording, and ends where there is no more; "" is the beginning. A program that
// keeps the Position of the last Change it has dealt with misses none and sees none
// twice, save the last after a crash. What depends on time alone, such as FlagOverdue,
// is no change: Find tells. At most one error is yielded, as the last pair.
func (l *Ledger) Changes(ctx context.Context, after Position) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		history := &history{ledger: l}
		for e, err := range l.store.Changes(ctx, l.box, after) {
			if err != nil {
				yield(Change{}, &StoreError{Op: "read", Err: err})
				return
			}
			change, err := history.change(ctx, e)
			if err != nil {
				yield(Change{}, err)
				return
			}
			if !yield(change, nil) {
				return
			}
		}
	}
}

// history keeps the entries of the send that was last looked at: changes of one send
// come in runs.
type history struct {
	ledger  *Ledger
	name    string
	entries []Entry
	facts   []Fact
}

func (h *history) change(ctx context.Context, e Entry) (Change, error) {
	change := Change{Position: e.Position}
	if e.Send == "" {
		var err error
		change.Fact, err = factOf(e)
		return change, err
	}
	index := func() int {
		return slices.IndexFunc(h.entries, func(o Entry) bool { return o.Key == e.Key })
	}
	if h.name != e.Send || index() < 0 {
		entries, err := h.ledger.store.Entries(ctx, h.ledger.box, e.Send)
		if err != nil {
			return change, &StoreError{Op: "read", Err: err}
		}
		facts, err := factsOf(entries)
		if err != nil {
			return change, err
		}
		h.name, h.entries, h.facts = e.Send, entries, facts
	}
	i := index()
	if i < 0 {
		return change, fmt.Errorf("pec: the entry %q is not among those of its send", e.Key)
	}
	change.Fact = h.facts[i]
	change.Before, change.After = Fold(h.facts[:i], e.At), Fold(h.facts[:i+1], e.At)
	if change.MessageID = change.After.MessageID; change.MessageID == "" {
		change.MessageID = e.Send
	}
	return change, nil
}
