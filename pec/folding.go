package pec

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
)

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

func compareBounces(a, b BounceFact) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Digest[:], b.Digest[:]), strings.Compare(a.Code+a.Text, b.Code+b.Text))
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

// earliest gives the earlier of two times; a zero one is not known.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// searched takes up an Untraced. There is one for each Restoration. Of more the one that
// holds counts.
func (f *folding) searched(u Untraced) {
	if known, ok := f.searches[u.N]; !ok || u.Trace > known.Trace {
		f.searches[u.N] = u
	}
}

// mayAttempt tells whether another attempt cannot make a second copy. A send that was
// repeated by another is over: Resend asked for a definite failure, which a Store that
// was restored from a backup need not have any more.
func (f *folding) mayAttempt() bool { return f.isUnsent() && len(f.resent) == 0 }

// isUnsent tells whether every attempt so far provably left nothing with the provider,
// and may be repeated.
func (f *folding) isUnsent() bool {
	if f.elsewhere || f.certified() {
		return false
	}
	for _, a := range f.attempts {
		if k := a.kind(); k != OutcomeTemporary && k != OutcomeAuthentication {
			return false
		}
	}
	return true
}
