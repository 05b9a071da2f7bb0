package pec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"

	"github.com/gopec/gopec/internal/spool"
)

const (
	// cursorEvery is how many messages are read before their cursor is kept. Those read
	// twice after a crash are recorded once.
	cursorEvery = 100
	// patience is how often a message may break off before it is set aside.
	patience = 3
)

// Sync reads the messages that came since the last Sync, of all folders, and
// records what they prove. Each step of the iteration is one message, recorded
// before it is yielded. A message that is not proven is an event, not an error, and so
// is one that cannot be read: neither keeps the rest from being read. An envelope
// comes again until the loop has been left behind it, in the next process too.
//
// At most one error is yielded, as the last pair; the next Sync goes on where this
// one stopped. A folder that cannot be read does not keep the others from it. In a
// suspended mailbox the error is a *SuspendedError. Leaving the loop early is
// allowed; the message it was left at comes again. The mailbox is in use until the
// loop ends: nothing that reads it may be called from inside it.
func (c *Client) Sync(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := c.mayLogIn(ctx); err != nil {
			yield(Event{}, err)
			return
		}
		var failed error
		for _, folder := range c.mailbox.Folders() {
			r := &reading{client: c, folder: folder, yield: yield}
			err := c.loginRefused(ctx, r.run(ctx))
			if r.left {
				return
			}
			if failed == nil && err != nil {
				failed = fmt.Errorf("pec: reading the mailbox: %w", err)
			}
			var suspended *SuspendedError
			if ctx.Err() != nil || errors.As(err, &suspended) {
				break
			}
		}
		if failed != nil {
			yield(Event{}, failed)
		}
	}
}

// reading is the reading of one folder to its end.
type reading struct {
	client *Client
	folder string
	yield  func(Event, error) bool
	left   bool // the caller has left the loop

	cursor  Cursor // behind the last message dealt with
	unsaved int    // messages since it was kept
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
		if r.left || !errors.As(err, &bad) || !bad.Cursor.after(r.cursor) {
			break
		}
		if err = r.setAside(ctx, bad.Cursor, bad); err != nil || r.left {
			break
		}
	}
	if err == nil && !r.left {
		r.cursor.ReadAt, r.unsaved = begun, 1
	}
	return errors.Join(err, r.keep(ctx))
}

// after tells whether c lies behind other in its folder.
func (c Cursor) after(other Cursor) bool {
	return c.UIDValidity != other.UIDValidity || c.UID > other.UID
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
	for item, err := range r.client.mailbox.Fetch(ctx, r.cursor) {
		if err != nil {
			return err
		}
		handed, err := r.read(ctx, item)
		if err != nil || r.left {
			return err
		}
		item.Cursor.ReadAt = r.cursor.ReadAt
		r.cursor = item.Cursor
		if r.unsaved++; handed || r.unsaved >= cursorEvery {
			if err := r.keep(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// read deals with one message. It is true when the caller was handed more than a
// notice, which nobody but the caller keeps.
func (r *reading) read(ctx context.Context, item Item) (handed bool, err error) {
	if item.Body == nil {
		return false, nil
	}
	source := &watchedReader{Reader: item.Body}
	raw, err := spool.Open(ctx, source)
	if err != nil {
		return false, r.broken(ctx, item.Cursor, source, err)
	}
	defer raw.Close()
	event, err := r.client.judge(ctx, io.NewSectionReader(raw, 0, raw.Size()), item)
	if err != nil || event == nil {
		return false, err
	}
	defer event.close()
	r.left = !r.yield(*event, nil)
	return event.Notice.Key.String() == "", nil
}

// broken judges a message that broke off. The connection is gone with it, so that
// what lies behind can only be read after it was passed over.
func (r *reading) broken(ctx context.Context, at Cursor, source *watchedReader, err error) error {
	if source.err == nil || ctx.Err() != nil {
		return err // not the message's fault
	}
	c := r.client
	c.mu.Lock()
	c.trouble[at]++
	given := c.trouble[at] >= patience
	if given {
		delete(c.trouble, at)
	}
	c.mu.Unlock()
	if !given {
		return err
	}
	return r.setAside(ctx, at, err)
}

// setAside passes over a message that cannot be read, and remembers it.
func (r *reading) setAside(ctx context.Context, at Cursor, cause error) error {
	c := r.client
	at.ReadAt = r.cursor.ReadAt
	if _, err := c.record(ctx, "", SetAside{Cursor: at, Reason: cause.Error(), At: c.now()}); err != nil {
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

// watchedReader knows whether it failed itself.
type watchedReader struct {
	io.Reader
	err error
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// Wait blocks until the mailbox may hold something new, or ctx ends, whose error
// it then returns. It may return early: a loop of Wait and Sync misses nothing. In a
// suspended mailbox the error is a *SuspendedError.
func (c *Client) Wait(ctx context.Context) error {
	if err := c.mayLogIn(ctx); err != nil {
		return err
	}
	if err := c.mailbox.Wait(ctx); err != nil {
		return fmt.Errorf("pec: waiting for mail: %w", c.loginRefused(ctx, err))
	}
	return nil
}
