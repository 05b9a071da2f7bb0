package dossier

import (
	"slices"
	"time"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/receipt"
)

// Report is what the evidence in a dossier shows. It is the content of report.json, and the
// pages are made from it. It depends on the evidence only, not on the day. Times are in RFC
// 3339; a certified time keeps the offset of the provider. Values that do not apply are ""
// or empty.
type Report struct {
	Form      string    `json:"form"`
	Direction Direction `json:"direction"`
	MessageID string    `json:"messageID"` // the sender's
	CertID    string    `json:"certID"`    // identificativo
	Key       string    `json:"key"`       // the key that the sender's program gave the message; not certified
	Sender    string    `json:"sender"`
	Subject   string    `json:"subject"`
	Provider  string    `json:"provider"` // the provider that certifies SentAt
	// Elsewhere reports that the message is known from its notices alone: another program
	// sent it.
	Elsewhere bool       `json:"elsewhere"`
	Result    pec.Result `json:"total"` // "" for a received message
	Settled   bool       `json:"settled"`
	// SentAt is the legal time of sending: the certified time of the acceptance, or of the
	// envelope of a received message.
	SentAt     string      `json:"sentAt"`
	Flags      []pec.Flag  `json:"flags"` // only flags that do not depend on the day
	Recipients []Recipient `json:"recipients"`
	Original   *Original   `json:"original"` // null when it is not in the dossier
	Proofs     []Proof     `json:"proofs"`
	Unproven   []Proof     `json:"unproven"` // messages that claim to be notices about this one
	Missing    []Missing   `json:"missing"`
	Timeline   []Moment    `json:"-"` // in timeline.json
}

// Recipient is what became of the message for one recipient.
type Recipient struct {
	Address  string                `json:"address"`
	Role     string                `json:"role"`  // to or cc; "" when not known
	Class    pec.Class             `json:"class"` // as the sender's provider certifies it
	State    string                `json:"state"` // a pec.State; "" for a received message
	Final    bool                  `json:"final"` // see pec.State.Final
	Time     string                `json:"time"`  // the certified time of the state
	Provider string                `json:"provider"`
	Cause    envelope.Cause        `json:"cause"`
	Code     string                `json:"code"`
	Text     string                `json:"errorText"` // in the provider's words
	Detail   receipt.Detail        `json:"detail"`
	Content  receipt.ContentResult `json:"content"`
	Proof    int                   `json:"proof"` // the Number of the Proof that the state rests on; 0 for none
}

// Mismatch reports whether a delivery receipt proves other content than the original in the
// dossier.
func (r *Report) Mismatch() bool {
	return slices.ContainsFunc(r.Proofs, func(p Proof) bool { return p.Content == string(receipt.ContentMismatch) })
}

// report returns the report of the assessment.
func (a *assessment) report() *Report {
	r := &Report{
		Form: Schema, Direction: a.facts.Direction, MessageID: a.facts.MessageID, CertID: a.facts.CertID, Sender: a.facts.Sender,
		Flags: []pec.Flag{}, Recipients: []Recipient{}, Proofs: []Proof{}, Unproven: []Proof{}, Missing: []Missing{}, Timeline: []Moment{},
	}
	for _, m := range a.proofs {
		r.Proofs = append(r.Proofs, m.proof)
	}
	for _, m := range a.unproven {
		r.Unproven = append(r.Unproven, m.proof)
	}
	if a.original != nil {
		r.Original = &Original{File: a.original.name, SHA256: envelope.Digest(a.original.sum).String(), Size: a.original.size, Attachments: a.files}
	}
	if r.Direction == DirectionReceived {
		a.addEnvelope(r)
	} else {
		a.addStatus(r)
		a.addMissing(r)
	}
	a.addTimeline(r)
	return r
}

