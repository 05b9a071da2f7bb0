package imapclient

import (
	"errors"
	"sync"

	"github.com/gopec/gopec/internal/netguard"
)

// How many bytes the server may send for one command, not counting message texts.
const (
	quick = 1 << 20  // for most commands
	bulk  = 16 << 20 // for commands about every message: a SEARCH of about 2 million

	stretch = 64 << 10 // how much of a message text must arrive in the time of one answer
)

var errFlood = errors.New("the server sends more than any answer needs")

// meter is the connection as the library sees it. The library keeps lines and strings in
// memory however long they are, and a server that trickles is never silent. So meter
// limits the bytes and the time of each answer, and passes them through a sieve. The
// text of a message does not count, since it goes on to the caller; each stretch of it
// has the time of one answer.
//
// After a line that asks the client to go on ("+"), the library reads nothing until it
// has written. Otherwise the end of the command could arrive before the library notes
// what it waits for next, and it would wait for ever.
type meter struct {
	*netguard.Conn

	mu    sync.Mutex
	bytes int64         // how many more the server may send
	moved int           // bytes of the current stretch
	err   error         // final
	mute  chan struct{} // closed when the library may read again; nil when it may

	// These belong to whoever reads.
	sieve sieve
	given int    // how much of sieve.out the library has read
	goOn  bool   // sieve.out ends with a line that asks the client to go on
	raw   []byte // not sifted yet
	buf   [16 << 10]byte
}

// allow begins a command, whose answer may have so many bytes.
func (m *meter) allow(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes, m.moved = bytes, 0
	m.Again()
}

// streamed records that n bytes of a message text went to the caller.
func (m *meter) streamed(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += int64(n)
	if m.moved += n; m.moved >= stretch {
		m.moved = 0
		m.Again()
	}
}

// hush makes the library wait with reading until it has written, or until release.
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

// read reads from the connection. It returns 0 when m is broken or the server has sent
// too much.
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

// Failure returns what broke the connection, nil if nothing did.
func (m *meter) Failure() error {
	if err := m.broken(); err != nil {
		return err
	}
	return m.Conn.Failure()
}
