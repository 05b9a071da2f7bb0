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

// Schema names the form of a dossier: all its files, including the pages. It must change
// when other bytes are written for the same evidence.
const Schema = "https://github.com/gopec/gopec/dossier/v1"

// factsNotice is the notice at the top of facts.json.
const factsNotice = "Nothing in this file is certified: it is what the sender's own system recorded. " +
	"Nulla in questo file è certificato: è quanto ha registrato il sistema del mittente."

// Recorded is what the sender's own system recorded about a message, as facts.json holds it.
// No signature covers it.
type Recorded struct {
	Form        string    `json:"form"`
	Disclaimer  string    `json:"notice"`
	Direction   Direction `json:"direction"`
	MessageID   string    `json:"messageID"`   // of the message that the dossier is about; "" if its sender set none
	Sender      string    `json:"sender"`      // the address of the mailbox that sent it
	CertID      string    `json:"certID"`      // the identificativo of a received message; "" for one that was sent
	AllowLegacy bool      `json:"allowLegacy"` // Options.AllowLegacy

	Intent       *pec.Intent          `json:"intent"` // null for a message that another program sent
	Attempts     []pec.Attempt        `json:"attempts"`
	Outcomes     []pec.AttemptOutcome `json:"outcomes"`
	Abandonments []pec.Abandonment    `json:"abandonments"`
	Resolutions  []pec.Resolution     `json:"resolutions"`
	Resent       []pec.Resent         `json:"resent"`
	Bounces      []pec.BounceFact     `json:"bounces"`
}

// Direction says whether the mailbox sent or received the message. The set is closed.
type Direction string

// The directions.
const (
	DirectionSent     Direction = "sent"
	DirectionReceived Direction = "received"
)

// add records a fact about a send. Facts that follow from the notices are left out.
func (f *Recorded) add(fact pec.Fact) {
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

// all returns the facts for pec.Fold.
func (f *Recorded) all() []pec.Fact {
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

// encode returns the content of facts.json. The same facts give the same bytes, in whatever
// order they were recorded.
func (f *Recorded) encode() ([]byte, error) {
	f.Form, f.Disclaimer = Schema, factsNotice
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

// decodeFacts reads the content of facts.json.
func decodeFacts(b []byte) (*Recorded, error) {
	// The form is read first, since a later form may have other fields.
	var head struct {
		Form string `json:"form"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, &Error{Reason: ReasonNoDossier, Err: err}
	}
	if head.Form != Schema {
		return nil, &Error{Reason: ReasonVersion, Err: fmt.Errorf("the form is %.200q, and this version knows %q: use the version that wrote the dossier, or a later one", head.Form, Schema)}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	f := new(Recorded)
	if err := d.Decode(f); err != nil {
		return nil, &Error{Reason: ReasonVersion, Err: err}
	}
	if f.Direction != DirectionSent && (f.Direction != DirectionReceived || len(f.all()) > 0) {
		return nil, &Error{Reason: ReasonNoDossier, Err: fmt.Errorf("facts.json has the direction %.200q, and %d facts about a send: a received message has none", f.Direction, len(f.all()))}
	}
	if f.Intent != nil {
		// The intent decides where the two differ, since pec.Fold uses it.
		f.MessageID, f.Sender = f.Intent.MessageID, f.Intent.Sender
	}
	return f, nil
}

// encodeJSON returns a value as indented JSON.
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
