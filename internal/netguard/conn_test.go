package netguard_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/internal/testenv"
)

func dial(t *testing.T, timeout time.Duration, serve func(net.Conn)) *netguard.Conn {
	id := testenv.NewIdentity(t)
	addr := testenv.Listen(t, id.Server, serve)
	config, err := netguard.TLSConfig(addr, id.Client)
	require.NoError(t, err)
	conn, err := netguard.Dial(context.Background(), addr, config, timeout)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func wait(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func TestSilence(t *testing.T) {
	conn := dial(t, time.Minute, wait)
	conn.Expect(100 * time.Millisecond)
	p := make([]byte, 1)
	_, err := conn.Read(p)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.NotErrorIs(t, err, context.DeadlineExceeded, "no context has ended")

	// Every later Read fails, whatever a library tries.
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Hour)))
	conn.Expect(0)
	_, again := conn.Read(p)
	assert.Equal(t, err, again)
	assert.Equal(t, err, conn.Failure())
	_, err = conn.Write(p)
	require.NoError(t, err, "the other direction is sound")
}

// TestRollingSilence has a server that is slow but not silent.
func TestRollingSilence(t *testing.T) {
	conn := dial(t, 2*time.Second, func(conn net.Conn) {
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for range 10 {
			<-tick.C
			_, _ = conn.Write([]byte("x"))
		}
	})
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Len(t, all, 10)
}

// TestExpect shortens a wait in progress.
func TestExpect(t *testing.T) {
	conn := dial(t, time.Minute, wait)
	conn.Expect(0)
	result := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		result <- err
	}()
	conn.Expect(50 * time.Millisecond)
	require.ErrorIs(t, <-result, os.ErrDeadlineExceeded)
}

func TestStalledWrite(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	conn := dial(t, 300*time.Millisecond, func(net.Conn) { <-release })
	p := make([]byte, 16<<10)
	var err error
	for err == nil {
		_, err = conn.Write(p)
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestGuard(t *testing.T) {
	testenv.NoLeak(t)
	conn := dial(t, time.Minute, wait)
	ctx, cancel := context.WithCancel(context.Background())
	release := conn.Guard(ctx)
	release()
	cancel()
	_, err := conn.Write([]byte("x"))
	require.NoError(t, err, "released in time")

	ctx, cancel = context.WithCancel(context.Background())
	release = conn.Guard(ctx)
	cancel()
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	release()
	release()
}

func TestDial(t *testing.T) {
	testenv.NoLeak(t)
	id := testenv.NewIdentity(t)
	addr := testenv.Listen(t, nil, wait) // no TLS
	config, err := netguard.TLSConfig(addr, id.Client)
	require.NoError(t, err)
	_, err = netguard.Dial(context.Background(), addr, config, 100*time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = netguard.Dial(ctx, addr, config, time.Minute)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestTLSConfig(t *testing.T) {
	config, err := netguard.TLSConfig("smtp.pec.example:465", nil)
	require.NoError(t, err)
	assert.Equal(t, "smtp.pec.example", config.ServerName)
	assert.Equal(t, uint16(tls.VersionTLS12), config.MinVersion)
	config, err = netguard.TLSConfig("192.0.2.1:465", &tls.Config{ServerName: "smtp.pec.example", MinVersion: tls.VersionTLS13})
	require.NoError(t, err)
	assert.Equal(t, "smtp.pec.example", config.ServerName)
	assert.Equal(t, uint16(tls.VersionTLS13), config.MinVersion)
	for _, addr := range []string{"", "host", "host:", ":1", "host:0", "host:65536", "host:smtps"} {
		_, err := netguard.TLSConfig(addr, nil)
		require.Error(t, err, addr)
	}
	_, err = netguard.TLSConfig("host:1", &tls.Config{InsecureSkipVerify: true})
	require.Error(t, err)
}

// TestDialClear asks for TLS in the clear.
func TestDialClear(t *testing.T) {
	testenv.NoLeak(t)
	id := testenv.NewIdentity(t)
	addr := testenv.Listen(t, nil, func(conn net.Conn) {
		word := make([]byte, 4)
		if _, err := io.ReadFull(conn, word); err == nil && string(word) == "TLS?" {
			_, _ = io.WriteString(conn, "y")
			_, _ = io.Copy(conn, tls.Server(conn, id.Server))
			return
		}
		wait(conn)
	})
	config, err := netguard.TLSConfig(addr, id.Client)
	require.NoError(t, err)
	ask := func(word string) func(io.ReadWriter) error {
		return func(conn io.ReadWriter) error {
			if _, err := io.WriteString(conn, word); err != nil {
				return err
			}
			_, err := io.ReadFull(conn, make([]byte, 1))
			return err
		}
	}
	conn, err := netguard.DialClear(context.Background(), addr, config, time.Minute, ask("TLS?"))
	require.NoError(t, err)
	assert.Equal(t, uint16(tls.VersionTLS13), conn.TLSVersion())
	require.NoError(t, conn.Close())

	_, err = netguard.DialClear(context.Background(), addr, config, 100*time.Millisecond, ask("what"))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = netguard.DialClear(ctx, addr, config, time.Minute, ask("what"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = netguard.DialClear(context.Background(), addr, config, time.Minute, func(io.ReadWriter) error { return io.ErrNoProgress })
	require.Equal(t, io.ErrNoProgress, err)
}
