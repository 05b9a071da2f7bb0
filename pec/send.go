package pec

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// SendError reports a message that was recorded and whose submission is not
// confirmed. Outcome.Kind says whether it is certain that it did not leave: with
// OutcomeUncertain it may have, and sending it again may make a second PEC.
type SendError struct {
	MessageID string
	Outcome   Outcome
}

func (e *SendError) Error() string {
	detail := e.Outcome.Reply.String()
	if e.Outcome.Reply == (Reply{}) {
		detail = fmt.Sprint(e.Outcome.Err)
	}
	return fmt.Sprintf("pec: message %s: %s: %s", e.MessageID, e.Outcome.Kind, detail)
}

// Unwrap gives what failed beneath.
func (e *SendError) Unwrap() error { return e.Outcome.Err }

// Send writes a message and hands it to the provider, at most once. It gives the
// Message-ID it set, under which Status tells what becomes of the message: a nil
// error means that the provider has it, not that it has accepted it.
//
// A *ComposeError means that nothing was recorded and nothing left. A *SendError
// comes with the Message-ID: the send is recorded and can be followed.
func (c *Client) Send(ctx context.Context, m Message) (messageID string, err error) {
	// The intent comes before the first byte on the wire, the claim to an attempt
	// before the attempt: whatever happens in between, nothing leaves unknown to us.
	now := c.now()
	composed, err := compose(ctx, c.address, m, Limits{}, now)
	if err != nil {
		return "", err
	}
	defer composed.body.Close()
	id := composed.messageID
	c.memory.append(id, Intent{
		MessageID:  id,
		Sender:     c.address,
		Recipients: composed.recipients(),
		Subject:    composed.subject,
		Receipt:    composed.receipt,
		Digest:     composed.digest,
		Size:       composed.body.Size(),
		At:         now,
	})
	c.memory.append(id, Attempt{N: 1, At: c.now()})
	outcome := c.submitter.Submit(ctx, Submission{
		From: c.address,
		To:   composed.recipients(),
		Size: composed.body.Size(),
		Body: io.NewSectionReader(composed.body, 0, composed.body.Size()),
	})
	c.memory.append(id, AttemptOutcome{N: 1, At: c.now(), Outcome: outcome})
	c.log.InfoContext(ctx, "pec: submission",
		slog.String("message_id", id), slog.String("outcome", outcome.Kind.String()))
	if outcome.Kind != OutcomeSubmitted {
		return id, &SendError{MessageID: id, Outcome: outcome}
	}
	return id, nil
}
