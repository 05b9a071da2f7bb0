package imapclient

import (
	"errors"
	"sync"

	"github.com/gopec/gopec/internal/netguard"
)

// What one command may make the server say, message texts apart.
const (
	quick = 1 << 20  // most commands
	bulk  = 16 << 20 // those that tell of every message: a SEARCH of about 2 million

	stretch = 64 << 10 // of a message text: what each answer's time must bring
)

var errFlood = errors.New("the server says more than any answer needs")

// meter is the connection as the library sees it. The library keeps lines and
// strings in memory however long they are, and a server that trickles is never silent.
// So what a command makes us read is bounded, in bytes and in time, and sifted. The
// text of a message does not count: it goes through to the caller, and has its time
// again for each stretch.
//
// After a line with which the server gives us the word, the library hears no more
// until it has spoken. What comes at once would end the command before the library has
// noted what it waits for next, and that would never come.
type meter struct {
	*netguard.Conn

	mu    sync.Mutex
	bytes int64         // left
	moved int           // of a message text, since its time began
	err   error         // final
	mute  chan struct{} // closed when the library may hear again, nil when it may

	// These belong to whoever reads.
	sieve sieve
	given int    // of sieve.out, to the library
	goOn  bool   // sieve.out ends with a line that gives us the word
	raw   []byte // not sifted yet
	buf   [16 << 10]byte
}

// allow begins a command.
func (m *meter) allow(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes, m.moved = bytes, 0
	m.Again()
}

// streamed says that n bytes went to the caller.
func (m *meter) streamed(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += int64(n)
	if m.moved += n; m.moved >= stretch {
		m.moved = 0
		m.Again()
	}
}

// hush lets the library hear nothing until it has spoken, or until release.
func (m *meter) hush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mute == nil {
		m.mute = make(chan struct{})
	}
}

func (m *meter) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mute != nil {
		close(m.mute)
		m.mute = nil
	}
}

func (m *meter) muted() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mute
}

// Write implements net.Conn.
func (m *meter) Write(p []byte) (int, error) {
	defer m.release()
	return m.Conn.Write(p)
}

// Read implements net.Conn.
func (m *meter) Read(p []byte) (int, error) {
	for {
		if mute := m.muted(); mute != nil {
			<-mute
			continue
		}
		if n := copy(p, m.sieve.out[m.given:]); n > 0 {
			if m.given += n; m.given == len(m.sieve.out) {
				m.sieve.out, m.given = m.sieve.out[:0], 0
				if m.goOn {
					m.goOn = false
					m.hush()
				}
			}
			return n, nil
		}
		if err := m.broken(); err != nil {
			return 0, err
		}
		if len(m.raw) > 0 {
			n, goOn, err := m.sieve.sift(m.raw)
			m.raw, m.goOn = m.raw[n:], goOn
			m.fail(err)
			continue
		}
		if m.sieve.kind != kindDropped && m.sieve.literal > 0 {
			n := m.read(p[:min(int64(len(p)), m.sieve.literal)])
			if m.sieve.literal -= int64(n); n > 0 {
				return n, nil
			}
			continue
		}
		m.raw = m.buf[:m.read(m.buf[:])]
	}
}

// read takes bytes from the connection, as many as may come. It gives none when m is
// broken.
func (m *meter) read(p []byte) int {
	m.mu.Lock()
	left := m.bytes
	m.mu.Unlock()
	n, err := m.Conn.Read(p[:min(int64(len(p)), max(left, 1))])
	if n == 0 {
		m.fail(err)
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes -= int64(n)
	if m.bytes < 0 {
		m.err = errFlood
		return 0
	}
	return n
}

// fail keeps the first error.
func (m *meter) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
}

func (m *meter) broken() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Failure gives what broke the connection, nil when nothing has.
func (m *meter) Failure() error {
	if err := m.broken(); err != nil {
		return err
	}
	return m.Conn.Failure()
}
