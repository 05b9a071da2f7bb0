package xoauth2

import (
	"net"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
)

type bearer struct {
	sasl.Client
	fields   []string
	answered bool
}

// NewBearer gives the client of OAUTHBEARER (RFC 7628) for the server at addr
// (host:port). It differs from the library's in that a refusal is waited for: the
// library's own ends the exchange at the challenge, before the server has refused.
func NewBearer(user, token, addr string) (sasl.Client, error) {
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
	options := &sasl.OAuthBearerOptions{Username: name, Token: token, Host: host, Port: number}
	return &bearer{Client: sasl.NewOAuthBearerClient(options), fields: []string{user, token}}, nil
}

// Start implements sasl.Client.
func (b *bearer) Start() (mech string, ir []byte, err error) {
	for _, field := range b.fields {
		if !carried(field) {
			return "", nil, ErrCredentials
		}
	}
	return b.Client.Start()
}

// Next implements sasl.Client (RFC 7628, 3.2.3): the challenge is the server's
// error, and a single 0x01 has it refuse.
func (b *bearer) Next([]byte) ([]byte, error) { return once(&b.answered, []byte{1}) }
