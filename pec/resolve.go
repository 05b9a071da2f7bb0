package pec

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

var (
	// ErrNotUncertain reports a ResolveSent or ResolveUnsent of a send whose attempts are all decided.
	ErrNotUncertain = errors.New("pec: no attempt at this message is uncertain")
	// ErrUnderWay reports one within an hour of an attempt of which no outcome is
	// recorded: a process may still be at it.
	ErrUnderWay = errors.New("pec: an attempt at this message may still be under way")
	// ErrNotOpen reports a Cancel of a send that has left, may have left, or is given
	// up already.
	ErrNotOpen = errors.New("pec: this message can no longer be cancelled")
)

// ResolveSent records a person's word that an attempt that is uncertain handed the message
// over, such as after a look at the provider's web site. Proof that arrives later outweighs
// it. note says how the person knows, and is kept.
func (l *Ledger) ResolveSent(ctx context.Context, messageID, note string) error {
	return l.resolve(ctx, messageID, true, note)
}

// ResolveUnsent records a person's word that an attempt that is uncertain did not hand the
// message over. The send is then refused, and may be repeated by Resend. Otherwise it is as
// ResolveSent.
func (l *Ledger) ResolveUnsent(ctx context.Context, messageID, note string) error {
	return l.resolve(ctx, messageID, false, note)
}

func (l *Ledger) resolve(ctx context.Context, messageID string, sent bool, note string) error {
	s, err := l.load(ctx, messageID)
	if err != nil {
		return err
	}
	_, f := fold(s.facts, l.now())
	if f == nil || f.certified() {
		return ErrNotUncertain
	}
	for _, a := range f.attempts {
		if a.kind() != OutcomeUncertain {
			continue
		}
		if a.outcome == nil && l.now().Sub(a.begun) < attemptLimit {
			return ErrUnderWay
		}
		added, err := l.record(ctx, messageID, Resolution{N: a.n, Sent: sent, Note: note, At: l.now()})
		if err == nil && !added {
			return ErrNotUncertain // somebody else was first, and may have said the opposite
		}
		return err
	}
	return ErrNotUncertain
}

// Cancel gives up a send that provably has not left. It is then refused, and nobody
// offers it again.
func (l *Ledger) Cancel(ctx context.Context, messageID string) error {
	return l.giveUp(ctx, messageID, GivenUpCancelled)
}

func (l *Ledger) giveUp(ctx context.Context, messageID string, reason GivenUp) error {
	s, err := l.load(ctx, messageID)
	if err != nil {
		return err
	}
	_, f := fold(s.facts, l.now())
	if f == nil || !f.isUnsent() {
		return ErrNotOpen
	}
	given := Abandonment{N: f.last().n + 1, Reason: reason, At: l.now()}
	if f.isUnsure() {
		given.Restoration = f.restored
	}
	// It takes the place of the next attempt: whoever claims that first has it.
	added, err := l.record(ctx, messageID, given)
	if err == nil && !added {
		return ErrNotOpen
	}
	return err
}

// isSpent tells whether a send has been offered for long enough: by this clock, and by
// attempts that are spread over as long.
func (c *Client) isSpent(f *folding) bool {
	enough := c.options.RetryFor
	return c.now().Sub(f.intent.At) >= enough && f.offeredFor(enough/leastAttempts) >= enough
}

// offeredFor is how long attempts have been made. Their times come from several clocks,
// one of which may be wrong: what lies before an attempt already made does not count, and
// a pause counts for at most so long, or for as long as it had to be.
func (f *folding) offeredFor(most time.Duration) (sum time.Duration) {
	var reached time.Time
	due := most
	for _, n := range slices.Sorted(maps.Keys(f.attempts)) {
		begun := f.attempts[n].begun
		if begun.IsZero() {
			continue
		}
		if d := begun.Sub(reached); d > 0 {
			if !reached.IsZero() {
				sum += min(d, due)
			}
			reached = begun
		}
		due = max(most, pause(n))
	}
	return sum
}
