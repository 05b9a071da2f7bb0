package smtpclient

import (
	"context"
	"errors"
	"slices"

	"github.com/gopec/gopec/pec"
)

// ServerInfo is what a server says about itself.
type ServerInfo struct {
	Server       string   // its name in its reply to EHLO
	TLS          uint16   // the version in use, as crypto/tls numbers it
	Capabilities []string // the lines of its reply to EHLO under TLS, such as "SIZE 31457280", keywords in upper case
	Mechanisms   []string // the ways to log in that it offers, in upper case, sorted
	Size         int64    // the largest message it takes, in bytes (RFC 1870); zero when it names no limit
}

// ServerInfo makes a new connection, logs in and returns what the server offers. It sends
// no message. A refused login is a *pec.LoginError, any other error an *Error. The
// connection is kept for the next Submit, as after a message.
func (c *Client) Probe(ctx context.Context) (*ServerInfo, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	defer c.end()
	c.hangUp()
	a := &attempt{client: c, ctx: ctx}
	if o := a.open(); o != nil {
		if o.Err == nil {
			o.Err = &Error{Op: "probe", Reason: ReasonRefused, Err: errors.New(o.Reply.String())}
		}
		return nil, o.Err
	}
	defer a.finish(&pec.Outcome{Kind: pec.OutcomeSubmitted})
	return &ServerInfo{
		Server:       a.offer.server,
		TLS:          a.wire.TLSVersion(),
		Capabilities: slices.Clone(a.offer.capabilities),
		Mechanisms:   slices.Clone(a.offer.mechanisms),
		Size:         a.offer.size,
	}, nil
}
