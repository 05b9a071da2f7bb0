package pec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/spool"
)

// Reverify judges again what could not be proven or read before: notices that an earlier
// Verifier did not trust, which are in the Store, and messages that were set aside, which are
// fetched again. Messages signed in the future are among the latter. Watch does this when it
// begins and every hour; a program without Watch calls it when anchors have changed. Each step
// of the iteration is a message that is proven or readable now. At most one error is yielded,
// as the last pair.
func (c *Client) Reverify(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		err := c.reverifyNotices(ctx, yield)
		if err == nil {
			err = c.reverifySetAside(ctx, yield)
		}
		if err != nil && !errors.Is(err, errLeft) {
			yield(Event{}, err)
		}
	}
}

// errLeft reports that the caller has left the loop.
var errLeft = errors.New("the caller has left the loop")

func (c *Client) reverifyNotices(ctx context.Context, yield func(Event, error) bool) error {
	for s, err := range c.selected(ctx, Query{Filter: FilterUnverified, At: c.now()}) {
		if err != nil {
			return err
		}
		proven := s.proven()
		for _, f := range s.facts {
			claim, ok := f.(UnverifiedFact)
			if !ok || proven[claim.Digest] {
				continue
			}
			body, err := c.Raw(ctx, s.name, claim)
			if errors.Is(err, ErrNotFound) {
				continue // the message was altered: no verifier proves it
			}
			if err != nil {
				return err
			}
			if err := c.rejudge(ctx, Item{Body: body}, isProven, yield); err != nil {
				return errors.Join(err, body.Close())
			}
			if err := body.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// proven returns the digests of the notices that are proven by now.
func (s *send) proven() map[envelope.Digest]bool {
	keys := map[envelope.Digest]bool{}
	for _, f := range s.facts {
		if n, ok := f.(NoticeFact); ok && n.Digest != (envelope.Digest{}) {
			keys[n.Digest] = true
		}
	}
	return keys
}

// rejudge judges a message out of the order of its folder, and yields its event if it is
// wanted.
func (c *Client) rejudge(ctx context.Context, item Item, wanted func(*Event) bool, yield func(Event, error) bool) error {
	raw, err := spool.Open(ctx, item.Body)
	if err != nil {
		return fmt.Errorf("pec: reading a message: %w", err)
	}
	defer raw.Close()
	event, err := c.judge(ctx, io.NewSectionReader(raw, 0, raw.Size()), item)
	if err != nil || event == nil {
		return err
	}
	defer event.close()
	if wanted(event) && !yield(*event, nil) {
		return errLeft
	}
	return nil
}

func isProven(e *Event) bool { return e.Unverified == nil }

// reverifySetAside fetches again the messages that were set aside, if their folder still has
// the same UIDVALIDITY.
func (c *Client) reverifySetAside(ctx context.Context, yield func(Event, error) bool) error {
	facts, err := c.factsAbout(ctx, "")
	if err != nil {
		return err
	}
	recovered := map[string]bool{}
	for _, f := range facts {
		if r, ok := f.(Recovered); ok {
			recovered[r.Cursor.place()] = true
		}
	}
	var failed error
	for _, f := range facts {
		aside, ok := f.(SetAside)
		if !ok || recovered[aside.Cursor.place()] || c.now().Before(aside.Until) {
			continue
		}
		if err := c.mayLogIn(ctx); err != nil {
			return err
		}
		err := c.loginRefused(ctx, c.fetchAgain(ctx, aside.Cursor, yield))
		var suspended *SuspendedError
		if errors.Is(err, errLeft) || errors.As(err, &suspended) || ctx.Err() != nil {
			return err
		}
		if failed == nil {
			failed = err // the others are still fetched
		}
	}
	return failed
}

func (c *Client) fetchAgain(ctx context.Context, at Cursor, yield func(Event, error) bool) error {
	before := at
	before.UID--
	for item, err := range c.mailbox.Fetch(ctx, before) {
		var still *MessageError
		switch {
		case errors.As(err, &still):
			return nil
		case err != nil:
			return err
		case item.Cursor.UIDValidity != at.UIDValidity || item.Cursor.UID != at.UID:
			return nil // the message is gone
		}
		future := false
		wanted := func(e *Event) bool {
			future = isFuture(e)
			return isProven(e)
		}
		if item.Body != nil {
			if err := c.rejudge(ctx, item, wanted, yield); err != nil {
				return err
			}
		}
		if future {
			return nil // by the clock of this verifier it is still signed in the future
		}
		_, err = c.record(ctx, "", Recovered{Cursor: at, At: c.now()})
		return err
	}
	return nil
}
