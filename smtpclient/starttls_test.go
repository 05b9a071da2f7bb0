package smtpclient_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

var offersStartTLS = []turn{{"", "220 fake\r\n"}, {"EHLO", "250-fake\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"}}

func TestStartTLS(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, true, script(offersStartTLS, []turn{{"STARTTLS", "220 2.0.0 go\r\n"}, {"", startTLS}},
		greeted[1:], loggedIn, mail, rest, mail, rest, quit))
	c := p.open(t, pec.Password(sender, secret), &smtpclient.Options{StartTLS: true, HelloName: "client.example"})
	for range 2 {
		o := c.Submit(t.Context(), submission(message()))
		require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v", o.Err)
	}
	assert.Equal(t, []string{"EHLO client.example", "STARTTLS", "EHLO client.example"}, p.heard()[:3])
}

// TestStartTLSRefused lists what a server, or somebody in between, can say before TLS.
// Neither login nor message may be sent in the clear, and every outcome is temporary.
func TestStartTLSRefused(t *testing.T) {
	ask := turn{"STARTTLS", "220 2.0.0 go\r\n"}
	cases := []struct {
		name   string
		script []turn
		reason smtpclient.Reason
		code   int
	}{
		{"not offered", []turn{offersStartTLS[0], {"EHLO", "250-fake\r\n250 AUTH PLAIN\r\n"}, {"never", ""}}, smtpclient.ReasonStartTLS, 0},
		{"offered by part of a word", []turn{offersStartTLS[0], {"EHLO", "250-fake\r\n250 XSTARTTLS\r\n"}, {"never", ""}}, smtpclient.ReasonStartTLS, 0},
		{"refused", script(offersStartTLS, []turn{{"STARTTLS", "454 4.7.0 not now\r\n"}, {"never", ""}}), smtpclient.ReasonStartTLS, 454},
		{"refused for good", script(offersStartTLS, []turn{{"STARTTLS", "502 5.5.1 what\r\n"}, {"never", ""}}), smtpclient.ReasonStartTLS, 502},
		{"other consent", script(offersStartTLS, []turn{{"STARTTLS", "250 2.0.0 go\r\n"}, {"", startTLS}}), smtpclient.ReasonStartTLS, 250},
		{"turned away", []turn{{"", "554 5.7.1 not you\r\n"}, {"never", ""}}, smtpclient.ReasonStartTLS, 554},
		{"no EHLO", []turn{offersStartTLS[0], {"EHLO", "502 5.5.1 what\r\n"}, {"never", ""}}, smtpclient.ReasonStartTLS, 502},
		{"no SMTP", []turn{{"", "hello\r\n"}, {"never", ""}}, smtpclient.ReasonStartTLS, 0},
		{"injected reply", script(offersStartTLS, []turn{{"STARTTLS", "220 2.0.0 go\r\n250-fake\r\n250 AUTH PLAIN\r\n"}, {"", startTLS}}), smtpclient.ReasonStartTLS, 0},
		{"injected byte", script(offersStartTLS, []turn{{"STARTTLS", "220 2.0.0 go\r\n2"}, {"", startTLS}}), smtpclient.ReasonStartTLS, 0},
		{"consent before it was asked for", []turn{offersStartTLS[0], {"EHLO", offersStartTLS[1].reply + ask.reply}, {"never", ""}}, smtpclient.ReasonStartTLS, 0},
		{"injected later", script(offersStartTLS, []turn{ask, {"\x16", "250-fake\r\n250 AUTH PLAIN\r\n"}, {"never", ""}}), smtpclient.ReasonNetwork, 0},
		{"no TLS after consent", script(offersStartTLS, []turn{ask}), smtpclient.ReasonNetwork, 0},
		{"closed", offersStartTLS[:1], smtpclient.ReasonNetwork, 0},
		{"silent", []turn{offersStartTLS[0], {"EHLO", ""}, {"never", ""}}, smtpclient.ReasonTimeout, 0},
		{"reply without end", []turn{{"", strings.Repeat("220-on and on\r\n", 10000)}, {"never", ""}}, smtpclient.ReasonStartTLS, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			p := play(t, true, c.script)
			opts := &smtpclient.Options{StartTLS: true}
			if c.reason == smtpclient.ReasonTimeout {
				opts.Timeout = time.Second
			}
			o := p.open(t, pec.Password(sender, secret), opts).Submit(t.Context(), submission(message()))
			<-p.ended
			assertReason(t, o, pec.OutcomeTemporary, c.reason)
			assert.Equal(t, c.code, o.Reply.Code)
			heard := strings.Join(p.heard(), "\n")
			for _, private := range []string{"AUTH", "MAIL", "RCPT", sender, secret} {
				assert.NotContains(t, heard, private)
			}
			assert.NotContains(t, o.Err.Error(), secret)
		})
	}
	require.Len(t, cases, 16)
}

// TestStartTLSStranger has a server with an untrusted certificate agree to STARTTLS.
func TestStartTLSStranger(t *testing.T) {
	testenv.NoLeak(t)
	p := play(t, true, script(offersStartTLS, []turn{{"STARTTLS", "220 go\r\n"}, {"", startTLS}, {"never", ""}}))
	c := newClient(t, p.addr, pec.Password(sender, secret), &smtpclient.Options{StartTLS: true, TLS: testenv.NewIdentity(t).Client})
	o := c.Submit(t.Context(), submission(message()))
	assertReason(t, o, pec.OutcomeTemporary, smtpclient.ReasonNetwork)
	var unknown *tls.CertificateVerificationError
	require.ErrorAs(t, o.Err, &unknown)
}

func TestStartTLSProvider(t *testing.T) {
	testenv.NoLeak(t)
	n := pectest.Start(t, nil)
	provider, account := n.Providers()[0], n.Accounts()[0]
	c := newClient(t, provider.SMTPStartTLSAddr(), pec.Password(account.Login, account.Password),
		&smtpclient.Options{StartTLS: true, TLS: trusttest.TLS(n)})
	s := submission(message())
	s.From = account.Address
	o := c.Submit(t.Context(), s)
	require.Equal(t, pec.OutcomeSubmitted, o.Kind, "%v %v", o.Reply, o.Err)
}
