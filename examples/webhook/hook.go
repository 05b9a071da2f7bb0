package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gopec/gopec/examples/internal/account"
	"github.com/gopec/gopec/examples/internal/program"
	"github.com/gopec/gopec/pec"
)

// hook posts changes.
type hook struct {
	url    string
	secret []byte
	client *http.Client
	outbox *outbox
	store  account.Store
	tries  int           // the number of failures after which a change is parked
	least  time.Duration // the pause after the first failure; each later one is twice as long
	log    io.Writer

	answered time.Time // when the receiver last answered, whatever it said
	deaf     int       // how many posts since then got no answer
}

const (
	pollEvery = time.Second     // how often to ask the store for changes when there were none
	mostPause = 5 * time.Minute // the longest pause between two tries of a change
	batch     = 100             // how many changes to add in one transaction, or to post before looking for others
	mostDeaf  = 3               // the number of posts without an answer after which the receiver counts as absent
	maxError  = 500             // how many bytes of an error are kept
)

// run posts until ctx ends, or until everything is posted or parked.
func (h *hook) run(ctx context.Context, once bool) error {
	for {
		if err := h.collect(ctx); err != nil {
			return err
		}
		if err := h.round(ctx); err != nil {
			return err
		}
		at, waits, err := h.outbox.next(ctx)
		if err != nil || once && !waits {
			return err
		}
		pause := pollEvery
		switch {
		case h.deaf >= mostDeaf:
			pause = h.pause(h.deaf - mostDeaf)
		case waits:
			pause = min(pause, time.Until(at))
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// collect adds the new changes of all mailboxes to the outbox.
func (h *hook) collect(ctx context.Context) error {
	mailboxes, err := h.store.Mailboxes(ctx)
	if err != nil {
		return err
	}
	for _, mailbox := range mailboxes {
		ledger, err := pec.NewLedger(mailbox, h.store, nil)
		if err != nil {
			return err
		}
		after, err := h.outbox.position(ctx, mailbox)
		if err != nil {
			return err
		}
		var changes []Change
		for c, err := range ledger.Changes(ctx, after) {
			if err != nil {
				return err
			}
			if changes = append(changes, newChange(mailbox, c)); len(changes) == batch {
				if err := h.outbox.add(ctx, mailbox, changes); err != nil {
					return err
				}
				changes = nil
			}
		}
		if len(changes) > 0 {
			if err := h.outbox.add(ctx, mailbox, changes); err != nil {
				return err
			}
		}
	}
	return nil
}

// round posts all changes that are due. It ends early when the receiver does not answer.
func (h *hook) round(ctx context.Context) error {
	for {
		due, err := h.outbox.due(ctx, time.Now())
		if err != nil || len(due) == 0 {
			return err
		}
		// A query for all due changes costs as much as there are changes, so it is not made
		// for each of the many changes of one send.
		for i := 0; i < len(due) && i < batch; i++ {
			taken, err := h.try(ctx, due[i])
			if err == nil && taken {
				var behind []waiting
				behind, err = h.outbox.behind(ctx, due[i], time.Now())
				due = append(due, behind...)
			}
			if err != nil {
				return err
			}
			if h.deaf >= mostDeaf {
				return nil
			}
		}
	}
}

// try posts one change, and records the result. It reports whether the receiver took it.
func (h *hook) try(ctx context.Context, w waiting) (taken bool, err error) {
	answered, err := h.post(ctx, w.body)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	now := time.Now()
	if h.deaf++; answered {
		h.deaf, h.answered = 0, now
	}
	if err == nil {
		return true, h.outbox.taken(ctx, w)
	}
	if w.Error = clip(err.Error()); w.failed.IsZero() {
		w.failed = now
	}
	// A receiver that is absent refuses nothing, so the try does not count. It counts when
	// the receiver has answered any post since this change first failed.
	if !h.answered.Before(w.failed) {
		w.Tries++
	}
	w.rounds++
	pause := h.pause(w.rounds - 1)
	park := w.Tries >= h.tries
	then := fmt.Sprintf("again in %s", pause)
	if park {
		then = "parked"
	}
	program.Fail(h.log, "webhook", fmt.Errorf("%s, position %s, message %q: %s: %s", w.Mailbox, w.Position, w.MessageID, then, w.Error))
	return false, h.outbox.keep(ctx, w, now.Add(pause), park)
}

// clip shortens an error, which may be the receiver's text, because it is kept with each
// change.
func clip(text string) string {
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + " ..."
	}
	return text
}

// pause returns how long to wait after the n-th failure, counted from 0.
func (h *hook) pause(n int) time.Duration { return min(h.least<<min(n, 20), mostPause) }

// post posts a change. It reports whether the receiver answered, whatever it said.
func (h *hook) post(ctx context.Context, body []byte) (answered bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Pec-Signature", h.sign(time.Now(), body))
	response, err := h.client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	if response.StatusCode/100 != 2 {
		return true, errors.New(response.Status)
	}
	return true, nil
}

func (h *hook) sign(at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, h.secret)
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
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
