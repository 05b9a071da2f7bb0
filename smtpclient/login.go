package smtpclient

import (
	"github.com/gopec/gopec/internal/login"
	"github.com/gopec/gopec/pec"
)

// auth logs in. A 5xx reply refuses the login; with a token it follows a challenge that
// says why (RFC 7628, 3.2.3). A 4xx reply (RFC 4954, 6: 454) says nothing about the
// secret.
func (a *attempt) auth() *pec.Outcome {
	c := a.client
	name, err := login.Choose(string(c.login.Mechanism), a.offer.mechanisms)
	if err != nil {
		return a.abandon(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonMechanism, Err: err})
	}
	secret, err := c.login.Secret(a.ctx)
	if err != nil {
		return a.abandon(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonSecret, Err: err})
	}
	mechanism, err := login.NewClient(name, c.login.User, secret, c.addr)
	if err != nil {
		return a.abandon(pec.OutcomeTemporary, &Error{Op: "AUTH", Reason: ReasonSecret, Err: err})
	}
	a.wire.login = true
	err = a.smtp.Auth(mechanism)
	a.wire.login = false
	if err == nil {
		return nil
	}
	o := a.unsent("AUTH", err, pec.OutcomeAuthentication)
	if o.Kind == pec.OutcomeAuthentication {
		o.Err = &pec.LoginError{Server: c.addr, Reply: o.Reply.String(), Err: err}
	}
	return o
}
