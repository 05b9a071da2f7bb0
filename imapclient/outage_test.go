package imapclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

// refusals is how many connections a server refuses before it is back.
const refusals = 10

// away makes the fake refuse connections after the fault has struck, as many as left
// counts.
func (f *fake) away(t *testing.T) (left *atomic.Int32) {
	id := testenv.NewIdentity(t)
	f.client, left = id.Client, &atomic.Int32{}
	f.addr = testenv.Listen(t, nil, func(conn net.Conn) {
		if f.struck.Load() && left.Add(-1) >= 0 {
			return
		}
		if f.strike(nil, nil, "TLS") {
			return
		}
		secure := tls.Server(conn, id.Server)
		if secure.Handshake() == nil {
			f.serve(secure)
		}
	})
	return left
}

// TestOutage ends the server at every stage of every operation, and keeps it away for
// some time. The call in progress ends with an error of a known type, and the first call
// after the server is back succeeds.
func TestOutage(t *testing.T) {
	login := []string{"TLS", "greeting", "CAPABILITY 1", "AUTHENTICATE", "CAPABILITY 2"}
	operations := []struct {
		name   string
		stages []string
		cold   []string // more stages, of a new connection
		run    func(ctx context.Context, t *testing.T, f *fake, c *imapclient.Client, s *imapclient.SentFolder) error
	}{
		{
			"fetch", []string{"EXAMINE", "SEARCH", "FETCH head", "head literal", "FETCH body", "body literal"}, login,
			func(ctx context.Context, _ *testing.T, _ *fake, c *imapclient.Client, _ *imapclient.SentFolder) error {
				_, _, err := collect(ctx, c, inbox)
				return err
			},
		},
		{
			"search", []string{"EXAMINE", "SEARCH", "FETCH head", "head literal", "FETCH body", "body literal"}, nil,
			func(ctx context.Context, _ *testing.T, _ *fake, c *imapclient.Client, _ *imapclient.SentFolder) error {
				_, err := searched(ctx, c, "INBOX", reference)
				return err
			},
		},
		{
			"save", []string{"EXAMINE", "SEARCH", "FETCH head", "head literal", "APPEND", "APPEND literal"}, append([]string{"LIST"}, login...),
			func(ctx context.Context, _ *testing.T, _ *fake, _ *imapclient.Client, s *imapclient.SentFolder) error {
				return s.Save(ctx, "<abc@pec.example>", int64(len(ours)), strings.NewReader(ours))
			},
		},
		{
			"probe", []string{"NOOP", "LIST", "GETQUOTAROOT", "EXAMINE"}, nil,
			func(ctx context.Context, _ *testing.T, _ *fake, c *imapclient.Client, _ *imapclient.SentFolder) error {
				_, err := c.Probe(ctx)
				return err
			},
		},
		{
			"wait", []string{"IDLE", "idling", "DONE"}, nil,
			func(ctx context.Context, _ *testing.T, f *fake, c *imapclient.Client, _ *imapclient.SentFolder) error {
				if _, _, err := collect(ctx, c, inbox); err != nil {
					return err
				}
				short, stop := context.WithCancel(ctx)
				ended := make(chan struct{})
				defer close(ended)
				go func() {
					defer stop()
					select {
					case <-f.idling:
					case <-ended:
					}
				}()
				err := c.Wait(short)
				if short.Err() != nil && errors.Is(err, context.Canceled) {
					return nil // Wait has waited
				}
				return err
			},
		},
		{
			"close", []string{"LOGOUT"}, nil,
			func(ctx context.Context, t *testing.T, f *fake, _ *imapclient.Client, _ *imapclient.SentFolder) error {
				c := f.open(t, nil)
				_, _, err := collect(ctx, c, inbox)
				return errors.Join(err, c.Close())
			},
		},
	}
	cases := 0
	for _, op := range operations {
		for warm, stages := range map[bool][]string{false: append(op.cold, op.stages...), true: op.stages} {
			for _, stage := range stages {
				if stage == "NOOP" && !warm {
					continue // only sent over a kept connection
				}
				cases++
				name := op.name + "/cold/" + stage
				if warm {
					name = op.name + "/warm/" + stage
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					f := newFake(t, "X-Riferimento-Message-ID: "+reference+"\r\nMessage-ID: <abc@pec.example>x\r\n"+notice+"body\r\n", notice+"body\r\n")
					f.caps = "IMAP4rev1 IDLE QUOTA AUTH=PLAIN SASL-IR"
					f.list = "* LIST () \"/\" Sent\r\n"
					f.at, f.fault = stage, "close"
					f.struck.Store(true) // not yet
					left := f.away(t)
					c := f.open(t, &imapclient.Options{Timeout: time.Minute})
					s := f.sent(t, &imapclient.SentOptions{Timeout: time.Minute})
					ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
					defer cancel()
					if warm {
						require.NoError(t, op.run(ctx, t, f, c, s))
						f.lock(func() { f.mails = f.mails[:2] }) // without the saved copy
					}
					left.Store(refusals)
					f.struck.Store(false)
					for calls, before := 0, left.Load(); before > 0; calls, before = calls+1, left.Load() {
						require.NoError(t, ctx.Err(), "the fault did not strike")
						err := op.run(ctx, t, f, c, s)
						if err == nil { // the fault strikes only after the end of the operation
							require.EqualValues(t, refusals, before, "success while the server was away")
							calls = 0
							continue
						}
						require.LessOrEqual(t, calls, refusals)
						var known *imapclient.Error
						var one *pec.MessageError
						require.True(t, errors.As(err, &known) || errors.As(err, &one), "%v", err)
					}
					require.NoError(t, op.run(ctx, t, f, c, s))
				})
			}
		}
	}
	assert.Equal(t, 62, cases)
}
