package pectest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
)

// listener keeps account of its connections, beneath TLS, so that shutdown can
// cut them and wait until each server has let go of them: go-imap's Server.Close
// waits for none, go-smtp's Shutdown cuts none.
type listener struct {
	net.Listener // handed to the servers
	tcp          net.Listener

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	open   sync.WaitGroup
}

// newListener opens a port; address is its name in memory. With config the
// connections are TLS from their start, and faults may strike; without, the
// server takes them as they are.
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

// listen opens a port of this machine, or one in memory.
func (n *Network) listen(address string) (net.Listener, error) {
	if n.memory == nil {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	l := newMemoryListener(address)
	n.memory[address] = l
	return l, nil
}

// DialContext connects to an address of the network, as net.Dialer's method of
// that name does. A network in memory (Options.InMemory) has no other way in; its
// addresses are unknown elsewhere. An address that is not there is a
// *net.OpError.
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

// wired is the listener above TLS.
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
