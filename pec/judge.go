package pec

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/spool"
	"github.com/gopec/gopec/receipt"
)

// judge verifies a message and records what it proves. A nil Event means ordinary mail.
func (c *Client) judge(ctx context.Context, raw *io.SectionReader, item Item) (*Event, error) {
	event, err := c.verify(ctx, raw, item)
	if err != nil || event == nil {
		return nil, err
	}
	if err := c.recordEvent(ctx, event, item); err != nil {
		event.close()
		return nil, err
	}
	return event, nil
}

// verify finds out what a message proves. It records nothing and does not use the Store. A
// nil Event means ordinary mail.
func (c *Client) verify(ctx context.Context, raw *io.SectionReader, item Item) (*Event, error) {
	event := &Event{Cursor: item.Cursor, Raw: raw}
	m, err := envelope.Open(ctx, io.NewSectionReader(raw, 0, raw.Size()), c.verifier)
	if errors.As(err, &event.Unverified) {
		if event.Unverified.Findings.Kind == envelope.KindNone && event.Unverified.Code != envelope.CodeTooLarge {
			return nil, nil // ordinary mail, or a person's S/MIME
		}
		return event, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pec: reading a message: %w", err)
	}
	event.Proven = m
	if !m.Kind.IsNotice() {
		return event, nil
	}
	if event.notice, err = receipt.New(m); err != nil {
		m.Close()
		return nil, err
	}
	event.Notice = NewNoticeFact(event.notice, c.now())
	return event, nil
}

// recordEvent records what a message was found to be.
func (c *Client) recordEvent(ctx context.Context, event *Event, item Item) error {
	switch {
	case event.Unverified != nil:
		if err := c.recordUnverified(ctx, event); err != nil {
			return err
		}
		return c.recordFuture(ctx, event)
	case event.notice != nil:
		return c.recordNotice(ctx, event)
	default:
		return c.recordInbound(ctx, event, item.Arrived)
	}
}

// recordNotice records a proven notice with the send that it is about.
func (c *Client) recordNotice(ctx context.Context, e *Event) error {
	name, intent, err := c.sendOf(ctx, e.Notice)
	if err != nil || name == "" {
		c.log.InfoContext(ctx, "pec: a notice about no send of this mailbox", slog.String("kind", e.Notice.Kind.String()), slog.String("evidence", e.Notice.Digest.String()))
		return err
	}
	e.MessageID, e.Notice = e.Notice.MessageID, e.Notice.clipped()
	if intent != nil {
		e.MessageID = intent.MessageID
		if e.Notice.Content, err = c.contentOf(ctx, name, e.notice); err != nil {
			return err
		}
	}
	added, link := false, CertLink{CertID: e.Notice.CertID, At: e.Notice.At}
	if isName(link.CertID) && c.isNewLink(link.CertID) {
		// The link is recorded together with the first notice of a send.
		if added, err = c.recordRaw(ctx, name, e.Raw, e.Notice, link); err != nil {
			return err
		}
		if !added {
			// Notice or link is known. A CertID that another send has first stays with that send.
			if _, err = c.record(ctx, name, link); err != nil {
				return err
			}
		}
		c.keepLink(link.CertID)
	}
	if !added {
		if added, err = c.recordRaw(ctx, name, e.Raw, e.Notice); err != nil {
			return err
		}
	}
	if e.Repeated = !added; added {
		c.forgetBounces(name)
	}
	c.log.InfoContext(ctx, "pec: a notice", slog.String("kind", e.Notice.Kind.String()),
		slog.String("message_id", e.MessageID), slog.String("evidence", e.Notice.Digest.String()), slog.Bool("repeated", e.Repeated))
	return nil
}

// sendOf returns the name of the send that a notice is about: a send of ours that it joins,
// with its intent, or a send of this mailbox by another program, without. "" means neither.
func (c *Client) sendOf(ctx context.Context, n NoticeFact) (name string, intent *Intent, err error) {
	name = sendName(n.MessageID)
	if !isName(name) || n.Digest == (envelope.Digest{}) || !envelope.SameAddress(n.Sender, c.address) {
		return "", nil, nil
	}
	intent, err = c.intentOf(ctx, name)
	if err != nil || intent != nil && !n.Joins(*intent) {
		return "", nil, err
	}
	return name, intent, nil
}

// contentOf compares what a delivery receipt carries with what was sent.
func (c *Client) contentOf(ctx context.Context, name string, n receipt.Notice) (receipt.Content, error) {
	delivery, ok := n.(*receipt.Delivery)
	if !ok {
		return receipt.Content{}, nil
	}
	body, err := c.Raw(ctx, name, Intent{})
	if errors.Is(err, ErrNotFound) {
		return receipt.Content{Result: receipt.ContentUnchecked}, nil // the Store does not have the sent message
	}
	if err != nil {
		return receipt.Content{}, err
	}
	defer body.Close()
	sent, err := spool.Open(ctx, body)
	if err != nil {
		return receipt.Content{}, &StoreError{Op: "read", Err: err}
	}
	defer sent.Close()
	content, err := receipt.CheckContent(io.NewSectionReader(sent, 0, sent.Size()), delivery)
	content.Differences = content.Differences[:min(len(content.Differences), maxDifferences)]
	for i := range content.Differences {
		d := &content.Differences[i]
		d.What, d.Text = clip(d.What, maxClaim), clip(d.Text, maxClaim)
	}
	return content, err
}

// trustCodes are the failures that another verifier may not have. Any other is final: no
// verifier proves a message that was altered.
var trustCodes = []envelope.Code{envelope.CodeUntrusted, envelope.CodeLegacy, envelope.CodeExpired, envelope.CodeFuture, envelope.CodeRevoked}

// recordUnverified records a message that is not proven if it claims to be a notice about a
// send of ours.
func (c *Client) recordUnverified(ctx context.Context, event *Event) error {
	facts := event.Unverified.Findings
	c.log.WarnContext(ctx, "pec: a message is not proven", slog.String("check", string(event.Unverified.Code)))
	if facts.CertData == nil || !facts.Kind.IsNotice() {
		return nil
	}
	name := sendName(facts.CertData.MessageID)
	if !isName(name) {
		return nil
	}
	intent, err := c.intentOf(ctx, name)
	if err != nil || intent == nil {
		return err
	}
	about := NoticeFact{
		Kind: facts.Kind, MessageID: facts.CertData.MessageID,
		Sender: facts.CertData.Sender, Recipient: facts.CertData.Recipient,
	}
	if !about.speaksOf(*intent, recipientSet(*intent)) {
		return nil
	}
	claim := UnverifiedFact{
		Digest: facts.Digest, Code: event.Unverified.Code, Kind: facts.Kind,
		Recipient: clip(facts.CertData.Recipient, maxClaim), Provider: clip(facts.CertData.Provider, maxClaim), At: c.now(),
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, io.NewSectionReader(event.Raw, 0, event.Raw.Size())); err != nil {
		return fmt.Errorf("pec: reading a message: %w", err)
	}
	claim.SHA256 = envelope.Digest(digest.Sum(nil))
	raw := event.Raw
	if !slices.Contains(trustCodes, claim.Code) {
		raw = nil
	}
	event.MessageID = intent.MessageID
	_, err = c.recordRaw(ctx, name, raw, claim)
	return err
}

// maxLinks bounds the links that a Client remembers as recorded.
const maxLinks = 4096

func (c *Client) isNewLink(certID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.links[lowerASCII(certID)]
}

func (c *Client) keepLink(certID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.links) >= maxLinks {
		clear(c.links)
	}
	c.links[lowerASCII(certID)] = true
}
