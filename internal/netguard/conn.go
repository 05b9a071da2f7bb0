// Package netguard is the TLS connection of smtpclient and imapclient. A context can end
// it at any moment, and a silent peer cannot hold it for ever. The protocol libraries
// know no context and set fixed deadlines, or none at all.
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

// Patience limits the time of a whole answer: the reader waits at most Patience times
// the longest silence. Without it, a peer that trickles would never be late.
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
	silence  time.Duration // the longest allowed; zero means no limit
	waits    int           // Reads in progress
	since    time.Time     // when charge last counted
	waited   time.Duration // how long the answer has been waited for, up to then
	readErr  error
	writeErr error
	failure  error // the first of the two
}

// Dial connects to addr with TLS. The connection and the handshake may take timeout
// each. So may every later write and, until Expect says otherwise, the wait for the next
// bytes. The error of a passed deadline is os.ErrDeadlineExceeded; when ctx ends, the
// error is that of ctx.
func Dial(ctx context.Context, addr string, config *tls.Config, timeout time.Duration) (*Conn, error) {
	return DialClear(ctx, addr, config, timeout, nil)
}

// DialClear is Dial for a server that speaks in the clear until it is asked for TLS. ask
// does that; nil asks nothing. It must read no byte after the server's consent. Its
// error is returned unchanged unless ctx has ended. Each of its reads and writes may
// take timeout, and all reads before the first write or after one write may take
// Patience times that. The end of ctx ends them.
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

// dialled returns the error of ctx if that has ended, by its own deadline or otherwise,
// else err as stalled returns it.
func dialled(ctx context.Context, err error, timeout time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return stalled(err, timeout)
}

// Guard closes the connection as soon as ctx ends. After release the end of ctx does
// nothing, and no goroutine of Guard is running.
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

// Expect sets how long the peer may be silent from now on; each byte it sends starts
// the time again. The whole answer may take Patience times that. Zero means no limit.
func (c *Conn) Expect(silence time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charge()
	c.silence = silence
	c.armRead()
}

// Again starts the time of a whole answer again: for a new answer, or because this one
// has made progress.
func (c *Conn) Again() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited, c.since = 0, time.Now()
	if c.waits > 0 {
		c.armRead()
	}
}

// charge adds the time since the last charge to that of the answer. It does not count
// while no Read is in progress, or while the peer may be silent without limit.
func (c *Conn) charge() {
	now := time.Now()
	if c.waits > 0 && c.silence > 0 {
		c.waited += now.Sub(c.since)
	}
	c.since = now
}

// late reports whether the whole answer has used up its time.
func (c *Conn) late() bool { return c.silence > 0 && c.waited >= Patience*c.silence }

// armRead sets the read deadline. It also applies to a Read in progress.
func (c *Conn) armRead() {
	var deadline time.Time
	if c.silence > 0 {
		deadline = time.Now().Add(min(c.silence, Patience*c.silence-c.waited))
	}
	// This fails only on a closed connection, where the Read fails too.
	_ = c.raw.SetReadDeadline(deadline)
}

// Read implements net.Conn. After an error every Read returns that error: libraries read
// on, and would wait for each deadline again.
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

// Write implements net.Conn. After an error every Write returns that error.
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

// Close closes the socket beneath TLS. The closing message of TLS could block on a peer
// that does not read.
func (c *Conn) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.raw.Close()
}

// Closed returns a channel that Close closes.
func (c *Conn) Closed() <-chan struct{} { return c.closed }

// Failure returns the first error of a Read or a Write, nil if there was none. The
// protocol libraries pass it on as text only.
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

// stalled turns every kind of passed deadline into os.ErrDeadlineExceeded. That of
// package net also claims to be context.DeadlineExceeded, as if the caller's context had
// ended.
func stalled(err error, limit time.Duration) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("no progress for %v: %w", limit, os.ErrDeadlineExceeded)
	}
	return err
}

// TLSVersion returns the version of TLS in use, as package tls numbers it.
func (c *Conn) TLSVersion() uint16 { return c.tls.ConnectionState().Version }

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline does nothing: the fixed deadlines of the protocol libraries would replace
// those of Conn.
func (c *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing; see SetDeadline.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing; see SetDeadline.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
