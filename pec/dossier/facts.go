package dossier

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gopec/gopec/pec"
)

// Form names the form of a dossier: its files, the page included. A change of what
// is written for the same evidence changes it.
const Form = "https://github.com/gopec/gopec/dossier/v1"

// factsNotice stands in facts.json.
const factsNotice = "Nothing in this file is certified: it is what the sender's own system recorded. " +
	"Nulla in questo file è certificato: è quanto ha registrato il sistema del mittente."

// Facts is what is known of a message beside its evidence, in facts.json: no
// signature covers it.
type Facts struct {
	Form        string    `json:"form"`
	Notice      string    `json:"notice"`
	Direction   Direction `json:"direction"`
	MessageID   string    `json:"messageID"`   // that the dossier is about; "" of a PEC whose sender set none
	Sender      string    `json:"sender"`      // the address of the mailbox that sent it
	CertID      string    `json:"certID"`      // of a received message: identificativo; "" of one that was sent
	AllowLegacy bool      `json:"allowLegacy"` // Options.AllowLegacy

	Intent       *pec.Intent          `json:"intent"` // null for a message that another program sent
	Attempts     []pec.Attempt        `json:"attempts"`
	Outcomes     []pec.AttemptOutcome `json:"outcomes"`
	Abandonments []pec.Abandonment    `json:"abandonments"`
	Resolutions  []pec.Resolution     `json:"resolutions"`
	Resent       []pec.Resent         `json:"resent"`
	Bounces      []pec.BounceFact     `json:"bounces"`
}

// Direction tells whose the message is. The set is closed.
type Direction string

// The directions.
const (
	DirectionSent     Direction = "sent"
	DirectionReceived Direction = "received"
)

// add takes up a fact about a send; those that follow from the evidence are left out.
func (f *Facts) add(fact pec.Fact) {
	switch fact := fact.(type) {
	case pec.Intent:
		f.Intent = &fact
	case pec.Attempt:
		f.Attempts = append(f.Attempts, fact)
	case pec.AttemptOutcome:
		f.Outcomes = append(f.Outcomes, fact)
	case pec.Abandonment:
		f.Abandonments = append(f.Abandonments, fact)
	case pec.Resolution:
		f.Resolutions = append(f.Resolutions, fact)
	case pec.Resent:
		f.Resent = append(f.Resent, fact)
	case pec.BounceFact:
		f.Bounces = append(f.Bounces, fact)
	}
}

// all gives the facts for pec.Fold.
func (f *Facts) all() []pec.Fact {
	var all []pec.Fact
	if f.Intent != nil {
		all = append(all, *f.Intent)
	}
	for _, fact := range f.Attempts {
		all = append(all, fact)
	}
	for _, fact := range f.Outcomes {
		all = append(all, fact)
	}
	for _, fact := range f.Abandonments {
		all = append(all, fact)
	}
	for _, fact := range f.Resolutions {
		all = append(all, fact)
	}
	for _, fact := range f.Resent {
		all = append(all, fact)
	}
	for _, fact := range f.Bounces {
		all = append(all, fact)
	}
	return all
}

// encode writes facts.json: the same facts give the same bytes, in whatever order
// they were recorded.
func (f *Facts) encode() ([]byte, error) {
	f.Form, f.Notice = Form, factsNotice
	slices.SortFunc(f.Attempts, func(a, b pec.Attempt) int { return cmp.Compare(a.N, b.N) })
	slices.SortFunc(f.Outcomes, func(a, b pec.AttemptOutcome) int { return cmp.Compare(a.N, b.N) })
	slices.SortFunc(f.Abandonments, func(a, b pec.Abandonment) int { return cmp.Compare(a.N, b.N) })
	slices.SortFunc(f.Resolutions, func(a, b pec.Resolution) int { return cmp.Compare(a.N, b.N) })
	slices.SortFunc(f.Resent, func(a, b pec.Resent) int { return strings.Compare(a.Recipient, b.Recipient) })
	slices.SortFunc(f.Bounces, func(a, b pec.BounceFact) int {
		return cmp.Or(bytes.Compare(a.Digest[:], b.Digest[:]), strings.Compare(a.Recipient, b.Recipient))
	})
	return encodeJSON(f)
}

// decodeFacts reads facts.json.
func decodeFacts(b []byte) (*Facts, error) {
	// What a later form holds is unknown: its name is looked at first.
	var head struct {
		Form string `json:"form"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, &Error{Reason: ReasonNoDossier, Err: err}
	}
	if head.Form != Form {
		return nil, &Error{Reason: ReasonVersion, Err: fmt.Errorf("%.200q", head.Form)}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	f := new(Facts)
	if err := d.Decode(f); err != nil {
		return nil, &Error{Reason: ReasonVersion, Err: err}
	}
	if f.Direction != DirectionSent && (f.Direction != DirectionReceived || len(f.all()) > 0) {
		return nil, &Error{Reason: ReasonNoDossier, Err: fmt.Errorf("direction %.200q", f.Direction)}
	}
	if f.Intent != nil {
		// One of the two decides, and it is the one that pec.Fold looks at.
		f.MessageID, f.Sender = f.Intent.MessageID, f.Intent.Sender
	}
	return f, nil
}

// encodeJSON writes a value for programs and people.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("dossier: %w", err)
	}
	return b.Bytes(), nil
}
