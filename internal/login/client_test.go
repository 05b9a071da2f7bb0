package login_test

import (
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/login"
)

func TestXOAUTH2(t *testing.T) {
	c := newClient(t, login.XOAuth2, "someuser@example.com", "h:1")
	mech, ir, err := c.Start()
	require.NoError(t, err)
	assert.Equal(t, "XOAUTH2", mech)
	assert.Equal(t, "user=someuser@example.com\x01auth=Bearer "+token+"\x01\x01", string(ir))

	response, err := c.Next([]byte(`{"status":"401","schemes":"bearer"}`))
	require.NoError(t, err)
	assert.NotNil(t, response, "nil would send no response at all")
	assert.Empty(t, response)
	_, err = c.Next([]byte(`{"status":"401"}`))
	require.ErrorIs(t, err, sasl.ErrUnexpectedServerChallenge)
}

// TestOAUTHBEARER talks to the library's server side.
func TestOAUTHBEARER(t *testing.T) {
	for _, good := range []bool{true, false} {
		var got sasl.OAuthBearerOptions
		server := sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			got = o
			if good {
				return nil
			}
			return &sasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer"}
		})
		c := newClient(t, sasl.OAuthBearer, user, "smtp.pec.example:465")
		mech, ir, err := c.Start()
		require.NoError(t, err)
		assert.Equal(t, sasl.OAuthBearer, mech)
		challenge, done, err := server.Next(ir)
		require.NoError(t, err)
		assert.Equal(t, good, done)
		assert.Equal(t, sasl.OAuthBearerOptions{Username: user, Token: token, Host: "smtp.pec.example", Port: 465}, got)
		if good {
			continue
		}
		response, err := c.Next(challenge)
		require.NoError(t, err)
		assert.Equal(t, "\x01", string(response))
		_, done, err = server.Next(response)
		assert.True(t, done)
		require.Error(t, err)
		_, err = c.Next(challenge)
		require.ErrorIs(t, err, sasl.ErrUnexpectedServerChallenge)
	}

	_, ir, err := newClient(t, sasl.OAuthBearer, "a=b,c", "h:1").Start()
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(ir), "n,a=a=3Db=2Cc,\x01host=h\x01port=1\x01auth=Bearer "))
}

// TestInjection has user names and tokens that would add fields of their own.
func TestInjection(t *testing.T) {
	for _, bad := range []string{"", "a\x01auth=Bearer other", "a\r\nMAIL FROM:<>", "a\x00", "a\x7f"} {
		for _, name := range []string{sasl.Plain, sasl.Login, sasl.OAuthBearer, login.XOAuth2} {
			for _, pair := range [][2]string{{user, bad}, {bad, token}} {
				c, err := login.NewClient(name, pair[0], pair[1], "h:1")
				require.ErrorIs(t, err, login.ErrCredentials)
				assert.Nil(t, c)
				assert.NotContains(t, err.Error(), token)
			}
		}
	}
}

// TestChoose shows that a token is never sent as a password, nor a password as a token.
func TestChoose(t *testing.T) {
	for _, c := range []struct{ mechanism, offered, chosen string }{
		{"", "LOGIN PLAIN", sasl.Plain},
		{"", "XOAUTH2 LOGIN", sasl.Login},
		{"", "XOAUTH2 OAUTHBEARER", ""},
		{"", "", ""},
		{"XOAUTH2", "PLAIN LOGIN OAUTHBEARER", ""},
		{"OAUTHBEARER", "PLAIN LOGIN XOAUTH2", ""},
		{"OAUTHBEARER", "XOAUTH2 OAUTHBEARER", sasl.OAuthBearer},
	} {
		chosen, err := login.Choose(c.mechanism, strings.Fields(c.offered))
		assert.Equal(t, c.chosen, chosen, "%+v", c)
		assert.Equal(t, c.chosen == "", err != nil, "%+v", c)
	}
}
