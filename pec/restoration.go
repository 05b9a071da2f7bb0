package pec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// HeldError reports that nothing was offered to the provider, since the Store was
// restored from a backup and what had left before is not known yet. Sync and Watch lift
// it: see MarkRestored.
type HeldError struct {
	Restoration Restoration
	// Until is the time from which on a reading of the mailbox counts.
	Until time.Time
	// Folders are those that are still to be read to the end by such a reading. Nil when
	// only this send is held: Retry, Watch and SearchNotices search for it first.
	Folders []string
	// Trace is that of Untraced: a person has to look, and then Cancel the send, or Cancel
	// and Resend it. "" for none.
	Trace string
}

// Error implements error.
func (e *HeldError) Error() string {
	const held = "pec: the store was restored from a backup: "
	switch {
	case e.Trace != "":
		return held + "message " + e.Trace + " may have taken the place of this one: look, and Cancel it"
	case e.Folders == nil:
		return held + "this message may have left before: Retry, Watch or SearchNotices searches for it first"
	default:
		return fmt.Sprintf("%snothing is sent until a Sync or Watch that begins at %s or later has read %s",
			held, e.Until.Format(time.RFC3339), strings.Join(e.Folders, ", "))
	}
}

// MarkRestored records that the Store was restored from a backup. Call it for every
// mailbox before the first program uses the Store again: also for those that the Store
// does not know, whose sends may all be missing.
//
// From then on every Client holds what it would send: Send and Retry give a *HeldError.
// The hold ends once all folders have been read to their end, by any Client, beginning
// an hour after stopped or later: the acceptance of all that left before has come by
// then. Then what was recorded before the mark, and would be offered again, is searched
// for and offered only if there is no notice about it; until then its status has
// FlagHeld. stopped is when the last program that used the lost Store had ended; zero
// means now.
func (l *Ledger) MarkRestored(ctx context.Context, stopped time.Time) error {
	for {
		last, err := l.restoration(ctx, 0)
		if err != nil {
			return err
		}
		mark := Restoration{N: 1, Stopped: stopped, At: l.now()}
		if last != nil {
			mark.N = last.N + 1
		}
		if stopped.IsZero() {
			mark.Stopped = mark.At
		}
		if added, err := l.record(ctx, "", mark); added || err != nil {
			return err
		}
	}
}

// until is when a reading may begin that finds the acceptance of all that left before.
func (f Restoration) until() time.Time { return f.Stopped.Add(confirmWithin) }

// hold gives the N of the last Restoration, zero for none, and what it holds the
// mailbox for, nil for nothing.
func (c *Client) hold(ctx context.Context) (n int, held *HeldError, err error) {
	c.mu.Lock()
	lifted := c.lifted
	c.mu.Unlock()
	last, err := c.restoration(ctx, lifted)
	if err != nil || last == nil {
		return lifted, nil, err
	}
	held = &HeldError{Restoration: *last, Until: last.until()}
	for _, folder := range c.folders {
		read, err := factUnder[FolderRead](ctx, c.Ledger, FolderRead{N: last.N, Folder: folder}.key())
		if err != nil {
			return 0, nil, err
		}
		if read == nil {
			held.Folders = append(held.Folders, folder)
		}
	}
	if held.Folders != nil {
		return last.N, held, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if last.N > c.lifted {
		c.lifted, c.others = last.N, nil
	}
	return last.N, nil, nil
}

// folderRead records that a folder was read to its end, by a reading begun then, where
// that lifts a hold.
func (c *Client) folderRead(ctx context.Context, folder string, begun time.Time) error {
	n, held, err := c.hold(ctx)
	if err != nil || held == nil || begun.Before(held.Until) || !slices.Contains(held.Folders, folder) {
		return err
	}
	_, err = c.record(ctx, "", FolderRead{N: n, Folder: folder, At: c.now()})
	return err
}

// held explains heldBack of a send.
func (c *Client) held(ctx context.Context, f *folding) error {
	_, held, err := c.hold(ctx)
	switch {
	case err != nil:
		return err
	case held != nil:
		return held
	}
	last, err := c.restoration(ctx, f.restored-1)
	if err != nil {
		return err
	}
	held = &HeldError{}
	if last != nil {
		held.Restoration, held.Until = *last, last.until()
	}
	if u := f.untraced(); u != nil {
		held.Trace = u.Trace
	}
	return held
}
