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

// Find yields the status of every send that q selects, roughly in the order in which they
// began. An unknown Filter is an *OptionError: an empty list would look as if all were well.
// At most one error is yielded, as the last pair.
func (l *Ledger) Find(ctx context.Context, q Query) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		if !q.Filter.isKnown() {
			yield(Status{}, &OptionError{"Query.Filter", fmt.Sprintf("%q is not one of the filters", string(q.Filter))})
			return
		}
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
				continue // there are only claims about it; or it is stale; or a clock was wrong
			}
			if !yield(status, nil) {
				return
			}
		}
	}
}

// selected yields the sends that q selects. A send that the store yields only because its
// summary is missing or old gets a new one. A send that cannot be read, for example because
// a later version wrote one of its facts, does not keep the others from being yielded: the
// first such error comes last.
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

// summary returns the Summary of the send.
func (s *send) summary() Summary {
	// No field of a Summary depends on the present time.
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
