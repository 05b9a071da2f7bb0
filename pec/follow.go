package pec

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"
)

// Follow works until a send is settled, and returns its status. It offers again what
// certainly has not left (Retry), and searches the mailbox for notices about the send
// (SearchNotices), when the mailbox has news and at least every Options.PollInterval. It
// moves no Cursor: what others sent is still there for Sync and Watch. A process that runs
// Watch for the mailbox needs Status and Changes instead.
//
// ErrUnknownSend says that nothing is known of the send. When ctx ends, or the mailbox is
// suspended, the error comes with the status so far; it also wraps the last trouble, such
// as a wrong host.
func (c *Client) Follow(ctx context.Context, messageID string) (Status, error) {
	var trouble error
	for {
		begun := time.Now()
		status, err := c.Status(ctx, messageID)
		if err != nil || status.Settled {
			return status, err
		}
		for _, events := range []iter.Seq2[Event, error]{c.Retry(ctx), c.SearchNotices(ctx, messageID)} {
			failed := troubleIn(events)
			if _, suspended := errors.AsType[*SuspendedError](failed); suspended {
				return c.soFar(ctx, messageID, failed)
			}
			if ctx.Err() == nil {
				trouble = cmp.Or(failed, trouble)
			}
		}
		if status, err = c.Status(ctx, messageID); err == nil && status.Settled {
			return status, nil
		}
		waiting, cancel := context.WithDeadline(ctx, begun.Add(c.options.PollInterval))
		if err := c.Wait(waiting); err != nil && waiting.Err() == nil {
			trouble = err
			<-waiting.Done()
		}
		cancel()
		if sleep(ctx, leastRound-time.Since(begun)) != nil || ctx.Err() != nil {
			return c.soFar(ctx, messageID, errors.Join(ctx.Err(), trouble))
		}
	}
}

// soFar returns the status of a send beside an error, also when ctx has ended.
func (c *Client) soFar(ctx context.Context, messageID string, err error) (Status, error) {
	ctx, cancel := outlast(ctx)
	defer cancel()
	status, unread := c.Status(ctx, messageID)
	if unread == nil && status.Settled {
		return status, nil
	}
	return status, errors.Join(err, unread)
}

// troubleIn runs an activity to its end, and returns what kept it from its work.
func troubleIn(events iter.Seq2[Event, error]) (trouble error) {
	for e, err := range events {
		if o := e.Outcome; o != nil && o.Err != nil {
			trouble = o.Err
		}
		trouble = cmp.Or(err, trouble)
	}
	return trouble
}
