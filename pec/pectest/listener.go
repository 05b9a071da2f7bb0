package pectest

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// listener keeps account of its connections, beneath TLS, so that shutdown can
// cut them and wait until each server has let go of them: go-imap's Server.Close
// waits for none, go-smtp's Shutdown cuts none.
type listener struct {
	net.Listener // with TLS, handed to the servers
	tcp          net.Listener

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	open   sync.WaitGroup
}

func newListener(config *tls.Config) (*listener, error) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &listener{tcp: tcp, conns: make(map[*conn]struct{})}
	l.Listener = tls.NewListener(tracking{tcp, l}, config)
	return l, nil
}

// tracking is the listener beneath TLS.
type tracking struct {
	net.Listener
	l *listener
}

func (t tracking) Accept() (net.Conn, error) {
	raw, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if t.l.closed {
		return nil, errors.Join(net.ErrClosed, raw.Close())
	}
	c := &conn{Conn: raw, l: t.l}
	t.l.conns[c] = struct{}{}
	t.l.open.Add(1)
	return c, nil
}

// conn tells the listener when the server has closed it.
type conn struct {
	net.Conn
	l    *listener
	once sync.Once
}

func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.l.mu.Lock()
		delete(c.l.conns, c)
		c.l.mu.Unlock()
		c.l.open.Done()
	})
	return err
}

// shutdown closes the port, cuts every connection and waits until the servers
// have closed their side of each.
func (l *listener) shutdown() error {
	l.mu.Lock()
	l.closed = true
	err := l.tcp.Close()
	for c := range l.conns {
		// The embedded connection: only the server's own Close counts as its end.
		// An error means that it is closed already.
		_ = c.Conn.Close()
	}
	l.mu.Unlock()
	l.open.Wait()
	return err
}
