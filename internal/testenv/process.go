package testenv

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Root skips or fails the test, as Missing does, unless it runs as root: the servers
// change users.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "this server must be started by root")
	}
}

// Dir makes a folder with a short path that other users may enter. Sockets need both.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gopec")
	check(t, err)
	check(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// WriteFile writes a file in dir and returns its path.
func WriteFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	check(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

// Mkdir makes a folder in dir that belongs to the user named owner, and returns its path.
func Mkdir(t testing.TB, dir, name, owner string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	check(t, os.Mkdir(path, 0o755))
	account, err := user.Lookup(owner)
	check(t, err)
	uid, err := strconv.Atoi(account.Uid)
	check(t, err)
	check(t, os.Chown(path, uid, -1))
	return path
}

// Start runs a server as a child process until the test ends, and returns once it
// accepts connections on port.
func Start(t testing.TB, port int, path string, args ...string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.WaitDelay = 5 * time.Second // its own children may hold the output open
	output := &log{}
	cmd.Stdout, cmd.Stderr = output, output
	check(t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(path), output)
		}
	})

	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-exited:
			t.Fatalf("%s ended:\n%s", path, output)
		case <-deadline:
			t.Fatalf("%s does not listen on %s:\n%s", path, addr, output)
		}
	}
}

// log is what a process printed.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
