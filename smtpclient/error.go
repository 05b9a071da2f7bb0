package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Reason says why an attempt ended, where no reply of the server decided it. The set
// is closed.
type Reason string

// The reasons, each with the outcome it leads to before the final dot. Once the dot
// may have left, the outcome is always uncertain.
const (
	ReasonConfig    Reason = "config"    // an argument of New cannot be used; there is no outcome
	ReasonAddress   Reason = "address"   // no recipient, or an address that must not reach the server: refused
	ReasonContent   Reason = "content"   // SMTP cannot carry the body unchanged: refused
	ReasonTooLarge  Reason = "too-large" // the message is larger than the server's SIZE (RFC 1870): refused
	ReasonBody      Reason = "body"      // the body could not be read, or is not Size bytes long: temporary
	ReasonSecret    Reason = "secret"    // the password or token is not available, or no login can carry it: temporary
	ReasonStartTLS  Reason = "starttls"  // the server did not agree to STARTTLS; neither login nor message was sent: temporary
	ReasonMechanism Reason = "mechanism" // the server does not offer the chosen way to log in: temporary
	ReasonNetwork   Reason = "network"   // no connection, no TLS, or the connection broke: temporary
	ReasonTimeout   Reason = "timeout"   // the server was silent, or did not read, for too long: temporary
	ReasonCanceled  Reason = "canceled"  // the context ended: temporary; the error is the context's
	ReasonProtocol  Reason = "protocol"  // the reply makes no sense at this point: temporary
	ReasonClosed    Reason = "closed"    // Close was called: temporary
	ReasonRefused   Reason = "refused"   // the server answered no; from Probe only, since an outcome holds the reply
)

// Error is the error type of this package. It is found in pec.Outcome.Err, except for
// a refused login, which is a *pec.LoginError.
type Error struct {
	Op     string // the step that failed: new, wait, connect, STARTTLS, EHLO, AUTH, MAIL, RCPT, DATA, body, dot or probe
	Reason Reason
	Err    error // the cause
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("smtpclient: %s: %s: %v", e.Op, e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var errClosed = errors.New("the client is closed")

// failure returns the *Error for an err that is not a reply; broken is what broke the
// connection, nil if nothing did. A context that has ended comes first, since it closes
// the connection. An error on an unbroken connection is about what the server said.
func failure(ctx context.Context, op string, err, broken error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errClosed):
		return &Error{Op: op, Reason: ReasonClosed, Err: err}
	case ctx.Err() != nil:
		return &Error{Op: op, Reason: ReasonCanceled, Err: ctx.Err()}
	case errors.Is(broken, os.ErrDeadlineExceeded):
		return &Error{Op: op, Reason: ReasonTimeout, Err: err}
	case broken != nil:
		return &Error{Op: op, Reason: ReasonNetwork, Err: err}
	default:
		return &Error{Op: op, Reason: ReasonProtocol, Err: err}
	}
}
