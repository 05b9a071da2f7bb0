package pec

import (
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
)

// Fold computes the status of one send from its facts and those of its mailbox, as
// of the time at. It is a pure function: neither the order of the facts nor their
// repetition matters, and notices that do not join the send (NoticeFact.Joins)
// change nothing. Without an Intent the send is taken from the notices: one made
// by another program. With neither the result is the zero Status.
func Fold(facts []Fact, at time.Time) Status {
	s, _ := fold(facts, at)
	return s
}

// fold also gives what the times in a Summary are computed from; nil where there is
// no send.
func fold(facts []Fact, at time.Time) (Status, *folding) {
	f := foldingOf(facts)
	if f == nil {
		return Status{}, nil
	}
	return f.status(at), f
}

// foldingOf takes up facts; nil where there is no send.
func foldingOf(facts []Fact) *folding {
	f := newFolding()
	for _, fact := range facts {
		f.add(fact)
	}
	if !f.known {
		return nil
	}
	return f
}

// status is what the facts add up to at a time.
func (f *folding) status(at time.Time) Status {
	s := Status{
		MessageID: f.intent.MessageID,
		Key:       f.intent.Key,
		Resends:   f.intent.Resends,
		Sender:    f.intent.Sender,
		Subject:   f.intent.Subject,
		Begun:     f.intent.At,
		Elsewhere: f.elsewhere,
		Attempts:  f.offers,
		CertID:    f.certID(),
	}
	s.GivenUp, _ = f.givenUp()
	base := f.submission()
	for _, address := range f.intent.Recipients() {
		s.Recipients = append(s.Recipients, f.recipient(address, base))
	}
	if f.acceptance != nil {
		s.SentAt = f.acceptance.Time
	}
	s.Settled = len(s.Recipients) > 0 &&
		!slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool { return !r.State.Final() })
	s.Result = resultOf(s.Recipients, s.Settled)
	s.Flags = f.flags(s, at)
	return s
}

// recipient raises the state of the submission to the highest that the notices
// support. Of notices that support the same state the first by certified time counts.
func (f *folding) recipient(address string, base RecipientStatus) RecipientStatus {
	key := envelope.NormalizeAddress(address)
	r := base
	of := f.of(key)
	r.Address, r.Class = address, of.class
	raise := func(state State, n *NoticeFact) {
		if n == nil || state.rank() <= r.State.rank() {
			return
		}
		r = RecipientStatus{
			Address: address, Class: r.Class, State: state,
			Time: n.Time, Provider: n.Provider, Evidence: n.Digest,
		}
		switch state {
		case StateAccepted, StateOrdinary: // the notice may be about another recipient
		default:
			r.Failure, r.Detail, r.Content = n.Failure, n.Detail, n.Content.Result
		}
	}
	raise(StateRejected, f.rejection)
	if r.Class == ClassOrdinary {
		raise(StateOrdinary, of.accepted)
		if b, ok := f.bounced[key]; ok && r.State.rank() < StateBounced.rank() {
			r = RecipientStatus{
				Address: address, Class: r.Class, State: StateBounced, Provider: b.Provider, Evidence: b.Digest,
				Failure: envelope.Failure{Reason: envelope.FailureOther, Cause: envelope.CauseOther, Code: b.Code, Text: b.Text},
			}
		}
	} else {
		raise(StateAccepted, of.accepted)
	}
	if len(of.delays) > 0 {
		raise(StateDelayed, of.delays[0])
	}
	raise(StateExpired, of.finalDelay(f.since()))
	raise(StateFailed, of.failed)
	raise(StateDelivered, of.delivered)
	return r
}

// since is from when on the provider had the message, as far as is known; the last
// delay notice is counted from it.
func (f *folding) since() time.Time {
	switch {
	case f.acceptance != nil:
		return f.acceptance.Time
	case !f.submitted.IsZero():
		return f.submitted
	default:
		return f.tried
	}
}

func resultOf(recipients []RecipientStatus, settled bool) Result {
	count := map[State]int{}
	for _, r := range recipients {
		count[r.State]++
	}
	n := len(recipients)
	switch rejected, ordinary := count[StateRejected]+count[StateRefused], count[StateOrdinary]; {
	case count[StateUncertain] > 0:
		return ResultUncertain
	case !settled:
		return ResultOpen
	case rejected == n:
		return ResultRejected
	case count[StateDelivered] == n:
		return ResultDelivered
	case count[StateDelivered]+ordinary == n:
		return ResultAcceptedOnly
	case count[StateDelivered]+ordinary == 0:
		return ResultFailed
	default:
		return ResultPartial
	}
}

// submission is the state that the attempts alone support, for every recipient:
// a message leaves for all of them or for none. That one attempt is known to have
// failed says nothing about another.
func (f *folding) submission() RecipientStatus {
	best := RecipientStatus{State: StatePending}
	if f.elsewhere {
		best.State = StateSubmitted
	}
	for _, list := range slices.Backward(f.ranked[:]) {
		if len(list) > 0 {
			n := list[len(list)-1]
			best.State, _ = f.attempts[n].kind().state()
			best.Reply = f.reply(n)
			break
		}
	}
	if f.suspensions > f.resumptions && best.State.rank() < StateSuspended.rank() {
		best.State = StateSuspended
	} else if f.resumptions > 0 && f.suspensions <= f.resumptions && best.State == StateSuspended {
		best.State = StateRetrying
	}
	return best
}
