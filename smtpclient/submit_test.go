package smtpclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

func TestSubmit(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, "", "")
	var logged bytes.Buffer
	c := f.open(t, &smtpclient.Options{HelloName: "client.example", Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	o := c.Submit(context.Background(), submission(message()))
	f.end()
	require.NoError(t, o.Err)
	assert.Equal(t, pec.Outcome{
		Kind:  pec.OutcomeSubmitted,
		Reply: pec.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok: queued as 4711"},
		Recipients: []pec.RecipientReply{
			{Address: recipients[0], Reply: pec.Reply{Code: 250, Enhanced: "2.1.5", Text: "recipient 1 fine"}},
			{Address: recipients[1], Reply: pec.Reply{Code: 250, Enhanced: "2.1.5", Text: "recipient 2 fine"}},
		},
	}, o)
	assert.Equal(t, message(), f.body())
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + sender + "\x00" + secret))
	assert.Equal(t, []string{
		"EHLO client.example", "AUTH PLAIN " + plain, fmt.Sprintf("MAIL FROM:<mario@pec.example> SIZE=%d", len(message())),
		"RCPT TO:<uno@pec.example>", "RCPT TO:<due@altra.example>", "DATA", "QUIT",
	}, f.heard())
	for _, private := range append(recipients, sender, secret, "4711") {
		assert.NotContains(t, logged.String(), private)
	}
}

// TestExactBytes covers the sizes around which the library flushes its buffer.
func TestExactBytes(t *testing.T) {
	lines := strings.Repeat(".\r\n.dots at the start of a line\r\nand none\r\n", 400)
	var sizes []int
	for size := 2; size < 12; size++ {
		sizes = append(sizes, size)
	}
	for size := 4050; size < 4100; size++ { // the stuffed dots make up the rest of 4096
		sizes = append(sizes, size-150, size)
	}
	sent := 0
	for _, size := range append(sizes, len(lines)) {
		text := lines[:size-2] + "\r\n"
		if strings.HasSuffix(text, "\r\r\n") {
			continue // a bare CR
		}
		sent++
		f := newFake(t, "", "")
		o := f.open(t, nil).Submit(context.Background(), submission(text))
		f.end()
		require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%d bytes: %v", size, o.Err)
		require.Equal(t, text, f.body(), "%d bytes", size)
	}
	require.Greater(t, sent, 90)
}

// once reads byte by byte, so that each check also runs across two Reads.
type once struct{ r io.Reader }

func (o once) Read(p []byte) (int, error) { return o.r.Read(p[:1]) }

func TestBody(t *testing.T) {
	good := message()
	cases := []struct {
		name   string
		text   string
		size   int
		after  io.Reader // read after text
		kind   pec.OutcomeKind
		reason smtpclient.Reason
	}{
		{name: "bare LF", text: "a\r\nb\nc\r\n", kind: pec.OutcomeRefused, reason: smtpclient.ReasonContent},
		{name: "first byte LF", text: "\na\r\n", kind: pec.OutcomeRefused, reason: smtpclient.ReasonContent},
		{name: "bare CR", text: "a\r\nb\rc\r\n", kind: pec.OutcomeRefused, reason: smtpclient.ReasonContent},
		{name: "two CR", text: "a\r\r\n", kind: pec.OutcomeRefused, reason: smtpclient.ReasonContent},
		{name: "no line end", text: "a\r\nb", kind: pec.OutcomeRefused, reason: smtpclient.ReasonContent},
		{name: "half a line end", text: "a\r\nb\r", kind: pec.OutcomeRefused, reason: smtpclient.ReasonContent},
		{name: "dot smuggled", text: "a\r\n.\nb\r\n", kind: pec.OutcomeRefused, reason: smtpclient.ReasonContent},
		{name: "too short", text: good, size: len(good) + 1, kind: pec.OutcomeTemporary, reason: smtpclient.ReasonBody},
		{name: "too long", text: good, size: len(good) - 1, kind: pec.OutcomeTemporary, reason: smtpclient.ReasonBody},
		{name: "nothing", text: "", size: 10, kind: pec.OutcomeTemporary, reason: smtpclient.ReasonBody},
		{name: "reader fails", text: good, size: len(good) + 1, after: failing{}, kind: pec.OutcomeTemporary, reason: smtpclient.ReasonBody},
		{name: "canceled at the end", text: good, kind: pec.OutcomeTemporary, reason: smtpclient.ReasonCanceled},
	}
	for _, c := range cases {
		for _, slow := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				testenv.NoLeak(t)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if c.reason == smtpclient.ReasonCanceled {
					c.after = canceling{cancel}
				}
				f := newFake(t, "", "")
				s := submission(c.text)
				if c.size != 0 {
					s.Size = int64(c.size)
				}
				if c.after != nil {
					s.Body = io.MultiReader(s.Body, c.after)
				}
				if slow {
					s.Body = once{s.Body}
				}
				o := f.open(t, nil).Submit(ctx, s)
				f.end()
				assert.Equal(t, c.kind, o.Kind)
				assertError(t, o.Err, c.reason)
				assert.False(t, f.sawDot())
				assert.Equal(t, c.name == "reader fails", errors.Is(o.Err, errBroken))
				assert.Equal(t, "DATA", f.heard()[len(f.heard())-1], "no command follows an unfinished body")
			})
		}
	}
	require.Len(t, cases, 12)
}

