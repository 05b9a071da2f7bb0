package pec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
)

// SearchNotices searches all folders of the mailbox for notices about one send, wherever the
// cursors are. It resolves an uncertain send without waiting. What is found is judged and
// recorded as in Sync, and yielded if it is about the send. After MarkRestored, once the mailbox
// has been read, a search that finds nothing lifts the hold on the send. If one folder cannot
// be searched, the others are still searched. In a suspended mailbox the error is a
// *SuspendedError. At most one error is yielded, as the last pair.
func (c *Client) SearchNotices(ctx context.Context, messageID string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := c.mayLogIn(ctx); err != nil {
			yield(Event{}, err)
			return
		}
		restoration, held, err := c.hold(ctx)
		if err != nil {
			yield(Event{}, err)
			return
		}
		var failed error
		for _, folder := range c.mailbox.Folders() {
			err := c.searchIn(ctx, folder, []string{messageID}, yield)
			if errors.Is(err, errLeft) {
				return
			}
			failed = cmp.Or(failed, err)
			var suspended *SuspendedError
			if ctx.Err() != nil || errors.As(err, &suspended) {
				break
			}
		}
		if failed != nil {
			yield(Event{}, failed)
			return
		}
		if restoration == 0 || held != nil {
			return
		}
		if err := c.searchedFor(ctx, messageID, restoration); err != nil && !errors.Is(err, ErrUnknownSend) {
			yield(Event{}, err)
		}
	}
}

// searchIn searches one folder for notices about any of the sends.
func (c *Client) searchIn(ctx context.Context, folder string, messageIDs []string, yield func(Event, error) bool) error {
	names := map[string]bool{}
	for _, id := range messageIDs {
		names[sendName(id)] = true
	}
	// The server finds every message whose field contains an ID.
	about := func(e *Event) bool { return names[sendName(e.MessageID)] }
	for item, err := range c.mailbox.Search(ctx, folder, messageIDs) {
		if err == nil && item.Body != nil {
			err = c.rejudge(ctx, item, about, yield)
		}
		if errors.Is(err, errLeft) {
			return err
		}
		if err != nil {
			return fmt.Errorf("pec: searching the mailbox: %w", c.loginRefused(ctx, err))
		}
	}
	return nil
}
