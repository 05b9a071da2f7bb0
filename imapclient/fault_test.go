package imapclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

// faultReasons are the reasons of the error after each fault.
var faultReasons = map[string]imapclient.Reason{
	"canceled": imapclient.ReasonCanceled, "timeout": imapclient.ReasonTimeout, "closed": imapclient.ReasonNetwork,
}

// TestFaults lets the server fall silent or hang up at every stage.
func TestFaults(t *testing.T) {
	fetching := []string{
		"TLS", "greeting", "CAPABILITY 1", "AUTHENTICATE", "CAPABILITY 2", "EXAMINE", "SEARCH",
		"FETCH head", "head literal", "FETCH body", "body literal",
	}
	idling := []string{"IDLE", "idling"}
	cases := 0
	for _, stage := range append(fetching, idling...) {
		for _, fault := range []string{"canceled", "timeout", "closed"} {
			if stage == "idling" && fault == "timeout" {
				continue // a server may be silent during IDLE
			}
			cases++
			t.Run(stage+"/"+fault, func(t *testing.T) {
				testenv.NoLeak(t)
				f := newFake(t, notice+strings.Repeat("body of a notice\r\n", 1000), plain)
				// Without capabilities in the greeting, the library would also ask for them.
				f.caps = "IMAP4rev1 IDLE AUTH=PLAIN SASL-IR"
				f.greeting = "* OK [CAPABILITY " + f.caps + "] fake"
				f.at, f.fault = stage, "silent"
				if fault == "closed" {
					f.fault = "close"
				}
				if stage == "TLS" {
					f.addr = testenv.Listen(t, nil, func(conn net.Conn) { f.strike(conn, nil, "TLS") })
				}
				opts := &imapclient.Options{Timeout: 5 * time.Minute}
				if fault == "timeout" {
					opts.Timeout = 100 * time.Millisecond
				}
				c := f.open(t, opts)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if fault == "canceled" {
					go func() {
						<-f.reached
						cancel()
					}()
				}
				call := func() error {
					_, _, err := collect(ctx, c, inbox)
					return err
				}
				if !slices.Contains(fetching, stage) {
					require.NoError(t, call())
					call = func() error { return c.Wait(ctx) }
				}
				begin := time.Now()
				err := call()
				assert.Less(t, time.Since(begin), time.Minute)
				if fault == "closed" && (stage == "FETCH head" || stage == "FETCH body") {
					require.NoError(t, err, "one lost connection between two messages")
					assert.Equal(t, 2, f.dials)
					return
				}
				checkReason(t, err, faultReasons[fault])
				assert.Equal(t, fault == "canceled", errors.Is(err, context.Canceled))
				assert.Equal(t, fault == "timeout", errors.Is(err, os.ErrDeadlineExceeded))
				var refused *pec.LoginError
				assert.False(t, errors.As(err, &refused))
				if !(stage == "idling" && fault == "canceled") {
					assert.Empty(t, testenv.Leaked(), "before Close")
				}
			})
		}
	}
	require.Equal(t, 38, cases)
}

// TestTruncatedLiteral ends the connection cleanly in the middle of a message: the reader
// must not take that for the end of the message.
func TestTruncatedLiteral(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, notice+strings.Repeat("body of a notice\r\n", 1000))
	f.at, f.fault = "body literal", "close"
	c := f.open(t, nil)
	var bodies, errs int
	for item, err := range c.Fetch(context.Background(), inbox) {
		if err != nil {
			errs++
			checkReason(t, err, imapclient.ReasonNetwork)
			continue
		}
		bodies++
		_, err := io.ReadAll(item.Body)
		checkReason(t, err, imapclient.ReasonNetwork)
		_, err = item.Body.Read(make([]byte, 1))
		checkReason(t, err, imapclient.ReasonNetwork)
	}
	assert.Equal(t, 1, bodies)
	assert.Equal(t, 1, errs)
	all, _, err := collect(context.Background(), c, inbox)
	require.NoError(t, err)
	assert.Len(t, all, 1, "the next call makes a new connection")
}

// TestOtherFaults is TestFaults for Save, Probe and Search.
func TestOtherFaults(t *testing.T) {
	calls := map[string][]string{
		"save":   {"AUTHENTICATE", "LIST", "EXAMINE", "SEARCH", "FETCH head", "head literal", "APPEND"},
		"probe":  {"LIST", "GETQUOTAROOT", "EXAMINE"},
		"search": {"EXAMINE", "SEARCH", "body literal"},
	}
	cases := 0
	for name, stages := range calls {
		for _, stage := range stages {
			for _, fault := range []string{"canceled", "timeout", "closed"} {
				cases++
				t.Run(name+"/"+stage+"/"+fault, func(t *testing.T) {
					testenv.NoLeak(t)
					f := newFake(t, "X-Riferimento-Message-ID: "+reference+"\r\nMessage-ID: <abc@pec.example>x\r\n"+notice+"body\r\n")
					f.caps = "IMAP4rev1 QUOTA AUTH=PLAIN SASL-IR"
					f.list = "* LIST () \"/\" Sent\r\n"
					f.at, f.fault = stage, "silent"
					if fault == "closed" {
						f.fault = "close"
					}
					timeout := 5 * time.Minute
					if fault == "timeout" {
						timeout = 100 * time.Millisecond
					}
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					if fault == "canceled" {
						go func() {
							<-f.reached
							cancel()
						}()
					}
					c := f.open(t, &imapclient.Options{Timeout: timeout})
					s := f.sent(t, &imapclient.SentOptions{Timeout: timeout})
					var err error
					switch name {
					case "save":
						err = s.Save(ctx, "<abc@pec.example>", int64(len(ours)), strings.NewReader(ours))
					case "probe":
						_, err = c.Probe(ctx)
					case "search":
						_, err = searched(ctx, c, "INBOX", reference)
					}
					if stage == "EXAMINE" && name != "search" && fault != "canceled" {
						require.NoError(t, err, "a kept connection that has died is replaced")
						return
					}
					checkReason(t, err, faultReasons[fault])
					assert.Empty(t, testenv.Leaked(), "before Close")
				})
			}
		}
	}
	require.Equal(t, 39, cases)
}
