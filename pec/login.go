package pec

import (
	"context"
	"fmt"
)

// Login says who logs in to a provider's servers.
type Login struct {
	// User is the login name. It is often, but not always, the PEC address.
	User string
	// Secret returns the password or token. It is called at each login, so that a new
	// password needs no restart.
	Secret func(ctx context.Context) (string, error)
	// Mechanism says what Secret returns; the zero value is a password.
	Mechanism Mechanism
}

// Mechanism is a way to log in.
type Mechanism string

// The mechanisms.
const (
	MechanismPassword    Mechanism = ""            // a password: PLAIN (RFC 4616), or LOGIN where the server has only that
	MechanismXOAUTH2     Mechanism = "XOAUTH2"     // an OAuth 2.0 access token, in the form that is older than RFC 7628
	MechanismOAuthBearer Mechanism = "OAUTHBEARER" // an OAuth 2.0 access token (RFC 7628)
)

// Password returns a Login whose password never changes.
func Password(user, password string) Login {
	return Login{User: user, Secret: func(context.Context) (string, error) { return password, nil }}
}

// LoginError reports that a server refused the login. Do not repeat it unchanged:
// providers count refused logins, and lock the mailbox.
type LoginError struct {
	Server string // host:port
	Reply  string // the server's own words
	Err    error  // the error of the protocol library
}

// Error implements error.
func (e *LoginError) Error() string {
	return fmt.Sprintf("pec: login refused by %s: %s (correct the login before the next one: refused logins can lock the mailbox)", e.Server, e.Reply)
}

// Unwrap returns the error of the protocol library.
func (e *LoginError) Unwrap() error { return e.Err }
