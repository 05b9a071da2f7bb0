package pec

import (
	"context"
	"time"
)

// claim is the right to hand a message over in attempt n. It is recorded when the
// Submitter asks for the first byte of the message, after the provider's 354, and not
// before: a process that dies while it connects, logs in or waits for its turn has
// certainly sent nothing.
type claim struct {
	ledger *Ledger
	intent Intent
	n      int
	// again means that others may know of the send: its facts are read again before the
	// claim, since minutes may have passed since they allowed the attempt.
	again bool
	begun time.Time // when the attempt began, and then when it was claimed

	made bool  // it is recorded, and ours
	lost bool  // another worker has the attempt, or none may be made any more
	err  error // the Store's; whether the claim is recorded is not known
}

// make records the claim, once.
func (a *claim) make(ctx context.Context) error {
	switch {
	case a.made:
		return nil
	case a.err != nil:
		return a.err
	case a.lost:
		return errOther
	}
	if a.again {
		allowed, err := a.allowed(ctx)
		if err != nil {
			a.err = err
			return err
		}
		if a.lost = !allowed; a.lost {
			return errOther
		}
	}
	begun := a.ledger.now()
	if a.made, a.err = a.ledger.record(ctx, a.intent.MessageID, Attempt{N: a.n, At: begun}); a.err != nil {
		return a.err
	}
	if a.lost = !a.made; a.lost {
		return errOther
	}
	a.begun = begun
	return nil
}

// allowed reports whether the facts still allow the attempt.
func (a *claim) allowed(ctx context.Context) (bool, error) {
	s, err := a.ledger.load(ctx, a.intent.MessageID)
	if err != nil {
		return false, err
	}
	_, f := fold(s.facts, a.ledger.now())
	return f != nil && f.mayAttempt() && !f.heldBack() && f.last().n+1 == a.n, nil
}

// late reports whether the claim has lapsed. Timers stand still in a computer that
// sleeps. Without its monotonic part the clock does not.
func (a *claim) late() bool { return a.ledger.now().Sub(a.begun.Round(0)) >= attemptLimit }
