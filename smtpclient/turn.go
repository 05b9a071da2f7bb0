package smtpclient

import (
	"context"
	"time"
)

// begin waits for the turn: one call at a time has the connection. After a begin
// without error, end must be called.
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

// keep leaves a session to the next call, for IdleTimeout. Its timer also runs while the
// session is in use: stopping it for each message would cost more than letting it fire.
func (c *Client) keep(s *session) {
	c.session, s.until = s, time.Now().Add(c.options.IdleTimeout)
	c.timers.Add(1) // before the timer starts, since it may fire at once
	if s.timer == nil {
		s.timer = time.AfterFunc(c.options.IdleTimeout, c.idle)
	} else if s.timer.Reset(c.options.IdleTimeout) {
		c.timers.Done() // it was still running and so had been counted before
	}
}

// idle ends the kept session, unless it has been used since: then keep has set its
// timer again.
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

// take returns the kept session, nil if there is none.
func (c *Client) take() *session {
	s := c.session
	c.session = nil
	return s
}

// hangUp ends the kept session.
func (c *Client) hangUp() {
	if s := c.take(); s != nil {
		s.quit()
		c.discard(s)
	}
}

// discard closes a session and stops its timer.
func (c *Client) discard(s *session) {
	if s.timer != nil && s.timer.Stop() {
		c.timers.Done()
	}
	s.wire.Close()
}

// Close ends the connection. Calls that wait for their turn, and all later calls, fail
// with ReasonClosed. Close waits for a call in progress, since breaking it off could
// leave its outcome uncertain; cancel that call's context to end it sooner. Close
// always returns nil.
func (c *Client) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		c.turns <- struct{}{} // never given back
		c.hangUp()
		c.timers.Wait()
	})
	return nil
}
