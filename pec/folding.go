package pec

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gopec/gopec/envelope"
)

// sameScope reports whether the same notices join two intents.
func sameScope(a, b Intent) bool {
	return envelope.SameMessageID(a.MessageID, b.MessageID) && envelope.SameAddress(a.Sender, b.Sender) &&
		slices.EqualFunc(a.Recipients(), b.Recipients(), envelope.SameAddress)
}

// inferredIntent returns the intent of a send as one of its notices shows it.
func (f NoticeFact) inferredIntent() Intent {
	i := Intent{MessageID: f.MessageID, Sender: f.Sender, Subject: f.Subject, At: f.Time}
	for _, r := range f.Recipients {
		i.To = append(i.To, r.Address)
	}
	return i
}

// compareIntents orders intents. The earlier is less among those of one message and sender.
func compareIntents(a, b Intent) int {
	return cmp.Or(
		strings.Compare(lowerASCII(a.MessageID), lowerASCII(b.MessageID)),
		strings.Compare(envelope.NormalizeAddress(a.Sender), envelope.NormalizeAddress(b.Sender)),
		a.At.Compare(b.At), strings.Compare(a.MessageID+a.Sender, b.MessageID+b.Sender),
		bytes.Compare(a.Digest[:], b.Digest[:]), slices.Compare(a.Recipients(), b.Recipients()),
		strings.Compare(a.Subject, b.Subject), strings.Compare(a.Key, b.Key), strings.Compare(a.Resends, b.Resends),
		cmp.Compare(a.OverdueAfter, b.OverdueAfter), cmp.Compare(a.Restoration, b.Restoration),
		-compareBools(a.Adopted, b.Adopted), // the adopted one first: its message has left, so nothing is offered
	)
}

// compareBools orders false before true.
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

// compareBounces orders bounces by the time they were recorded.
func compareBounces(a, b BounceFact) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Digest[:], b.Digest[:]), strings.Compare(a.Code+a.Text, b.Code+b.Text))
}

// folding is the facts of one send, arranged so that their order cannot matter. Adding a
// fact costs the same however many there are: Changes adds them one by one.
type folding struct {
	known     bool // there is an intent
	intent    Intent
	inferred  bool // the intent was inferred from notices
	elsewhere bool // there is no message of ours: the intent was inferred, or adopted

	tries
	notices
	readTo      time.Time
	suspensions int                   // the highest number
	resumptions int                   // the highest number
	resent      map[string]bool       // by normalised address
	bounced     map[string]BounceFact // the earliest, by normalised address
	restored    int                   // the N of the last Restoration; zero for none
	searches    map[int]Untraced      // by the N of the Restoration
	// abandonedAfter is the highest Abandonment.Restoration.
	abandonedAfter int
}

func newFolding() *folding {
	return &folding{
		tries:    newTries(),
		notices:  newNotices(),
		resent:   map[string]bool{},
		bounced:  map[string]BounceFact{},
		searches: map[int]Untraced{},
	}
}

// add adds one fact.
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

// consider takes an intent if it is better than the one so far. A send has one intent. If
// there are more by mistake, the least is taken, so that their order does not matter. An
// inferred intent gives way to a recorded one.
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

// searched adds an Untraced. There is one for each Restoration. If there are more, one that
// has a Trace, and so holds the send back, counts.
func (f *folding) searched(u Untraced) {
	if known, ok := f.searches[u.N]; !ok || u.Trace > known.Trace {
		f.searches[u.N] = u
	}
}

// mayAttempt reports whether the message may be offered again without the risk of a second
// copy. A send that Resend has repeated is over. Its failure was definite then, but a Store
// that was restored from a backup may have lost that fact.
func (f *folding) mayAttempt() bool { return f.isUnsent() && len(f.resent) == 0 }

// isUnsent reports whether every attempt so far certainly left nothing with the provider,
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
