package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Reason says why an attempt ended without a reply that decided it. The set is
// closed.
type Reason string

// The reasons, each with the outcome it leads to before the final dot. After the
// dot may have left, the outcome is always uncertain.
const (
	ReasonConfig    Reason = "config"    // New was given something it cannot use; no outcome
	ReasonAddress   Reason = "address"   // an address that must not reach the wire, or none: refused
	ReasonContent   Reason = "content"   // a body that SMTP cannot carry unchanged: refused
	ReasonTooLarge  Reason = "too-large" // more than the server's SIZE (RFC 1870): refused
	ReasonBody      Reason = "body"      // the body could not be read, or is not Size bytes long: temporary
	ReasonSecret    Reason = "secret"    // the password or token could not be had, or no login can carry it: temporary
	ReasonStartTLS  Reason = "starttls"  // before TLS the server said anything but its consent; neither login nor message was told: temporary
	ReasonMechanism Reason = "mechanism" // the server does not offer the way to log in that was chosen: temporary
	ReasonNetwork   Reason = "network"   // no connection, no TLS, or the connection broke: temporary
	ReasonTimeout   Reason = "timeout"   // the server was silent, or did not read, for too long: temporary
	ReasonCanceled  Reason = "canceled"  // the context ended: temporary; the error is the context's
	ReasonProtocol  Reason = "protocol"  // a reply that means nothing at its place: temporary
	ReasonClosed    Reason = "closed"    // Close was called: temporary
	ReasonRefused   Reason = "refused"   // the server answered no: from Probe alone, an outcome has the reply
)

// Error is the error of this package. It is in pec.Outcome.Err, except for a
// refused login, which is a *pec.LoginError.
type Error struct {
	Op     string // what was under way: new, wait, connect, STARTTLS, EHLO, AUTH, MAIL, RCPT, DATA, body, dot or probe
	Reason Reason
	Err    error // the cause
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("smtpclient: %s: %s: %v", e.Op, e.Reason, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

var errClosed = errors.New("the client is closed")

// failure names the reason of an error that is not a reply. A context that has
// ended explains all that follows from it, such as the closed connection; an
// error on a sound connection is about what the server said.
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
