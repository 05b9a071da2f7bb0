// Package xoauth2 is the client side of XOAUTH2, the login with an OAuth 2.0 access
// token that came before OAUTHBEARER (RFC 7628) and that some providers still ask for.
package xoauth2

import "github.com/emersion/go-sasl"

// Name is the name of the mechanism.
const Name = "XOAUTH2"

type client struct{ user, token string }

// NewClient gives the client for one login.
func NewClient(user, token string) sasl.Client { return client{user, token} }

// Start implements sasl.Client.
func (c client) Start() (mech string, ir []byte, err error) {
	return Name, []byte("user=" + c.user + "\x01auth=Bearer " + c.token + "\x01\x01"), nil
}

// Next implements sasl.Client. A challenge is the server's refusal in JSON; the empty
// answer makes it end the exchange.
func (c client) Next([]byte) ([]byte, error) { return []byte{}, nil }
