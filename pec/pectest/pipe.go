package pectest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeSize is how many bytes one direction of a connection in memory holds, about as many
// as a socket. A writer waits when it is full.
const pipeSize = 256 << 10

// pipe returns the two ends of a connection in memory. Unlike net.Pipe it is buffered,
// because two ends that write at the same time must not wait for each other.
func pipe(client, server net.Addr) (net.Conn, net.Conn) {
	up, down := newStream(), newStream()
	return &pipeEnd{in: down, out: up, local: client, remote: server}, &pipeEnd{in: up, out: down, local: server, remote: client}
}

// stream is one direction. It waits only on channels and timers, which testing/synctest
// recognises as blocked.
type stream struct {
	mu      sync.Mutex
	data    []byte
	closed  bool          // by either end: the rest can be read, and nothing more written
	lost    bool          // one write after closed was dropped without an error
	changed chan struct{} // closed and replaced at each change
	readBy  time.Time
	writeBy time.Time
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// change wakes all waiters; mu is held.
func (s *stream) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait unlocks mu until something changes or the deadline passes.
func (s *stream) wait(deadline time.Time) {
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	if deadline.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

func passed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case passed(s.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(s.data) > 0:
			n := copy(b, s.data)
			s.data = s.data[n:]
			s.change()
			return n, nil
		case s.closed:
			return 0, io.EOF
		}
		s.wait(s.readBy)
	}
}

func (s *stream) write(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed && !s.lost:
			// As with sockets, the first write to a closed end is lost without an error.
			s.lost = true
			return n + len(b), nil
		case s.closed:
			return n, io.ErrClosedPipe
		case passed(s.writeBy):
			return n, os.ErrDeadlineExceeded
		case len(b) == 0:
			return n, nil
		}
		if room := min(len(b), pipeSize-len(s.data)); room > 0 {
			s.data = append(s.data, b[:room]...)
			b, n = b[room:], n+room
			s.change()
			continue
		}
		s.wait(s.writeBy)
	}
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.change()
	}
}

func (s *stream) deadline(which *time.Time, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*which = t
	s.change()
}

// pipeEnd is one end of a connection in memory.
type pipeEnd struct {
	in, out       *stream
	local, remote net.Addr
	mu            sync.Mutex
	closed        bool
}

func (p *pipeEnd) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *pipeEnd) Read(b []byte) (int, error) {
	n, err := p.in.read(b)
	if p.isClosed() {
		return 0, net.ErrClosed
	}
	return n, err
}

func (p *pipeEnd) Write(b []byte) (int, error) {
	if p.isClosed() {
		return 0, net.ErrClosed
	}
	return p.out.write(b)
}

func (p *pipeEnd) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	p.closed = true
	p.in.close()
	p.out.close()
	return nil
}

func (p *pipeEnd) LocalAddr() net.Addr  { return p.local }
func (p *pipeEnd) RemoteAddr() net.Addr { return p.remote }

func (p *pipeEnd) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

func (p *pipeEnd) SetReadDeadline(t time.Time) error {
	p.in.deadline(&p.in.readBy, t)
	return nil
}

func (p *pipeEnd) SetWriteDeadline(t time.Time) error {
	p.out.deadline(&p.out.writeBy, t)
	return nil
}

// memoryAddr is the host:port of a connection in memory.
type memoryAddr string

func (memoryAddr) Network() string  { return "memory" }
func (a memoryAddr) String() string { return string(a) }

// memoryListener accepts connections in memory.
type memoryListener struct {
	addr   memoryAddr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener(addr string) *memoryListener {
	return &memoryListener{addr: memoryAddr(addr), conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return l.addr }

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := pipe(memoryAddr("127.0.0.1:1"), l.addr)
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
