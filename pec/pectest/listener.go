package pectest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
)

// listener keeps track of its connections, below TLS, so that shutdown can cut them and
// wait until the server has closed each. The libraries do not: go-imap's Server.Close does
// not wait for them, and go-smtp's Shutdown does not cut them.
type listener struct {
	net.Listener // passed to the servers
	tcp          net.Listener

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	open   sync.WaitGroup
}

// newListener opens a port; address is its name in memory. With config the connections use
// implicit TLS, and faults may strike. Without config the server sees the plain
// connections.
func (p *Provider) newListener(address, protocol string, config *tls.Config) (*listener, error) {
	tcp, err := p.network.listen(address)
	if err != nil {
		return nil, err
	}
	l := &listener{tcp: tcp, conns: make(map[*conn]struct{})}
	l.Listener = tracking{tcp, l}
	if config != nil {
		l.Listener = wired{l.Listener, p, protocol, config}
	}
	return l, nil
}

// listen opens a port on this machine, or one in memory.
func (n *Network) listen(address string) (net.Listener, error) {
	if n.memory == nil {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	l := newMemoryListener(address)
	n.memory[address] = l
	return l, nil
}

// DialContext connects to an address of the network, like net.Dialer's method of that name.
// It is the only way to reach a network in memory (Options.InMemory). It returns a
// *net.OpError when nothing listens at the address.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if n.memory == nil {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
	l := n.memory[address]
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: memoryAddr(address), Err: syscall.ECONNREFUSED}
	}
	c, err := l.dial(ctx)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: l.addr, Err: err}
	}
	return c, nil
}

// wired is the listener above TLS, where faults strike.
type wired struct {
	net.Listener
	provider *Provider
	protocol string
	config   *tls.Config
}

func (w wired) Accept() (net.Conn, error) {
	raw, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newWire(w.provider, w.protocol, tls.Server(raw, w.config)), nil
}

// tracking is the listener below TLS, which counts the connections.
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

// conn is a connection that leaves its listener when the server closes it.
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
		// Close the embedded connection: only the server's own Close of c counts as its
		// end. An error means that it is already closed.
		_ = c.Conn.Close()
	}
	l.mu.Unlock()
	l.open.Wait()
	return err
}
