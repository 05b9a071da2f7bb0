package pec

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
)

const (
	// finalDelay: the second delivery-delay notice leaves between 22 and 24 hours
	// after acceptance (RFC 6109, 3.1.6), the first after 12.
	finalDelay = 22 * time.Hour
	// codeExpired is the code that makes any delay notice the last.
	codeExpired = "5.4.1"
	// confirmWithin is when an acceptance is missed; it takes seconds, as a rule.
	confirmWithin = time.Hour
)

// Fold computes the status of one send from its facts, as of the time at. It is a
// pure function: neither the order of the facts nor their repetition matters, and
// notices that do not join the send (NoticeFact.Joins) change nothing. Without an
// Intent among the facts the result is the zero Status.
func Fold(facts []Fact, at time.Time) Status {
	f := newFolding(facts)
	if f == nil {
		return Status{}
	}
	s := Status{
		MessageID: f.intent.MessageID,
		Sender:    f.intent.Sender,
		Subject:   f.intent.Subject,
	}
	base := f.submission()
	for _, address := range f.intent.Recipients {
		s.Recipients = append(s.Recipients, f.recipient(address, base))
	}
	s.CertID, s.Conflict = f.certID()
	if f.acceptance != nil {
		s.SentAt = f.acceptance.Time
	}
	s.Unconfirmed = !f.submitted.IsZero() && at.Sub(f.submitted) >= confirmWithin && !f.certified()
	s.Settled = len(s.Recipients) > 0 &&
		!slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool { return !r.State.Final() })
	s.Total = total(s.Recipients, s.Settled)
	return s
}

// folding is the facts of one send, arranged so that their order cannot matter.
type folding struct {
	intent    Intent
	outcomes  []AttemptOutcome // an attempt without one is uncertain
	tried     time.Time        // the first attempt
	submitted time.Time        // when the provider first answered 250; zero when it did not

	notices    []NoticeFact // those that join, each once, by certified time
	acceptance *NoticeFact  // the first of its kind
	rejection  *NoticeFact  // the first of its kind

	// By normalised address; each the first by certified time, or all in that order.
	accepted map[string]*NoticeFact   // proves that the message was accepted for the recipient
	class    map[string]Class         // as the notices classify it
	own      map[string][]*NoticeFact // speak of this recipient
}

func newFolding(facts []Fact) *folding {
	f := &folding{
		accepted: map[string]*NoticeFact{},
		class:    map[string]Class{},
		own:      map[string][]*NoticeFact{},
	}
	var intents []Intent
	for _, fact := range facts {
		if i, ok := fact.fact().(Intent); ok {
			intents = append(intents, i)
		}
	}
	if len(intents) == 0 {
		return nil
	}
	// There is one intent in a send. Of more the least is taken, so that not even a
	// mistake makes the order matter.
	f.intent = slices.MinFunc(intents, compareIntents)
	f.addAttempts(facts)
	f.addNotices(facts)
	return f
}

func compareIntents(a, b Intent) int {
	return cmp.Or(
		strings.Compare(a.MessageID, b.MessageID), strings.Compare(a.Sender, b.Sender),
		bytes.Compare(a.Digest[:], b.Digest[:]), slices.Compare(a.Recipients, b.Recipients),
		strings.Compare(a.Subject, b.Subject),
	)
}

func (f *folding) addAttempts(facts []Fact) {
	known := map[int]bool{}
	for _, fact := range facts {
		if o, ok := fact.fact().(AttemptOutcome); ok {
			known[o.N] = true
			f.outcomes = append(f.outcomes, o)
			if o.Outcome.Kind == OutcomeSubmitted {
				f.submitted = earliest(f.submitted, o.At)
			}
		}
	}
	for _, fact := range facts {
		if a, ok := fact.fact().(Attempt); ok {
			f.tried = earliest(f.tried, a.At)
			if !known[a.N] {
				f.outcomes = append(f.outcomes, AttemptOutcome{N: a.N, At: a.At})
			}
		}
	}
}

// earliest gives the earlier of two times; a zero one is not known.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (f *folding) addNotices(facts []Fact) {
	recipients, seen := recipientSet(f.intent), map[envelope.Key]bool{}
	for _, fact := range facts {
		if n, ok := fact.fact().(NoticeFact); ok && !seen[n.Key] && n.joins(f.intent, recipients) {
			seen[n.Key] = true
			f.notices = append(f.notices, n)
		}
	}
	slices.SortFunc(f.notices, func(a, b NoticeFact) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.Key[:], b.Key[:]))
	})
	for i := range f.notices {
		n := &f.notices[i]
		for _, r := range n.Recipients {
			f.list(n, r)
		}
		switch {
		case n.Kind == envelope.KindAcceptance && f.acceptance == nil:
			f.acceptance = n
		case n.Kind == envelope.KindNonAcceptance && f.rejection == nil:
			f.rejection = n
		case n.speaksOfOne():
			address := envelope.NormalizeAddress(n.Recipient)
			f.own[address] = append(f.own[address], n)
		}
	}
}

