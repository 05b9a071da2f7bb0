package netguard

import (
	"net"
	"time"
)

// clear is a connection before TLS. No password may ever be written to it: it is
// not given to anybody but the function that asks for TLS.
type clear struct {
	raw     net.Conn
	timeout time.Duration
	until   time.Time // when the answer must be whole
}

func newClear(raw net.Conn, timeout time.Duration) *clear {
	return &clear{raw: raw, timeout: timeout, until: time.Now().Add(Patience * timeout)}
}

// Read implements io.Reader.
func (c *clear) Read(p []byte) (int, error) {
	deadline := time.Now().Add(c.timeout)
	if deadline.After(c.until) {
		deadline = c.until
	}
	_ = c.raw.SetReadDeadline(deadline)
	n, err := c.raw.Read(p)
	return n, stalled(err, c.timeout)
}

// Write implements io.Writer. What is read after it is another answer.
func (c *clear) Write(p []byte) (int, error) {
	now := time.Now()
	c.until = now.Add((1 + Patience) * c.timeout)
	_ = c.raw.SetWriteDeadline(now.Add(c.timeout))
	n, err := c.raw.Write(p)
	return n, stalled(err, c.timeout)
}
