package pectest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

// dialMemory connects with TLS to an address of a network in memory.
func dialMemory(t *testing.T, n *pectest.Network, address string) net.Conn {
	t.Helper()
	c, err := n.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	host, _, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return tls.Client(c, &tls.Config{RootCAs: n.TLSRoots(), ServerName: host})
}

func TestHoursInABubble(t *testing.T) {
	// The bubble's clock applies, so the delay notices arrive without Advance.
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		p := n.ProviderOf(mario)
		require.Equal(t, "smtp.alfa-pec.example:465", p.SMTPAddr())
		a, _ := n.Account(mario)
		const to = "delay24@beta-pec.example"
		c := smtp.NewClient(dialMemory(t, n, p.SMTPAddr()))
		require.NoError(t, c.Auth(sasl.NewPlainClient("", a.Login, a.Password)))
		require.NoError(t, c.SendMail(mario, []string{to}, strings.NewReader(plain("<a@x>", mario, to))))
		require.NoError(t, c.Quit())
		start := time.Now()
		for _, want := range []int{1, 2, 3, 3} {
			synctest.Wait()
			require.Len(t, notices(t, n, mario), want)
			time.Sleep(12 * time.Hour)
		}
		require.Equal(t, start.Add(48*time.Hour).Unix(), n.Now().Unix())
		got := notices(t, n, mario)
		require.Equal(t, 12*time.Hour, moment(t, got[1]).Sub(moment(t, got[0])))
		require.Equal(t, 2000, moment(t, got[0]).Year(), "dated by the bubble")

		m := imapclient.New(dialMemory(t, n, p.IMAPAddr()), nil)
		require.NoError(t, m.Login(a.Login, a.Password).Wait())
		selected, err := m.Select("INBOX", nil).Wait()
		require.NoError(t, err)
		require.Equal(t, uint32(3), selected.NumMessages)
		time.Sleep(time.Hour)
		<-m.Closed() // the server ends what has been idle for so long
		require.NoError(t, m.Close())
	})
}

func TestMemoryAddresses(t *testing.T) {
	n := pectest.Start(t, &pectest.Options{InMemory: true})
	_, err := n.DialContext(t.Context(), "tcp", "127.0.0.1:25")
	var refused *net.OpError
	require.True(t, errors.As(err, &refused))
	c, err := n.DialContext(t.Context(), "tcp", n.Providers()[0].SMTPStartTLSAddr())
	require.NoError(t, err)
	client, err := smtp.NewClientStartTLS(c, &tls.Config{RootCAs: n.TLSRoots(), ServerName: "localhost"})
	require.NoError(t, err)
	require.NoError(t, client.Close())
	require.NoError(t, n.Close())
	_, err = n.DialContext(t.Context(), "tcp", n.Providers()[0].IMAPAddr())
	require.ErrorIs(t, err, net.ErrClosed)

	sockets := pectest.Start(t, nil)
	c, err = sockets.DialContext(t.Context(), "tcp", sockets.Providers()[0].IMAPAddr())
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func TestConnectionsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		c, err := n.DialContext(context.Background(), "tcp", n.Providers()[0].SMTPStartTLSAddr())
		require.NoError(t, err)
		greeting := make([]byte, 1000)
		_, err = c.Read(greeting)
		require.NoError(t, err)
		begin := time.Now()
		require.NoError(t, c.SetReadDeadline(begin.Add(time.Hour)))
		_, err = c.Read(greeting)
		var timeout net.Error
		require.True(t, errors.As(err, &timeout) && timeout.Timeout(), "%v", err)
		require.Equal(t, time.Hour, time.Since(begin))
		require.NoError(t, c.SetDeadline(time.Time{}))

		// A deadline set meanwhile ends a waiting read, and so does Close.
		failed := make(chan error)
		for _, end := range []func() error{func() error { return c.SetReadDeadline(time.Now()) }, c.Close} {
			go func() {
				_, err := c.Read(greeting)
				failed <- err
			}()
			synctest.Wait()
			require.NoError(t, end())
			require.Error(t, <-failed)
			if err := c.SetReadDeadline(time.Time{}); err != nil {
				require.ErrorIs(t, err, net.ErrClosed)
			}
		}
		_, err = c.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorIs(t, c.Close(), net.ErrClosed)
		require.Equal(t, "smtp.alfa-pec.example:587", c.RemoteAddr().String())
		require.Equal(t, "memory", c.LocalAddr().Network())
	})
	// Both ends may write without a reader, until the buffer is full.
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		c, err := n.DialContext(context.Background(), "tcp", n.Providers()[0].SMTPAddr())
		require.NoError(t, err)
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Hour)))
		_, err = io.Copy(c, zeros{})
		require.Error(t, err)
		require.NoError(t, c.Close())
	})
}

// zeros is a reader of endless zeros.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
