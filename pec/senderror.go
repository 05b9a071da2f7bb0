package pec

import (
	"fmt"
	"strings"
)

// SendError reports a message that was recorded and whose submission is not
// confirmed. Outcome.Kind says whether it is certain that it did not leave: with
// OutcomeUncertain it may have, and sending it again may make a second PEC.
type SendError struct {
	MessageID string  // of the send, which can be followed by it
	Outcome   Outcome // of the last attempt
	// Store reports that the outcome of an attempt could not be recorded. Whoever reads
	// the Store then sees the attempt as uncertain, or as not made if the provider never
	// asked for the message. Nil otherwise.
	Store error
}

// Error implements error.
func (e *SendError) Error() string {
	detail := e.Outcome.Reply.String()
	if e.Outcome.Reply == (Reply{}) {
		detail = fmt.Sprint(e.Outcome.Err)
	}
	if e.Store != nil {
		detail += "; not recorded: " + e.Store.Error()
	}
	return fmt.Sprintf("pec: message %s: %s: %s", e.MessageID, e.Outcome.Kind, detail)
}

// Unwrap gives what failed beneath.
func (e *SendError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Outcome.Err, e.Store} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// KeyError reports a Message.Key that belongs to another request: nothing was recorded
// and nothing was sent. Use another key for another request.
type KeyError struct {
	Key       string // as it was given
	MessageID string // of the send that has the key
	// Differences say what this request changes of the one that has the key, at most 100 of
	// the attachments. The set is closed, and they stand in this order:
	//
	//	recipients changed
	//	recipients in another order
	//	Cc changed
	//	Cc in another order
	//	subject changed
	//	receipt kind changed
	//	the message to repeat changed        Resend of another message, or Send in the place of Resend
	//	Message-ID changed                   of a RawMessage
	//	attachment NAME changed              its content
	//	attachment NAME removed
	//	attachment NAME added
	//	attachments in another order
	//	something else changed: ...          none of these; what it can be follows
	//
	// Nil when the recorded request cannot be read. They explain the error and do not
	// decide: requests are equal when their digests are (KeyClaim.Request).
	Differences []string
}

// Error implements error.
func (e *KeyError) Error() string {
	text := fmt.Sprintf("pec: the key %q belongs to another request, message %s", e.Key, e.MessageID)
	if len(e.Differences) > 0 {
		text += ": " + strings.Join(e.Differences, ", ")
	}
	return text + ": use another key for another request"
}

// ResendError reports a recipient that may still get, or has got, the first message.
type ResendError struct {
	MessageID string // of the first
	Recipient string // the address in question
	State     State  // what the first came to for it
	By        string // the send that already repeats it; "" when none does
}

// Error implements error.
func (e *ResendError) Error() string {
	if e.By != "" {
		return fmt.Sprintf("pec: message %s: %s was already sent it again by %s", e.MessageID, e.Recipient, e.By)
	}
	return fmt.Sprintf("pec: message %s: %s is %s, which is no definite failure", e.MessageID, e.Recipient, e.State)
}
