package netguard

import (
	"net"
	"time"
)

// clearConn is a connection before TLS. Only the function that asks for TLS gets it: no
// password may ever be written to it.
type clearConn struct {
	raw     net.Conn
	timeout time.Duration
	until   time.Time // when the answer must be complete
}

func newClear(raw net.Conn, timeout time.Duration) *clearConn {
	return &clearConn{raw: raw, timeout: timeout, until: time.Now().Add(Patience * timeout)}
}

// Read implements io.Reader.
func (c *clearConn) Read(p []byte) (int, error) {
	deadline := time.Now().Add(c.timeout)
	if deadline.After(c.until) {
		deadline = c.until
	}
	_ = c.raw.SetReadDeadline(deadline)
	n, err := c.raw.Read(p)
	return n, stalled(err, c.timeout)
}

// Write implements io.Writer. What is read after it is a new answer.
func (c *clearConn) Write(p []byte) (int, error) {
	now := time.Now()
	c.until = now.Add((1 + Patience) * c.timeout)
	_ = c.raw.SetWriteDeadline(now.Add(c.timeout))
	n, err := c.raw.Write(p)
	return n, stalled(err, c.timeout)
}
