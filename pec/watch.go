package pec

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"time"
)

const (
	// recoverEvery is how often Watch judges again what was not proven or not read.
	recoverEvery = time.Hour
	// leastRound is how long a round takes at least, whatever the mailbox says of news.
	leastRound = time.Second
)

// Watch does all that a mailbox needs, for as long as ctx lasts: Retry, Sync, SearchNotices for
// what is uncertain, another look at what was set aside, and Wait, over and over. It
// yields their events, and as Event.Trouble what it goes on trying in spite of, such as
// a lost connection. Each activity, and each folder, is then left alone for a pause of its
// own, up to 5 minutes, while the others go on. It ends with an error, as the last pair, when ctx ends and when the
// mailbox is suspended (a *SuspendedError). The mailbox is in use: what is said of the
// loop body of Sync holds here too.
//
// What was recorded before makes no event: who waits for a send to be settled looks at
// its Status first. Nor does what time alone brings about, such as FlagOverdue: Find
// tells.
func (c *Client) Watch(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w := &watch{client: c, yield: yield, troubles: map[string]*backoff{}, searches: searches{failed: map[string]int{}}}
		if err := w.run(ctx); !w.left {
			yield(Event{}, err)
		}
	}
}

type watch struct {
	client    *Client
	yield     func(Event, error) bool
	left      bool                // the caller has left the loop
	troubles  map[string]*backoff // of each activity, of those in the mailbox by folder
	next      time.Time           // when the next round is due at the latest
	searches  searches
	recovered time.Time // when what was not proven or not read was last judged again
	held      bool      // said already
}

// run ends with an error, or when the caller has left.
func (w *watch) run(ctx context.Context) error {
	for {
		begun := time.Now()
		if err := w.round(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, leastRound-time.Since(begun)); err != nil {
			return err
		}
	}
}

// round does everything once, and waits for news. What keeps one thing from being
// done does not keep the others. An error is the end.
func (w *watch) round(ctx context.Context) error {
	poll := w.client.options.PollInterval
	w.next = time.Now().Add(poll)
	if _, err := w.try(ctx, "retry", poll, w.retry); err != nil {
		return err
	}
	folders := w.client.mailbox.Folders()
	var readable []string
	for _, folder := range folders {
		well, err := w.try(ctx, "read "+folder, mostBackoff, func(ctx context.Context) error { return w.read(ctx, folder) })
		if err != nil {
			return err
		}
		if well {
			readable = append(readable, folder)
		}
	}
	if err := w.searchAll(ctx, readable); err != nil {
		return err
	}
	if _, err := w.try(ctx, "recover", mostBackoff, w.recover); err != nil {
		return err
	}
	// The first folder is the one that Wait watches. While it cannot be read there is
	// nothing to wait for.
	if len(folders) > 0 && slices.Contains(readable, folders[0]) {
		// When only waiting fails, the mailbox is polled.
		if well, err := w.try(ctx, "wait", poll, w.wait); well || err != nil {
			return err
		}
	}
	return sleep(ctx, time.Until(w.next))
}

// try does one activity, except while its backoff lasts, and reports whether it went
// well. Trouble is yielded; an error ends Watch.
func (w *watch) try(ctx context.Context, activity string, most time.Duration, do func(context.Context) error) (well bool, err error) {
	b := w.troubles[activity]
	if b == nil {
		b = &backoff{}
		w.troubles[activity] = b
	}
	if b.lasts() {
		w.before(b.until)
		return false, nil
	}
	begun := time.Now()
	err = do(ctx)
	var suspended *SuspendedError
	switch {
	case w.left:
		return false, errLeft
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.As(err, &suspended):
		return false, err
	case err == nil:
		*b = backoff{}
		return true, nil
	}
	if activity == "wait" && time.Since(begun) > b.pause {
		b.pause = 0 // it has waited for longer than it was left alone: that connection was good
	}
	b.failed(most)
	w.before(b.until)
	w.client.log.WarnContext(ctx, "pec: trouble, trying again", slog.Duration("after", time.Until(b.until)))
	if w.left = !w.yield(Event{Trouble: err}, nil); w.left {
		return false, errLeft
	}
	return false, nil
}

// before makes the next round begin at t, unless it begins earlier.
func (w *watch) before(t time.Time) {
	if t.Before(w.next) {
		w.next = t
	}
}

// retry says once that everything is held: reading, which lifts it, does not wait.
func (w *watch) retry(ctx context.Context) error {
	err := w.pass(w.client.Retry(ctx))
	var held *HeldError
	if !errors.As(err, &held) {
		w.held = false
		return err
	}
	if !w.held {
		w.held = true
		w.left = !w.yield(Event{Trouble: held}, nil)
	}
	return nil
}

// read is Sync of one folder.
func (w *watch) read(ctx context.Context, folder string) error {
	if err := w.client.mayLogIn(ctx); err != nil {
		return err
	}
	left, err := w.client.read(ctx, folder, w.yield)
	w.left = left
	return err
}

// wait waits for news until the next round is due: other folders, retries and searches
// have nobody who calls.
func (w *watch) wait(ctx context.Context) error {
	waiting, cancel := context.WithDeadline(ctx, w.next)
	defer cancel()
	if err := w.client.Wait(waiting); err != nil && (ctx.Err() != nil || waiting.Err() == nil) {
		return err
	}
	return nil
}

// recover judges again what could not be proven or read, every now and then.
func (w *watch) recover(ctx context.Context) error {
	now := w.client.now()
	if now.Sub(w.recovered) < recoverEvery {
		return nil
	}
	w.recovered = now
	return w.pass(w.client.Reverify(ctx))
}

// pass hands on the events of one activity.
func (w *watch) pass(events iter.Seq2[Event, error]) error {
	for e, err := range events {
		if err != nil {
			return err
		}
		if w.left = !w.yield(e, nil); w.left {
			return nil
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
