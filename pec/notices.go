package pec

import (
	"bytes"
	"cmp"
	"slices"
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

// notices are the proven notices about a send, and the claims to be one. Of those that
// support the same the first by certified time counts, whatever came first.
type notices struct {
	heard []*NoticeFact // all, those too that do not join, as they came
	joined
	claims map[envelope.Digest]bool // of messages that are not proven, or were not
}

// joined is what the notices say that join the send. Another intent makes it anew.
type joined struct {
	recipients map[string]bool // of the intent, by normalised address
	keys       map[envelope.Digest]bool
	unproven   int         // claims without a notice of their key
	first      *NoticeFact // each of these is the first of its kind; nil without one
	acceptance *NoticeFact
	rejection  *NoticeFact
	judged     bool            // the sender's provider is proven to have judged the message
	certIDs    map[string]bool // in lower case
	naming     *NoticeFact     // the first with a CertID
	rejecting  *NoticeFact     // the same among non-acceptances: no envelope was made (RFC 6109, 3.1.2)
	about      map[string]*aboutRecipient
}

// aboutRecipient is what the notices say of one recipient.
type aboutRecipient struct {
	class    Class
	classBy  *NoticeFact   // that tells the class
	accepted *NoticeFact   // proves that the message was accepted for the recipient
	delays   []*NoticeFact // by time
	expired  *NoticeFact   // a delay that says it is the last
	failed   *NoticeFact
	// delivered is the delivery receipt.
	delivered *NoticeFact
}

func newNotices() notices { return notices{claims: map[envelope.Digest]bool{}} }

// hear takes up a notice. Copies of one count once.
func (n *notices) hear(f NoticeFact, intent Intent) {
	if n.keys[f.Digest] {
		return
	}
	n.heard = append(n.heard, &f)
	n.join(&f, intent)
}

// hearAgain holds all notices against another intent.
func (n *notices) hearAgain(intent Intent) {
	n.joined = joined{
		recipients: recipientSet(intent), keys: map[envelope.Digest]bool{}, unproven: len(n.claims),
		certIDs: map[string]bool{}, about: map[string]*aboutRecipient{},
	}
	for _, f := range n.heard {
		if !n.keys[f.Digest] {
			n.join(f, intent)
		}
	}
}

// claim takes up the key of a message that is not proven. A message without one stays
// so.
func (n *notices) claim(key envelope.Digest) {
	if n.claims[key] {
		return
	}
	n.claims[key] = true
	if !n.keys[key] {
		n.unproven++
	}
}

// compareNotices orders notices by certified time.
func compareNotices(a, b *NoticeFact) int {
	return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.Digest[:], b.Digest[:]))
}

// before tells whether a counts and not b, which may be none.
func (f *NoticeFact) before(b *NoticeFact) bool { return b == nil || compareNotices(f, b) < 0 }

// keep puts a notice into a place for the first of its kind.
func keep(place **NoticeFact, f *NoticeFact) {
	if f.before(*place) {
		*place = f
	}
}

func (n *notices) join(f *NoticeFact, intent Intent) {
	if n.recipients == nil || !f.joins(intent, n.recipients) {
		return
	}
	n.keys[f.Digest] = true
	if n.claims[f.Digest] {
		n.unproven--
	}
	keep(&n.first, f)
	n.judged = n.judged || f.Kind != envelope.KindUnknown
	for _, r := range f.Recipients {
		n.list(f, r)
	}
	if id := lowerASCII(envelope.NormalizeMessageID(f.CertID)); id != "" {
		n.certIDs[id] = true
		if f.Kind == envelope.KindNonAcceptance {
			keep(&n.rejecting, f)
		} else {
			keep(&n.naming, f)
		}
	}
	to := n.of(envelope.NormalizeAddress(f.Recipient))
	switch f.Kind {
	case envelope.KindAcceptance:
		keep(&n.acceptance, f)
	case envelope.KindNonAcceptance:
		keep(&n.rejection, f)
	case envelope.KindDelivery:
		keep(&to.delivered, f)
	case envelope.KindNonDelivery:
		keep(&to.failed, f)
	case envelope.KindDeliveryDelay:
		at, _ := slices.BinarySearchFunc(to.delays, f, compareNotices)
		to.delays = slices.Insert(to.delays, at, f)
		if f.Failure.Code == codeExpired {
			keep(&to.expired, f)
		}
	}
}

// of gives what is known of a recipient, by normalised address.
func (j *joined) of(address string) *aboutRecipient {
	to := j.about[address]
	if to == nil {
		to = &aboutRecipient{}
		if j.about != nil {
			j.about[address] = to
		}
	}
	return to
}

// list notes what a notice says of one of the recipients it lists. It repeats what
// the acceptance said, and a notice about one recipient implies that the message
// was accepted for all.
func (j *joined) list(f *NoticeFact, r envelope.Recipient) {
	to := j.of(envelope.NormalizeAddress(r.Address))
	if f.before(to.classBy) {
		to.class, to.classBy = ClassOrdinary, f
		if r.Certified {
			to.class = ClassCertified
		}
	}
	switch f.Kind {
	case envelope.KindAcceptance, envelope.KindDelivery, envelope.KindNonDelivery, envelope.KindDeliveryDelay:
		keep(&to.accepted, f)
	}
}

// finalDelay tells the last delay notice from the first; nil when there is none. They
// look the same, and either may be missing or come twice: only time and code tell.
func (to *aboutRecipient) finalDelay(since time.Time) *NoticeFact {
	last := to.expired
	if since.IsZero() {
		return last
	}
	at, _ := slices.BinarySearchFunc(to.delays, finalDelay, func(f *NoticeFact, d time.Duration) int {
		return cmp.Compare(f.Time.Sub(since), d)
	})
	if at < len(to.delays) && to.delays[at].before(last) {
		last = to.delays[at]
	}
	return last
}

// certified tells whether the sender's provider is proven to have judged the message.
func (j *joined) certified() bool { return j.judged }

// certID is the provider's ID of the message; "" until a notice tells. That of a
// non-acceptance comes last.
func (j *joined) certID() string {
	switch {
	case j.naming != nil:
		return j.naming.CertID
	case j.rejecting != nil:
		return j.rejecting.CertID
	default:
		return ""
	}
}
