package pec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/spool"
	"github.com/gopec/gopec/receipt"
)

// Event is one message that Sync read. Ordinary mail, which claims to be nothing
// of PEC, makes no event.
type Event struct {
	// Cursor is the place of the message in the mailbox.
	Cursor Cursor
	// Notice is the notice the message was proven to be; the zero value for anything
	// else.
	Notice NoticeFact
	// Joined is the Message-ID of the send the notice speaks of; "" when it speaks of
	// none of ours, or of one made elsewhere.
	Joined string
	// Inbound is the envelope the message was proven to be: transport, with a PEC of
	// somebody's, or anomaly. Nil for anything else. It is closed with the next step
	// of the iteration.
	Inbound *envelope.Message
	// Unverified tells why the message, which claims to be PEC or is too large to
	// tell, is not proven; nil when it is. It moves no status.
	Unverified *envelope.VerifyError
	// Raw is the whole message, byte for byte: the evidence to keep. It is readable
	// until the next step of the iteration.
	Raw *io.SectionReader
}

// Sync reads the messages that came since the last Sync, of all folders, and
// records what they prove. Each step of the iteration is one message, recorded
// before it is yielded. A message that is not proven is an event, not an error.
// At most one error is yielded, as the last pair; the next Sync goes on where
// this one stopped. Leaving the loop early is allowed; the message it was left at
// comes again. The mailbox is in use until the loop ends: neither Sync nor Wait may
// be called from inside it.
func (c *Client) Sync(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, folder := range c.mailbox.Folders() {
			for item, err := range c.mailbox.Fetch(ctx, c.memory.cursor(folder)) {
				if err != nil {
					yield(Event{}, fmt.Errorf("pec: reading the mailbox: %w", err))
					return
				}
				goOn, err := c.syncItem(ctx, item, yield)
				if err != nil {
					yield(Event{}, err)
					return
				}
				if !goOn {
					return
				}
				// Facts first, then the cursor: what is read twice is recorded once, what is
				// skipped is lost.
				c.memory.setCursor(item.Cursor)
			}
		}
	}
}

// syncItem records one message and yields its event. It is false when the loop
// was left.
func (c *Client) syncItem(ctx context.Context, item Item, yield func(Event, error) bool) (bool, error) {
	if item.Body == nil {
		return true, nil
	}
	raw, err := spool.Open(ctx, item.Body)
	if err != nil {
		return false, fmt.Errorf("pec: reading a message: %w", err)
	}
	defer raw.Close()
	event := Event{Cursor: item.Cursor, Raw: io.NewSectionReader(raw, 0, raw.Size())}
	m, err := envelope.Open(ctx, io.NewSectionReader(raw, 0, raw.Size()), c.verifier)
	switch {
	case errors.As(err, &event.Unverified):
		if event.Unverified.Facts.Kind == envelope.KindNone && event.Unverified.Code != envelope.CodeTooLarge {
			return true, nil // ordinary mail, or a person's S/MIME
		}
		c.log.WarnContext(ctx, "pec: a message is not proven", slog.String("check", string(event.Unverified.Code)))
		return yield(event, nil), nil
	case err != nil:
		return false, fmt.Errorf("pec: reading a message: %w", err)
	}
	defer m.Close()
	if !m.Kind.IsNotice() {
		event.Inbound = m
		return yield(event, nil), nil
	}
	notice, err := receipt.New(m)
	if err != nil {
		return false, err
	}
	event.Notice = NewNoticeFact(notice, c.now())
	event.Joined = c.memory.appendNotice(event.Notice)
	c.log.InfoContext(ctx, "pec: a notice", slog.String("kind", event.Notice.Kind.String()),
		slog.String("message_id", event.Joined), slog.String("evidence", event.Notice.Key.String()))
	return yield(event, nil), nil
}

// Wait blocks until the mailbox may hold something new, or ctx ends, whose error
// it then returns. It may return early: a loop of Wait and Sync misses nothing.
func (c *Client) Wait(ctx context.Context) error {
	if err := c.mailbox.Wait(ctx); err != nil {
		return fmt.Errorf("pec: waiting for mail: %w", err)
	}
	return nil
}
