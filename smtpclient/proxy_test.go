package smtpclient_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/gopec/gopec/internal/testenv"
)

// The ways in which a proxy's connection can go wrong.
const (
	cut     = "cut"     // both directions end
	stall   = "stall"   // this direction says nothing more
	corrupt = "corrupt" // one byte is changed
	half    = "half"    // the receiver of this direction sees its end, and its sender nothing
)

// The directions.
const (
	up   = iota // from the client to the server
	down        // from the server to the client
)

// damage is what goes wrong with one byte of the stream, counted from zero.
type damage struct {
	kind      string
	direction int
	at        int
}

// proxy passes TCP connections on to a server and lets damage strike on the first.
type proxy struct {
	addr string

	mu     sync.Mutex
	dials  int
	damage *damage
	struck bool
	passed [2]int   // bytes of the first connection
	ends   [2][]int // where its pieces ended

	over chan struct{} // closed when the server has ended the first connection
}

func newProxy(t *testing.T, backend string, d *damage) *proxy {
	p := &proxy{damage: d, over: make(chan struct{})}
	p.addr = testenv.Listen(t, nil, func(client net.Conn) {
		p.mu.Lock()
		p.dials++
		first := p.dials == 1
		p.mu.Unlock()
		server, err := net.Dial("tcp", backend)
		if err != nil {
			return
		}
		defer server.Close()
		var group sync.WaitGroup
		end := func() {
			client.Close()
			server.Close()
		}
		group.Go(func() { defer end(); p.pass(server, client, up, first) })
		group.Go(func() {
			defer end()
			p.pass(client, server, down, first)
			if first {
				close(p.over)
			}
		})
		group.Wait()
	})
	return p
}

// pass copies one direction until it ends or is cut.
func (p *proxy) pass(dst io.Writer, src io.Reader, direction int, watched bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		piece, strikes := buf[:n], ""
		if watched {
			piece, strikes = p.strike(buf[:n], direction)
		}
		if _, failed := dst.Write(piece); failed != nil || err != nil || strikes == cut {
			return
		}
		if strikes == half {
			_ = dst.(*net.TCPConn).CloseWrite()
			<-p.over
			return
		}
		if strikes == stall {
			_, _ = io.Copy(io.Discard, src)
			return
		}
	}
}

// strike applies the damage if it is due in piece.
func (p *proxy) strike(piece []byte, direction int) ([]byte, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.passed[direction]
	p.passed[direction] += len(piece)
	p.ends[direction] = append(p.ends[direction], p.passed[direction])
	d := p.damage
	if d == nil || d.direction != direction || d.at < from || d.at >= p.passed[direction] {
		return piece, ""
	}
	p.struck = true
	if d.kind == corrupt {
		piece[d.at-from] ^= 0x20
		return piece, corrupt
	}
	return piece[:d.at-from], d.kind
}

// arm lets d strike, counted from here on.
func (p *proxy) arm(d damage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.at += p.passed[d.direction]
	p.damage = &d
}

// state gives what the first connection has passed.
func (p *proxy) state() (struck bool, passed [2]int, ends [2][]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.struck, p.passed, p.ends
}

func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}
