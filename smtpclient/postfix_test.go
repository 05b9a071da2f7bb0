package smtpclient_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// TestPostfix submits to a real Postfix, which checks the password with a real Dovecot
// and passes the message on to a sink of this test.
func TestPostfix(t *testing.T) {
	testenv.NoLeak(t)
	id := testenv.NewIdentity(t)
	sink := newSink(t)
	addr, clearAddr := testenv.StartPostfix(t, id, account, sink.transport)
	open := func(password string) *smtpclient.Client {
		return newClient(t, addr, pec.Password(sender, password), &smtpclient.Options{TLS: id.Client, Timeout: 20 * time.Second})
	}
	text := "From: <mario@pec.example>\r\nTo: <uno@pec.example>\r\nSubject: prova\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\n" +
		"Message-ID: <1@pec.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" +
		strings.Repeat(".\r\n..\r\n.x\r\nline  with blanks at its end  \r\n\r\n", 500)

	t.Run("submitted", func(t *testing.T) {
		o := open(secret).Submit(context.Background(), submission(text))
		require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
		assert.Equal(t, "2.0.0", o.Reply.Enhanced)
		assert.Contains(t, o.Reply.Text, "queued as")
		require.Len(t, o.Recipients, 2)
		assert.Equal(t, pec.Reply{Code: 250, Enhanced: "2.1.5", Text: "Ok"}, o.Recipients[1].Reply)
		assert.True(t, strings.HasSuffix(sink.next(t), text), "the exact bytes after Postfix's own header lines")
	})
	t.Run("wrong password", func(t *testing.T) {
		o := open("wrong").Submit(context.Background(), submission(text))
		require.Equal(t, pec.OutcomeAuthentication, o.Kind, "%v %v", o.Reply, o.Err)
		assert.Equal(t, 535, o.Reply.Code)
	})
	t.Run("sender not ours", func(t *testing.T) {
		s := submission(text)
		s.From = "refused@pec.example"
		o := open(secret).Submit(context.Background(), s)
		require.Equal(t, pec.OutcomeRefused, o.Kind, "%v %v", o.Reply, o.Err)
		assert.Equal(t, 550, o.Reply.Code)
		assert.Equal(t, "5.7.1", o.Reply.Enhanced)
		assert.Empty(t, o.Recipients)
	})
	t.Run("one recipient refused", func(t *testing.T) {
		s := submission(text)
		s.To = []string{"busy@pec.example", "unknown@pec.example", "uno@pec.example"}
		o := open(secret).Submit(context.Background(), s)
		require.Equal(t, pec.OutcomeRefused, o.Kind, "%v %v", o.Reply, o.Err)
		require.Len(t, o.Recipients, 3)
		assert.Equal(t, []int{450, 550, 250}, []int{o.Recipients[0].Reply.Code, o.Recipients[1].Reply.Code, o.Recipients[2].Reply.Code})
		assert.Equal(t, o.Recipients[1].Reply, o.Reply)
	})
	t.Run("too large", func(t *testing.T) {
		s := submission(text)
		s.Size = 2 << 20
		o := open(secret).Submit(context.Background(), s)
		assertReason(t, o, pec.OutcomeRefused, smtpclient.ReasonTooLarge)
	})
	t.Run("canceled in the body", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		s := submission(text)
		s.Body = &cancelHalfway{src: s.Body, cancel: cancel}
		o := open(secret).Submit(ctx, s)
		assert.Equal(t, pec.OutcomeTemporary, o.Kind)
		require.ErrorIs(t, o.Err, context.Canceled)
	})
	t.Run("kept", func(t *testing.T) {
		p := newProxy(t, addr, nil)
		c := newClient(t, p.addr, pec.Password(sender, secret), &smtpclient.Options{TLS: id.Client, Timeout: 20 * time.Second})
		for range 5 {
			o := c.Submit(context.Background(), submission(text))
			require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
			assert.True(t, strings.HasSuffix(sink.next(t), text))
		}
		assert.Equal(t, 1, p.connections())
		require.NoError(t, c.Close())
	})
	t.Run("STARTTLS", func(t *testing.T) {
		c := newClient(t, clearAddr, pec.Password(sender, secret), &smtpclient.Options{StartTLS: true, TLS: id.Client, Timeout: 20 * time.Second})
		for range 2 {
			o := c.Submit(context.Background(), submission(text))
			require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
			assert.True(t, strings.HasSuffix(sink.next(t), text))
		}
		require.NoError(t, c.Close())
	})
	t.Run("tokens", func(t *testing.T) {
		for _, mechanism := range []pec.Mechanism{pec.MechanismXOAUTH2, pec.MechanismOAuthBearer} {
			options := &smtpclient.Options{TLS: id.Client, Timeout: 20 * time.Second}
			o := newClient(t, addr, with(mechanism, token), options).Submit(context.Background(), submission(text))
			require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%s: %v %v", mechanism, o.Reply, o.Err)
			assert.True(t, strings.HasSuffix(sink.next(t), text))
			o = newClient(t, addr, with(mechanism, "expired"), options).Submit(context.Background(), submission(text))
			require.Equal(t, pec.OutcomeAuthentication, o.Kind, "%s: %v %v", mechanism, o.Reply, o.Err)
			assert.Equal(t, 535, o.Reply.Code)
		}
	})
	t.Run("probe", func(t *testing.T) {
		got, err := open(secret).Probe(context.Background())
		require.NoError(t, err)
		assert.Equal(t, "provider.example", got.Server)
		assert.EqualValues(t, 1<<20, got.Size)
		assert.Equal(t, []string{"LOGIN", "OAUTHBEARER", "PLAIN", "XOAUTH2"}, got.Mechanisms)
		assert.Contains(t, got.Capabilities, "PIPELINING")
	})
	select {
	case got := <-sink.messages:
		t.Fatalf("a message left that should not: %q", got)
	default:
	}
}

type cancelHalfway struct {
	src    io.Reader
	cancel context.CancelFunc
	n      int
}

func (c *cancelHalfway) Read(p []byte) (int, error) {
	if c.n++; c.n == 3 {
		c.cancel()
	}
	return c.src.Read(p[:min(len(p), 5000)])
}

// sink receives what Postfix passes on.
type sink struct {
	transport string
	messages  chan string
}

type sinkSession struct {
	session
	sink *sink
}

func newSink(t *testing.T) *sink {
	s := &sink{messages: make(chan string, 16)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return sinkSession{session{&backend{}}, s}, nil
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	s.transport = fmt.Sprintf("smtp:[%s]:%s", host, port)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return s
}

// next waits for a message.
func (s *sink) next(t *testing.T) string {
	t.Helper()
	select {
	case got := <-s.messages:
		return got
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrived")
		return ""
	}
}

func (s sinkSession) Data(r io.Reader) error {
	var b bytes.Buffer
	_, err := b.ReadFrom(r)
	if err == nil {
		s.sink.messages <- b.String()
	}
	return err
}
