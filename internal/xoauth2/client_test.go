package xoauth2_test

import (
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/xoauth2"
)

const (
	user  = "mario@pec.example"
	token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
)

func TestXOAUTH2(t *testing.T) {
	c := xoauth2.NewClient("someuser@example.com", token)
	mech, ir, err := c.Start()
	require.NoError(t, err)
	assert.Equal(t, "XOAUTH2", mech)
	assert.Equal(t, "user=someuser@example.com\x01auth=Bearer "+token+"\x01\x01", string(ir))

	response, err := c.Next([]byte(`{"status":"401","schemes":"bearer"}`))
	require.NoError(t, err)
	assert.NotNil(t, response, "nil is no response at all")
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
		c := bearer(t, user, token, "smtp.pec.example:465")
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

	_, ir, err := bearer(t, "a=b,c", token, "h:1").Start()
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(ir), "n,a=a=3Db=2Cc,\x01host=h\x01port=1\x01auth=Bearer "))
}

func bearer(t *testing.T, user, token, addr string) sasl.Client {
	t.Helper()
	c, err := xoauth2.NewBearer(user, token, addr)
	require.NoError(t, err)
	return c
}

// TestInjection has a user or token that would add fields of its own.
func TestInjection(t *testing.T) {
	for _, bad := range []string{"", "a\x01auth=Bearer other", "a\r\nMAIL FROM:<>", "a\x00", "a\x7f"} {
		for _, c := range []sasl.Client{
			xoauth2.NewClient(user, bad), xoauth2.NewClient(bad, token),
			bearer(t, user, bad, "h:1"), bearer(t, bad, token, "h:1"),
		} {
			mech, ir, err := c.Start()
			require.ErrorIs(t, err, xoauth2.ErrCredentials)
			assert.Empty(t, mech)
			assert.Empty(t, ir)
			assert.NotContains(t, err.Error(), token)
		}
	}
}
