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
	ends    []byte // the answer to the challenge that refuses a token; nil for a password
	refusal string
}

// NewClient returns the client of the mechanism that Choose picked, for the server at
// addr (host:port). Its error is ErrCredentials if the login name or the secret cannot be
// sent.
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

// Refusal returns why the server refuses the token, in the server's words. It returns ""
// before the server has said so, and always with a password.
func (c *Client) Refusal() string { return c.refusal }

// Next implements sasl.Client. With a token, the only challenge is the server's error.
// The refusal itself is a reply of the protocol and comes after the answer (RFC 7628,
// 3.2.3).
func (c *Client) Next(challenge []byte) ([]byte, error) {
	if c.ends == nil {
		return c.Client.Next(challenge)
	}
	if c.refusal != "" {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	// An empty challenge is a refusal as well.
	if c.refusal = string(challenge); c.refusal == "" {
		c.refusal = "token refused"
	}
	return c.ends, nil
}

// xoauth2 is the first message of XOAUTH2. Client does the rest.
type xoauth2 struct{ user, token string }

// Start implements sasl.Client.
func (x xoauth2) Start() (mech string, ir []byte, err error) {
	return XOAuth2, []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next implements sasl.Client.
func (xoauth2) Next([]byte) ([]byte, error) { return nil, sasl.ErrUnexpectedServerChallenge }

// newBearer returns the first message of OAUTHBEARER (RFC 7628). Client does the rest,
// because the library's client ends the exchange at the challenge, before the server has
// refused the token.
func newBearer(user, token, addr string) (sasl.Client, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	// RFC 5801, 4: "=" and "," are escaped in a name.
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
	return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: name, Token: token, Host: host, Port: number}), nil
}
