package pectest_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec/pectest"
)

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	n, err := pectest.New(nil)
	require.NoError(t, err)
	p := n.ProviderOf(mario)

	// A connection in each state: silent before TLS, in SMTP, inside DATA, in IDLE.
	silent, err := net.Dial("tcp", p.SMTPAddr())
	require.NoError(t, err)
	imapSilent, err := net.Dial("tcp", p.IMAPAddr())
	require.NoError(t, err)
	greeted := loginSMTP(t, n, mario)
	sending := loginSMTP(t, n, mario)
	require.NoError(t, sending.Mail(mario, nil))
	require.NoError(t, sending.Rcpt(luigi, nil))
	w, err := sending.Data()
	require.NoError(t, err)
	_, err = io.WriteString(w, "From: ")
	require.NoError(t, err)
	idling := loginIMAP(t, n, mario, nil)
	_, err = idling.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	_, err = idling.Idle()
	require.NoError(t, err)

	require.NoError(t, n.Close())
	require.NoError(t, n.Close(), "twice")
	require.NoError(t, n.Idle(context.Background()))
	_, err = tls.Dial("tcp", p.SMTPAddr(), n.Access(mario).TLS)
	require.Error(t, err)
	_, err = imapclient.DialTLS(p.IMAPAddr(), nil)
	require.Error(t, err)
	require.Error(t, greeted.Noop())

	// End the goroutines of the clients.
	silent.Close()
	imapSilent.Close()
	greeted.Close()
	sending.Close()
	idling.Close()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

// A client that dies in the middle of a FETCH does not block Close.
func TestCloseAfterAClientDied(t *testing.T) {
	n, err := pectest.New(nil)
	require.NoError(t, err)
	p := n.ProviderOf(mario)
	account, _ := n.Account(mario)
	require.NoError(t, p.Deliver(mario, pectest.InboxFolder, make([]byte, 8<<20)))
	c, err := tls.Dial("tcp", p.IMAPAddr(), n.Access(mario).TLS)
	require.NoError(t, err)
	_, err = io.WriteString(c, "a LOGIN "+account.Login+" "+account.Password+"\r\nb EXAMINE INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n")
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, c, 1<<20)
	require.NoError(t, err)
	require.NoError(t, c.NetConn().Close())
	closed := make(chan error, 1)
	go func() { closed <- n.Close() }()
	select {
	case err := <-closed:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("Close does not return")
	}
}

func TestCloseProcessesWhatWasAccepted(t *testing.T) {
	n, err := pectest.New(nil)
	require.NoError(t, err)
	c := loginSMTP(t, n, mario)
	const count = 5
	for range count {
		require.NoError(t, c.Mail(mario, nil))
		require.NoError(t, c.Rcpt(luigi, nil))
		w, err := c.Data()
		require.NoError(t, err)
		_, err = io.WriteString(w, plain("<a@x>", mario, luigi))
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	require.NoError(t, n.Close())
	all, err := n.ProviderOf(mario).Messages(mario, pectest.InboxFolder)
	require.NoError(t, err)
	require.Len(t, all, 2*count)
}

// failing is a TB that records its calls.
type failing struct {
	fatal    bool
	cleanups []func()
}

func (*failing) Helper()                 {}
func (f *failing) Fatalf(string, ...any) { f.fatal = true }
func (*failing) Logf(string, ...any)     {}
func (f *failing) Cleanup(c func())      { f.cleanups = append(f.cleanups, c) }

func TestStart(t *testing.T) {
	tb := &failing{}
	require.Nil(t, pectest.Start(tb, &pectest.Options{Providers: []pectest.ProviderOptions{{}}}))
	require.True(t, tb.fatal)
	tb = &failing{}
	n := pectest.Start(tb, nil)
	require.False(t, tb.fatal)
	require.Len(t, tb.cleanups, 1)
	tb.cleanups[0]()
	_, err := net.Dial("tcp", n.Providers()[0].SMTPAddr())
	require.Error(t, err)
}
