package pec

import (
	"math/rand/v2"
	"time"
)

const (
	// After trouble with one thing Watch leaves it alone from leastBackoff to mostBackoff,
	// doubling.
	leastBackoff = time.Second
	mostBackoff  = 5 * time.Minute
)

// backoff is how long one thing is left alone after trouble with it. The zero value is
// that of a thing without trouble.
type backoff struct {
	pause time.Duration // the longest that the last one can have been
	until time.Time
}

// failed begins the next pause. Half of it is random: clients that lost the same server at the
// same moment do not come back to it together.
func (b *backoff) failed(most time.Duration) {
	b.pause = min(max(2*b.pause, leastBackoff), most)
	b.until = time.Now().Add(b.pause/2 + rand.N(b.pause/2+1))
}

func (b *backoff) lasts() bool { return time.Now().Before(b.until) }
