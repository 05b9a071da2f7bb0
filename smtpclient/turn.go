package smtpclient

import (
	"context"
	"time"
)

// begin waits for the turn: one call at a time has the connection. Every begin
// without error is followed by end.
func (c *Client) begin(ctx context.Context) *Error {
	err := ctx.Err()
	select {
	case <-c.closed:
		err = errClosed
	default:
	}
	if err == nil {
		select {
		case c.turns <- struct{}{}:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
		case <-c.closed:
			err = errClosed
		}
	}
	return failure(ctx, "wait", err, nil)
}

func (c *Client) end() { <-c.turns }

// keep leaves a session to the next call, for some time. Its timer runs on while the
// session is in use: to stop and start one for each message costs more than to offer it.
func (c *Client) keep(s *session) {
	c.session, s.until = s, time.Now().Add(c.options.IdleTimeout)
	c.timers.Add(1) // before the timer runs: it may be over at once
	if s.timer == nil {
		s.timer = time.AfterFunc(c.options.IdleTimeout, c.idle)
	} else if s.timer.Reset(c.options.IdleTimeout) {
		c.timers.Done() // it still ran, and was counted then
	}
}

// idle ends the session that was kept, unless it has been used since: then there is
// another timer.
func (c *Client) idle() {
	defer c.timers.Done()
	select {
	case c.turns <- struct{}{}:
		if c.session != nil && !time.Now().Before(c.session.until) {
			c.hangUp()
		}
		c.end()
	case <-c.closed:
	}
}

// take gives the session that was kept, nil when there is none.
func (c *Client) take() *session {
	s := c.session
	c.session = nil
	return s
}

// hangUp ends the session that was kept.
func (c *Client) hangUp() {
	if s := c.take(); s != nil {
		s.quit()
		c.discard(s)
	}
}

// discard closes a session.
func (c *Client) discard(s *session) {
	if s.timer != nil && s.timer.Stop() {
		c.timers.Done()
	}
	s.wire.Close()
}

// Close ends the connection. Calls that wait for their turn, and all later ones,
// end with ReasonClosed; one that is under way is waited for, since to break it off
// could leave its outcome uncertain. Its context ends it sooner. Close always
// returns nil.
func (c *Client) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		c.turns <- struct{}{} // for good
		c.hangUp()
		c.timers.Wait()
	})
	return nil
}
