package pec

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"
)

const (
	// proveEvery is how often Watch searches for proof of uncertain sends.
	proveEvery = 10 * time.Minute
	// recoverEvery is how often Watch judges again what was not proven or not read.
	recoverEvery = time.Hour
	// After trouble Watch waits from leastBackoff to mostBackoff, doubling.
	leastBackoff = time.Second
	mostBackoff  = 5 * time.Minute
	// leastRound is how long a round takes at least, whatever the mailbox says of news.
	leastRound = time.Second
)

// Watch does all that a mailbox needs, for as long as ctx lasts: Retry, Sync, Prove for
// what is uncertain, another look at what was set aside, and Wait, over and over. It
// yields their events, and as Event.Trouble what it goes on trying in spite of, such as
// a lost connection. It ends with an error, as the last pair, when ctx ends and when the
// mailbox is suspended (a *SuspendedError). The mailbox is in use: what is said of the
// loop body of Sync holds here too.
//
// What was recorded before makes no event: who waits for a send to be settled looks at
// its Status first. Nor does what time alone brings about, such as FlagOverdue: Find
// tells.
func (c *Client) Watch(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w := &watch{client: c, yield: yield}
		if err := w.run(ctx); !w.left {
			yield(Event{}, err)
		}
	}
}

type watch struct {
	client    *Client
	yield     func(Event, error) bool
	left      bool      // the caller has left the loop
	proved    time.Time // when proof was last searched for
	recovered time.Time // when what was not proven or not read was last judged again
	backoff   time.Duration
}

// run ends with an error, or when the caller has left.
func (w *watch) run(ctx context.Context) error {
	for {
		begun := time.Now()
		err := w.round(ctx)
		var suspended *SuspendedError
		switch {
		case w.left:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &suspended):
			return err
		case err == nil:
			w.backoff = 0
			if err := sleep(ctx, leastRound-time.Since(begun)); err != nil {
				return err
			}
			continue
		}
		if w.left = !w.yield(Event{Trouble: err}, nil); w.left {
			return nil
		}
		w.backoff = min(max(2*w.backoff, leastBackoff), mostBackoff)
		w.client.log.WarnContext(ctx, "pec: trouble, trying again", slog.Duration("after", w.backoff))
		if err := sleep(ctx, w.backoff); err != nil {
			return err
		}
	}
}

// round does everything once, and waits for news. What keeps one thing from being
// done does not keep the others.
func (w *watch) round(ctx context.Context) error {
	c := w.client
	var troubles error
	for _, do := range []func(context.Context) error{w.retry, w.sync, w.prove, w.recover} {
		troubles = errors.Join(troubles, do(ctx))
		var suspended *SuspendedError
		if w.left || ctx.Err() != nil || errors.As(troubles, &suspended) {
			return troubles
		}
	}
	if troubles != nil {
		return troubles
	}
	// Other folders, retries and searches have nobody who calls.
	waiting, cancel := context.WithTimeout(ctx, c.options.PollInterval)
	defer cancel()
	if err := c.Wait(waiting); err != nil && (ctx.Err() != nil || waiting.Err() == nil) {
		return err
	}
	return nil
}

func (w *watch) retry(ctx context.Context) error { return w.pass(w.client.Retry(ctx)) }

func (w *watch) sync(ctx context.Context) error { return w.pass(w.client.Sync(ctx)) }

// prove searches for what is uncertain, every now and then. A message that cannot be read
// lies in the way of one send, and any other error in that of all.
func (w *watch) prove(ctx context.Context) error {
	now := w.client.now()
	if now.Sub(w.proved) < proveEvery {
		return nil
	}
	w.proved = now
	var failed error
	for s, err := range w.client.selected(ctx, Query{Filter: FilterUncertain, At: now}) {
		if err != nil {
			return err
		}
		err = w.pass(w.client.Prove(ctx, s.name))
		var one *MessageError
		if w.left || err != nil && !errors.As(err, &one) {
			return err
		}
		failed = cmp.Or(failed, err)
	}
	return failed
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
