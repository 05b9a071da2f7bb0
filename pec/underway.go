package pec

import (
	"context"
	"sync"
)

// underWay holds the sends, by name, that one Client is offering to the provider. The claim
// alone prevents a second copy. underWay prevents a second login for the same send.
type underWay struct {
	mu    sync.Mutex
	sends map[string]chan struct{} // closed when the attempt is over
}

// enter waits until no other call of this Client offers the send, and reports whether it had
// to wait. leave must be called after the attempt.
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
