package netguard

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

// today is a time at which the certificates are valid; the clock of synctest is not.
var today = time.Now()

// drip returns a Conn whose peer sends one byte each second, for ever.
func drip(t *testing.T, id testenv.Identity) *Conn {
	ours, theirs := net.Pipe()
	config := id.Client.Clone()
	config.ServerName = "127.0.0.1"
	config.Time = func() time.Time { return today }
	c := &Conn{raw: ours, tls: tls.Client(ours, config), timeout: time.Minute, closed: make(chan struct{}), silence: time.Minute}
	go func() {
		peer := tls.Server(theirs, id.Server)
		for peer.SetDeadline(time.Time{}) == nil {
			if _, err := peer.Write([]byte("x")); err != nil {
				return
			}
			select {
			case <-time.After(time.Second):
			case <-c.Closed():
				return
			}
		}
	}()
	require.NoError(t, c.tls.HandshakeContext(t.Context()))
	t.Cleanup(func() { c.Close() })
	return c
}

// TestPatience shows that the time of a whole answer is limited: a byte does not start it
// again.
func TestPatience(t *testing.T) {
	id := testenv.NewIdentity(t)
	cases := []struct {
		name  string
		each  func(*Conn, int) // after each byte
		bytes int              // how many arrive within the time
	}{
		{"trickle", func(*Conn, int) {}, 10 * Patience},
		{"expected again", func(c *Conn, _ int) { c.Expect(10 * time.Second) }, 10 * Patience},
		{"the caller's own time", func(c *Conn, n int) {
			c.Expect(0)
			if n == 5 {
				time.Sleep(time.Hour)
			}
			c.Expect(10 * time.Second)
		}, 10 * Patience},
		{"another answer", func(c *Conn, n int) {
			if n == 50 {
				c.Again()
			}
		}, 50 + 10*Patience},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := drip(t, id)
				c.Expect(10 * time.Second)
				n, p := 0, make([]byte, 1)
				for {
					_, err := c.Read(p)
					if err != nil {
						require.ErrorIs(t, err, os.ErrDeadlineExceeded)
						break
					}
					n++
					test.each(c, n)
				}
				assert.InDelta(t, test.bytes, n, 2)
				_, err := c.Read(p)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				require.NoError(t, c.Close())
			})
		})
	}
}

// TestPatienceUnbounded shows that Expect(0) waits without limit.
func TestPatienceUnbounded(t *testing.T) {
	id := testenv.NewIdentity(t)
	synctest.Test(t, func(t *testing.T) {
		c := drip(t, id)
		c.Expect(0)
		_, err := io.CopyN(io.Discard, c, 10_000)
		require.NoError(t, err)
		require.NoError(t, c.Close())
	})
}
