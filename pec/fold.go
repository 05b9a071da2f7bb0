package pec

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
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

// folding is the facts of one send, arranged so that their order cannot matter. One
// more fact costs the same however many there were before: a follower of Changes adds
// them one by one.
type folding struct {
	known     bool // there is an intent
	intent    Intent
	inferred  bool // the intent is, from notices
	elsewhere bool // there is no message of ours: inferred, or adopted

	tries
	notices
	readTo      time.Time
	suspensions int             // the highest number
	resumptions int             // the highest number
	resent      map[string]bool // by normalised address
	bounced     map[string]BounceFact
	restored    int              // the N of the last Restoration; zero for none
	searches    map[int]Untraced // by the N of the Restoration
	// abandonedAfter is the last Restoration of an Abandonment.
	abandonedAfter int
}

func newFolding() *folding {
	return &folding{
		tries:   newTries(),
		notices: newNotices(),
		resent:  map[string]bool{},
		bounced: map[string]BounceFact{},

		searches: map[int]Untraced{},
	}
}

// add takes up one fact.
func (f *folding) add(fact Fact) {
	switch fact := fact.fact().(type) {
	case Intent:
		f.consider(fact, false)
	case NoticeFact:
		if (!f.known || f.inferred) && fact.Digest != (envelope.Digest{}) && fact.MessageID != "" && fact.Kind != envelope.KindUnknown {
			f.consider(fact.inferredIntent(), true)
		}
		f.hear(fact, f.intent)
	case Attempt:
		f.begin(fact)
	case Abandonment:
		f.abandon(fact)
		f.abandonedAfter = max(f.abandonedAfter, fact.Restoration)
	case Restoration:
		f.restored = max(f.restored, fact.N)
	case Untraced:
		f.searched(fact)
	case AttemptOutcome:
		f.end(fact)
	case Resolution:
		f.resolve(fact)
	case Suspension:
		f.suspensions = max(f.suspensions, fact.N)
	case Resumption:
		f.resumptions = max(f.resumptions, fact.N)
	case ReadTo:
		if fact.At.After(f.readTo) {
			f.readTo = fact.At
		}
	case UnverifiedFact:
		f.claim(fact.Digest)
	case Resent:
		f.resent[envelope.NormalizeAddress(fact.Recipient)] = true
	case BounceFact:
		address := envelope.NormalizeAddress(fact.Recipient)
		if old, known := f.bounced[address]; !known || compareBounces(fact, old) < 0 {
			f.bounced[address] = fact
		}
	}
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

func compareBounces(a, b BounceFact) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Digest[:], b.Digest[:]), strings.Compare(a.Code+a.Text, b.Code+b.Text))
}

// consider takes an intent that is better than the one so far. There is one intent in
// a send. Of more the least is taken, so that not even a mistake makes the order
// matter; one that is inferred gives way to any other.
func (f *folding) consider(i Intent, inferred bool) {
	better := !f.known || f.inferred && !inferred || f.inferred == inferred && compareIntents(i, f.intent) < 0
	if !better {
		return
	}
	same := f.known && sameScope(i, f.intent)
	f.known, f.intent, f.inferred = true, i, inferred
	f.elsewhere = inferred || i.Adopted
	if !same {
		f.hearAgain(i)
	}
}

// sameScope tells whether the same notices join two intents.
func sameScope(a, b Intent) bool {
	return envelope.SameMessageID(a.MessageID, b.MessageID) && envelope.SameAddress(a.Sender, b.Sender) &&
		slices.EqualFunc(a.Recipients(), b.Recipients(), envelope.SameAddress)
}

// inferredIntent is what a notice tells of the send it speaks of.
func (f NoticeFact) inferredIntent() Intent {
	i := Intent{MessageID: f.MessageID, Sender: f.Sender, Subject: f.Subject, At: f.Time}
	for _, r := range f.Recipients {
		i.To = append(i.To, r.Address)
	}
	return i
}

func compareIntents(a, b Intent) int {
	return cmp.Or(
		strings.Compare(lowerASCII(a.MessageID), lowerASCII(b.MessageID)),
		strings.Compare(envelope.NormalizeAddress(a.Sender), envelope.NormalizeAddress(b.Sender)),
		a.At.Compare(b.At), strings.Compare(a.MessageID+a.Sender, b.MessageID+b.Sender),
		bytes.Compare(a.Digest[:], b.Digest[:]), slices.Compare(a.Recipients(), b.Recipients()),
		strings.Compare(a.Subject, b.Subject), strings.Compare(a.Key, b.Key), strings.Compare(a.Resends, b.Resends),
		cmp.Compare(a.OverdueAfter, b.OverdueAfter), cmp.Compare(a.Restoration, b.Restoration),
		-compareBools(a.Adopted, b.Adopted), // of one that has left nothing is offered
	)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// earliest gives the earlier of two times; a zero one is not known.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
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
