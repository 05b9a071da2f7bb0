package killtest

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// relay forwards connections. It knows when both sides have finished with all of them: a
// server may still be reading what a killed client has sent.
type relay struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	quiet *sync.Cond
	open  int
}

// newRelay forwards to an address until the test ends.
func newRelay(t testing.TB, to string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{listener: listener, to: to}
	r.quiet = sync.NewCond(&r.mu)
	t.Cleanup(func() {
		listener.Close()
		r.idle()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.count(1)
			go r.pass(conn)
		}
	}()
	return r
}

func (r *relay) addr() string { return r.listener.Addr().String() }

func (r *relay) count(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open += n
	r.quiet.Broadcast()
}

// idle waits until no connection is left.
func (r *relay) idle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.open > 0 {
		r.quiet.Wait()
	}
}

// pass forwards one connection.
func (r *relay) pass(client net.Conn) {
	defer r.count(-1)
	defer client.Close()
	server, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, client)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, server)
	client.Close()
	<-done
}
