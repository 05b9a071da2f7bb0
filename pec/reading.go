package pec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

const (
	// cursorEvery is how many messages are read before the cursor is stored. A message that
	// is read twice after a crash is recorded once.
	cursorEvery = 100
	// patience is how often reading a message may break off before it is set aside.
	patience = 3
	// maxTrouble bounds the messages that a Client remembers as broken off.
	maxTrouble = 1024
)

// read reads one folder to its end. It reports whether the caller has left the loop.
func (c *Client) read(ctx context.Context, folder string, yield func(Event, error) bool) (left bool, err error) {
	r := &reading{client: c, folder: folder, yield: yield}
	if err = c.loginRefused(ctx, r.run(ctx)); err != nil {
		err = fmt.Errorf("pec: reading the mailbox: %w", err)
	}
	return r.left, err
}

// reading is the reading of one folder to its end.
type reading struct {
	client *Client
	folder string
	yield  func(Event, error) bool
	left   bool // the caller has left the loop

	cursor     Cursor // the last message dealt with
	unsaved    int    // messages since the cursor was stored
	renumbered bool   // the folder has renumbered its messages during this reading
}

func (r *reading) run(ctx context.Context) error {
	c := r.client
	begun := c.now()
	cursors, err := c.store.Cursors(ctx, c.box)
	if err != nil {
		return &StoreError{Op: "read", Err: err}
	}
	r.cursor = cursorOf(cursors, r.folder)
	for {
		err = r.pass(ctx)
		var bad *MessageError
		var broke *brokenError
		if errors.As(err, &broke) && r.exhausted(broke.at) {
			// The connection is lost too. The messages after it are read over a new one.
			bad = &MessageError{Cursor: broke.at, Err: broke.err}
		} else {
			errors.As(err, &bad)
		}
		if r.left || bad == nil || !r.passable(bad.Cursor) {
			break
		}
		if err = r.setAside(ctx, bad.Cursor, bad); err != nil || r.left {
			break
		}
	}
	if err == nil && !r.left {
		r.cursor.ReadAt, r.unsaved = begun, 1
	}
	read := err == nil && !r.left
	if err = errors.Join(err, r.keep(ctx)); err == nil && read {
		err = c.folderRead(ctx, r.folder, begun)
	}
	return err
}

// passable reports whether the reading may go on after a message that cannot be read. A
// folder may renumber its messages once; if it did so for each of them, the reading would
// never end.
func (r *reading) passable(at Cursor) bool {
	if at.UIDValidity == r.cursor.UIDValidity {
		return at.UID > r.cursor.UID
	}
	again := r.renumbered
	r.renumbered = r.cursor.UIDValidity != 0
	return !again
}

// keep stores the cursor. Facts are stored before it: a message that is read twice is
// recorded once, but a message that is skipped is lost.
func (r *reading) keep(ctx context.Context) error {
	if r.unsaved == 0 {
		return nil
	}
	r.unsaved = 0
	ctx, cancel := outlast(ctx)
	defer cancel()
	if err := r.client.store.SetCursor(ctx, r.client.box, r.cursor); err != nil {
		return &StoreError{Op: "write", Err: err}
	}
	return nil
}

// pass reads from the cursor until the folder or the connection ends.
func (r *reading) pass(ctx context.Context) error {
	b := newBatch(r)
	defer b.close()
	for item, err := range r.client.mailbox.Fetch(ctx, r.cursor) {
		if err == nil {
			err = b.add(ctx, item)
		}
		if err != nil || b.full() {
			if flushErr := b.flush(ctx); flushErr != nil || r.left {
				return flushErr
			}
		}
		if err != nil {
			return err
		}
	}
	return b.flush(ctx)
}

// exhausted counts how often reading a message broke off, and reports whether patience is
// exhausted.
func (r *reading) exhausted(at Cursor) bool {
	c := r.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trouble[at] == 0 && len(c.trouble) >= maxTrouble {
		clear(c.trouble)
	}
	c.trouble[at]++
	if c.trouble[at] < patience {
		return false
	}
	delete(c.trouble, at)
	return true
}

// setAside records a message that cannot be read, and moves past it.
func (r *reading) setAside(ctx context.Context, at Cursor, cause error) error {
	c := r.client
	at.ReadAt = r.cursor.ReadAt
	if _, err := c.record(ctx, "", SetAside{Cursor: at, Text: clip(cause.Error(), maxClaim), At: c.now()}); err != nil {
		return err
	}
	c.log.WarnContext(ctx, "pec: a message cannot be read and is set aside", slog.Uint64("uid", uint64(at.UID)))
	r.cursor, r.unsaved = at, 1
	if err := r.keep(ctx); err != nil {
		return err
	}
	r.left = !r.yield(Event{Cursor: at, Unreadable: cause}, nil)
	return nil
}
