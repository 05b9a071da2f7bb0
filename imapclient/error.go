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

// The reasons. A call can be repeated after all of them except config, argument and
// closed; it makes a new connection if it needs one.
const (
	ReasonConfig      Reason = "config"      // an argument of New or NewSentFolder cannot be used
	ReasonSecret      Reason = "secret"      // the password or token is not available, or no login can carry it
	ReasonArgument    Reason = "argument"    // an argument of the call cannot be used
	ReasonMechanism   Reason = "mechanism"   // the server does not offer the chosen way to log in
	ReasonUnavailable Reason = "unavailable" // the server takes no logins right now (RFC 5530, 3: UNAVAILABLE)
	ReasonFolder      Reason = "folder"      // the folder cannot be opened
	ReasonMessage     Reason = "message"     // the server lists a message but does not return it; UID names it
	ReasonTooLarge    Reason = "too-large"   // the message is larger than Options.MaxMessage; UID names it
	ReasonRefused     Reason = "refused"     // the server answered NO or BAD to another command
	ReasonNetwork     Reason = "network"     // no connection, no TLS, or the connection broke
	ReasonTimeout     Reason = "timeout"     // the server was silent, or did not read, for too long
	ReasonCanceled    Reason = "canceled"    // the context ended; the error is the context's
	ReasonProtocol    Reason = "protocol"    // the server's answer makes no sense, or is far too long
	ReasonClosed      Reason = "closed"      // Close was called, or a body was read after the loop moved on
)

// Error is the error type of this package. Two errors have other types: a refused login
// is a *pec.LoginError, and a *pec.MessageError wraps the *Error about one message.
type Error struct {
	Op     string // the step that failed: new, connect, login, examine, list, search, fetch, body, wait, save or quota
	Reason Reason
	Folder string // with ReasonFolder, ReasonMessage and ReasonTooLarge
	UID    uint32 // with ReasonMessage and ReasonTooLarge; a Fetch after this UID skips the message
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

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var (
	errClosed     = errors.New("the client is closed")
	errMoved      = errors.New("the loop has moved on: a body must be read before the next message")
	errTooMany    = fmt.Errorf("the server lists more than %d messages", maxListed)
	errWithheld   = errors.New("the server lists the message but does not return it")
	errHeader     = errors.New("the header alone is larger than Options.MaxMessage")
	errMessageID  = fmt.Errorf("a Message-ID must have 1 to %d characters, printable ASCII without spaces", maxMessageID)
	errSize       = errors.New("the size must be positive and equal that of the body")
	errNoSent     = errors.New("no folder of sent mail was found: set SentOptions.Folder")
	errRenumbered = errors.New("the folder's UIDVALIDITY changed during the call")
	errNameless   = errors.New("the folder name is empty")
	errStuck      = errors.New("the IMAP library does not return")
	errLost       = errors.New("the connection has ended")
)

// failure returns the error with its reason; broken is what broke the connection, nil
// if nothing did. A context that has ended comes first, since it closes the connection.
// What broke the connection comes before err, since the library passes it on as text
// only.
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
