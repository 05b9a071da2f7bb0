package pec

import (
	"context"

	"github.com/gopec/gopec/envelope"
)

// recordFuture sets aside a message that was signed in the future, according to a clock that
// may be wrong. It is judged again once that time has passed. A notice about a send of ours is
// kept with that send instead.
func (c *Client) recordFuture(ctx context.Context, e *Event) error {
	if !isFuture(e) || e.MessageID != "" || e.Cursor.UID == 0 {
		return nil
	}
	facts := e.Unverified.Findings
	until := facts.SigningTime
	if until.IsZero() && facts.CertData != nil {
		until = facts.CertData.Time
	}
	_, err := c.record(ctx, "", SetAside{Cursor: e.Cursor, Text: e.Unverified.Error(), Until: until.UTC(), At: c.now()})
	return err
}

func isFuture(e *Event) bool { return e.Unverified != nil && e.Unverified.Code == envelope.CodeFuture }
