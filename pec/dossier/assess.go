package dossier

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
)

// assessment is the evidence about one message, judged and in order.
type assessment struct {
	facts    Facts
	intended pec.Intent // what notices are held against
	original *item
	files    []Attachment             // in the original
	proofs   []*message               // the proven ones, by certified time
	unproven []*message               // those that claim to be about the message
	failed   map[string]envelope.Code // of the candidates with a name, those that are not proven
}

// assess judges the evidence. It depends on the evidence and on the anchors, and on
// nothing else: neither the order of the messages nor the day matters. Beside an *Error
// the assessment tells which candidates failed.
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
	// Of copies that differ outside the signature one is kept, always the same.
	slices.SortFunc(all, func(x, y *message) int { return bytes.Compare(x.sum[:], y.sum[:]) })
	if !e.chosen {
		if err := a.choose(all); err != nil {
			return a, err
		}
	}
	a.sort(all)
	if len(a.proofs) == 0 && a.facts.Intent == nil {
		return a, &Error{Reason: ReasonUnknown, Err: errors.New("nothing about it is proven")}
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

// sort keeps what is about the message, each notice once.
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
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.kind, y.kind), bytes.Compare(x.key[:], y.key[:]))
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

// isEnvelopeOf tells whether an envelope brings the message that the facts name. No
// signature covers these: all they say of it has to be what the envelope certifies.
func (m *message) isEnvelopeOf(f Facts) bool {
	sameID := m.proof.MessageID == f.MessageID || envelope.SameMessageID(m.proof.MessageID, f.MessageID)
	return m.proof.CertID == f.CertID && sameID && envelope.SameAddress(m.proof.Sender, f.Sender)
}

// intent is what notices are held against. Of a message that another program sent it is
// what its notices say. One that our own system recorded gets the recipients that the
// notices list and it does not: a record that leaves somebody out must not make a
// message delivered to all.
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

// findOriginal looks for it among ordinary mail: the message with the Message-ID and
// the sender that the notices name.
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

// checkOriginal compares what was delivered with what was sent.
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
		return &Error{Reason: ReasonContradiction}
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
