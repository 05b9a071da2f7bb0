package pec

import (
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
)

// Fold computes the status of one send from its facts and those of its mailbox, as of the
// time at. It is a pure function. Neither the order of the facts nor their repetition
// matters, and notices that do not join the send (NoticeFact.Joins) change nothing. If there
// is no Intent, another program made the send, and it is inferred from the notices. With
// neither, the result is the zero Status.
func Fold(facts []Fact, at time.Time) Status {
	s, _ := fold(facts, at)
	return s
}

// fold is Fold, and also returns the folding, from which the times of a Summary are
// computed; nil if there is no send.
func fold(facts []Fact, at time.Time) (Status, *folding) {
	f := foldingOf(facts)
	if f == nil {
		return Status{}, nil
	}
	return f.status(at), f
}

// foldingOf returns the folding of facts; nil if there is no send.
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

// status returns the status at a time.
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

// recipient returns the status of one recipient. base is the state that the attempts
// support; each raise takes it higher if a notice supports that.
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

// since returns the best known time at which the provider had the message; zero if none is
// known. The last delay notice is recognised by its distance from it.
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

// resultOf returns the result of a send with these recipients. settled says that all of
// them are in final states.
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

// submission returns the state that the attempts alone support. It is that of every
// recipient, since a message leaves for all of them or for none. The highest-ranked attempt
// decides: that one attempt has failed says nothing about another.
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
	switch suspended := isSuspended(f.suspensions, f.resumptions); {
	case suspended && best.State.rank() < StateSuspended.rank():
		best.State = StateSuspended
	case !suspended && f.resumptions > 0 && best.State == StateSuspended:
		best.State = StateRetrying
	}
	return best
}
