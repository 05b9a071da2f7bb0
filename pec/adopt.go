package pec

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/gopec/gopec/envelope"
)

// adopt gives a key to a send that the Store has lost and about which the mailbox has
// notices. It returns false when there are no notices. Only notices about what this mailbox
// sent are recorded (sendOf), so that nobody who has seen the Message-ID can cause an
// adoption.
//
// Only the notices say what the lost send was. A request for other recipients, or with
// another subject, is a *KeyError.
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
	if differences := f.unlike(intent); len(differences) > 0 {
		return false, &KeyError{Key: intent.Key, MessageID: f.intent.MessageID, Differences: differences}
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
	// When nothing is added, another worker has adopted it.
	_, err = c.append(ctx, entries)
	return err == nil, err
}

// resentBy makes the entries that an adopted send adds to the send that it repeats.
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

// unlike compares the notices of a send that was made elsewhere with what is asked for:
// KeyError.Differences, nil when they can be about it. An acceptance lists all recipients;
// other notices may list one of them.
func (f *folding) unlike(i Intent) []string {
	var differences []string
	said := f.saidOf()
	ours, theirs := recipientSet(i), recipientSet(said)
	strange := slices.ContainsFunc(slices.Collect(maps.Keys(theirs)), func(r string) bool { return !ours[r] })
	// Without a strange one all of theirs are ours.
	if strange || f.acceptance != nil && len(theirs) < len(ours) {
		differences = append(differences, "recipients changed")
	}
	if said.Subject != "" && plainWords(said.Subject) != plainWords(i.Subject) {
		differences = append(differences, "subject changed")
	}
	return differences
}
