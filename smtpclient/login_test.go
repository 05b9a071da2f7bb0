package smtpclient_test

import (
	"context"
	"encoding/base64"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// TestToken logs in with a token. It is also refused in both ways of RFC 7628: with a
// challenge that must be answered, and at once.
func TestToken(t *testing.T) {
	mechanisms := []struct {
		name    pec.Mechanism
		initial func(host, port string) string
		answer  string // to the challenge
	}{
		{pec.MechanismXOAUTH2, func(_, _ string) string {
			return "user=" + sender + "\x01auth=Bearer " + token + "\x01\x01"
		}, ""},
		{pec.MechanismOAuthBearer, func(host, port string) string {
			return "n,a=" + sender + ",\x01host=" + host + "\x01port=" + port + "\x01auth=Bearer " + token + "\x01\x01"
		}, "AQ=="},
	}
	challenge := turn{"AUTH", "334 " + b64(`{"status":"invalid_token","schemes":"bearer"}`) + "\r\n"}
	cases := []struct {
		name   string
		script []turn // from AUTH on
		kind   pec.OutcomeKind
		code   int
		reason smtpclient.Reason
	}{
		{"taken", script([]turn{{"AUTH", "235 2.7.0 welcome\r\n"}}, mail, rest, quit), pec.OutcomeSubmitted, 250, ""},
		{"refused at once", []turn{{"AUTH", "535 5.7.8 no\r\n"}}, pec.OutcomeAuthentication, 535, ""},
		{"refused", []turn{challenge, {anyLine, "535 5.7.8 no\r\n"}}, pec.OutcomeAuthentication, 535, ""},
		{"not now", []turn{challenge, {anyLine, "454 4.7.0 later\r\n"}}, pec.OutcomeTemporary, 454, ""},
		{"challenged twice", []turn{challenge, {anyLine, challenge.reply}}, pec.OutcomeTemporary, 0, smtpclient.ReasonProtocol},
		{"closed after the challenge", []turn{challenge, {anyLine, ""}}, pec.OutcomeTemporary, 0, smtpclient.ReasonNetwork},
	}
	for _, m := range mechanisms {
		for _, c := range cases {
			t.Run(string(m.name)+"/"+c.name, func(t *testing.T) {
				testenv.NoLeak(t)
				p := play(t, false, script(offering("PLAIN XOAUTH2 OAUTHBEARER"), c.script))
				o := p.open(t, with(m.name, token), &smtpclient.Options{IdleTimeout: -1}).Submit(t.Context(), submission(message()))
				<-p.ended
				assert.Equal(t, c.kind, o.Kind, "%v", o.Err)
				assert.Equal(t, c.code, o.Reply.Code)
				host, port, err := net.SplitHostPort(p.addr)
				require.NoError(t, err)
				heard := p.heard()
				assert.Equal(t, "AUTH "+string(m.name)+" "+b64(m.initial(host, port)), heard[1])
				if len(c.script) == 2 {
					assert.Equal(t, []string{m.answer}, heard[2:], "nothing follows")
				}
				if c.kind == pec.OutcomeAuthentication {
					var refused *pec.LoginError
					require.ErrorAs(t, o.Err, &refused)
					assert.Equal(t, "535 5.7.8 no", refused.Reply)
					assert.Equal(t, p.addr, refused.Server)
				}
				if c.reason != "" {
					assertReason(t, o, c.kind, c.reason)
				}
				if o.Err != nil {
					assert.NotContains(t, o.Err.Error(), token)
				}
			})
		}
	}
	require.Len(t, cases, 6)
}

// TestMechanism shows which way to log in is chosen, and that a password is never sent
// as a token, or a token as a password.
func TestMechanism(t *testing.T) {
	cases := []struct {
		mechanism pec.Mechanism
		offered   string
		chosen    string // "" means none
	}{
		{pec.MechanismPassword, "LOGIN PLAIN", "PLAIN"},
		{pec.MechanismPassword, "login plain", "PLAIN"},
		{pec.MechanismPassword, "XOAUTH2 LOGIN", "LOGIN"},
		{pec.MechanismPassword, "XOAUTH2 OAUTHBEARER", ""},
		{pec.MechanismPassword, "CRAM-MD5 XPLAIN", ""},
		{pec.MechanismXOAUTH2, "PLAIN LOGIN OAUTHBEARER", ""},
		{pec.MechanismOAuthBearer, "PLAIN LOGIN XOAUTH2", ""},
		{pec.MechanismOAuthBearer, "XOAUTH2 OAUTHBEARER", "OAUTHBEARER"},
	}
	for _, c := range cases {
		p := play(t, false, script(offering(c.offered), []turn{{anyLine, "535 5.7.8 no\r\n"}}))
		o := p.open(t, with(c.mechanism, token), nil).Submit(t.Context(), submission(message()))
		<-p.ended
		heard := p.heard()
		require.Len(t, heard, 2)
		if c.chosen == "" {
			assert.Equal(t, "QUIT", heard[1])
			assertReason(t, o, pec.OutcomeTemporary, smtpclient.ReasonMechanism)
			continue
		}
		assert.Contains(t, heard[1], "AUTH "+c.chosen+" ")
		assert.Equal(t, pec.OutcomeAuthentication, o.Kind)
	}
	require.Len(t, cases, 8)
}

// TestBadSecret has the caller's function return a secret that must not be sent: the
// server would count one more wrong password.
func TestBadSecret(t *testing.T) {
	for mechanism, bad := range map[pec.Mechanism][]string{
		pec.MechanismPassword:    {"", "a\x00b"},
		pec.MechanismXOAUTH2:     {"", "a\x01auth=Bearer b", "a\r\nb"},
		pec.MechanismOAuthBearer: {"", "a\x01auth=Bearer b", "a\r\nb"},
	} {
		for _, text := range bad {
			p := play(t, false, script(offering("PLAIN XOAUTH2 OAUTHBEARER"), quit))
			o := p.open(t, with(mechanism, text), nil).Submit(t.Context(), submission(message()))
			<-p.ended
			assertReason(t, o, pec.OutcomeTemporary, smtpclient.ReasonSecret)
			assert.Equal(t, "QUIT", p.heard()[1])
		}
	}
	for _, bad := range []pec.Login{
		with("SCRAM-SHA-256", secret), with("xoauth2", secret), pec.Password("mario\x01auth=Bearer a", secret), pec.Password("a\r\nb", secret),
	} {
		_, err := smtpclient.New("smtp.pec.example:465", bad, nil)
		assertError(t, err, smtpclient.ReasonConfig)
	}
}

// TestChangedSecret shows that the secret is asked for at each login, and at no other
// time.
func TestChangedSecret(t *testing.T) {
	p := play(t, false, script(greeted, loggedIn, mail, rest, mail, rest), script(greeted, loggedIn, mail, rest, quit))
	asked := 0
	c := p.open(t, pec.Login{User: sender, Secret: func(context.Context) (string, error) {
		asked++
		return secret, nil
	}}, nil)
	for range 2 {
		require.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
		assert.Equal(t, 1, asked)
	}
	<-p.ended
	require.Equal(t, pec.OutcomeSubmitted, c.Submit(t.Context(), submission(message())).Kind)
	assert.Equal(t, 2, asked)
}
