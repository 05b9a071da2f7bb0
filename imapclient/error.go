package imapclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/emersion/go-imap/v2"

	"github.com/gopec/gopec/pec"
)

// Reason says why a call failed. The set is closed.
type Reason string

// The reasons. After all of them but config, argument and closed the call can be repeated;
// the next one connects anew where that is needed.
const (
	ReasonConfig      Reason = "config"      // New was given something it cannot use
	ReasonSecret      Reason = "secret"      // the password or token could not be had, or no login can carry it
	ReasonArgument    Reason = "argument"    // the call was given something it cannot use
	ReasonMechanism   Reason = "mechanism"   // the server does not offer the way to log in
	ReasonUnavailable Reason = "unavailable" // the server lets nobody in right now (RFC 5530, 3: UNAVAILABLE)
	ReasonFolder      Reason = "folder"      // the folder cannot be opened
	ReasonMessage     Reason = "message"     // the server lists a message that it does not hand out; UID names it
	ReasonTooLarge    Reason = "too-large"   // the message is larger than Options.MaxMessage; UID names it
	ReasonRefused     Reason = "refused"     // the server answered NO or BAD to another command
	ReasonNetwork     Reason = "network"     // no connection, no TLS, or the connection broke
	ReasonTimeout     Reason = "timeout"     // the server was silent for too long
	ReasonCanceled    Reason = "canceled"    // the context ended; the error is the context's
	ReasonProtocol    Reason = "protocol"    // the server said something that cannot be understood, or far too much
	ReasonClosed      Reason = "closed"      // Close was called, or a body was read after its turn
)

// Error is the error of this package; only a refused login is a *pec.LoginError.
type Error struct {
	Op     string // what was under way: new, connect, login, examine, list, search, fetch, body, wait, save or quota
	Reason Reason
	Folder string // with ReasonFolder, ReasonMessage and ReasonTooLarge
	UID    uint32 // with ReasonMessage and ReasonTooLarge: a cursor at it skips the message
	Err    error  // the cause
}

// Error implements error.
func (e *Error) Error() string {
	where := ""
	if e.Folder != "" {
		where = fmt.Sprintf(" in %q", e.Folder)
	}
	if e.UID != 0 {
		where += fmt.Sprintf(" at UID %d", e.UID)
	}
	return fmt.Sprintf("imapclient: %s: %s%s: %v", e.Op, e.Reason, where, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

var (
	errClosed     = errors.New("the client is closed")
	errMoved      = errors.New("the iteration has moved on")
	errTooMany    = errors.New("more messages than a folder can have")
	errTooLarge   = errors.New("the message is larger than Options.MaxMessage")
	errWithheld   = errors.New("the server lists the message and does not hand it out")
	errHeader     = errors.New("a header is larger than any message may be")
	errMessageID  = errors.New("not a Message-ID that can be searched for")
	errSize       = errors.New("the body is not of the size given")
	errNoSent     = errors.New("no folder of sent mail to be recognised")
	errRenumbered = errors.New("the UIDVALIDITY has changed meanwhile")
	errNameless   = errors.New("the folder has no name")
	errStuck      = errors.New("the IMAP library does not return")
	errLost       = errors.New("the connection has ended")
)

// failure names the reason of an error. A context that has ended explains all that
// follows from it; then comes what broke the connection, since the library passes
// that on as text only.
func failure(ctx, life context.Context, op string, err, broken error) error {
	var (
		known *Error
		login *pec.LoginError
		reply *imap.Error
	)
	switch {
	case errors.As(err, &known), errors.As(err, &login):
		return err
	case life.Err() != nil:
		return &Error{Op: op, Reason: ReasonClosed, Err: errClosed}
	case ctx.Err() != nil:
		return &Error{Op: op, Reason: ReasonCanceled, Err: ctx.Err()}
	case errors.As(err, &reply) && reply.Type == imap.StatusResponseTypeBye:
		return &Error{Op: op, Reason: ReasonUnavailable, Err: err}
	case errors.As(err, &reply):
		return &Error{Op: op, Reason: ReasonRefused, Err: err}
	case errors.Is(broken, errFlood), errors.Is(broken, errStrange), errors.Is(err, errStuck):
		return &Error{Op: op, Reason: ReasonProtocol, Err: cmp.Or(broken, err)}
	case errors.Is(broken, os.ErrDeadlineExceeded):
		return &Error{Op: op, Reason: ReasonTimeout, Err: broken}
	case broken != nil:
		return &Error{Op: op, Reason: ReasonNetwork, Err: broken}
	default:
		return &Error{Op: op, Reason: ReasonProtocol, Err: err}
	}
}
