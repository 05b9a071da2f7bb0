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
}

// Read implements io.Reader.
func (c clear) Read(p []byte) (int, error) {
	_ = c.raw.SetReadDeadline(time.Now().Add(c.timeout))
	n, err := c.raw.Read(p)
	return n, stalled(err, c.timeout)
}

// Write implements io.Writer.
func (c clear) Write(p []byte) (int, error) {
	_ = c.raw.SetWriteDeadline(time.Now().Add(c.timeout))
	n, err := c.raw.Write(p)
	return n, stalled(err, c.timeout)
}
