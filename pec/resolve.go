package pec

import (
	"context"
	"errors"
)

var (
	// ErrNotUncertain reports that ResolveSent or ResolveUnsent has nothing to resolve: what
	// became of every attempt is known, or a notice has proven it.
	ErrNotUncertain = errors.New("pec: no attempt at this message is uncertain, so there is nothing to resolve")
	// ErrUnderWay reports that ResolveSent or ResolveUnsent was called too early: within an
	// hour of an attempt without an outcome, on which a process may still be working.
	ErrUnderWay = errors.New("pec: an attempt at this message may still be under way: resolve it an hour after it began")
	// ErrNotCancellable reports a Cancel of a send that has left, may have left, was refused, or is
	// given up already.
	ErrNotCancellable = errors.New("pec: this message cannot be cancelled: it has left, may have left, was refused or is given up")
)

// ResolveSent records a person's word that the uncertain attempt at a send handed the
// message over, for example after a look at the provider's web site. Proof that arrives
// later outweighs it. note says how the person knows, and is kept. The errors are
// ErrUnknownSend, ErrNotUncertain and ErrUnderWay, or a *StoreError.
func (l *Ledger) ResolveSent(ctx context.Context, messageID, note string) error {
	return l.resolve(ctx, messageID, true, note)
}

// ResolveUnsent records a person's word that the uncertain attempt at a send did not hand
// the message over. The send is then refused, and Resend may repeat it. Otherwise it is like
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
			return ErrNotUncertain // somebody else was faster, and may have said the opposite
		}
		return err
	}
	return ErrNotUncertain
}

// Cancel gives up a send that certainly has not left. The send is then refused, and nobody
// offers it again. The errors are ErrUnknownSend and ErrNotCancellable, or a *StoreError.
func (l *Ledger) Cancel(ctx context.Context, messageID string) error {
	return l.giveUp(ctx, messageID, GivenUpCancelled)
}

// giveUp is Cancel for any reason.
func (l *Ledger) giveUp(ctx context.Context, messageID string, reason GivenUp) error {
	s, err := l.load(ctx, messageID)
	if err != nil {
		return err
	}
	_, f := fold(s.facts, l.now())
	if f == nil || !f.isUnsent() {
		return ErrNotCancellable
	}
	given := Abandonment{N: f.last().n + 1, Reason: reason, At: l.now()}
	if f.isUnsure() {
		given.Restoration = f.restored
	}
	// It takes the place of the next attempt, unless a worker claims that first.
	added, err := l.record(ctx, messageID, given)
	if err == nil && !added {
		return ErrNotCancellable
	}
	return err
}
