package smtpclient

import (
	"context"
	"time"
)

// pace keeps a mailbox below the number of messages a minute that its provider
// takes. It belongs to whoever has the turn.
type pace struct {
	limit int         // zero means none
	taken []time.Time // when the last messages were counted at the latest
}

// wait returns once another message may be offered, or with the error of ctx or
// errClosed.
func (p *pace) wait(ctx context.Context, closed <-chan struct{}) error {
	if p.limit == 0 || len(p.taken) < p.limit {
		return nil
	}
	timer := time.NewTimer(time.Until(p.taken[len(p.taken)-p.limit].Add(time.Minute)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-closed:
		return errClosed
	}
}

// count notes that the provider has counted a message. It is called when the reply
// has come: on the provider's clock too, a minute after it has then passed.
func (p *pace) count() {
	if p.limit == 0 {
		return
	}
	p.taken = append(p.taken, time.Now())
	if len(p.taken) > p.limit {
		p.taken = append(p.taken[:0], p.taken[1:]...)
	}
}
