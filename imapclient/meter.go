package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gopec/gopec/internal/netguard"
)

// What one command may make the server say, message texts apart.
const (
	quick = 1 << 20  // most commands
	bulk  = 16 << 20 // those that tell of every message: a SEARCH of about 2 million

	// A FETCH of headBatch messages has two for each. The library's error over 8192
	// nested ones takes a second to make, over 65,536 a minute.
	maxParens = 1 << 13

	patience = 10 // times the silence that is allowed: what a server without progress has
)

var errFlood = errors.New("the server says more than any answer needs")

// meter is the connection as the library sees it. The library keeps lines and
// strings in memory however long they are, and parenthesised lists on its stack
// however deep; and a server that trickles is never silent. So what a command makes
// us read is bounded, in bytes, parentheses and time. The text of a message does not
// count: it goes through to the caller.
type meter struct {
	*netguard.Conn

	mu      sync.Mutex
	bytes   int64         // left
	parens  int           // left
	limit   time.Duration // for a command without progress, zero for none
	until   time.Time     // when that is over
	literal bool          // a literal is being streamed
	err     error         // final
}

// allow begins a command.
func (m *meter) allow(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes, m.parens = bytes, maxParens
	m.rearm()
}

// Expect is that of netguard.Conn, and bounds the time of the whole command too.
func (m *meter) Expect(silence time.Duration) {
	m.mu.Lock()
	m.limit = patience * silence
	m.rearm()
	m.mu.Unlock()
	m.Conn.Expect(silence)
}

func (m *meter) rearm() { m.until = time.Now().Add(m.limit) }

// stream tells that a literal is being read, until the returned function is given
// the number of its bytes that were.
func (m *meter) stream() (done func(n int)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.literal = true
	return func(n int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.literal = false
		m.bytes += int64(n)
		if n > 0 {
			m.rearm()
		}
	}
}

// Read implements net.Conn.
func (m *meter) Read(p []byte) (int, error) {
	m.mu.Lock()
	left, literal, err := m.bytes, m.literal, m.err
	m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := m.Conn.Read(p[:min(int64(len(p)), max(left, 1))])
	if n == 0 {
		return n, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes -= int64(n)
	if !literal {
		m.parens -= bytes.Count(p[:n], []byte("("))
	}
	switch {
	case m.bytes < 0 || m.parens < 0:
		m.err = errFlood
	case m.limit > 0 && time.Now().After(m.until):
		m.err = fmt.Errorf("no answer, but bytes, for %v: %w", m.limit, os.ErrDeadlineExceeded)
	default:
		return n, err
	}
	return 0, m.err
}

// Failure gives what broke the connection, nil when nothing has.
func (m *meter) Failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	return m.Conn.Failure()
}
