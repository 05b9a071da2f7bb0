package imapclient

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
)

// idleLimit is how long one IDLE lasts. RFC 2177, 3 asks for less than 29 minutes;
// some servers and many routers drop a silent connection after 10.
const idleLimit = 9 * time.Minute

// mark is the state of a folder when it was last read to its end.
type mark struct{ validity, next, count uint32 }

func markOf(box *imap.SelectData) mark {
	m := mark{validity: box.UIDValidity, next: uint32(box.UIDNext)}
	if m.next == 0 { // a server that does not tell
		m.count = box.NumMessages
	}
	return m
}

// Wait implements pec.Mailbox. It returns nil at once while the first folder has
// not been fetched to its end since it last changed, early when another call wants
// the connection, and at least every 9 minutes. When ctx ends, the connection stays.
func (c *Client) Wait(ctx context.Context) error {
	t, err := c.begin(ctx, "wait")
	if err != nil {
		return err
	}
	defer t.end()
	box, err := t.examine(c.options.Folders[0])
	if err != nil {
		return err
	}
	if c.seen == nil || *c.seen != markOf(box) {
		t.sound = true
		return nil
	}
	if c.session.caps.Has(imap.CapIdle) {
		err = t.idle()
		if !isReply(err) {
			return err
		}
		// The server advertises IDLE and refuses it.
	}
	t.sound = true
	t.end()
	return c.poll(ctx)
}

// idle waits for news with IDLE (RFC 2177). It gives a bare *imap.Error when the
// server refuses the command.
func (t *turn) idle() error {
	s := t.client.session
	s.conn.allow(bulk)
	command, err := await(s, s.imap.Idle)
	s.conn.release() // from now on the server may talk, too
	if err != nil {
		if isReply(err) && t.ctx.Err() == nil {
			return err
		}
		return t.fail("wait", err)
	}
	t.guard()
	s.rest()
	err = t.listen()
	// DONE is a few bytes and cannot stall for long on a connection that lives.
	// What the server says to it is read by the next turn.
	stop := time.AfterFunc(farewell, func() { s.conn.Close() })
	done := s.done(command.Close)
	t.sound = stop.Stop() && done == nil && s.conn.Failure() == nil
	return err
}

// listen returns when an IDLE has done its work.
func (t *turn) listen() error {
	c := t.client
	limit := time.NewTimer(idleLimit)
	defer limit.Stop()
	// One nudge can stand for several callers, and an earlier turn may have taken
	// it: whoever waits already counts, whoever comes later nudges again.
	for c.waiting.Load() == 0 {
		select {
		case <-c.session.news:
			return nil
		case <-limit.C:
			return nil
		case <-c.nudge:
		case <-t.ctx.Done():
			return t.fail("wait", t.ctx.Err())
		case <-c.session.imap.Closed():
			return t.fail("wait", errLost)
		}
	}
	return nil
}

// poll is the Wait of a server without IDLE. It does not keep the turn.
func (c *Client) poll(ctx context.Context) error {
	timer := time.NewTimer(c.options.PollInterval)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
	case <-c.life.Done():
	}
	return failure(ctx, c.life, "wait", ctx.Err(), nil)
}
