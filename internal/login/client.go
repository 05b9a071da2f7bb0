package login

import (
	"net"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
)

// Client is the client side of one login. It implements sasl.Client.
type Client struct {
	sasl.Client
	ends    []byte // the answer to the challenge that refuses a token; nil when none does
	refusal string
}

// NewClient returns the client of the mechanism that Choose picked, for the server
// at addr (host:port). It fails with ErrCredentials when the secret cannot be sent.
func NewClient(name, user, secret, addr string) (*Client, error) {
	if err := carried("login name", user, maxUser); err != nil {
		return nil, err
	}
	switch name {
	case XOAuth2:
		if err := token(secret); err != nil {
			return nil, err
		}
		return &Client{Client: xoauth2{user, secret}, ends: []byte{}}, nil
	case sasl.OAuthBearer:
		if err := token(secret); err != nil {
			return nil, err
		}
		bearer, err := newBearer(user, secret, addr)
		return &Client{Client: bearer, ends: []byte{1}}, err
	}
	if err := carried("password", secret, maxSecret); err != nil {
		return nil, err
	}
	if name == sasl.Login {
		return &Client{Client: sasl.NewLoginClient(user, secret)}, nil
	}
	return &Client{Client: sasl.NewPlainClient("", user, secret)}, nil
}

// Refusal is why the server refuses the token, in its own words. It is "" before the
// server has said so, and with a password.
func (c *Client) Refusal() string { return c.refusal }

// Next implements sasl.Client. The one challenge that a token can meet is the server's
// error; the refusal itself, a reply of the protocol, comes after the answer (RFC
// 7628, 3.2.3).
func (c *Client) Next(challenge []byte) ([]byte, error) {
	if c.ends == nil {
		return c.Client.Next(challenge)
	}
	if c.refusal != "" {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	// An empty challenge would leave no trace.
	if c.refusal = string(challenge); c.refusal == "" {
		c.refusal = "token refused"
	}
	return c.ends, nil
}

// xoauth2 is the first word of XOAUTH2; Client has the rest.
type xoauth2 struct{ user, token string }

// Start implements sasl.Client.
func (x xoauth2) Start() (mech string, ir []byte, err error) {
	return XOAuth2, []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next implements sasl.Client.
func (xoauth2) Next([]byte) ([]byte, error) { return nil, sasl.ErrUnexpectedServerChallenge }

// newBearer returns the first word of OAUTHBEARER (RFC 7628); Client has the rest,
// since the library's own ends the exchange at the challenge, before the server has
// refused.
func newBearer(user, token, addr string) (sasl.Client, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	// RFC 5801, 4: in a name the two characters that have a meaning are escaped.
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
	return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: name, Token: token, Host: host, Port: number}), nil
}
