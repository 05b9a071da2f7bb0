package smtpclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// TestFinalReply lists answers to the final dot that are not a plain yes or no.
func TestFinalReply(t *testing.T) {
	cases := []struct {
		name, reply string
		kind        pec.OutcomeKind
		code        int
	}{
		{"other success", "251 2.0.0 taken", pec.OutcomeSubmitted, 251},
		{"many lines", "250-2.0.0 taken\r\n250 2.0.0 as 12", pec.OutcomeSubmitted, 250},
		{"going away", "421 4.3.2 shutting down", pec.OutcomeTemporary, 421},
		{"intermediate", "354 go on", pec.OutcomeUncertain, 354},
		{"preliminary", "150 soon", pec.OutcomeUncertain, 150},
		{"beyond 5xx", "650 what", pec.OutcomeUncertain, 650},
		{"no code", "hello", pec.OutcomeUncertain, 0},
		{"empty line", "", pec.OutcomeUncertain, 0},
		{"two digits", "25 ok", pec.OutcomeUncertain, 0},
		{"begun only", "250-queued", pec.OutcomeUncertain, 0},
		{"line without end", strings.Repeat("2", 5000), pec.OutcomeUncertain, 0},
		{"reply without end", strings.Repeat("250-on and on\r\n", 20000), pec.OutcomeUncertain, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t, "dot", c.reply)
			o := f.open(t, &smtpclient.Options{SubmitTimeout: quick}).Submit(context.Background(), submission(message()))
			f.end()
			assert.Equal(t, c.kind, o.Kind, "%v", o.Err)
			assert.Equal(t, c.code, o.Reply.Code)
			assert.Equal(t, c.kind == pec.OutcomeUncertain, o.Err != nil, "%v", o.Err)
			assert.True(t, f.sawDot())
		})
	}
	require.Len(t, cases, 12)
}

// TestAnsweredEarly sends the reply to the message together with the 354. Whatever it
// says, the provider cannot have the message.
func TestAnsweredEarly(t *testing.T) {
	for reply, want := range map[string]pec.OutcomeKind{
		"250 2.0.0 queued":   pec.OutcomeTemporary,
		"451 4.3.0 later":    pec.OutcomeTemporary,
		"552 5.3.4 too much": pec.OutcomeRefused,
	} {
		t.Run(reply, func(t *testing.T) {
			f := newFake(t, "", "")
			f.go354 = "354 go on\r\n" + reply
			o := f.open(t, nil).Submit(context.Background(), submission(message()))
			f.end()
			assert.Equal(t, want, o.Kind, "%v", o.Err)
			assert.False(t, f.sawDot())
		})
	}
}

func TestRecipients(t *testing.T) {
	cases := []struct {
		name   string
		at     string
		fault  string
		kind   pec.OutcomeKind
		replay []int // codes of the recipients
	}{
		{"first refused", "RCPT 1", "550 5.1.1 unknown", pec.OutcomeRefused, []int{550, 250}},
		{"second refused", "RCPT 2", "550 5.1.1 unknown", pec.OutcomeRefused, []int{250, 550}},
		{"first later", "RCPT 1", "450 4.2.1 busy", pec.OutcomeTemporary, []int{450, 250}},
		{"nonsense", "RCPT 1", "354 what", pec.OutcomeTemporary, []int{354}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, c.at, c.fault)
			o := f.open(t, nil).Submit(context.Background(), submission(message()))
			f.end()
			assert.Equal(t, c.kind, o.Kind)
			var codes []int
			for i, r := range o.Recipients {
				codes = append(codes, r.Reply.Code)
				assert.Equal(t, recipients[i], r.Address)
			}
			assert.Equal(t, c.replay, codes)
			assert.NotContains(t, f.heard(), "DATA")
			if c.name != "nonsense" {
				assert.Contains(t, f.heard(), "RSET")
			}
		})
	}
}

func TestDecidingReply(t *testing.T) {
	addr, clientTLS := library(t, &backend{refuse: map[string]*smtp.SMTPError{
		recipients[0]: {Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "busy"},
		recipients[1]: {Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "unknown"},
	}})
	c := newClient(t, addr, pec.Password(sender, secret), &smtpclient.Options{TLS: clientTLS})
	o := c.Submit(context.Background(), submission(message()))
	assert.Equal(t, pec.OutcomeRefused, o.Kind)
	assert.Equal(t, pec.Reply{Code: 550, Enhanced: "5.1.1", Text: "unknown"}, o.Reply)
	require.Len(t, o.Recipients, 2)
	assert.Equal(t, pec.Reply{Code: 450, Enhanced: "4.2.1", Text: "busy"}, o.Recipients[0].Reply)
}

