package imapclient

import (
	"context"
	"errors"

	"github.com/emersion/go-imap/v2"

	"github.com/gopec/gopec/pec"
)

// turn is the use of the connection by one call.
type turn struct {
	client *Client
	ctx    context.Context // ends with the caller's, or when the Client is closed
	cancel context.CancelFunc
	unlink func() bool
	guard  func() // after it, the end of ctx no longer closes the connection

	sound bool // no answer is outstanding on the connection: the next turn may use it
	ended bool
}

// begin waits for the turn. A Wait in progress gives up its turn for it.
func (c *Client) begin(ctx context.Context, op string) (*turn, error) {
	t := &turn{client: c, guard: func() {}}
	t.ctx, t.cancel = context.WithCancel(ctx)
	t.unlink = context.AfterFunc(c.life, t.cancel)
	if err := t.take(); err != nil {
		err = failure(t.ctx, c.life, op, err, nil) // the session belongs to another call
		t.unlink()
		t.cancel()
		return nil, err
	}
	if c.session != nil {
		t.hold()
	}
	return t, nil
}

func (t *turn) take() error {
	c := t.client
	if err := t.ctx.Err(); err != nil {
		return err
	}
	select {
	case c.turns <- struct{}{}:
		return nil
	default:
	}
	c.waiting.Add(1)
	defer c.waiting.Add(-1)
	select {
	case c.nudge <- struct{}{}:
	default:
	}
	select {
	case c.turns <- struct{}{}:
		return nil
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
}

// hold lets the end of ctx close the connection, and starts the clock of the server.
func (t *turn) hold() {
	s := t.client.session
	s.conn.Again()
	s.due()
	t.guard = s.conn.Guard(t.ctx)
}

// end gives the turn back. It keeps the connection only if that is sound.
func (t *turn) end() {
	if t.ended {
		return
	}
	t.ended = true
	t.guard()
	if s := t.client.session; s != nil {
		if t.sound && t.client.life.Err() == nil {
			s.rest()
		} else {
			t.drop()
		}
	}
	t.unlink()
	t.cancel()
	<-t.client.turns
}

func (t *turn) drop() {
	t.guard()
	t.client.session.drop()
	t.client.session = nil
}

// fail returns err with its reason. Only the holder of the turn may call it.
func (t *turn) fail(op string, err error) error {
	var broken error
	if s := t.client.session; s != nil {
		broken = s.conn.Failure()
	}
	return failure(t.ctx, t.client.life, op, err, broken)
}

// examine opens the folder read-only. A connection kept from an earlier call may have
// died since; it is replaced without an error.
func (t *turn) examine(folder string) (*imap.SelectData, error) {
	c := t.client
	if folder == "" {
		t.sound = true
		return nil, &Error{Op: "examine", Reason: ReasonFolder, Err: errNameless}
	}
	if c.session != nil {
		box, err := c.session.examine(folder)
		if err == nil || isReply(err) || t.ctx.Err() != nil {
			return box, t.opened(folder, box, err)
		}
		t.drop()
	}
	if err := t.connect(); err != nil {
		return nil, err
	}
	box, err := c.session.examine(folder)
	return box, t.opened(folder, box, err)
}

// ready makes sure that there is a connection, for a call that does not begin with
// examine.
func (t *turn) ready() error {
	c := t.client
	if c.session != nil {
		c.session.conn.allow(quick)
		if c.session.done(func() error { return c.session.imap.Noop().Wait() }) == nil {
			return nil
		}
		t.drop()
		if err := t.ctx.Err(); err != nil {
			return t.fail("connect", err)
		}
	}
	return t.connect()
}

// opened returns the error of an EXAMINE. The connection is still sound if the server
// refused to open the folder.
func (t *turn) opened(folder string, box *imap.SelectData, err error) error {
	switch {
	case err != nil && isReply(err) && t.ctx.Err() == nil:
		t.sound = true
		return &Error{Op: "examine", Reason: ReasonFolder, Folder: folder, Err: err}
	case err != nil:
		return t.fail("examine", err)
	case box.UIDValidity == 0:
		// RFC 9051, 2.3.1.1: without it, no UID is valid in a later session.
		return &Error{Op: "examine", Reason: ReasonProtocol, Folder: folder, Err: errors.New("the server reports no UIDVALIDITY")}
	}
	return nil
}

// settle decides whether the connection is sound after commands that ended with err. It
// is not if an answer is still outstanding or the connection has ended.
func (t *turn) settle(err error) {
	var one *pec.MessageError
	s := t.client.session
	t.sound = s != nil && (err == nil || s.fetch == nil && (isReply(err) || errors.As(err, &one)))
}

// isReply reports whether err is a reply of the server, such as NO or BAD, and not a
// broken connection.
func isReply(err error) bool {
	var reply *imap.Error
	return errors.As(err, &reply)
}
