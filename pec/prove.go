package pec

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Prove looks for notices about one send in all folders of the mailbox, wherever the
// cursors stand: that is how an uncertain send is resolved without waiting. What is
// found is judged and recorded as in Sync, and yielded when it is about the send. A
// folder that cannot be searched does not keep the others from it. At most one error is
// yielded, as the last pair.
func (c *Client) Prove(ctx context.Context, messageID string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := c.mayLogIn(ctx); err != nil {
			yield(Event{}, err)
			return
		}
		var failed error
		for _, folder := range c.mailbox.Folders() {
			err := c.loginRefused(ctx, c.proveIn(ctx, folder, messageID, yield))
			if errors.Is(err, errLeft) {
				return
			}
			if failed == nil && err != nil {
				failed = fmt.Errorf("pec: searching the mailbox: %w", err)
			}
			var suspended *SuspendedError
			if ctx.Err() != nil || errors.As(err, &suspended) {
				break
			}
		}
		if failed != nil {
			yield(Event{}, failed)
		}
	}
}

func (c *Client) proveIn(ctx context.Context, folder, messageID string, yield func(Event, error) bool) error {
	// A search finds whatever contains the ID.
	about := func(e *Event) bool { return sendName(e.MessageID) == sendName(messageID) }
	for item, err := range c.mailbox.Search(ctx, folder, messageID) {
		if err != nil {
			return err
		}
		if item.Body == nil {
			continue
		}
		if err := c.rejudge(ctx, item, about, yield); err != nil {
			return err
		}
	}
	return nil
}
