package pec

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
)

const (
	// finalDelay is how long after acceptance a delivery-delay notice is the last. The first
	// leaves after 12 hours, the second between 22 and 24 hours (RFC 6109, 3.1.6).
	finalDelay = 22 * time.Hour
	// codeExpired is the error code that makes any delay notice the last.
	codeExpired = "5.4.1"
)

// notices are the proven notices about a send, and the messages that claim to be one. If
// several notices support the same, the one with the earliest certified time counts, in
// whatever order they came.
type notices struct {
	heard []*NoticeFact // all in the order they came, including those that do not join
	joined
	claims map[envelope.Digest]bool // the digests of messages that were not proven when they were read
}

// joined is what the notices that join the send say. It is computed again when the intent
// changes.
type joined struct {
	recipients map[string]bool          // of the intent, by normalised address
	keys       map[envelope.Digest]bool // the digests of the notices
	unproven   int                      // how many claims no notice with their digest has proven
	first      *NoticeFact              // the earliest of any kind; nil for none, as in the others
	acceptance *NoticeFact
	rejection  *NoticeFact
	judged     bool                       // it is proven that the sender's provider has judged the message
	certIDs    map[string]bool            // in lower case
	naming     *NoticeFact                // the first with a CertID, except non-acceptances
	rejecting  *NoticeFact                // the first non-acceptance with a CertID: no envelope was made (RFC 6109, 3.1.2)
	about      map[string]*aboutRecipient // by normalised address
}

// aboutRecipient is what the notices say of one recipient.
type aboutRecipient struct {
	class     Class
	classBy   *NoticeFact   // the notice that class is from
	accepted  *NoticeFact   // proves that the message was accepted for the recipient
	delays    []*NoticeFact // by time
	expired   *NoticeFact   // a delay notice whose code says that it is the last
	failed    *NoticeFact   // the non-delivery
	delivered *NoticeFact   // the delivery receipt
}

func newNotices() notices { return notices{claims: map[envelope.Digest]bool{}} }

// hear adds a notice. Copies of one notice count once.
func (n *notices) hear(f NoticeFact, intent Intent) {
	if n.keys[f.Digest] {
		return
	}
	n.heard = append(n.heard, &f)
	n.join(&f, intent)
}

// hearAgain computes joined again, for another intent.
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

// claim adds the digest of a message that is not proven. If that is zero, nothing ever
// proves the message.
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

// before reports whether f comes before b, which may be nil for none.
func (f *NoticeFact) before(b *NoticeFact) bool { return b == nil || compareNotices(f, b) < 0 }

// keep puts f in place of a later notice, or of none.
func keep(place **NoticeFact, f *NoticeFact) {
	if f.before(*place) {
		*place = f
	}
}

// join adds what a notice says, if it joins the send.
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

// of returns what is known of a recipient, by normalised address.
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

// list adds what a notice says of one of the recipients that it lists. Every notice
// repeats the list of the acceptance, so one about a single recipient implies that the
// message was accepted for all.
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

// finalDelay returns the last delay notice; nil if there is none. since is when the
// provider had the message, zero if that is unknown. The first and the last notice look the
// same, and either may be missing or come twice: only time and code distinguish them.
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

// certified reports whether it is proven that the sender's provider has judged the message.
func (j *joined) certified() bool { return j.judged }

// certID returns the provider's ID of the message; "" until a notice names it. The ID in a
// non-acceptance counts only if there is no other.
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
