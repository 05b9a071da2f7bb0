package pec

import (
	"context"
	"errors"

	"github.com/gopec/gopec/envelope"
)

// adopt gives a key the send that the Store has lost and the mailbox has notices about:
// only what this mailbox sent is kept as such (sendOf), so that nobody who has seen the
// Message-ID can bring it about. It is false when there are none.
//
// What the lost send said is known as far as its notices tell. A request for other
// recipients, or with another subject, is a *KeyError.
func (c *Client) adopt(ctx context.Context, m *composed, intent Intent, first string) (adopted bool, err error) {
	s, err := c.loadWith(ctx, sendName(m.messageID), nil)
	if errors.Is(err, ErrUnknownSend) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f := foldingOf(s.facts)
	if f == nil || !f.elsewhere {
		return false, nil
	}
	if !f.mayBe(intent) {
		return false, &KeyError{Key: intent.Key, MessageID: f.intent.MessageID}
	}
	intent.Adopted, intent.At = true, f.intent.At
	intent.Digest, intent.Size, intent.Attachments = envelope.Digest{}, 0, nil
	entries, err := c.newEntries(m.messageID, nil, intent, KeyClaim{Key: intent.Key, MessageID: m.messageID, Request: m.request, At: c.now()})
	if err != nil {
		return false, err
	}
	if first != "" {
		claims, err := c.resentBy(ctx, m, first)
		if err != nil {
			return false, err
		}
		entries = append(entries, claims...)
	}
	// Whoever was first has adopted it.
	_, err = c.append(ctx, entries)
	return err == nil, err
}

// resentBy are the claims on the recipients of a send that an adopted one repeats.
func (c *Client) resentBy(ctx context.Context, m *composed, first string) ([]Entry, error) {
	status, err := c.Status(ctx, first)
	if err != nil && !errors.Is(err, ErrUnknownSend) {
		return nil, err
	}
	var resent []Fact
	firsts := status.byAddress()
	for _, address := range m.recipients() {
		if _, known := firsts[envelope.NormalizeAddress(address)]; known {
			resent = append(resent, Resent{Recipient: address, By: m.messageID, At: c.now()})
		}
	}
	return c.newEntries(first, nil, resent...)
}

// mayBe tells whether the notices of a send that was made elsewhere can be about what is
// asked for. An acceptance lists all recipients, other notices may list one of them.
func (f *folding) mayBe(i Intent) bool {
	said := f.saidOf()
	ours, theirs := recipientSet(i), recipientSet(said)
	for r := range theirs {
		if !ours[r] {
			return false
		}
	}
	if f.acceptance != nil && len(theirs) < len(ours) { // all of theirs are ours
		return false
	}
	return said.Subject == "" || plainWords(said.Subject) == plainWords(i.Subject)
}
