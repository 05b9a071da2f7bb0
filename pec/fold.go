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

// fold also gives what the times in a Summary are computed from.
func fold(facts []Fact, at time.Time) (Status, *folding) {
	f := newFolding(facts)
	if f == nil {
		return Status{}, nil
	}
	s := Status{
		MessageID: f.intent.MessageID,
		Key:       f.intent.Key,
		Resends:   f.intent.Resends,
		Sender:    f.intent.Sender,
		Subject:   f.intent.Subject,
		Begun:     f.intent.At,
		Elsewhere: f.elsewhere,
		Attempts:  f.offers(),
	}
	s.GivenUp, _ = f.givenUp()
	base := f.submission()
	for _, address := range f.intent.Recipients() {
		s.Recipients = append(s.Recipients, f.recipient(address, base))
	}
	s.CertID, f.conflict = f.certID()
	if f.acceptance != nil {
		s.SentAt = f.acceptance.Time
	}
	s.Settled = len(s.Recipients) > 0 &&
		!slices.ContainsFunc(s.Recipients, func(r RecipientStatus) bool { return !r.State.Final() })
	s.Total = total(s.Recipients, s.Settled)
	s.Flags = f.flags(s, at)
	return s, f
}

// folding is the facts of one send, arranged so that their order cannot matter.
type folding struct {
	intent    Intent
	elsewhere bool // the intent is inferred from notices
	restored  int  // the N of the last Restoration; zero for none
	untraced  *Untraced
	// abandonedAfter is the last Restoration of an Abandonment.
	abandonedAfter int
	attempts       map[int]attempt
	tried          time.Time // the first attempt
	submitted      time.Time // when the provider first answered 250; zero when it did not
	suspended      bool
	resumed        bool // it was, and is no more
	readTo         time.Time

	notices    []NoticeFact // those that join, each once, by certified time
	acceptance *NoticeFact  // the first of its kind
	rejection  *NoticeFact  // the first of its kind
	conflict   bool
	unverified bool
	resent     map[string]bool // by normalised address

	// By normalised address; each the first by certified time, or all in that order.
	accepted map[string]*NoticeFact   // proves that the message was accepted for the recipient
	class    map[string]Class         // as the notices classify it
	own      map[string][]*NoticeFact // speak of this recipient
	bounced  map[string]BounceFact
}

func newFolding(facts []Fact) *folding {
	f := &folding{
		attempts: map[int]attempt{},
		resent:   map[string]bool{},
		accepted: map[string]*NoticeFact{},
		class:    map[string]Class{},
		own:      map[string][]*NoticeFact{},
		bounced:  map[string]BounceFact{},
	}
	if !f.addIntent(facts) {
		return nil
	}
	f.addAttempts(facts)
	f.addNotices(facts)
	f.addRestorations(facts)
	suspensions, resumptions := 0, 0
	for _, fact := range facts {
		switch fact := fact.fact().(type) {
		case Suspension:
			suspensions = max(suspensions, fact.N)
		case Resumption:
			resumptions = max(resumptions, fact.N)
		case ReadTo:
			if fact.At.After(f.readTo) {
				f.readTo = fact.At
			}
		case UnverifiedFact:
			proven := slices.ContainsFunc(f.notices, func(n NoticeFact) bool { return n.Key == fact.Key })
			f.unverified = f.unverified || !proven
		case Resent:
			f.resent[envelope.NormalizeAddress(fact.Recipient)] = true
		case BounceFact:
			address := envelope.NormalizeAddress(fact.Recipient)
			if old, known := f.bounced[address]; !known || compareBounces(fact, old) < 0 {
				f.bounced[address] = fact
			}
		}
	}
	f.suspended, f.resumed = suspensions > resumptions, resumptions > 0 && suspensions <= resumptions
	return f
}

func compareBounces(a, b BounceFact) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Key[:], b.Key[:]), strings.Compare(a.Code+a.Text, b.Code+b.Text))
}

// addIntent finds the intent, or infers it. It is false where there is neither.
func (f *folding) addIntent(facts []Fact) bool {
	var intents []Intent
	for _, fact := range facts {
		if i, ok := fact.fact().(Intent); ok {
			intents = append(intents, i)
		}
	}
	if len(intents) == 0 {
		for _, fact := range facts {
			if n, ok := fact.fact().(NoticeFact); ok && n.Key != (envelope.Key{}) && n.MessageID != "" && n.Kind != envelope.KindUnknown {
				intents = append(intents, n.inferredIntent())
			}
		}
		f.elsewhere = true
	}
	if len(intents) == 0 {
		return false
	}
	// There is one intent in a send. Of more the least is taken, so that not even a
	// mistake makes the order matter.
	f.intent = slices.MinFunc(intents, compareIntents)
	f.elsewhere = f.elsewhere || f.intent.Adopted
	return true
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
		strings.Compare(foldID(a.MessageID), foldID(b.MessageID)),
		strings.Compare(envelope.NormalizeAddress(a.Sender), envelope.NormalizeAddress(b.Sender)),
		a.At.Compare(b.At), strings.Compare(a.MessageID+a.Sender, b.MessageID+b.Sender),
		bytes.Compare(a.Digest[:], b.Digest[:]), slices.Compare(a.Recipients(), b.Recipients()),
		strings.Compare(a.Subject, b.Subject),
	)
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
			r.Failure, r.Detail, r.Content = n.Failure, n.Detail, n.Content.Result
		}
	}
	raise(StateRejected, f.rejection)
	if r.Class == ClassOrdinary {
		raise(StateOrdinary, f.accepted[key])
		if b, ok := f.bounced[key]; ok && r.State < StateBounced {
			r = RecipientStatus{
				Address: address, Class: r.Class, State: StateBounced, Provider: b.Provider, Evidence: b.Key,
				Failure: envelope.Failure{Reason: envelope.ReasonOther, Cause: envelope.CauseOther, Code: b.Code, Text: b.Text},
			}
		}
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
