package dossier

import (
	"maps"
	"slices"
	"strings"

	"github.com/gopec/gopec/envelope"
)

// subject tells one message from others.
type subject struct {
	id, sender string
}

// choose finds the one message that there is evidence of: the one named, if one is.
func (a *assessment) choose(all []*message) error {
	sent, received := map[subject]Facts{}, map[subject]Facts{}
	for _, m := range all {
		p, named := m.proof, a.facts.MessageID
		if m.code != "" || named != "" && !envelope.SameMessageID(named, p.MessageID) && !envelope.SameMessageID(named, p.CertID) {
			continue
		}
		f := Facts{Direction: DirectionSent, MessageID: p.MessageID, Sender: p.Sender}
		switch {
		case m.kind.IsNotice() && f.MessageID != "" && a.facts.Direction != DirectionReceived:
			keepFirst(sent, subject{strings.ToLower(f.MessageID), envelope.NormalizeAddress(f.Sender)}, f)
		case m.kind == envelope.KindTransport:
			f.Direction, f.CertID = DirectionReceived, p.CertID
			keepFirst(received, subject{p.CertID, envelope.NormalizeAddress(f.Sender)}, f)
		}
	}
	// Who writes to himself has the envelope beside the notices.
	for key, f := range received {
		if _, own := sent[subject{strings.ToLower(f.MessageID), key.sender}]; own {
			delete(received, key)
		}
	}
	if len(sent)+len(received) == 0 {
		return &Error{Reason: ReasonUnknown}
	}
	found := append(slices.Collect(maps.Values(sent)), slices.Collect(maps.Values(received))...)
	if len(found) > 1 {
		e := &Error{Reason: ReasonAmbiguous}
		for _, f := range found {
			id := f.CertID
			if f.Direction == DirectionSent {
				id = f.MessageID
			}
			e.MessageIDs = append(e.MessageIDs, id)
		}
		slices.Sort(e.MessageIDs)
		return e
	}
	a.facts = found[0]
	return nil
}

// keepFirst does not let a copy change how the message is called.
func keepFirst(found map[subject]Facts, key subject, f Facts) {
	if _, known := found[key]; !known {
		found[key] = f
	}
}
