// Package netguard gives smtpclient and imapclient a TLS connection that a
// context can end at any moment and on which no silence lasts for ever. The
// protocol libraries know no context and set fixed deadlines, or none at all.
package netguard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Patience is how many silences an answer may last, counted in the time that its
// reader waits. Without it a peer that trickles would never be late.
const Patience = 10

// Conn is a TLS connection with deadlines of its own. It is safe for concurrent
// use.
type Conn struct {
	raw     net.Conn
	tls     *tls.Conn
	timeout time.Duration // for one write
	closed  chan struct{}
	closing sync.Once

	mu       sync.Mutex
	silence  time.Duration
	waits    int           // Reads under way
	since    time.Time     // when the wait for the next bytes began
	waited   time.Duration // for the answer, up to then
	readErr  error
	writeErr error
	failure  error // the first of the two
}

// Dial connects to addr with TLS. The connection and the handshake may take
// timeout each; so may every later write and, until Expect says otherwise, the
// wait for the next bytes. A passed deadline is os.ErrDeadlineExceeded; when ctx
// ends, the error is that of ctx.
func Dial(ctx context.Context, addr string, config *tls.Config, timeout time.Duration) (*Conn, error) {
	return DialClear(ctx, addr, config, timeout, nil)
}

// DialClear is Dial to a server that speaks in the clear until it is asked for TLS.
// ask does that, and must read no byte beyond the server's consent; its error is
// given as it is unless ctx has ended. Each of its reads and writes may take timeout,
// all reads after one write Patience times that, and ctx ends them. Nil asks nothing.
func DialClear(ctx context.Context, addr string, config *tls.Config, timeout time.Duration, ask func(io.ReadWriter) error) (*Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	raw, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, dialled(ctx, err, timeout)
	}
	if ask != nil {
		stop := context.AfterFunc(ctx, func() { raw.Close() })
		err = ask(newClear(raw, timeout))
		stop()
	}
	if err != nil {
		raw.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	c := &Conn{raw: raw, tls: tls.Client(raw, config), timeout: timeout, closed: make(chan struct{}), silence: timeout}
	err = raw.SetDeadline(time.Now().Add(timeout))
	if err == nil {
		err = c.tls.HandshakeContext(ctx)
	}
	if err == nil {
		err = raw.SetDeadline(time.Time{})
	}
	if err != nil {
		raw.Close()
		return nil, dialled(ctx, err, timeout)
	}
	return c, nil
}

// dialled tells the end of the caller's context, which can be a deadline too, from
// that of our own patience.
func dialled(ctx context.Context, err error, timeout time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return stalled(err, timeout)
}

// Guard closes the connection as soon as ctx ends. After release it does so no
// more, and nothing of it is still running.
func (c *Conn) Guard(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		c.Close()
	})
	return sync.OnceFunc(func() {
		if !stop() {
			<-done
		}
	})
}

// Expect says how long the peer may be silent from now on, counted again from each
// byte it sends. Zero means as long as it likes. The answer as a whole may take
// Patience times that.
func (c *Conn) Expect(silence time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charge()
	c.silence = silence
	c.armRead()
}

// Again begins another answer, or says that this one has come on.
func (c *Conn) Again() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited, c.since = 0, time.Now()
	if c.waits > 0 {
		c.armRead()
	}
}

// charge adds to the answer what has been waited for it. Time that nobody waits is the
// caller's own, and a peer that may be silent is not waited for.
func (c *Conn) charge() {
	now := time.Now()
	if c.waits > 0 && c.silence > 0 {
		c.waited += now.Sub(c.since)
	}
	c.since = now
}

// late reports whether the answer has used up its time.
func (c *Conn) late() bool { return c.silence > 0 && c.waited >= Patience*c.silence }

// armRead sets the read deadline; it also counts for a Read already under way.
func (c *Conn) armRead() {
	var deadline time.Time
	if c.silence > 0 {
		deadline = time.Now().Add(min(c.silence, Patience*c.silence-c.waited))
	}
	// It fails only on a closed connection, and then so does the Read.
	_ = c.raw.SetReadDeadline(deadline)
}

// Read implements net.Conn. After an error it is over: libraries read on, and
// would wait for each deadline again.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	c.charge()
	c.waits++
	c.armRead()
	err := c.readErr
	c.mu.Unlock()
	var n int
	if err == nil {
		n, err = c.tls.Read(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charge()
	c.waits--
	limit := c.silence
	if c.late() {
		limit *= Patience
	}
	return n, c.note(&c.readErr, err, limit)
}

// Write implements net.Conn. After an error it is over.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	err := c.writeErr
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	_ = c.raw.SetWriteDeadline(time.Now().Add(c.timeout))
	n, err := c.tls.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	return n, c.note(&c.writeErr, err, c.timeout)
}

// Close closes the socket beneath TLS: the farewell of TLS would wait for a peer
// that does not read.
func (c *Conn) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.raw.Close()
}

// Closed gives a channel that is closed by Close.
func (c *Conn) Closed() <-chan struct{} { return c.closed }

// Failure gives the first error of a Read or a Write, nil when none failed. The
// protocol libraries flatten it to text on its way up.
func (c *Conn) Failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// note keeps the first error of one direction. The caller holds mu.
func (c *Conn) note(kept *error, err error, limit time.Duration) error {
	if err == nil {
		return nil
	}
	if *kept != nil {
		return *kept
	}
	err = stalled(err, limit)
	*kept = err
	if c.failure == nil {
		c.failure = err
	}
	return err
}

// stalled gives every kind of passed deadline one identity. That of package net
// also claims to be context.DeadlineExceeded, as if the caller's context had ended.
func stalled(err error, limit time.Duration) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("no progress for %v: %w", limit, os.ErrDeadlineExceeded)
	}
	return err
}

// TLSVersion gives the version of TLS agreed on, as package tls numbers it.
func (c *Conn) TLSVersion() uint16 { return c.tls.ConnectionState().Version }

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline does nothing: the deadlines of the protocol libraries are fixed and
// would undo those of Conn.
func (c *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, see SetDeadline.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, see SetDeadline.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
