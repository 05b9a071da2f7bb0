package pec

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Sync reads the messages that arrived since the last Sync, in all folders, and records what
// they prove. Each step of the iteration is one message, which is recorded before it is
// yielded; the messages after it are not recorded yet. A message that is not proven, or that
// cannot be read, is an event and not an error: the rest is read all the same.
//
// Leaving the loop early is allowed. The message at which it was left is yielded again by the
// next Sync: an envelope is yielded again, in the next process too, until the loop moves past
// it.
//
// At most one error is yielded, as the last pair; the next Sync goes on where this one
// stopped. If one folder cannot be read, the others are still read. In a suspended mailbox the
// error is a *SuspendedError. The mailbox is in use until the loop ends: do not call anything
// that reads it from inside the loop.
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

// Wait blocks until the mailbox may hold something new, and returns nil. When ctx ends first,
// it returns an error that wraps ctx's. It may return early; a loop of Wait and Sync misses
// nothing. In a suspended mailbox the error is a *SuspendedError.
func (c *Client) Wait(ctx context.Context) error {
	if err := c.mayLogIn(ctx); err != nil {
		return err
	}
	if err := c.mailbox.Wait(ctx); err != nil {
		return fmt.Errorf("pec: waiting for mail: %w", c.loginRefused(ctx, err))
	}
	return nil
}
