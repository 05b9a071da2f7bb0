package login_test

import (
	"bufio"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/smtpclient"
)

// A provider counts refused logins and locks the mailbox. No client may send a secret
// that no server can accept, with any mechanism.
func TestCredentials(t *testing.T) {
	long := strings.Repeat("a", 8<<10)
	const (
		never = "at New"   // New refuses it: no connection is made
		later = "at login" // the client refuses it at the login
		sent  = ""         // it is sent, and the server refuses it
	)
	cases := []struct {
		name, user, secret string
		password, token    string // what happens to it as a password, and as a token
	}{
		{"sound", user, token, sent, sent},
		{"empty login", "", token, never, never},
		{"NUL in the login", "mario\x00pec", token, never, never},
		{"line end in the login", "mario\r\nA2 LOGOUT", token, never, never},
		{"field in the login", "mario\x01auth=Bearer a", token, never, never},
		{"control character of ISO 8859", "mario\u0085", token, never, never},
		{"not UTF-8 login", "mar\xeco", token, never, never},
		{"long login", long, token, never, never},
		{"empty secret", user, "", later, later},
		{"NUL", user, "a\x00b", later, later},
		{"only NUL", user, "\x00", later, later},
		{"CR", user, "s3cret\r", later, later},
		{"LF", user, "s3cret\n", later, later},
		{"CRLF and a command", user, "s3cret\r\nA2 LOGOUT", later, later},
		{"tab", user, "a\tb", later, later},
		{"DEL", user, "a\x7f", later, later},
		{"field", user, "a\x01auth=Bearer b", later, later},
		{"ISO 8859-1", user, "perch\xe9", later, later},
		{"half a character", user, "a\xe2\x82", later, later},
		{"very long", user, long, later, later},
		{"long", user, long[:4<<10], sent, sent},
		{"space, a password", user, "two words", sent, later},
		{"Bearer in front of the token", user, "Bearer " + token, sent, later},
		{"not ASCII, a password", user, "perché", sent, later},
		{"quotes", user, `a"b\c`, sent, sent},
	}
	clients := []struct {
		name  string
		serve func(string) func(*recorder, *bufio.ReadWriter)
		// try logs in, and returns whether the reason of the error is config or secret.
		try func(r *recorder, l pec.Login) (config, secret bool, err error)
	}{
		{"SMTP", smtpServer, func(r *recorder, l pec.Login) (config, secret bool, err error) {
			c, err := smtpclient.New(r.addr, l, &smtpclient.Options{TLS: r.id.Client})
			if err == nil {
				_, err = c.Probe(t.Context())
				assert.NoError(t, c.Close())
			}
			var known *smtpclient.Error
			errors.As(err, &known)
			return known != nil && known.Reason == smtpclient.ReasonConfig, known != nil && known.Reason == smtpclient.ReasonSecret, err
		}},
		{"IMAP", imapServer, func(r *recorder, l pec.Login) (config, secret bool, err error) {
			c, err := imapclient.New(r.addr, l, &imapclient.Options{TLS: r.id.Client})
			if err == nil {
				_, err = c.Probe(t.Context())
				assert.NoError(t, c.Close())
			}
			var known *imapclient.Error
			errors.As(err, &known)
			return known != nil && known.Reason == imapclient.ReasonConfig, known != nil && known.Reason == imapclient.ReasonSecret, err
		}},
	}
	mechanisms := []struct {
		mechanism pec.Mechanism
		offered   string
	}{{pec.MechanismPassword, "PLAIN"}, {pec.MechanismPassword, "LOGIN"}, {pec.MechanismXOAUTH2, "XOAUTH2"}, {pec.MechanismOAuthBearer, "OAUTHBEARER"}}
	runs := 0
	for _, client := range clients {
		for _, m := range mechanisms {
			for _, c := range cases {
				runs++
				t.Run(client.name+"/"+m.offered+"/"+c.name, func(t *testing.T) {
					testenv.NoLeak(t)
					r := record(t, client.serve(m.offered))
					l := pec.Password(c.user, c.secret)
					l.Mechanism = m.mechanism
					config, secret, err := client.try(r, l)
					require.Error(t, err)
					want := c.token
					if m.mechanism == pec.MechanismPassword {
						want = c.password
					}
					if want != never {
						<-r.done
					}
					var refused *pec.LoginError
					switch want {
					case never:
						assert.True(t, config, "%v", err)
						assert.Zero(t, r.dials)
					case later:
						assert.True(t, secret, "%v", err)
						assert.Equal(t, 1, r.dials)
						assert.Empty(t, logins(r.heard))
					default:
						require.ErrorAs(t, err, &refused)
						require.NotEmpty(t, logins(r.heard))
						assert.Contains(t, decoded(r.heard), c.secret, "arrives unchanged")
					}
					if len(c.secret) > len("s3cret") {
						assert.NotContains(t, err.Error(), c.secret)
					}
				})
			}
		}
	}
	require.Equal(t, 200, runs)
}
