package pec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

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

// summary is what the store needs to find the send again.
func (s *send) summary() Summary {
	// Only the times in it depend on the clock, and they are computed, not compared.
	status, f := fold(s.facts, time.Time{})
	if f == nil {
		return Summary{Entries: s.entries}
	}
	return Summary{
		Entries:    s.entries,
		Begun:      status.Begun,
		Open:       !status.Settled,
		Uncertain:  status.Result == ResultUncertain,
		Failed:     slices.ContainsFunc(status.Recipients, func(r RecipientStatus) bool { return r.State.resendable() }),
		Unverified: status.Has(FlagUnverified),
		DueAt:      f.dueAt(),
		OverdueAt:  f.overdueAt(status),
		ConfirmBy:  f.confirmBy(),
	}
}
