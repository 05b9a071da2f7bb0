package dossier

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/mail"
	"slices"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// assessment is the evidence about one message, judged and in order.
type assessment struct {
	facts    Recorded
	intended pec.Intent               // the intent that a notice must match
	original *item                    // nil when there is none
	files    []Attachment             // of the original
	proofs   []*message               // the proven messages, by certified time
	unproven []*message               // messages that claim to be notices about this one, and are not proven
	failed   map[string]envelope.Code // the candidates that are not proven, by name in the dossier that is read
}

// assess judges the evidence. The result depends on the evidence and the anchors only, not
// on the order of the messages or the day. With an error it returns what it has found so
// far, so that the caller can name the candidates that failed.
func assess(ctx context.Context, e *evidence, t *trust) (*assessment, error) {
	var all []*message
	a := &assessment{facts: e.facts, failed: map[string]envelope.Code{}}
	for _, c := range e.messages {
		m, err := t.judge(ctx, c)
		if err != nil {
			return a, err
		}
		if m.code != "" && c.name != "" {
			a.failed[c.name] = m.code
		}
		all = append(all, m)
	}
	// Copies of a notice may differ outside the signature. Sorted, the same copy is kept
	// every time.
	slices.SortFunc(all, func(x, y *message) int { return bytes.Compare(x.sum[:], y.sum[:]) })
	if !e.chosen {
		if err := a.choose(all); err != nil {
			return a, err
		}
	}
	a.sort(all)
	if len(a.proofs) == 0 && a.facts.Intent == nil {
		return a, &Error{Reason: ReasonUnknown, Err: fmt.Errorf("nothing about %.200q is proven under these anchors", a.facts.MessageID)}
	}
	if a.facts.Direction == DirectionReceived {
		a.files = a.proofs[0].files
		return a, nil
	}
	original := e.original
	if original == nil {
		original = a.findOriginal(all)
	}
	return a, a.checkOriginal(ctx, original, t)
}

// sort keeps the messages that are about this one, and one copy of each notice. It orders
// and names them.
func (a *assessment) sort(all []*message) {
	bounced := map[envelope.Digest]bool{}
	for _, b := range a.facts.Bounces {
		bounced[b.Digest] = true
	}
	a.intended = a.intent(all)
	seen, copies := map[envelope.Digest]bool{}, map[[32]byte]bool{}
	for _, m := range all {
		claims := envelope.SameMessageID(m.proof.MessageID, a.facts.MessageID) && envelope.SameAddress(m.proof.Sender, a.facts.Sender)
		switch received := a.facts.Direction == DirectionReceived; {
		case m.code != "":
			if claims && m.kind.IsNotice() && !received && !copies[m.sum] {
				a.unproven = append(a.unproven, m)
			}
			copies[m.sum] = true
			continue
		case seen[m.key]:
			continue
		case m.kind.IsNotice():
			if received || !m.fact.Joins(a.intended) {
				continue
			}
		case m.kind == envelope.KindTransport:
			if !received || !m.isEnvelopeOf(a.facts) {
				continue
			}
		case m.kind == envelope.KindAnomaly:
			if received || !bounced[m.key] {
				continue
			}
		}
		seen[m.key] = true
		a.proofs = append(a.proofs, m)
	}
	slices.SortFunc(a.proofs, func(x, y *message) int {
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(kindRank(x.kind), kindRank(y.kind)), bytes.Compare(x.key[:], y.key[:]))
	})
	for i, m := range a.proofs {
		m.proof.Number = i + 1
		m.name = fmt.Sprintf(noticesFolder+"%04d-%s.eml", i+1, m.kind)
		m.proof.File = m.name
	}
	for i, m := range a.unproven {
		m.name = fmt.Sprintf(unprovenFolder+"%04d.eml", i+1)
		m.proof.File = m.name
	}
}

// isEnvelopeOf reports whether an envelope carries the message that the facts name. No
// signature covers the facts, so all of them must equal what the envelope certifies.
func (m *message) isEnvelopeOf(f Recorded) bool {
	sameID := m.proof.MessageID == f.MessageID || envelope.SameMessageID(m.proof.MessageID, f.MessageID)
	return m.proof.CertID == f.CertID && sameID && envelope.SameAddress(m.proof.Sender, f.Sender)
}

// intent returns the intent that a notice must match. For a message that another program
// sent it is made from the notices. To a recorded intent it adds the recipients that only
// the notices list: otherwise a message would count as delivered to all although the
// record leaves somebody out.
func (a *assessment) intent(all []*message) pec.Intent {
	intent := pec.Intent{MessageID: a.facts.MessageID, Sender: a.facts.Sender}
	if a.facts.Intent != nil {
		intent = *a.facts.Intent
		intent.To = slices.Clone(intent.To)
	}
	known := map[string]bool{}
	for _, address := range intent.Recipients() {
		known[envelope.NormalizeAddress(address)] = true
	}
	for _, m := range all {
		if m.code != "" || !m.kind.IsNotice() || !m.fact.Joins(pec.Intent{MessageID: intent.MessageID, Sender: intent.Sender, To: []string{m.fact.Recipient}}) {
			continue
		}
		for _, r := range m.fact.Recipients {
			if address := envelope.NormalizeAddress(r.Address); !known[address] {
				known[address] = true
				intent.To = append(intent.To, r.Address)
			}
		}
	}
	return intent
}

// findOriginal returns the ordinary message that has the Message-ID and the sender that the
// notices name; nil when there is none.
func (a *assessment) findOriginal(all []*message) opener {
	for _, m := range all {
		if !envelope.SameMessageID(m.head.Get("Message-ID"), a.facts.MessageID) {
			continue
		}
		from, err := mail.ParseAddress(m.head.Get("From"))
		if err == nil && envelope.SameAddress(from.Address, a.facts.Sender) {
			return m.open
		}
	}
	return nil
}

// checkOriginal compares the original with the record of it, and with what the delivery
// receipts carry. A nil open means that there is no original.
func (a *assessment) checkOriginal(ctx context.Context, open opener, t *trust) error {
	if open == nil {
		return nil
	}
	it, s, closeAll, err := spooled(ctx, open)
	if err != nil {
		return err
	}
	defer closeAll()
	it.name = originalFile
	a.original = &it
	if i := a.facts.Intent; i != nil && i.Digest != (envelope.Digest{}) && i.Digest != envelope.Digest(it.sum) {
		return &Error{Reason: ReasonContradiction, Err: fmt.Errorf("the original has SHA-256 %s, recorded was %s", envelope.Digest(it.sum), i.Digest)}
	}
	if a.files, err = attachments(io.NewSectionReader(s, 0, s.Size())); err != nil {
		return err
	}
	for _, m := range a.proofs {
		if m.kind == envelope.KindDelivery {
			if err := t.compare(ctx, m, io.NewSectionReader(s, 0, s.Size())); err != nil {
				return err
			}
		}
	}
	return nil
}

// kindRanks is the order of notices of the same second. Dossiers are verified by writing
// them again: the order stays as it is.
var kindRanks = []envelope.Kind{
	envelope.KindNone, envelope.KindUnknown, envelope.KindAcceptance, envelope.KindNonAcceptance, envelope.KindTakeInCharge,
	envelope.KindDelivery, envelope.KindNonDelivery, envelope.KindDeliveryDelay, envelope.KindVirusDetection,
	envelope.KindTransport, envelope.KindAnomaly,
}

func kindRank(k envelope.Kind) int { return slices.Index(kindRanks, k) }
