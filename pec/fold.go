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
	s.Settled = !slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool { return !r.State.Final() })
	s.Total = total(s.Recipients, s.Settled)
	return s
}

// folding is the facts of one send, arranged so that their order cannot matter.
type folding struct {
	intent     Intent
	outcomes   []AttemptOutcome // an attempt without one is uncertain
	notices    []NoticeFact     // those that join, each once, by certified time
	acceptance *NoticeFact      // the first
	tried      time.Time        // the first attempt
	submitted  time.Time        // when the provider first answered 250; zero when it did not
}

func newFolding(facts []Fact) *folding {
	f := new(folding)
	found := false
	for _, fact := range facts {
		// There is one intent in a send. Of more the least Message-ID is taken, so
		// that not even a mistake makes the order matter.
		if i, ok := fact.(Intent); ok && (!found || i.MessageID < f.intent.MessageID) {
			f.intent, found = i, true
		}
	}
	if !found {
		return nil
	}
	known, seen := map[int]bool{}, map[envelope.Key]bool{}
	for _, fact := range facts {
		switch fact := fact.(type) {
		case AttemptOutcome:
			known[fact.N] = true
			f.outcomes = append(f.outcomes, fact)
			if fact.Outcome.Kind == OutcomeSubmitted {
				f.submitted = earliest(f.submitted, fact.At)
			}
		case NoticeFact:
			if fact.Joins(f.intent) && !seen[fact.Key] {
				seen[fact.Key] = true
				f.notices = append(f.notices, fact)
			}
		}
	}
	for _, fact := range facts {
		if a, ok := fact.(Attempt); ok {
			f.tried = earliest(f.tried, a.At)
			if !known[a.N] {
				f.outcomes = append(f.outcomes, AttemptOutcome{N: a.N, At: a.At})
			}
		}
	}
	slices.SortFunc(f.notices, func(a, b NoticeFact) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.Key[:], b.Key[:]))
	})
	for i := range f.notices {
		if f.notices[i].Kind == envelope.KindAcceptance {
			f.acceptance = &f.notices[i]
			break
		}
	}
	return f
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// submission is the state that the attempts alone support, for every recipient:
// a message leaves for all of them or for none.
func (f *folding) submission() RecipientStatus {
	slices.SortFunc(f.outcomes, func(a, b AttemptOutcome) int {
		return cmp.Or(a.N-b.N, strings.Compare(a.Outcome.Reply.String(), b.Outcome.Reply.String()))
	})
	var best RecipientStatus
	for _, o := range f.outcomes {
		if state := o.Outcome.Kind.state(); state >= best.State {
			best = RecipientStatus{State: state, Reply: o.Outcome.Reply}
		}
	}
	return best
}

// state is how far an outcome gets a send.
func (k OutcomeKind) state() State {
	switch k {
	case OutcomeSubmitted:
		return StateSubmitted
	case OutcomeRefused:
		return StateRefused
	case OutcomeTemporary:
		return StateRetrying
	case OutcomeAuthentication:
		return StateSuspended
	default:
		return StateUncertain
	}
}

// recipient folds the notices over the state of the submission. Of notices that
// support the same state the first by certified time is told.
func (f *folding) recipient(address string, base RecipientStatus) RecipientStatus {
	r := base
	r.Address = address
	r.Class = f.class(address)
	for i := range f.notices {
		n := &f.notices[i]
		state, ok := f.supports(n, address, r.Class)
		if !ok || state <= r.State {
			continue
		}
		r = RecipientStatus{
			Address:  address,
			Class:    r.Class,
			State:    state,
			Failure:  n.Failure,
			Time:     n.Time,
			Provider: n.Provider,
			Evidence: n.Key,
			Detail:   n.Detail,
		}
		if state <= StateOrdinary && state != StateRejected {
			r.Failure = envelope.Failure{} // of another recipient, whose notice implies acceptance
		}
	}
	return r
}

// supports tells which state a notice proves for a recipient.
func (f *folding) supports(n *NoticeFact, address string, class Class) (State, bool) {
	mine := envelope.SameAddress(n.Recipient, address)
	switch n.Kind {
	case envelope.KindNonAcceptance:
		return StateRejected, true
	case envelope.KindDelivery:
		if mine {
			return StateDelivered, true
		}
	case envelope.KindNonDelivery:
		if mine {
			return StateFailed, true
		}
	case envelope.KindDeliveryDelay:
		switch {
		case mine && f.isFinalDelay(n):
			return StateExpired, true
		case mine:
			return StateDelayed, true
		}
	case envelope.KindAcceptance:
	default:
		return 0, false // take-in-charge, virus detection, unknown: kept, and nothing moves
	}
	// What speaks of another recipient implies that the provider accepted the message
	// for all those it lists.
	if _, listed := listedClass(n, address); !listed {
		return 0, false
	}
	if class == ClassOrdinary {
		return StateOrdinary, true
	}
	return StateAccepted, true
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

// class is how the notices classify an address. They repeat what the acceptance
// said; where they differ, the first by certified time counts.
func (f *folding) class(address string) Class {
	for i := range f.notices {
		if class, listed := listedClass(&f.notices[i], address); listed {
			return class
		}
	}
	return ClassUnknown
}

func listedClass(n *NoticeFact, address string) (Class, bool) {
	for _, r := range n.Recipients {
		if envelope.SameAddress(r.Address, address) {
			if r.Certified {
				return ClassCertified, true
			}
			return ClassOrdinary, true
		}
	}
	return ClassUnknown, false
}

// certID is the provider's ID of the message, and whether notices name two. A
// non-acceptance may have an ID of its own: no envelope was made (RFC 6109, 3.1.2).
func (f *folding) certID() (id string, conflict bool) {
	for _, kind := range []bool{false, true} {
		for _, n := range f.notices {
			if (n.Kind == envelope.KindNonAcceptance) != kind || envelope.SameMessageID(n.CertID, id) {
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
	for _, n := range f.notices {
		if n.Kind != envelope.KindUnknown {
			return true
		}
	}
	return false
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
