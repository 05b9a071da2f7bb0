package pec

import (
	"maps"
	"slices"
	"time"
)

const (
	// claimGrace is how long an intent without an attempt is left to the process that
	// recorded it.
	claimGrace = time.Minute
	// The pauses before attempts double from firstPause to longestPause.
	firstPause   = time.Minute
	longestPause = time.Hour
	// attemptLimit is the longest that an attempt may take. Its claim is void afterwards, so
	// that a process that stood still for longer sends nothing when it goes on.
	attemptLimit = time.Hour
	// defaultRetryFor is how long a message that certainly has not left is offered again.
	defaultRetryFor = 24 * time.Hour
	// clockTolerance is how much clocks that are right may differ.
	clockTolerance = 10 * time.Minute
	// leastAttempts is how many pauses between attempts have to fill Options.RetryFor before
	// a message is given up. Fewer are enough if Retry makes longer pauses than that.
	leastAttempts = 8
)

// dueAt returns when a send that certainly has not left becomes due to be offered; zero for
// never, as for one that may have left. It ignores a suspension, which stops the whole
// mailbox.
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

// believable returns at, which is the time of the last outcome, or an earlier time: if the
// times of the outcomes jump by more than pauses explain, the one before the jump. Either
// no process ran for a while, or one clock is wrong, and no process has to wait for that.
// isDue then decides.
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

// isDue reports whether a send is due by this clock. It ignores times that another process
// recorded more than clockTolerance ahead of this clock.
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

// pause returns how long to wait after attempt n.
func pause(n int) time.Duration {
	d := firstPause
	for range n - 1 {
		if d *= 2; d >= longestPause {
			return longestPause
		}
	}
	return d
}

// offeredFor returns for how long attempts have been made. Their times come from several
// clocks, one of which may be wrong. So an attempt that is dated before an earlier one does
// not count, and a pause counts for at most the given time, or for as long as Retry had to pause if
// that is longer.
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
