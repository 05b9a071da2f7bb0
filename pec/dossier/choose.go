package dossier

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gopec/gopec/envelope"
)

// subject identifies a message: by its Message-ID if it was sent, by its identificativo if
// it was received, and by its sender.
type subject struct {
	id, sender string
}

// choose finds the message that the dossier is about. If none is named, the source must
// hold evidence of one message only.
func (a *assessment) choose(all []*message) error {
	sent, received := map[subject]Recorded{}, map[subject]Recorded{}
	for _, m := range all {
		p, named := m.proof, a.facts.MessageID
		if m.code != "" || named != "" && !envelope.SameMessageID(named, p.MessageID) && !envelope.SameMessageID(named, p.CertID) {
			continue
		}
		f := Recorded{Direction: DirectionSent, MessageID: p.MessageID, Sender: p.Sender}
		switch {
		case m.kind.IsNotice() && f.MessageID != "" && a.facts.Direction != DirectionReceived:
			keepFirst(sent, subject{strings.ToLower(f.MessageID), envelope.NormalizeAddress(f.Sender)}, f)
		case m.kind == envelope.KindTransport:
			f.Direction, f.CertID = DirectionReceived, p.CertID
			keepFirst(received, subject{p.CertID, envelope.NormalizeAddress(f.Sender)}, f)
		}
	}
	// A sender that writes to itself has the envelope as well as the notices.
	for key, f := range received {
		if _, own := sent[subject{strings.ToLower(f.MessageID), key.sender}]; own {
			delete(received, key)
		}
	}
	if len(sent)+len(received) == 0 {
		return &Error{Reason: ReasonUnknown, Err: errors.New("no notice or transport envelope about it is proven under these anchors")}
	}
	found := append(slices.Collect(maps.Values(sent)), slices.Collect(maps.Values(received))...)
	if len(found) > 1 {
		e := &Error{Reason: ReasonAmbiguous, Err: errors.New("the folder has evidence of several messages: pass one of these to FromFolder")}
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

// keepFirst adds f unless the key is already there: another spelling in a copy must not
// change the Message-ID.
func keepFirst(found map[subject]Recorded, key subject, f Recorded) {
	if _, known := found[key]; !known {
		found[key] = f
	}
}