// addEnvelope adds what the envelope of a received message certifies.
func (a *assessment) addEnvelope(r *Report) {
	p := a.proofs[0].proof
	r.MessageID, r.Sender, r.Subject = p.MessageID, p.Sender, p.Subject
	r.SentAt, r.Provider, r.Elsewhere = p.Time, p.Provider, true
	r.Original = &Original{Attachments: a.files}
	if a.files == nil {
		r.Original.Attachments = []Attachment{}
	}
	for _, to := range p.Recipients {
		class := pec.ClassOrdinary
		if to.Certified {
			class = pec.ClassCertified
		}
		r.Recipients = append(r.Recipients, Recipient{Address: to.Address, Class: class, Proof: p.Number})
	}
}

// addStatus adds the status of a message that was sent, as pec.Fold computes it. With the
// zero time pec.Fold sets no flag that depends on the day.
func (a *assessment) addStatus(r *Report) {
	s := pec.Fold(a.statusFacts(), time.Time{})
	r.CertID, r.Key, r.Subject, r.Elsewhere = s.CertID, s.Key, s.Subject, s.Elsewhere
	r.Result, r.Settled, r.SentAt = s.Result, s.Settled, stamp(s.SentAt)
	r.Flags = append(r.Flags, s.Flags...)
	// A certified subject takes precedence over the recorded one.
	if i := slices.IndexFunc(a.proofs, func(m *message) bool { return m.proof.Subject != "" }); i >= 0 {
		r.Subject = a.proofs[i].proof.Subject
	}
	var acceptance *message
	if i := slices.IndexFunc(a.proofs, func(m *message) bool { return m.kind == envelope.KindAcceptance }); i >= 0 {
		acceptance = a.proofs[i]
		r.Provider = acceptance.proof.Provider
	}
	roles, numbers := a.roles(), a.numbers()
	for _, to := range s.Recipients {
		if acceptance != nil && (to.State == pec.StateAccepted || to.State == pec.StateOrdinary) {
			// Any later notice implies the acceptance. The acceptance itself states it.
			to.Time, to.Provider, to.Evidence = acceptance.at, acceptance.proof.Provider, acceptance.key
		}
		if to.State == pec.StateDelivered && to.Content == "" {
			to.Content = receipt.ContentUnchecked // there is no original
		}
		r.Recipients = append(r.Recipients, Recipient{
			Address: to.Address, Role: roles[envelope.NormalizeAddress(to.Address)], Class: to.Class, State: string(to.State), Final: to.State.Final(),
			Time: stamp(to.Time), Provider: to.Provider, Cause: to.Failure.Cause, Code: to.Failure.Code, Text: to.Failure.Text,
			Detail: to.Detail, Content: to.Content, Proof: numbers[to.Evidence],
		})
	}
}

// statusFacts returns the facts for pec.Fold: what was recorded, and what the evidence adds.
func (a *assessment) statusFacts() []pec.Fact {
	recorded := a.facts
	if recorded.Intent != nil {
		recorded.Intent = &a.intended
	}
	facts := recorded.all()
	for _, m := range a.proofs {
		if m.kind.IsNotice() {
			facts = append(facts, m.fact)
		}
	}
	for _, m := range a.unproven {
		facts = append(facts, pec.UnverifiedFact{SHA256: m.sum, Digest: m.key, Code: m.code, Kind: m.kind})
	}
	return facts
}

// roles returns the header field of each recipient, to or cc, by normalised address. To
// takes precedence over Cc.
func (a *assessment) roles() map[string]string {
	roles := map[string]string{}
	if i := a.facts.Intent; i != nil {
		for _, address := range i.Cc {
			roles[envelope.NormalizeAddress(address)] = "cc"
		}
		for _, address := range i.To {
			roles[envelope.NormalizeAddress(address)] = "to"
		}
	}
	return roles
}

// numbers returns the Number of each proof, by the digest of its message.
func (a *assessment) numbers() map[envelope.Digest]int {
	numbers := make(map[envelope.Digest]int, len(a.proofs))
	for _, m := range a.proofs {
		numbers[m.key] = m.proof.Number
	}
	return numbers
}

// stamp returns a time in RFC 3339 with its own offset; "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
