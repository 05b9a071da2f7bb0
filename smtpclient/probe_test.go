package smtpclient_test

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/smtpclient"
)

func TestProbe(t *testing.T) {
	testenv.NoLeak(t)
	ehlo := turn{"EHLO", "250-Smtps.pec.example hello you\r\n250-size 31457280\r\n250-AUTH LOGIN plain\r\n250-AUTH=PLAIN LOGIN\r\n250 8BITMIME\r\n"}
	p := play(t, false, script([]turn{greeted[0], ehlo}, loggedIn, mail, rest, quit), script([]turn{greeted[0], ehlo}, loggedIn, mail, rest, quit))
	c := p.open(t, pec.Password(sender, secret), nil)
	require.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
	got, err := c.Probe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, &smtpclient.ServerInfo{
		Server: "Smtps.pec.example", TLS: tls.VersionTLS13, Size: 31457280,
		Capabilities: []string{"SIZE 31457280", "AUTH LOGIN plain", "AUTH=PLAIN LOGIN", "8BITMIME"},
		Mechanisms:   []string{"LOGIN", "PLAIN"},
	}, got)
	require.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
	dials, messages := p.counts()
	assert.Equal(t, 2, dials, "Probe makes a new connection, which Submit then uses")
	assert.Equal(t, 2, messages)
}

func TestProbeFails(t *testing.T) {
	cases := []struct {
		name   string
		script []turn
		reason smtpclient.Reason // "" means a refused login
	}{
		{"login refused", script(greeted, []turn{{"AUTH", "535 5.7.8 no\r\n"}}), ""},
		{"login not now", script(greeted, []turn{{"AUTH", "454 4.7.0 later\r\n"}}), smtpclient.ReasonRefused},
		{"turned away", []turn{{"", "554 5.7.1 not you\r\n"}}, smtpclient.ReasonRefused},
		{"no way to log in", script(offering("CRAM-MD5"), quit), smtpclient.ReasonMechanism},
		{"closed", greeted, smtpclient.ReasonNetwork},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			p := play(t, false, c.script)
			got, err := p.open(t, pec.Password(sender, secret), nil).Probe(t.Context())
			assert.Nil(t, got)
			var refused *pec.LoginError
			if c.reason == "" {
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, "535 5.7.8 no", refused.Reply)
			} else {
				assertError(t, err, c.reason)
			}
		})
	}
	require.Len(t, cases, 5)
}

func TestProbeProvider(t *testing.T) {
	testenv.NoLeak(t)
	n := pectest.Start(t, nil)
	provider, account := n.Providers()[0], n.Accounts()[0]
	for _, startTLS := range []bool{false, true} {
		addr := provider.SMTPAddr()
		if startTLS {
			addr = provider.SMTPStartTLSAddr()
		}
		c := newClient(t, addr, pec.Password(account.Login, account.Password),
			&smtpclient.Options{StartTLS: startTLS, TLS: trusttest.TLS(n)})
		got, err := c.Probe(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"LOGIN", "PLAIN"}, got.Mechanisms)
		assert.EqualValues(t, pectest.MaxMessageBytes, got.Size)
		assert.NotContains(t, got.Capabilities, "STARTTLS")
	}
	sent, err := provider.Messages(account.Address, pectest.InboxFolder)
	require.NoError(t, err)
	assert.Empty(t, sent)
}
