package imapclient

import (
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"

	"github.com/gopec/gopec/internal/netguard"
	"github.com/gopec/gopec/internal/xoauth2"
	"github.com/gopec/gopec/pec"
)

// connect makes the connection and logs in.
func (t *turn) connect() error {
	c := t.client
	conn, err := netguard.Dial(t.ctx, c.addr, c.tls, c.options.Timeout)
	if err != nil {
		return failure(t.ctx, c.life, "connect", err, err)
	}
	c.session = newSession(conn, c.options.Timeout)
	t.hold()
	if err := t.greet(); err != nil {
		return t.fail("connect", err)
	}
	if err := t.login(); err != nil {
		return t.fail("login", err)
	}
	c.log.InfoContext(t.ctx, "imapclient: connected", "server", c.addr, "idle", c.session.caps.Has(imap.CapIdle))
	return nil
}

// greet waits for the greeting. When the connection ends right behind one that turns
// us away, the library reports one of the two at random: so it is asked again.
func (t *turn) greet() (err error) {
	for range 64 {
		err = t.client.session.done(t.client.session.imap.WaitGreeting)
		if err == nil || isReply(err) {
			break
		}
	}
	return err
}

func (t *turn) login() error {
	c := t.client
	capability := func() (imap.CapSet, error) { return c.session.imap.Capability().Wait() }
	// Asked for explicitly: what the library remembers may be of before the login.
	caps, err := await(c.session, capability)
	if err != nil {
		return err
	}
	if !c.offered(caps) {
		return &Error{Op: "login", Reason: ReasonMechanism, Err: errors.New("the server does not offer the mechanism")}
	}
	c.session.rest()
	secret, err := c.login.Secret(t.ctx)
	c.session.due()
	if err != nil {
		return &Error{Op: "login", Reason: ReasonSecret, Err: err}
	}
	if err := c.authenticate(caps, secret); err != nil {
		return err
	}
	c.session.caps, err = await(c.session, capability)
	return err
}

// offered tells whether the server knows the way to log in.
func (c *Client) offered(caps imap.CapSet) bool {
	if m := c.login.Mechanism; m != pec.MechanismPassword {
		return caps.Has(imap.AuthCap(string(m)))
	}
	return caps.Has(imap.AuthCap(sasl.Plain)) || !caps.Has(imap.CapLoginDisabled)
}

func (c *Client) authenticate(caps imap.CapSet, secret string) error {
	client, user := c.session.imap, c.login.User
	token := &tokenLogin{}
	switch c.login.Mechanism {
	case pec.MechanismXOAUTH2:
		token.Client = xoauth2.NewClient(user, secret)
	case pec.MechanismOAuthBearer:
		bearer, err := xoauth2.NewBearer(user, secret, c.addr)
		if err != nil {
			return err
		}
		token.Client = bearer
	default:
		if caps.Has(imap.AuthCap(sasl.Plain)) {
			plain := sasl.NewPlainClient("", user, secret)
			return c.refused(c.session.done(func() error { return client.Authenticate(plain) }))
		}
		return c.refused(c.session.done(func() error { return client.Login(user, secret).Wait() }))
	}
	err := c.session.done(func() error { return client.Authenticate(token) })
	switch {
	case errors.Is(err, xoauth2.ErrCredentials):
		return &Error{Op: "login", Reason: ReasonSecret, Err: err}
	case err != nil && token.refusal != "":
		return &pec.LoginError{Server: c.addr, Reply: token.refusal, Err: err}
	default:
		return c.refused(err)
	}
}

// tokenLogin is a login with a token. The server says why it refuses one in a
// challenge, and then waits for an answer before it refuses (RFC 7628, 3.2.3).
type tokenLogin struct {
	sasl.Client
	refusal string
}

// Next implements sasl.Client.
func (l *tokenLogin) Next(challenge []byte) ([]byte, error) {
	l.refusal = string(challenge)
	return l.Client.Next(challenge)
}

// refused tells a refused login, which must not be repeated, from a server that
// cannot check one now (RFC 5530, 3).
func (c *Client) refused(err error) error {
	var reply *imap.Error
	if !errors.As(err, &reply) || reply.Type != imap.StatusResponseTypeNo {
		return err
	}
	switch reply.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeServerBug, imap.ResponseCodeInUse, imap.ResponseCodeLimit:
		return &Error{Op: "login", Reason: ReasonUnavailable, Err: err}
	}
	text := reply.Text
	if reply.Code != "" {
		text = fmt.Sprintf("[%s] %s", reply.Code, text)
	}
	return &pec.LoginError{Server: c.addr, Reply: text, Err: err}
}
