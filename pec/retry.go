package pec

import (
	"context"
	"errors"
	"iter"
	"log/slog"
)

// Retry offers messages again that are due and provably have not left. These are messages
// that were recorded and never offered, and messages whose last attempt failed temporarily,
// after pauses that grow from a minute to an hour. A message that has been offered for
// Options.RetryFor is given up.
//
// Each step of the iteration is one attempt of this Client, with its outcome in
// Event.Outcome, or a message that was given up, with OutcomeRefused. After an attempt that no
// server answered Retry stops: what else is due is left to the next call.
//
// After MarkRestored the error is a *HeldError until the mailbox has been read. Then each
// message from before is searched for (SearchNotices), and offered if nothing was found. What is
// found is a step too, without Outcome.
//
// In a suspended mailbox the error is a *SuspendedError. At most one error is yielded, as the
// last pair.
func (c *Client) Retry(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := c.mayLogIn(ctx); err != nil {
			yield(Event{}, err)
			return
		}
		if _, held, err := c.hold(ctx); err != nil || held != nil {
			if err == nil {
				err = held
			}
			yield(Event{}, err)
			return
		}
		for s, err := range c.selected(ctx, Query{Filter: FilterDue, At: c.now()}) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if c.underWay.has(s.name) {
				continue // another call of this Client is offering it
			}
			if f := foldingOf(s.facts); f != nil && f.isUnsure() {
				// It is searched for first, and offered now if there is no trace.
				for e, err := range c.SearchNotices(ctx, s.name) {
					if !yield(e, err) || err != nil {
						return
					}
				}
				if s, err = c.load(ctx, s.name); err != nil {
					yield(Event{}, err)
					return
				}
			}
			event, err := c.retry(ctx, s)
			if err != nil {
				yield(Event{}, err)
				return
			}
			if event == nil {
				continue
			}
			unanswered := event.Outcome.Kind == OutcomeTemporary && event.Outcome.Reply == (Reply{})
			if !yield(*event, nil) || unanswered {
				return
			}
		}
	}
}

// retry makes one attempt, or gives the send up. A nil event means that there was nothing to
// do.
func (c *Client) retry(ctx context.Context, s *send) (*Event, error) {
	status, f := fold(s.facts, c.now())
	if !f.isDue(c.now()) || !f.mayAttempt() || f.heldBack() {
		return nil, nil
	}
	if c.isSpent(f) {
		if err := c.giveUp(ctx, status.MessageID, GivenUpRetryFor); errors.Is(err, ErrNotCancellable) {
			return nil, nil // it has left since, or another worker is offering it
		} else if err != nil {
			return nil, err
		}
		c.log.WarnContext(ctx, "pec: given up", slog.String("message_id", status.MessageID))
		return &Event{MessageID: status.MessageID, Outcome: &Outcome{Kind: OutcomeRefused, Reply: f.submission().Reply, Err: errSpent}}, nil
	}
	attempted, err := c.submit(ctx, status.MessageID, true, c.stored(ctx, status.MessageID))
	var suspended *SuspendedError
	var failed *SendError
	switch {
	case errors.As(err, &suspended):
		return nil, suspended
	case !attempted && (err == nil || errors.As(err, &failed)):
		return nil, nil // another worker was faster
	case err == nil:
		return &Event{MessageID: status.MessageID, Outcome: &Outcome{Kind: OutcomeSubmitted}}, nil
	case errors.As(err, &failed) && failed.Store == nil:
		return &Event{MessageID: status.MessageID, Outcome: &failed.Outcome}, ctx.Err()
	default:
		return nil, err
	}
}

// isSpent reports whether a send has been offered for Options.RetryFor: by this clock, and by
// attempts that are spread over as long.
func (c *Client) isSpent(f *folding) bool {
	enough := c.options.RetryFor
	return c.now().Sub(f.intent.At) >= enough && f.offeredFor(enough/leastAttempts) >= enough
}
