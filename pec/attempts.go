package pec

import (
	"cmp"
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
			update(fact.N, func(a *attempt) { a.abandoned = true })
		case AttemptOutcome:
			if fact.Outcome.Kind == OutcomeSubmitted {
				f.submitted = earliest(f.submitted, fact.At)
			}
			update(fact.N, func(a *attempt) {
				// There is one outcome of an attempt. Of more the gravest counts.
				if a.outcome == nil || compareOutcomes(fact, *a.outcome) > 0 {
					a.outcome = &fact
				}
			})
		case Resolution:
			if fact.Sent {
				f.submitted = earliest(f.submitted, fact.At)
			}
			update(fact.N, func(a *attempt) {
				if a.resolved == nil || fact.Sent {
					a.resolved = &fact
				}
			})
		}
	}
}

func compareOutcomes(a, b AttemptOutcome) int {
	_, rankA := a.Outcome.Kind.state()
	_, rankB := b.Outcome.Kind.state()
	return cmp.Or(rankA-rankB, b.At.Compare(a.At), strings.Compare(a.Outcome.Reply.String(), b.Outcome.Reply.String()))
}

// kind is what an attempt led to, as far as anybody knows.
func (a attempt) kind() OutcomeKind {
	switch {
	case a.outcome != nil && a.outcome.Outcome.Kind != OutcomeUncertain:
		return a.outcome.Outcome.Kind
	case a.resolved != nil && a.resolved.Sent:
		return OutcomeSubmitted
	case a.resolved != nil:
		return OutcomeRefused
	case a.begun.IsZero() && a.outcome == nil && a.abandoned:
		return OutcomeRefused
	default:
		return OutcomeUncertain
	}
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
	for n := range f.last().n + 1 {
		a, ok := f.attempts[n]
		if !ok {
			continue
		}
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
