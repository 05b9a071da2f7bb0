package pec

import (
	"context"
	"sync"
)

// underWay are the sends that one Client offers to the provider at the moment, by name.
// The claim alone keeps them from leaving twice; this keeps a Client from logging in
// twice for one of them.
type underWay struct {
	mu    sync.Mutex
	sends map[string]chan struct{} // closed when the attempt is over
}

// enter waits until nobody else in this Client offers the send, and reports whether
// somebody did. leave must be called after the attempt.
func (u *underWay) enter(ctx context.Context, name string) (leave func(), waited bool, err error) {
	for ; ; waited = true {
		u.mu.Lock()
		other, busy := u.sends[name]
		if !busy {
			over := make(chan struct{})
			u.sends[name] = over
			u.mu.Unlock()
			return func() {
				u.mu.Lock()
				delete(u.sends, name)
				u.mu.Unlock()
				close(over)
			}, waited, nil
		}
		u.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, waited, ctx.Err()
		}
	}
}

// has reports whether the send is being offered.
func (u *underWay) has(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, busy := u.sends[name]
	return busy
}
