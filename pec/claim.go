package pec

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// claim is the right to hand a message over in attempt n. It is recorded when the Submitter
// asks for the first byte of the message, after the provider's 354. A process that dies
// earlier, while it connects, logs in or waits for its turn, has certainly sent nothing.
type claim struct {
	ledger *Ledger
	intent Intent
	n      int
	// again means that others may know the send. Its facts are then read again before the
	// claim: minutes may have passed since they allowed the attempt.
	again bool
	by    string

	mu    sync.Mutex // a Submitter may read from a goroutine of its own
	begun time.Time  // when the attempt began; once made, when it was claimed
	made  bool       // the claim is recorded, and ours
	lost  bool       // another worker has the attempt, or no attempt may be made any more
	err   error      // of the Store: whether the claim is recorded is not known
	over  bool       // Submit has returned
}

func (l *Ledger) newClaim(intent Intent, n int, again bool) *claim {
	return &claim{ledger: l, intent: intent, n: n, again: again, by: rand.Text(), begun: l.now()}
}

// fact returns the claim as it is recorded.
func (a *claim) fact() Attempt { return Attempt{N: a.n, At: a.begun, By: a.by} }

// make records the claim, once.
func (a *claim) make(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
		return errLate
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
	a.begun = a.ledger.now()
	if a.made, a.err = a.ledger.record(ctx, a.intent.MessageID, a.fact()); a.err == nil && !a.made {
		a.made, a.err = a.ours(ctx)
	}
	if a.err != nil {
		return a.err
	}
	if a.lost = !a.made; a.lost {
		return errOther
	}
	return nil
}

// ours reports whether the recorded attempt is this one. The Store may have recorded it while
// its answer was lost.
func (a *claim) ours(ctx context.Context) (bool, error) {
	recorded, err := a.ledger.factAt(ctx, entryKey(a.intent.MessageID, a.fact()))
	was, ok := recorded.(Attempt)
	return ok && was.By == a.by, err
}

// end withholds the message from a reader that goes on after Submit has returned.
func (a *claim) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
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

// late reports whether the claim has expired. Timers and the monotonic clock stop while a
// computer sleeps, so the wall clock decides.
func (a *claim) late() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over || a.ledger.now().Sub(a.begun.Round(0)) >= attemptLimit
}

var (
	// errOther is the Err of an uncertain outcome when another process has the claim.
	errOther = errors.New("another process has the attempt, or had it when that process ended")
	// errSpent is the Err of a message that was given up.
	errSpent = errors.New("given up: " + string(GivenUpRetryFor))
	// errAltered reports that the message does not have the digest that was recorded.
	errAltered = errors.New("pec: the stored message does not have the size and digest that were recorded: find out what changed the store, then Cancel")
	// errLate reports that an attempt is over, or took longer than its claim lasts.
	errLate = errors.New("pec: the attempt is over, or took longer than its claim lasts")
)
