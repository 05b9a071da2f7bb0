package pec

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// attempt is what is known of one attempt at a send.
type attempt struct {
	n         int
	begun     time.Time
	outcome   *AttemptOutcome
	resolved  *Resolution
	abandoned bool
	given     GivenUp // why it was abandoned
}

// tries are the attempts at a send.
type tries struct {
	attempts map[int]attempt     // by number
	ranked   [outcomeRanks][]int // the numbers of the attempts of each rank, ascending
	answered []int               // the numbers of the attempts with an outcome, ascending
	highest  int                 // the highest number
	// abandoned are the numbers of the attempts that were abandoned: at most one, unless
	// something went wrong.
	abandoned []int
	offers    int // how many attempts were made: an abandonment only takes the place of one
	// tried is when the first attempt began, and submitted is when the provider first had
	// the message; zero if that never happened.
	tried, submitted time.Time
}

func newTries() tries { return tries{attempts: map[int]attempt{}} }

// update changes what is known of attempt n, and what is derived from it.
func (l *tries) update(n int, change func(*attempt)) {
	a, known := l.attempts[n]
	was := a
	a.n = n
	change(&a)
	l.attempts[n] = a
	l.highest = max(l.highest, n)
	if known && was.offered() {
		l.offers--
	}
	if a.offered() {
		l.offers++
	}
	if a.outcome != nil && was.outcome == nil {
		l.answered = withNumber(l.answered, n)
	}
	_, rank := a.kind().state()
	if _, before := was.kind().state(); !known || before != rank {
		if known {
			l.ranked[before] = withoutNumber(l.ranked[before], n)
		}
		l.ranked[rank] = withNumber(l.ranked[rank], n)
	}
	switch is, before := a.submittedAt(), was.submittedAt(); {
	case is.Equal(before):
	case before.IsZero():
		l.submitted = earliest(l.submitted, is)
	default:
		l.submitted = time.Time{}
		for _, n := range l.submissions() {
			l.submitted = earliest(l.submitted, l.attempts[n].submittedAt())
		}
	}
}

// withNumber returns an ascending list with n added.
func withNumber(list []int, n int) []int {
	at, _ := slices.BinarySearch(list, n)
	return slices.Insert(list, at, n)
}

// withoutNumber returns an ascending list without n, which is in it.
func withoutNumber(list []int, n int) []int {
	at, _ := slices.BinarySearch(list, n)
	return slices.Delete(list, at, at+1)
}

// begin adds an attempt.
func (l *tries) begin(f Attempt) {
	l.tried = earliest(l.tried, f.At)
	l.update(f.N, func(a *attempt) { a.begun = earliest(a.begun, f.At) })
}

// end adds an outcome. An attempt has one. If there are more, the highest-ranked counts.
func (l *tries) end(f AttemptOutcome) {
	l.update(f.N, func(a *attempt) {
		if a.outcome == nil || compareOutcomes(f, *a.outcome) > 0 {
			a.outcome = &f
		}
	})
}

// abandon adds an abandonment. There is one in the place of an attempt. If there are more,
// the alphabetically last reason counts.
func (l *tries) abandon(f Abandonment) {
	if !l.attempts[f.N].abandoned {
		l.abandoned = append(l.abandoned, f.N)
	}
	l.update(f.N, func(a *attempt) { a.abandoned, a.given = true, max(a.given, f.Reason) })
}

// resolve adds a resolution. An attempt has one. If there are more, the earliest that says
// "sent" counts.
func (l *tries) resolve(f Resolution) {
	l.update(f.N, func(a *attempt) {
		if a.resolved == nil || f.Sent && (!a.resolved.Sent || f.At.Before(a.resolved.At)) {
			a.resolved = &f
		}
	})
}

// earliest returns the earlier of two times. A zero time is unknown, and does not count.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// submissions returns the numbers of the attempts that handed the message over.
func (l *tries) submissions() []int {
	_, rank := OutcomeSubmitted.state()
	return l.ranked[rank]
}

// submittedAt returns when the attempt handed the message over; zero if it did not.
func (a attempt) submittedAt() time.Time {
	switch {
	case a.kind() != OutcomeSubmitted:
		return time.Time{}
	case a.outcome != nil && a.outcome.Outcome.Kind == OutcomeSubmitted:
		return a.outcome.At
	default:
		// It left when it was offered, not when a person said so.
		return cmp.Or(a.begun, a.resolved.At)
	}
}

// offered reports whether the attempt was made.
func (a attempt) offered() bool { return !a.abandoned || !a.begun.IsZero() || a.outcome != nil }

// compareOutcomes orders outcomes by rank, then the later before the earlier.
func compareOutcomes(a, b AttemptOutcome) int {
	_, rankA := a.Outcome.Kind.state()
	_, rankB := b.Outcome.Kind.state()
	return cmp.Or(rankA-rankB, b.At.Compare(a.At), strings.Compare(a.Outcome.Reply.String(), b.Outcome.Reply.String()))
}

// kind returns what the attempt led to, judged by all that is known of it. A resolved
// attempt is over: if it turns out later that nothing left, the message is still not
// offered again, because its sender may have sent another since.
func (a attempt) kind() OutcomeKind {
	known := OutcomeUncertain
	if a.outcome != nil {
		known = a.outcome.Outcome.Kind.known()
	}
	switch {
	case known == OutcomeSubmitted, known == OutcomeRefused:
		return known
	case known != OutcomeUncertain && a.resolved != nil:
		return OutcomeRefused
	case known != OutcomeUncertain:
		return known
	case a.resolved != nil && a.resolved.Sent:
		return OutcomeSubmitted
	case a.resolved != nil:
		return OutcomeRefused
	case a.isGivenUp():
		return OutcomeRefused
	default:
		return OutcomeUncertain
	}
}

// isGivenUp reports whether the attempt was given up before it was made.
func (a attempt) isGivenUp() bool { return a.abandoned && a.begun.IsZero() && a.outcome == nil }

// givenUp reports whether the attempts were ended by an abandonment, and why.
func (l *tries) givenUp() (reason GivenUp, ok bool) {
	for _, n := range l.abandoned {
		if a := l.attempts[n]; a.isGivenUp() {
			reason, ok = max(reason, a.given), true
		}
	}
	return reason, ok
}

// last returns the attempt with the highest number; the zero value if there is none.
func (l *tries) last() attempt { return l.attempts[l.highest] }

// reply returns the reply of the last attempt up to n that has an outcome. Attempt n itself
// has none if it was abandoned.
func (l *tries) reply(n int) Reply {
	at, found := slices.BinarySearch(l.answered, n)
	if !found {
		at--
	}
	if at < 0 {
		return Reply{}
	}
	return l.attempts[l.answered[at]].outcome.Outcome.Reply
}

// outcomeRanks is how many ranks OutcomeKind.state returns.
const outcomeRanks = 5

// state returns the state of a send after an outcome, and how the outcome ranks among
// those of several attempts: one that may have left outweighs one that has not.
func (k OutcomeKind) state() (state State, rank int) {
	switch k {
	case OutcomeTemporary:
		return StateRetrying, 0
	case OutcomeAuthentication:
		return StateSuspended, 1
	case OutcomeRefused:
		return StateRefused, 2
	case OutcomeSubmitted:
		return StateSubmitted, 4
	default:
		return StateUncertain, 3
	}
}
