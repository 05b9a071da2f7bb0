package pec

import (
	"cmp"
	"maps"
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

func (f *folding) addAttempts(facts []Fact) {
	update := func(n int, change func(*attempt)) {
		a := f.attempts[n]
		a.n = n
		change(&a)
		f.attempts[n] = a
	}
	for _, fact := range facts {
		switch fact := fact.fact().(type) {
		case Attempt:
			f.tried = earliest(f.tried, fact.At)
			update(fact.N, func(a *attempt) { a.begun = earliest(a.begun, fact.At) })
		case Abandonment:
			update(fact.N, func(a *attempt) {
				// There is one in the place of an attempt. Of more the last reason counts.
				a.abandoned, a.given = true, max(a.given, fact.Reason)
			})
		case AttemptOutcome:
			update(fact.N, func(a *attempt) {
				// There is one outcome of an attempt. Of more the gravest counts.
				if a.outcome == nil || compareOutcomes(fact, *a.outcome) > 0 {
					a.outcome = &fact
				}
			})
		case Resolution:
			update(fact.N, func(a *attempt) {
				// There is one resolution of an attempt. Of more the first that says sent counts.
				if a.resolved == nil || fact.Sent && (!a.resolved.Sent || fact.At.Before(a.resolved.At)) {
					a.resolved = &fact
				}
			})
		}
	}
	for _, a := range f.attempts {
		if a.kind() != OutcomeSubmitted {
			continue
		}
		if a.outcome != nil && a.outcome.Outcome.Kind == OutcomeSubmitted {
			f.submitted = earliest(f.submitted, a.outcome.At)
		} else {
			// It left when it was offered, not when somebody said so.
			f.submitted = earliest(f.submitted, cmp.Or(a.begun, a.resolved.At))
		}
	}
}

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
		known = a.outcome.Outcome.Kind
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

// givenUp tells whether the attempts were ended, and why.
func (f *folding) givenUp() (reason GivenUp, ok bool) {
	for _, a := range f.attempts {
		if a.isGivenUp() {
			reason, ok = max(reason, a.given), true
		}
	}
	return reason, ok
}

// offers counts the attempts. An abandonment only takes the place of one.
func (f *folding) offers() int {
	count := 0
	for _, a := range f.attempts {
		if !a.abandoned || !a.begun.IsZero() || a.outcome != nil {
			count++
		}
	}
	return count
}

// last is the attempt with the highest number; the zero value when there is none.
func (f *folding) last() (last attempt) {
	for n, a := range f.attempts {
		if n >= last.n {
			last = a
		}
	}
	return last
}

// submission is the state that the attempts alone support, for every recipient:
// a message leaves for all of them or for none. That one attempt is known to have
// failed says nothing about another.
func (f *folding) submission() RecipientStatus {
	best, bestRank := RecipientStatus{}, -1
	reply := Reply{} // the last one before attempts were given up
	if f.elsewhere {
		best.State = StateSubmitted
	}
	for _, n := range slices.Sorted(maps.Keys(f.attempts)) {
		a := f.attempts[n]
		if a.outcome != nil {
			reply = a.outcome.Outcome.Reply
		}
		if state, rank := a.kind().state(); rank >= bestRank {
			best, bestRank = RecipientStatus{State: state, Reply: reply}, rank
		}
	}
	if f.suspended && best.State < StateSuspended {
		best.State = StateSuspended
	} else if f.resumed && best.State == StateSuspended {
		best.State = StateRetrying
	}
	return best
}

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
