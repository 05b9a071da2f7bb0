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
	given     GivenUp // why it was
}

// tries are the attempts at a send.
type tries struct {
	attempts map[int]attempt     // by number
	ranked   [outcomeRanks][]int // the numbers of those with each rank, ascending
	answered []int               // the numbers of those with an outcome, ascending
	highest  int                 // the last number
	// abandoned are the numbers of those given up: one, but for mistakes.
	abandoned []int
	offers    int // those that were made: an abandonment only takes the place of one
	// tried is when the first began, and submitted when the provider first answered 250;
	// zero when that never happened.
	tried, submitted time.Time
}

func newTries() tries { return tries{attempts: map[int]attempt{}} }

// update changes what is known of attempt n.
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

func withNumber(list []int, n int) []int {
	at, _ := slices.BinarySearch(list, n)
	return slices.Insert(list, at, n)
}

func withoutNumber(list []int, n int) []int {
	at, _ := slices.BinarySearch(list, n)
	return slices.Delete(list, at, at+1)
}

func (l *tries) begin(f Attempt) {
	l.tried = earliest(l.tried, f.At)
	l.update(f.N, func(a *attempt) { a.begun = earliest(a.begun, f.At) })
}

// end takes up an outcome. There is one outcome of an attempt. Of more the gravest
// counts.
func (l *tries) end(f AttemptOutcome) {
	l.update(f.N, func(a *attempt) {
		if a.outcome == nil || compareOutcomes(f, *a.outcome) > 0 {
			a.outcome = &f
		}
	})
}

// abandon takes up an abandonment. There is one in the place of an attempt. Of more the
// last reason counts.
func (l *tries) abandon(f Abandonment) {
	if !l.attempts[f.N].abandoned {
		l.abandoned = append(l.abandoned, f.N)
	}
	l.update(f.N, func(a *attempt) { a.abandoned, a.given = true, max(a.given, f.Reason) })
}

// resolve takes up a resolution. There is one resolution of an attempt. Of more the
// first that says sent counts.
func (l *tries) resolve(f Resolution) {
	l.update(f.N, func(a *attempt) {
		if a.resolved == nil || f.Sent && (!a.resolved.Sent || f.At.Before(a.resolved.At)) {
			a.resolved = &f
		}
	})
}

// submissions are the numbers of the attempts that handed the message over.
func (l *tries) submissions() []int {
	_, rank := OutcomeSubmitted.state()
	return l.ranked[rank]
}

// submittedAt is when the attempt handed the message over; zero when it did not.
func (a attempt) submittedAt() time.Time {
	switch {
	case a.kind() != OutcomeSubmitted:
		return time.Time{}
	case a.outcome != nil && a.outcome.Outcome.Kind == OutcomeSubmitted:
		return a.outcome.At
	default:
		// It left when it was offered, not when somebody said so.
		return cmp.Or(a.begun, a.resolved.At)
	}
}

// offered tells whether the attempt was made.
func (a attempt) offered() bool { return !a.abandoned || !a.begun.IsZero() || a.outcome != nil }

func compareOutcomes(a, b AttemptOutcome) int {
	_, rankA := a.Outcome.Kind.state()
	_, rankB := b.Outcome.Kind.state()
	return cmp.Or(rankA-rankB, b.At.Compare(a.At), strings.Compare(a.Outcome.Reply.String(), b.Outcome.Reply.String()))
}

// kind is what an attempt led to, as far as anybody knows. One that was resolved is
// over: if it turns out later that nothing left, that is no reason to offer the
// message again, for its sender may have been told to send it anew.
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

// isGivenUp tells whether the attempt was given up before it was made.
func (a attempt) isGivenUp() bool { return a.abandoned && a.begun.IsZero() && a.outcome == nil }

// givenUp reports whether the attempts were ended, and why.
func (l *tries) givenUp() (reason GivenUp, ok bool) {
	for _, n := range l.abandoned {
		if a := l.attempts[n]; a.isGivenUp() {
			reason, ok = max(reason, a.given), true
		}
	}
	return reason, ok
}

// last is the attempt with the highest number; the zero value when there is none.
func (l *tries) last() attempt { return l.attempts[l.highest] }

// reply is the last reply up to attempt n: attempts may have been given up after it.
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

// outcomeRanks is how many ranks there are.
const outcomeRanks = 5

// state is how far an outcome gets a send, and how it ranks among the outcomes of
// several attempts: what may have left outweighs what has not.
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
