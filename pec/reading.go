package pec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

const (
	// cursorEvery is how many messages are read before their cursor is kept. Those read
	// twice after a crash are recorded once.
	cursorEvery = 100
	// patience is how often a message may break off before it is set aside.
	patience = 3
	// maxTrouble bounds the messages that a Client remembers to have broken off.
	maxTrouble = 1024
)

// read reads one folder to its end, and reports whether the caller has left the loop.
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

	cursor     Cursor // behind the last message dealt with
	unsaved    int    // messages since it was kept
	renumbered bool   // the folder has numbered its messages again
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
			// The connection is gone with it: what lies behind is read over another.
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
// folder may number its messages again, but not once for each of them: the reading would
// not end.
func (r *reading) passable(at Cursor) bool {
	if at.UIDValidity == r.cursor.UIDValidity {
		return at.UID > r.cursor.UID
	}
	again := r.renumbered
	r.renumbered = r.cursor.UIDValidity != 0
	return !again
}

// keep keeps the cursor: facts first, then the cursor. What is read twice is recorded
// once, what is skipped is lost.
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

// pass reads on from the cursor until the folder or the connection ends.
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

// exhausted counts how often a message broke off, and tells when it is enough.
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

// setAside passes over a message that cannot be read, and remembers it.
func (r *reading) setAside(ctx context.Context, at Cursor, cause error) error {
	c := r.client
	at.ReadAt = r.cursor.ReadAt
	if _, err := c.record(ctx, "", SetAside{Cursor: at, Reason: clip(cause.Error(), maxClaim), At: c.now()}); err != nil {
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
