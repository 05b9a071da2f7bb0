// Package xoauth2 is the client side of logins with an OAuth 2.0 access token,
// for SMTP and IMAP.
package xoauth2

import (
	"errors"
	"strings"

	"github.com/emersion/go-sasl"
)

// Name is the name of the mechanism that came before the standard.
const Name = "XOAUTH2"

// ErrCredentials reports a user or token that would not arrive as it is. It does
// not tell which bytes.
var ErrCredentials = errors.New("user or token is empty or holds a control character")

type client struct {
	user, token string
	answered    bool
}

// NewClient gives the client of XOAUTH2. Start fails with ErrCredentials when user
// or token cannot be carried: nothing has been sent then.
func NewClient(user, token string) sasl.Client { return &client{user: user, token: token} }

// Start implements sasl.Client.
func (c *client) Start() (mech string, ir []byte, err error) {
	if !carried(c.user) || !carried(c.token) {
		return "", nil, ErrCredentials
	}
	return Name, []byte("user=" + c.user + "\x01auth=Bearer " + c.token + "\x01\x01"), nil
}

// Next implements sasl.Client. The one challenge there can be tells why the token
// is refused; the refusal itself, a reply of the protocol, comes after an empty
// response.
func (c *client) Next([]byte) ([]byte, error) { return once(&c.answered, []byte{}) }

// carried tells whether text arrives as it is: fields end with a control character.
func carried(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func once(answered *bool, response []byte) ([]byte, error) {
	if *answered {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	*answered = true
	return response, nil
}