// list notes what a notice says of one of the recipients it lists. It repeats what
// the acceptance said, and a notice about one recipient implies that the message
// was accepted for all.
func (f *folding) list(n *NoticeFact, r envelope.Recipient) {
	address := envelope.NormalizeAddress(r.Address)
	if _, known := f.class[address]; !known {
		f.class[address] = ClassOrdinary
		if r.Certified {
			f.class[address] = ClassCertified
		}
	}
	switch n.Kind {
	case envelope.KindAcceptance, envelope.KindDelivery, envelope.KindNonDelivery, envelope.KindDeliveryDelay:
		if f.accepted[address] == nil {
			f.accepted[address] = n
		}
	}
}

// submission is the state that the attempts alone support, for every recipient:
// a message leaves for all of them or for none. That one attempt is known to have
// failed says nothing about another.
func (f *folding) submission() RecipientStatus {
	var best RecipientStatus
	bestRank := -1
	slices.SortFunc(f.outcomes, func(a, b AttemptOutcome) int {
		return cmp.Or(a.N-b.N, strings.Compare(a.Outcome.Reply.String(), b.Outcome.Reply.String()))
	})
	for _, o := range f.outcomes {
		state, rank := o.Outcome.Kind.state()
		if rank >= bestRank {
			best, bestRank = RecipientStatus{State: state, Reply: o.Outcome.Reply}, rank
		}
	}
	return best
}

// state is how far an outcome gets a send, and how it ranks among the outcomes of
// several attempts: what may have left outweighs what has not.
func (k OutcomeKind) state() (state State, rank int) {
	switch k {
	case OutcomeAuthentication:
		return StateSuspended, 1
	case OutcomeTemporary:
		return StateRetrying, 0
	case OutcomeRefused:
		return StateRefused, 2
	case OutcomeSubmitted:
		return StateSubmitted, 4
	default:
		return StateUncertain, 3
	}
}

// recipient raises the state of the submission to the highest that the notices
// support. Of notices that support the same state the first by certified time counts.
func (f *folding) recipient(address string, base RecipientStatus) RecipientStatus {
	key := envelope.NormalizeAddress(address)
	r := base
	r.Address, r.Class = address, f.class[key]
	raise := func(state State, n *NoticeFact) {
		if n == nil || state <= r.State {
			return
		}
		r = RecipientStatus{
			Address: address, Class: r.Class, State: state,
			Time: n.Time, Provider: n.Provider, Evidence: n.Key,
		}
		switch state {
		case StateAccepted, StateOrdinary: // the notice may be about another recipient
		default:
			r.Failure, r.Detail = n.Failure, n.Detail
		}
	}
	raise(StateRejected, f.rejection)
	if r.Class == ClassOrdinary {
		raise(StateOrdinary, f.accepted[key])
	} else {
		raise(StateAccepted, f.accepted[key])
	}
	for _, n := range f.own[key] {
		switch n.Kind {
		case envelope.KindDelivery:
			raise(StateDelivered, n)
		case envelope.KindNonDelivery:
			raise(StateFailed, n)
		case envelope.KindDeliveryDelay:
			if f.isFinalDelay(n) {
				raise(StateExpired, n)
			} else {
				raise(StateDelayed, n)
			}
		}
	}
	return r
}

// isFinalDelay tells the last delay notice from the first. They look the same,
// and either may be missing or come twice: only time and code tell.
func (f *folding) isFinalDelay(n *NoticeFact) bool {
	if n.Failure.Code == codeExpired {
		return true
	}
	since := f.tried
	switch {
	case f.acceptance != nil:
		since = f.acceptance.Time
	case !f.submitted.IsZero():
		since = f.submitted
	}
	return !since.IsZero() && n.Time.Sub(since) >= finalDelay
}

// certID is the provider's ID of the message, and whether notices name two. That
// of a non-acceptance comes last: no envelope was made (RFC 6109, 3.1.2).
func (f *folding) certID() (id string, conflict bool) {
	for _, rejection := range []bool{false, true} {
		for _, n := range f.notices {
			if (n.Kind == envelope.KindNonAcceptance) != rejection || envelope.SameMessageID(n.CertID, id) {
				continue
			}
			if id != "" {
				return id, true
			}
			id = n.CertID
		}
	}
	return id, false
}

// certified tells whether the sender's provider is proven to have judged the message.
func (f *folding) certified() bool {
	return slices.ContainsFunc(f.notices, func(n NoticeFact) bool { return n.Kind != envelope.KindUnknown })
}

func total(recipients []RecipientStatus, settled bool) Total {
	count := map[State]int{}
	for _, r := range recipients {
		count[r.State]++
	}
	n := len(recipients)
	switch rejected, ordinary := count[StateRejected]+count[StateRefused], count[StateOrdinary]; {
	case count[StateUncertain] > 0:
		return TotalUncertain
	case !settled:
		return TotalOpen
	case rejected == n:
		return TotalRejected
	case count[StateDelivered] == n:
		return TotalDelivered
	case count[StateDelivered]+ordinary == n:
		return TotalAcceptedOnly
	case count[StateDelivered]+ordinary == 0:
		return TotalFailed
	default:
		return TotalPartial
	}
}
