package testenv

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// Turn ends a part of Script.Says: the server then waits for a line.
	Turn = "\x00"
	// Tag is replaced by the first word of the last line received, the tag of IMAP.
	Tag = "\x01"
)

// Stage is a server for fuzz targets: its side of each dialogue is given as bytes.
type Stage struct {
	Addr   string
	Client *tls.Config // trusts the server
	server *tls.Config

	mu     sync.Mutex
	script *Script // for the next connection; all others are closed at once
}

// Script is the server's side of one connection.
type Script struct {
	// Says is what the server sends. The part before the first Turn is sent at once,
	// each later part after a line of the client.
	Says []byte
	// InClear begins the connection without TLS; TLS starts after the answer to
	// STARTTLS.
	InClear bool
	// Silent leaves the connection open at the end.
	Silent bool

	ended chan struct{}
	begun bool
}

// NewStage starts a Stage. It runs until the test ends.
func NewStage(t testing.TB) *Stage {
	id := NewIdentity(t)
	s := &Stage{Client: id.Client, server: id.Server}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	s.Addr = listener.Addr().String()
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			// This frees the client's port at once.
			_ = conn.(*net.TCPConn).SetLinger(0)
			script := s.take()
			if script == nil {
				conn.Close()
				continue
			}
			group.Go(func() {
				defer close(script.ended)
				defer conn.Close()
				script.play(conn, s.server)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		group.Wait()
	})
	return s
}

func (s *Stage) take() *Script {
	s.mu.Lock()
	defer s.mu.Unlock()
	script := s.script
	if s.script = nil; script != nil {
		script.begun = true
	}
	return script
}

// Play makes the next connection follow a script. The returned function waits for the
// end of that connection, if there was one.
func (s *Stage) Play(script Script) (wait func()) {
	script.ended = make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = &script
	return func() {
		s.mu.Lock()
		s.script = nil
		begun := script.begun
		s.mu.Unlock()
		if begun {
			<-script.ended
		}
	}
}

// play plays the script and returns when the client has closed the connection.
func (s *Script) play(conn net.Conn, config *tls.Config) {
	secure := func() bool {
		server := tls.Server(conn, config)
		conn = server
		return server.Handshake() == nil
	}
	if !s.InClear && !secure() {
		return
	}
	r, tag := bufio.NewReader(conn), ""
	for i, says := range bytes.Split(s.Says, []byte(Turn)) {
		start := false
		if i > 0 {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			tag, _, _ = strings.Cut(line, " ")
			start = s.InClear && strings.HasPrefix(line, "STARTTLS") && bytes.HasPrefix(says, []byte("220"))
		}
		if _, err := conn.Write(bytes.ReplaceAll(says, []byte(Tag), []byte(tag))); err != nil {
			return
		}
		if start {
			if !secure() {
				return
			}
			r = bufio.NewReader(conn)
		}
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && !s.Silent {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, r)
}

const (
	// maxCPU is how much processor time one dialogue may take.
	maxCPU = 2 * time.Second
	// grace is how long a call may go on after its context has ended.
	grace = 20 * time.Second
)

// Watch runs a call of a client under a context that ends after patience. The test fails
// if the call does not return then, if a goroutine outlives it, or if it takes more
// processor time than any dialogue needs. Nothing else may run at the same time.
func Watch(t testing.TB, patience time.Duration, call func(context.Context)) {
	t.Helper()
	goroutines, spent := runtime.NumGoroutine(), cpu()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(ctx)
	}()
	late := time.NewTimer(patience + grace)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		t.Fatalf("the call goes on after its context has ended:\n%s", stacks())
	}
	cancel()
	for more := time.Duration(0); runtime.NumGoroutine() > goroutines; more += time.Millisecond {
		if more > 2*time.Second {
			before := cpu()
			<-time.After(100 * time.Millisecond)
			t.Fatalf("goroutines go on, %v of CPU in 100ms:\n%s", cpu()-before, stacks())
		}
		runtime.Gosched()
		if more > 10*time.Millisecond {
			<-time.After(time.Millisecond)
		}
	}
	if spent = cpu() - spent; spent > maxCPU {
		t.Fatalf("%v of CPU for one dialogue", spent)
	}
}

// cpu returns the processor time of this process so far.
func cpu() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func stacks() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}
