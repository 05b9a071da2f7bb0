package pec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gopec/gopec/pec/inbound"
)

// recordInbound opens an envelope and finds the send of ours that its content answers or
// bounces.
func (c *Client) recordInbound(ctx context.Context, event *Event, arrived time.Time) error {
	in, err := inbound.Open(event.Proven, arrived)
	if err != nil {
		return err
	}
	event.Inbound = in
	bounce, err := in.Bounce()
	if err == nil {
		return c.recordBounce(ctx, event, bounce)
	}
	if !errors.Is(err, inbound.ErrNotBounce) {
		return fmt.Errorf("pec: reading a bounce: %w", err)
	}
	event.MessageID, err = c.answered(ctx, in.Header)
	return err
}

// maxReferences bounds how many of the messages that an answer cites are looked up.
const maxReferences = 20

// answered returns the Message-ID of the send that an answer cites, "" for none. When it cites
// several sends, the nearest counts. A correspondent knows a send by the provider's ID, not by
// ours.
func (c *Client) answered(ctx context.Context, h inbound.Header) (string, error) {
	cited := slices.Clone(h.References)
	slices.Reverse(cited)
	cited = append(slices.Clone(h.InReplyTo), cited...)
	for _, id := range cited[:min(len(cited), maxReferences)] {
		name, intent, err := c.cited(ctx, id)
		if err != nil {
			return "", err
		}
		if intent != nil {
			return intent.MessageID, nil
		}
		if name != "" {
			return name, nil
		}
	}
	return "", nil
}

// cited returns the name of the send that has an ID, the provider's or our own, and its
// intent if it is ours.
func (c *Client) cited(ctx context.Context, id string) (name string, intent *Intent, err error) {
	if !isName(id) {
		return "", nil, nil
	}
	e, err := c.store.Entry(ctx, c.box, CertLink{CertID: id}.key())
	switch {
	case errors.Is(err, ErrNotFound):
		intent, err = c.intentOf(ctx, sendName(id))
		if intent != nil {
			name = sendName(id)
		}
	case err != nil:
		err = &StoreError{Op: "read", Err: err}
	default:
		name = e.Send
		intent, err = c.intentOf(ctx, name)
	}
	return name, intent, err
}

// recordBounce records what a delivery status notification says about recipients of ours.
// Anybody can write one: Fold believes it only about ordinary recipients.
func (c *Client) recordBounce(ctx context.Context, event *Event, b *inbound.Bounce) error {
	var name string
	var intent *Intent
	for _, id := range []string{b.MessageID, b.CertID} {
		var err error
		if name, intent, err = c.cited(ctx, id); err != nil {
			return err
		}
		if intent != nil {
			break
		}
	}
	if intent == nil {
		return nil
	}
	event.MessageID = intent.MessageID
	facts, err := c.bounceFacts(ctx, name, *intent, event, b)
	if err != nil || len(facts) == 0 {
		return err
	}
	added, err := c.recordRaw(ctx, name, event.Raw, facts...)
	if err != nil {
		return err
	}
	for _, f := range facts {
		one := added
		if !added { // some of them are known, and so is the message
			if one, err = c.record(ctx, name, f); err != nil {
				return err
			}
		}
		if one {
			c.bounced(name, f.(BounceFact).Recipient)
		}
	}
	return nil
}
