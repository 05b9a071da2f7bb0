package smtpclient

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/gopec/gopec/internal/xoauth2"
	"github.com/gopec/gopec/pec"
)

// checkLogin refuses what no login can be made of.
func checkLogin(l pec.Login) error {
	switch {
	case l.User == "" || l.Secret == nil:
		return errors.New("a login with user and secret is required")
	case strings.ContainsFunc(l.User, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("control character in the login name")
	}
	switch l.Mechanism {
	case pec.MechanismPassword, pec.MechanismXOAUTH2, pec.MechanismOAuthBearer:
		return nil
	}
	return fmt.Errorf("unknown mechanism %q", l.Mechanism)
}

// choose picks the name of the mechanism; "" when the server offers none that fits.
func choose(m pec.Mechanism, offered []string) string {
	fitting := []string{string(m)}
	if m == pec.MechanismPassword {
		fitting = []string{sasl.Plain, sasl.Login}
	}
	for _, name := range fitting {
		if slices.Contains(offered, name) {
			return name
		}
	}
	return ""
}

// mechanism gives the client side of the login. A secret that is empty or would
// arrive as another is refused here: to the server it would be one more wrong
// password, and providers count those.
func (c *Client) mechanism(name, secret string) (sasl.Client, error) {
	user := c.login.User
	switch {
	case secret == "":
		return nil, errors.New("empty secret")
	case name == xoauth2.Name:
		return xoauth2.NewClient(user, secret), nil
	case name == sasl.OAuthBearer:
		return xoauth2.NewBearer(user, secret, c.addr)
	case strings.Contains(secret, "\x00"): // RFC 4616, 2: NUL ends a field
		return nil, errors.New("NUL in the password")
	case name == sasl.Plain:
		return sasl.NewPlainClient("", user, secret), nil
	default:
		return sasl.NewLoginClient(user, secret), nil
	}
}

// auth logs in. A 5xx reply is the refusal: with a token it comes after the
// server's challenge that says why (RFC 7628, 3.2.3). A 4xx reply (RFC 4954, 6:
// 454) says nothing about the secret.
func (a *attempt) auth() *pec.Outcome {
	c := a.client
	name := choose(c.login.Mechanism, a.offer.mechanisms)
	if name == "" {
		err := fmt.Errorf("the server offers AUTH %s", strings.Join(a.offer.mechanisms, " "))
		return a.given(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonMechanism, Err: err})
	}
	secret, err := c.login.Secret(a.ctx)
	if err != nil {
		return a.given(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonSecret, Err: err})
	}
	mechanism, err := c.mechanism(name, secret)
	if err != nil {
		return a.given(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonSecret, Err: err})
	}
	a.wire.login = true
	err = a.smtp.Auth(mechanism)
	a.wire.login = false
	switch {
	case err == nil:
		return nil
	case errors.Is(err, xoauth2.ErrCredentials):
		return a.given(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonSecret, Err: err})
	}
	o := a.unsent("AUTH", err, pec.OutcomeAuthentication)
	if o.Kind == pec.OutcomeAuthentication {
		o.Err = &pec.LoginError{Server: c.addr, Reply: o.Reply.String(), Err: err}
	}
	return o
}
