package smtpclient

import (
	"context"
	"time"
)

// pace keeps a mailbox within the number of messages per minute that its provider
// takes. It belongs to whoever has the turn.
type pace struct {
	limit int         // messages per minute; zero means no limit
	taken []time.Time // when the last messages were answered; the provider counted them no later
}

// wait returns nil once another message may be sent, the error of ctx when it ends, or
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

// count records that the provider has counted a message. It is called after the reply:
// a minute later, a minute has also passed on the provider's side.
func (p *pace) count() {
	if p.limit == 0 {
		return
	}
	p.taken = append(p.taken, time.Now())
	if len(p.taken) > p.limit {
		p.taken = append(p.taken[:0], p.taken[1:]...)
	}
}
