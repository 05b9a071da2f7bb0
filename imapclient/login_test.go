package imapclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
)

func TestLogin(t *testing.T) {
	response := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + secret))
	cases := []struct {
		name, caps string
		refuse     string // the answer to the login
		greeting   string
		command    string // the login that the server heard
		refused    string // reply in the *pec.LoginError
		reason     imapclient.Reason
	}{
		{name: "PLAIN at once", caps: "IMAP4rev1 AUTH=PLAIN SASL-IR", command: "AUTHENTICATE PLAIN " + response},
		{name: "LOGIN", caps: "IMAP4rev1", command: `LOGIN "mario@pec.example" "s3cret"`},
		{name: "PLAIN before LOGIN", caps: "IMAP4rev1 AUTH=LOGIN AUTH=PLAIN SASL-IR LOGINDISABLED", command: "AUTHENTICATE PLAIN " + response},
		{name: "no way", caps: "IMAP4rev1 LOGINDISABLED AUTH=GSSAPI", reason: imapclient.ReasonMechanism},
		{name: "PLAIN refused", caps: "IMAP4rev1 AUTH=PLAIN SASL-IR", refuse: "NO [AUTHENTICATIONFAILED] wrong", refused: "[AUTHENTICATIONFAILED] wrong"},
		{name: "LOGIN refused", caps: "IMAP4rev1", refuse: "NO wrong", refused: "wrong"},
		{name: "expired", caps: "IMAP4rev1", refuse: "NO [EXPIRED] password too old", refused: "[EXPIRED] password too old"},
		{name: "down", caps: "IMAP4rev1 AUTH=PLAIN SASL-IR", refuse: "NO [UNAVAILABLE] later", reason: imapclient.ReasonUnavailable},
		{name: "in use", caps: "IMAP4rev1", refuse: "NO [INUSE] later", reason: imapclient.ReasonUnavailable},
		{name: "BAD", caps: "IMAP4rev1", refuse: "BAD what", reason: imapclient.ReasonRefused},
		{name: "BYE", greeting: "* BYE too many of you", reason: imapclient.ReasonUnavailable},
		{name: "nonsense", greeting: "220 smtp.example ESMTP", reason: imapclient.ReasonProtocol},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t)
			f.caps = c.caps
			if c.refuse != "" {
				f.refuse["LOGIN"], f.refuse["AUTHENTICATE"] = c.refuse, c.refuse
			}
			if c.greeting != "" {
				f.greeting = c.greeting
			}
			var logged bytes.Buffer
			client := f.open(t, &imapclient.Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
			_, _, err := collect(context.Background(), client, inbox)
			var refused *pec.LoginError
			switch {
			case c.refused != "":
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, c.refused, refused.Reply)
				assert.Equal(t, f.addr, refused.Server)
				assert.Equal(t, 1, f.dials, "a refused login is not repeated")
			case c.reason != "":
				checkReason(t, err, c.reason)
				assert.False(t, errors.As(err, &refused))
			default:
				require.NoError(t, err)
				assert.Contains(t, append(f.heard("LOGIN"), f.heard("AUTHENTICATE")...), c.command)
			}
			assert.NotContains(t, logged.String(), secret)
			assert.NotContains(t, logged.String(), user)
			client.Close()
		})
	}
	require.Len(t, cases, 12)
}

