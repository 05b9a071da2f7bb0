package imapclient

import (
	"errors"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"

	"github.com/gopec/gopec/internal/login"
	"github.com/gopec/gopec/internal/netguard"
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

// greet waits for the greeting. If the server turns us away and ends the connection at
// once, the library reports either of the two at random: it is asked again until it
// reports the server's reply.
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
	// Asked for explicitly, since those that the library remembers may be older than the
	// login.
	caps, err := await(c.session, capability)
	if err != nil {
		return err
	}
	name, err := login.Choose(string(c.login.Mechanism), offered(caps))
	if err != nil {
		return &Error{Op: "login", Reason: ReasonMechanism, Err: err}
	}
	c.session.rest()
	secret, err := c.login.Secret(t.ctx)
	c.session.due()
	if err != nil {
		return &Error{Op: "login", Reason: ReasonSecret, Err: err}
	}
	mechanism, err := login.NewClient(name, c.login.User, secret, c.addr)
	if err != nil {
		return &Error{Op: "login", Reason: ReasonSecret, Err: err}
	}
	err = c.session.done(func() error {
		if name == sasl.Login {
			return c.session.imap.Login(c.login.User, secret).Wait()
		}
		return c.session.imap.Authenticate(mechanism)
	})
	switch {
	case errors.Is(err, errStuck): // the library may still be using the mechanism
		return err
	case err != nil && mechanism.Refusal() != "":
		return &pec.LoginError{Server: c.addr, Reply: mechanism.Refusal(), Err: err}
	case err != nil:
		return c.refused(err)
	}
	c.session.caps, err = await(c.session, capability)
	return err
}

// offered returns the ways to log in. LOGIN means the command of that name, not the
// SASL mechanism.
func offered(caps imap.CapSet) []string {
	names := slices.DeleteFunc(caps.AuthMechanisms(), func(name string) bool { return name == sasl.Login })
	if !caps.Has(imap.CapLoginDisabled) {
		names = append(names, sasl.Login)
	}
	return names
}

// refused returns a *pec.LoginError for a refused login, which must not be repeated, and
// an *Error for a server that cannot check a login right now (RFC 5530, 3).
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