var errBroken = errors.New("broken disk")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// canceling ends the context at the last Read, when the whole body has been read.
type canceling struct{ cancel context.CancelFunc }

func (c canceling) Read([]byte) (int, error) {
	c.cancel()
	return 0, io.EOF
}

func TestRefusedBeforeDialling(t *testing.T) {
	f := newFake(t, "", "")
	c := f.open(t, nil)
	bad := []string{
		"", "a b@pec.example", "a@pec.example>", "<a@pec.example", "a\r\nRCPT TO:<b@pec.example>@pec.example",
		"a\n@pec.example", "a\r@pec.example", "a\x00@pec.example", "a\x7f@pec.example", "perché@pec.example", "\t",
	}
	for _, address := range bad {
		for _, s := range []pec.Submission{
			{From: address, To: recipients}, {From: sender, To: []string{recipients[0], address}},
		} {
			s.Size, s.Body = 3, strings.NewReader("a\r\n")
			assertReason(t, c.Submit(context.Background(), s), pec.OutcomeRefused, smtpclient.ReasonAddress)
		}
	}
	s := submission(message())
	s.To = nil
	assertReason(t, c.Submit(context.Background(), s), pec.OutcomeRefused, smtpclient.ReasonAddress)
	s = submission(message())
	s.Body = nil
	assertReason(t, c.Submit(context.Background(), s), pec.OutcomeRefused, smtpclient.ReasonContent)
	assertReason(t, c.Submit(context.Background(), submission("")), pec.OutcomeRefused, smtpclient.ReasonContent)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := c.Submit(ctx, submission(message()))
	assert.Equal(t, pec.OutcomeTemporary, o.Kind)
	require.ErrorIs(t, o.Err, context.Canceled)
	assert.Zero(t, f.dials)
}

func TestTLS(t *testing.T) {
	f := newFake(t, "", "")
	stranger := testenv.NewIdentity(t)
	c, err := smtpclient.New(f.addr, pec.Password(sender, secret), &smtpclient.Options{TLS: stranger.Client})
	require.NoError(t, err)
	o := c.Submit(context.Background(), submission(message()))
	assert.Equal(t, pec.OutcomeTemporary, o.Kind)
	var unknown *tls.CertificateVerificationError
	require.ErrorAs(t, o.Err, &unknown)
	assert.Empty(t, f.heard())

	// A server that does not speak TLS receives no command in the clear.
	var heard bytes.Buffer
	done := make(chan struct{})
	addr := testenv.Listen(t, nil, func(conn net.Conn) {
		defer close(done)
		_, _ = io.WriteString(conn, "220 plain\r\n")
		_, _ = io.Copy(&heard, conn)
	})
	c, err = smtpclient.New(addr, pec.Password(sender, secret), nil)
	require.NoError(t, err)
	o = c.Submit(context.Background(), submission(message()))
	<-done
	assert.Equal(t, pec.OutcomeTemporary, o.Kind)
	assert.NotContains(t, heard.String(), "EHLO")
}

func TestNew(t *testing.T) {
	valid := pec.Password(sender, secret)
	bad := []struct {
		name  string
		addr  string
		login pec.Login
		opts  smtpclient.Options
	}{
		{"no port", "smtp.pec.example", valid, smtpclient.Options{}},
		{"port zero", "smtp.pec.example:0", valid, smtpclient.Options{}},
		{"no host", ":465", valid, smtpclient.Options{}},
		{"no user", "smtp.pec.example:465", pec.Password("", secret), smtpclient.Options{}},
		{"no secret", "smtp.pec.example:465", pec.Login{User: sender}, smtpclient.Options{}},
		{"unverified", "smtp.pec.example:465", valid, smtpclient.Options{TLS: &tls.Config{InsecureSkipVerify: true}}},
		{"old TLS only", "smtp.pec.example:465", valid, smtpclient.Options{TLS: &tls.Config{MaxVersion: tls.VersionTLS11}}},
		{"hello name", "smtp.pec.example:465", valid, smtpclient.Options{HelloName: "a b"}},
		{"timeout", "smtp.pec.example:465", valid, smtpclient.Options{Timeout: -1}},
	}
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			_, err := smtpclient.New(c.addr, c.login, &c.opts)
			assertError(t, err, smtpclient.ReasonConfig)
		})
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS10}
	_, err := smtpclient.New("smtp.pec.example:465", valid, &smtpclient.Options{TLS: settings})
	require.NoError(t, err)
	assert.Equal(t, uint16(tls.VersionTLS10), settings.MinVersion, "the caller's settings")
	assert.Empty(t, settings.ServerName)
}
