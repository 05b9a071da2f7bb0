package pec

import (
	"maps"
	"slices"
	"time"
)

const (
	// claimGrace is how long an intent without an attempt is left to whoever recorded
	// it.
	claimGrace = time.Minute
	// The pauses before attempts double from firstPause to longestPause.
	firstPause   = time.Minute
	longestPause = time.Hour
	// attemptLimit is the longest an attempt may take. Its claim is void afterwards: a
	// process that stood still for longer sends nothing any more.
	attemptLimit = time.Hour
	// defaultRetryFor is how long a message that provably has not left is offered again.
	defaultRetryFor = 24 * time.Hour
	// clockTolerance is how far apart clocks may be that are right.
	clockTolerance = 10 * time.Minute
	// leastAttempts have to be spread over Options.RetryFor, and one more, before a message
	// is given up, where its pauses allow as many.
	leastAttempts = 8
)

// dueAt is from when on a send that provably has not left is to be offered (again);
// zero for never, as for one that may have left. A suspension is not looked at: it
// holds up the whole mailbox.
func (f *folding) dueAt() time.Time {
	if f.elsewhere || f.certified() || !f.submitted.IsZero() {
		return time.Time{}
	}
	last := f.last()
	if f.hasTrace() || len(f.resent) > 0 {
		return time.Time{}
	}
	if last.n == 0 {
		return f.intent.At.Add(claimGrace)
	}
	if !f.mayAttempt() {
		return time.Time{}
	}
	return f.believable(last.outcome.At).Add(pause(last.n))
}

// believable gives a time no later than at: the one before the outcomes of attempts jump
// by more than pauses explain. Either nobody was at work for a while, or one clock is
// wrong, for which others need not wait. Whoever then looks at the send asks isDue.
func (f *folding) believable(at time.Time) time.Time {
	before := f.intent.At
	for _, n := range slices.Sorted(maps.Keys(f.attempts)) {
		outcome := f.attempts[n].outcome
		if outcome == nil {
			continue
		}
		if outcome.At.Sub(before) > 2*longestPause {
			return before
		}
		before = outcome.At
	}
	return at
}

// isDue tells whether a send is due by this clock. What another recorded in its future
// does not count.
func (f *folding) isDue(now time.Time) bool {
	if f.dueAt().IsZero() {
		return false
	}
	var since time.Time
	count := func(at time.Time) {
		if at.After(since) && !at.After(now.Add(clockTolerance)) {
			since = at
		}
	}
	count(f.intent.At)
	for _, a := range f.attempts {
		if a.outcome != nil {
			count(a.outcome.At)
		}
	}
	wait := claimGrace
	if n := f.last().n; n > 0 {
		wait = pause(n)
	}
	return !now.Before(since.Add(wait))
}

// pause is how long to wait after attempt n.
func pause(n int) time.Duration {
	d := firstPause
	for range n - 1 {
		if d *= 2; d >= longestPause {
			return longestPause
		}
	}
	return d
}
