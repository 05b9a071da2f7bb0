package pec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// HeldError reports that nothing was offered to the provider: the Store was restored from a
// backup, and what had left before is not known yet. Sync and Watch lift the hold: see
// MarkRestored.
type HeldError struct {
	Restoration Restoration
	// Until is the earliest time at which a reading of the mailbox may begin to count.
	Until time.Time
	// Folders are those that such a reading still has to read to the end. Nil when only
	// this send is held: Retry, Watch or SearchNotices searches for it first.
	Folders []string
	// Trace is that of Untraced: a person has to compare the two sends, and then Cancel this
	// one, or Cancel and Resend it. "" for none.
	Trace string
}

// Error implements error.
func (e *HeldError) Error() string {
	const held = "pec: the store was restored from a backup: "
	switch {
	case e.Trace != "":
		return held + "message " + e.Trace + " may have taken the place of this one: compare the two, then Cancel this one, and Resend it if it is still needed"
	case e.Folders == nil:
		return held + "this message may have left before: run Retry, Watch or SearchNotices, which search for it first"
	default:
		return fmt.Sprintf("%snothing is sent before the mailbox is read: run Sync or Watch at %s or later, until it has read %s",
			held, e.Until.Format(time.RFC3339), strings.Join(e.Folders, ", "))
	}
}

// MarkRestored records that the Store was restored from a backup. Call it for every mailbox
// before the first program uses the Store again, also for mailboxes that the Store does not
// know: all their sends may be missing. stopped is when the last program that used the lost
// Store ended; zero means now.
//
// From then on every Client holds what it would send: Send and Retry return a *HeldError.
// The hold ends when all folders have been read to their end, by any Client, beginning an
// hour after stopped or later: by then the acceptances of all that left have arrived.
//
// After the hold, a message that was recorded before the mark and would be offered again is
// searched for. It is offered only if there is no notice about it. Until then its status has
// FlagHeld.
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

// until is the earliest beginning of a reading that finds the acceptances of all that left
// before.
func (f Restoration) until() time.Time { return f.Stopped.Add(confirmWithin) }

// hold returns the N of the last Restoration, zero for none, and the hold on the mailbox,
// nil when there is none.
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

// folderRead records that a reading, begun at begun, has read a folder to its end, if that
// helps to lift a hold.
func (c *Client) folderRead(ctx context.Context, folder string, begun time.Time) error {
	n, held, err := c.hold(ctx)
	if err != nil || held == nil || begun.Before(held.Until) || !slices.Contains(held.Folders, folder) {
		return err
	}
	_, err = c.record(ctx, "", FolderRead{N: n, Folder: folder, At: c.now()})
	return err
}

// held returns the *HeldError of a send for which heldBack is true.
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
