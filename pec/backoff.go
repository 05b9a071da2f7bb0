package pec

import (
	"math/rand/v2"
	"time"
)

const (
	// After a failure of one activity Watch pauses it, from leastBackoff up to mostBackoff,
	// doubling.
	leastBackoff = time.Second
	mostBackoff  = 5 * time.Minute
)

// backoff is the pause of one activity after a failure. The zero value means no pause.
type backoff struct {
	pause time.Duration // the longest that the last pause can have been
	until time.Time
}

// failed begins the next pause, which is at most most. Half of it is random, so that clients
// that lost the same server at the same moment do not return to it together.
func (b *backoff) failed(most time.Duration) {
	b.pause = min(max(2*b.pause, leastBackoff), most)
	b.until = time.Now().Add(b.pause/2 + rand.N(b.pause/2+1))
}

func (b *backoff) lasts() bool { return time.Now().Before(b.until) }
