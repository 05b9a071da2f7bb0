package imapclient

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
)

// idleLimit is how long one IDLE lasts. RFC 2177, 3 asks for less than 29 minutes. Some
// servers and many routers drop a silent connection after 10 minutes.
const idleLimit = 9 * time.Minute

// mark is the state of a folder when it was last read to its end.
type mark struct{ validity, next, count uint32 }

func markOf(box *imap.SelectData) mark {
	m := mark{validity: box.UIDValidity, next: uint32(box.UIDNext)}
	if m.next == 0 { // the server does not report UIDNEXT
		m.count = box.NumMessages
	}
	return m
}

// Wait implements pec.Mailbox. It returns nil at once if the first folder has changed
// since it was last fetched to its end. It returns nil early when another call wants the
// connection, and in any case after 9 minutes, or after Options.PollInterval if the
// server has no IDLE. The connection is kept when ctx ends.
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

// idle waits for news with IDLE (RFC 2177). It returns a bare *imap.Error if the server
// refuses the command.
func (t *turn) idle() error {
	s := t.client.session
	s.conn.allow(bulk)
	command, err := await(s, s.imap.Idle)
	s.conn.release() // during IDLE the server may send at any time
	if err != nil {
		if isReply(err) && t.ctx.Err() == nil {
			return err
		}
		return t.fail("wait", err)
	}
	t.guard()
	s.rest()
	err = t.listen()
	// DONE is a few bytes and cannot stall for long on a live connection. The next turn
	// reads the reply to it.
	stop := time.AfterFunc(farewell, func() { s.conn.Close() })
	done := s.done(command.Close)
	t.sound = stop.Stop() && done == nil && s.conn.Failure() == nil
	return err
}

// listen returns when an IDLE should end.
func (t *turn) listen() error {
	c := t.client
	limit := time.NewTimer(idleLimit)
	defer limit.Stop()
	// One nudge can stand for several calls, and an earlier turn may have taken it. So
	// calls that already wait are counted; later ones nudge again.
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

// poll is Wait for a server without IDLE. It does not hold the turn.
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
