package pec

import (
	"context"
	"fmt"
	"time"
)

// compose checks a message and writes it: seven-bit, with CRLF line ends and a Message-ID of
// ours, which every notice about it will cite. A message with problems is also read to its
// end, so that the error lists every problem.
func compose(ctx context.Context, sender string, m Message, l Limits, now time.Time) (*composed, error) {
	return composeAs(ctx, newMessageID(sender), sender, m, l, now)
}

// composeAs is compose with a Message-ID that is given.
func composeAs(ctx context.Context, messageID, sender string, m Message, l Limits, now time.Time) (*composed, error) {
	c := &composer{sender: sender, now: now, text: m.Text, html: m.HTML}
	c.messageID = messageID
	c.checkAddresses(m)
	c.checkTexts(m)
	c.checkReceipt(m)
	c.extra = c.checkExtraHeader(m.ExtraHeader)
	c.checkKey(m.Key)
	files := c.checkAttachments(m.Attachments)
	count := len(m.To) + len(m.Cc)
	c.checkRecipients(l, count)
	c.checkEvidence(m.RequireFullEvidence)

	out := newOutput(l.size(count), len(m.Text)+len(m.HTML))
	defer out.discard()
	if err := c.write(ctx, out, files); err != nil && !out.tooLarge {
		return nil, fmt.Errorf("pec: composing: %w", err)
	}
	if m.Key != "" {
		c.request = c.requestDigest()
	}
	return c.finish(ctx, out, l, count)
}