// TestToken logs in with OAuth 2.0 access tokens.
func TestToken(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	const refusal = `{"status":"invalid_token"}`
	xoauth2 := encode([]byte("user=" + user + "\x01auth=Bearer " + secret + "\x01\x01"))
	bearer := func(addr string) string {
		host, port, _ := strings.Cut(addr, ":")
		return encode([]byte("n,a=" + user + ",\x01host=" + host + "\x01port=" + port + "\x01auth=Bearer " + secret + "\x01\x01"))
	}
	cases := []struct {
		name, caps string
		mechanism  pec.Mechanism
		challenge  string // the server's first answer
		answer     string // its last answer
		heard      string
		refused    string
		reason     imapclient.Reason
	}{
		{"XOAUTH2", "SASL-IR AUTH=PLAIN AUTH=XOAUTH2", pec.MechanismXOAUTH2, "", "", "AUTHENTICATE XOAUTH2 " + xoauth2, "", ""},
		{"OAUTHBEARER", "SASL-IR AUTH=PLAIN AUTH=OAUTHBEARER", pec.MechanismOAuthBearer, "", "", "AUTHENTICATE OAUTHBEARER RESPONSE", "", ""},
		{"one line later", "AUTH=OAUTHBEARER", pec.MechanismOAuthBearer, "", "", "RESPONSE", "", ""},
		{"not offered", "SASL-IR AUTH=PLAIN AUTH=XOAUTH2", pec.MechanismOAuthBearer, "", "", "", "", imapclient.ReasonMechanism},
		{"nor this", "SASL-IR AUTH=PLAIN", pec.MechanismXOAUTH2, "", "", "", "", imapclient.ReasonMechanism},
		{"refused", "SASL-IR AUTH=XOAUTH2", pec.MechanismXOAUTH2, refusal, "NO [AUTHENTICATIONFAILED] no", "=", refusal, ""},
		{"refused with BAD", "SASL-IR AUTH=OAUTHBEARER", pec.MechanismOAuthBearer, refusal, "BAD what", "AQ==", refusal, ""},
		{"refused by hanging up", "SASL-IR AUTH=OAUTHBEARER", pec.MechanismOAuthBearer, refusal, "-", "AQ==", refusal, ""},
		{"refused at once", "SASL-IR AUTH=XOAUTH2", pec.MechanismXOAUTH2, "", "NO no", "", "no", ""},
		{"down", "SASL-IR AUTH=XOAUTH2", pec.MechanismXOAUTH2, "", "NO [UNAVAILABLE] later", "", "", imapclient.ReasonUnavailable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t)
			f.caps, f.challenge = "IMAP4rev1 "+c.caps, c.challenge
			if c.answer != "" {
				f.refuse["AUTHENTICATE"] = c.answer
			}
			login := pec.Password(user, secret)
			login.Mechanism = c.mechanism
			client, err := imapclient.New(f.addr, login, &imapclient.Options{TLS: f.client, Timeout: 10 * time.Second})
			require.NoError(t, err)
			defer client.Close()
			_, _, err = collect(context.Background(), client, inbox)
			if c.heard != "" {
				assert.Contains(t, f.heard(""), strings.ReplaceAll(c.heard, "RESPONSE", bearer(f.addr)))
			}
			assert.Empty(t, f.heard("LOGIN"), "a token is never sent as a password")
			var refused *pec.LoginError
			switch {
			case c.refused != "":
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, c.refused, refused.Reply)
				assert.Equal(t, 1, f.dials)
			case c.reason != "":
				checkReason(t, err, c.reason)
				assert.False(t, errors.As(err, &refused))
			default:
				require.NoError(t, err)
			}
		})
	}
	require.Len(t, cases, 10)
}

func TestSecret(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t)
	broken := errors.New("vault is closed")
	asked := 0
	login := pec.Login{User: user, Secret: func(context.Context) (string, error) {
		if asked++; asked == 1 {
			return "", broken
		}
		return secret, nil
	}}
	c, err := imapclient.New(f.addr, login, &imapclient.Options{TLS: f.client})
	require.NoError(t, err)
	defer c.Close()
	_, _, err = collect(context.Background(), c, inbox)
	checkReason(t, err, imapclient.ReasonSecret)
	require.ErrorIs(t, err, broken)
	for range 3 {
		_, _, err = collect(context.Background(), c, inbox)
		require.NoError(t, err)
	}
	assert.Equal(t, 2, asked, "once per login")
}

func TestTLS(t *testing.T) {
	f := newFake(t)
	stranger := testenv.NewIdentity(t)
	c, err := imapclient.New(f.addr, pec.Password(user, secret), &imapclient.Options{TLS: stranger.Client})
	require.NoError(t, err)
	_, _, err = collect(context.Background(), c, inbox)
	checkReason(t, err, imapclient.ReasonNetwork)
	var unknown *tls.CertificateVerificationError
	require.ErrorAs(t, err, &unknown)

	var heard bytes.Buffer
	done := make(chan struct{})
	addr := testenv.Listen(t, nil, func(conn net.Conn) {
		defer close(done)
		_, _ = io.WriteString(conn, "* OK plain\r\n")
		_, _ = io.Copy(&heard, conn)
	})
	c, err = imapclient.New(addr, pec.Password(user, secret), nil)
	require.NoError(t, err)
	_, _, err = collect(context.Background(), c, inbox)
	<-done
	checkReason(t, err, imapclient.ReasonNetwork)
	assert.NotContains(t, heard.String(), "LOGIN")
}

func TestNew(t *testing.T) {
	login := pec.Password(user, secret)
	const addr = "imap.pec.example:993"
	bad := []struct {
		name  string
		addr  string
		login pec.Login
		opts  imapclient.Options
	}{
		{"no port", "imap.pec.example", login, imapclient.Options{}},
		{"no user", addr, pec.Password("", secret), imapclient.Options{}},
		{"no secret", addr, pec.Login{User: user}, imapclient.Options{}},
		{"unverified", addr, login, imapclient.Options{TLS: &tls.Config{InsecureSkipVerify: true}}},
		{"no folder", addr, login, imapclient.Options{Folders: []string{}}},
		{"nameless folder", addr, login, imapclient.Options{Folders: []string{"INBOX", ""}}},
		{"timeout", addr, login, imapclient.Options{Timeout: -1}},
		{"size", addr, login, imapclient.Options{MaxMessage: -1}},
		{"mechanism", addr, pec.Login{User: user, Secret: login.Secret, Mechanism: "GSSAPI"}, imapclient.Options{}},
		{"poll", addr, login, imapclient.Options{PollInterval: -1}},
	}
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			_, err := imapclient.New(c.addr, c.login, &c.opts)
			checkReason(t, err, imapclient.ReasonConfig)
		})
	}
	c, err := imapclient.New(addr, login, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"INBOX"}, c.Folders())
	require.NoError(t, c.Close())
}