func TestServerLimits(t *testing.T) {
	cases := []struct {
		name, ehlo string
		kind       pec.OutcomeKind
		reason     smtpclient.Reason
	}{
		{"too large", "250-fake\r\n250-SIZE 50\r\n250 AUTH PLAIN", pec.OutcomeRefused, smtpclient.ReasonTooLarge},
		{"no limit", "250-fake\r\n250-SIZE 0\r\n250 AUTH PLAIN", pec.OutcomeSubmitted, ""},
		{"limit unknown", "250-fake\r\n250-SIZE\r\n250 AUTH PLAIN", pec.OutcomeSubmitted, ""},
		{"no AUTH", "250-fake\r\n250 SIZE 5000", pec.OutcomeTemporary, smtpclient.ReasonMechanism},
		{"other AUTH", "250-fake\r\n250 AUTH CRAM-MD5", pec.OutcomeTemporary, smtpclient.ReasonMechanism},
		{"only LOGIN", "250-fake\r\n250 AUTH LOGIN", pec.OutcomeSubmitted, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, "", "")
			f.ehlo = c.ehlo
			o := f.open(t, nil).Submit(context.Background(), submission(message()))
			f.end()
			assert.Equal(t, c.kind, o.Kind, "%v", o.Err)
			if c.reason != "" {
				assertError(t, o.Err, c.reason)
				assert.NotContains(t, strings.Join(f.heard(), " "), "MAIL")
			}
			if c.name == "only LOGIN" {
				assert.Contains(t, f.heard(), "AUTH LOGIN "+"bWFyaW9AcGVjLmV4YW1wbGU=")
				assert.Contains(t, f.heard(), "czNjcmV0")
			}
		})
	}
}

// TestRefusedLogin shows that nothing is sent after a refusal, not even the "*" of the
// library.
func TestRefusedLogin(t *testing.T) {
	for _, code := range []string{"535 5.7.8 no", "534 5.7.9 weak", "538 5.7.11 encrypt", "550 5.7.1 blocked"} {
		f := newFake(t, "AUTH", code)
		o := f.open(t, nil).Submit(context.Background(), submission(message()))
		f.end()
		var refused *pec.LoginError
		require.ErrorAs(t, o.Err, &refused)
		assert.Equal(t, pec.OutcomeAuthentication, o.Kind)
		assert.Equal(t, code, refused.Reply)
		assert.Equal(t, f.addr, refused.Server)
		assert.Len(t, f.heard(), 2)
	}
}

func TestSecret(t *testing.T) {
	f := newFake(t, "", "")
	asked, err := 0, error(nil)
	login := pec.Login{User: sender, Secret: func(context.Context) (string, error) {
		asked++
		return secret, err
	}}
	c := newClient(t, f.addr, login, &smtpclient.Options{TLS: f.client, IdleTimeout: -1})
	assert.Zero(t, asked)
	assert.Equal(t, pec.OutcomeSubmitted, c.Submit(context.Background(), submission(message())).Kind)
	assert.Equal(t, 1, asked)
	err = errors.New("vault is closed")
	o := c.Submit(context.Background(), submission(message()))
	assert.Equal(t, 2, asked)
	assert.Equal(t, pec.OutcomeTemporary, o.Kind)
	require.ErrorIs(t, o.Err, err)
}

// TestLibraryServer submits to go-smtp's own server.
func TestLibraryServer(t *testing.T) {
	b := &backend{}
	addr, clientTLS := library(t, b)
	c := newClient(t, addr, pec.Password(sender, secret), &smtpclient.Options{TLS: clientTLS})
	for range 3 {
		o := c.Submit(context.Background(), submission(message()))
		require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
		assert.Equal(t, message(), b.got.String())
	}
	c = newClient(t, addr, pec.Password(sender, "wrong"), &smtpclient.Options{TLS: clientTLS})
	assert.Equal(t, pec.OutcomeAuthentication, c.Submit(context.Background(), submission(message())).Kind)
}
