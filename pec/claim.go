package pec

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
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
	by    string

	mu    sync.Mutex // a Submitter may read from a goroutine of its own
	begun time.Time  // when the attempt began, and then when it was claimed
	made  bool       // it is recorded, and ours
	lost  bool       // another worker has the attempt, or none may be made any more
	err   error      // the Store's; whether the claim is recorded is not known
	over  bool       // the Submitter has said what became of the attempt
}

func (l *Ledger) newClaim(intent Intent, n int, again bool) *claim {
	return &claim{ledger: l, intent: intent, n: n, again: again, by: rand.Text(), begun: l.now()}
}

// fact is the claim as it is recorded.
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

// ours reports whether the attempt that is recorded is this one: the answer to its
// record may have been lost.
func (a *claim) ours(ctx context.Context) (bool, error) {
	recorded, err := a.ledger.factAt(ctx, entryKey(a.intent.MessageID, a.fact()))
	was, ok := recorded.(Attempt)
	return ok && was.By == a.by, err
}

// end withholds the message from whoever reads on after Submit has returned.
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

// late reports whether the claim has lapsed. Timers stand still in a computer that
// sleeps. Without its monotonic part the clock does not.
func (a *claim) late() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over || a.ledger.now().Sub(a.begun.Round(0)) >= attemptLimit
}

var (
	// errOther is the Err of an uncertain outcome: the claim is another's.
	errOther = errors.New("another process has the attempt, or had it when it ended")
	// errSpent is the Err of a message that was given up.
	errSpent = errors.New("given up: " + string(GivenUpRetryFor))
	// errAltered reports that the message is not the one whose digest was recorded.
	errAltered = errors.New("pec: the stored message is not the one that was recorded")
	// errLate reports that an attempt took longer than its claim holds, or is over.
	errLate = errors.New("pec: the attempt is over, or took too long")
)
