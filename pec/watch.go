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
	// leastRound is the shortest time of a round, however often the mailbox reports news.
	leastRound = time.Second
)

// Watch does everything that a mailbox needs, until ctx ends: Retry, Sync, SearchNotices for
// what is uncertain, Reverify, and Wait, in a loop. It yields their events. An error that it
// can live with, such as a lost connection, is yielded as Event.Trouble; that activity, or
// that folder, then pauses for up to 5 minutes while the others go on.
//
// Watch ends with an error, as the last pair, when ctx ends or when the mailbox is suspended
// (a *SuspendedError). The mailbox is in use, and an envelope is yielded again until the loop
// moves past it, as in Sync.
//
// Watch yields nothing for what was recorded before: before waiting for a send to be settled,
// look at its Status. It yields nothing either for what time alone changes, such as
// FlagOverdue: use Find for that.
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
	troubles  map[string]*backoff // by activity; reading and searching by folder too
	next      time.Time           // when the next round is due at the latest
	searches  searches
	recovered time.Time // when what was not proven or not read was last judged again
	held      bool      // the *HeldError was yielded
}

// run returns when there is an error that ends Watch, or when the caller has left the loop.
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

// round does every activity once, and waits for news. An activity that fails does not stop
// the others. An error of round ends Watch.
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
	// Wait watches the first folder. While it cannot be read there is no point in waiting.
	if len(folders) > 0 && slices.Contains(readable, folders[0]) {
		// When only waiting fails, the mailbox is polled.
		if well, err := w.try(ctx, "wait", poll, w.wait); well || err != nil {
			return err
		}
	}
	return sleep(ctx, time.Until(w.next))
}

// try does one activity, unless it pauses, and reports whether it succeeded. It yields a
// failure as trouble, after which the activity pauses for at most most. An error ends Watch.
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
		b.pause = 0 // it waited for longer than the last pause: that connection was good
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

// retry yields a *HeldError once. It is no failure: reading, which lifts the hold, goes on
// without a pause.
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

// wait waits for news until the next round is due: nothing else begins a round for other
// folders, retries and searches.
func (w *watch) wait(ctx context.Context) error {
	waiting, cancel := context.WithDeadline(ctx, w.next)
	defer cancel()
	if err := w.client.Wait(waiting); err != nil && (ctx.Err() != nil || waiting.Err() == nil) {
		return err
	}
	return nil
}

// recover runs Reverify, once every recoverEvery.
func (w *watch) recover(ctx context.Context) error {
	now := w.client.now()
	if now.Sub(w.recovered) < recoverEvery {
		return nil
	}
	w.recovered = now
	return w.pass(w.client.Reverify(ctx))
}

// pass yields the events of one activity.
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
