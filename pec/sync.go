package pec

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Sync reads the messages that came since the last Sync, of all folders, and
// records what they prove. Each step of the iteration is one message, recorded
// before it is yielded; those behind it are not. A message that is not proven is an
// event, not an error, and so is one that cannot be read: neither keeps the rest from
// being read. An envelope comes again until the loop has been left behind it, in the
// next process too.
//
// At most one error is yielded, as the last pair; the next Sync goes on where this
// one stopped. A folder that cannot be read does not keep the others from it. In a
// suspended mailbox the error is a *SuspendedError. Leaving the loop early is
// allowed; the message it was left at comes again. The mailbox is in use until the
// loop ends: nothing that reads it may be called from inside it.
func (c *Client) Sync(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := c.mayLogIn(ctx); err != nil {
			yield(Event{}, err)
			return
		}
		var failed error
		for _, folder := range c.mailbox.Folders() {
			left, err := c.read(ctx, folder, yield)
			if left {
				return
			}
			if failed == nil {
				failed = err
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

// Wait blocks until the mailbox may hold something new, or ctx ends, whose error
// it then returns. It may return early: a loop of Wait and Sync misses nothing. In a
// suspended mailbox the error is a *SuspendedError.
func (c *Client) Wait(ctx context.Context) error {
	if err := c.mayLogIn(ctx); err != nil {
		return err
	}
	if err := c.mailbox.Wait(ctx); err != nil {
		return fmt.Errorf("pec: waiting for mail: %w", c.loginRefused(ctx, err))
	}
	return nil
}
