package pec

import (
	"context"
	"fmt"
)

// Login says who logs in to a provider's servers.
type Login struct {
	// User is the login name. It is often, but not always, the PEC address.
	User string
	// Secret gives the password. It is asked at each login, so that a changed
	// or expired password is picked up without a restart.
	Secret func(ctx context.Context) (string, error)
}

// Password is the Login with a password that never changes.
func Password(user, password string) Login {
	return Login{User: user, Secret: func(context.Context) (string, error) { return password, nil }}
}

// LoginError reports that a server refused the login. Repeating it can lock the
// mailbox: providers count refused logins.
type LoginError struct {
	Server string // host:port
	Reply  string // the server's own words
	Err    error  // the error of the protocol library
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("pec: login refused by %s: %s", e.Server, e.Reply)
}

// Unwrap gives the error of the protocol library.
func (e *LoginError) Unwrap() error { return e.Err }
