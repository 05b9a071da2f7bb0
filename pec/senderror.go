package pec

import (
	"errors"
	"fmt"
	"strings"
)

// SendError reports a message that was recorded and whose submission is not confirmed.
// Outcome.Kind says whether it certainly did not leave. With OutcomeUncertain it may have
// left, and sending it again may make a second PEC.
type SendError struct {
	MessageID string  // of the send: Status and Follow take it
	Outcome   Outcome // of the last attempt
	// Store is the error when the outcome of an attempt could not be recorded; nil
	// otherwise. In the Store the attempt then looks uncertain, or not made if the provider
	// never asked for the message.
	Store error
}

// Error implements error.
func (e *SendError) Error() string {
	kind := e.Outcome.Kind.known()
	detail := e.Outcome.Reply.String()
	if e.Outcome.Reply == (Reply{}) {
		detail = fmt.Sprint(e.Outcome.Err)
	}
	if e.Store != nil {
		detail += "; not recorded: " + e.Store.Error()
	}
	text := fmt.Sprintf("pec: message %s: %s: %s", e.MessageID, kind, detail)
	var suspended *SuspendedError
	var held *HeldError
	if errors.As(e.Outcome.Err, &suspended) || errors.As(e.Outcome.Err, &held) {
		return text // they say what to do
	}
	return text + ": " + sendCures[kind]
}

// sendCures say what to do after an outcome that is not confirmed or not recorded.
var sendCures = map[OutcomeKind]string{
	OutcomeUncertain:      "it may have left, do not send it again: Watch or SearchNotices looks for proof, ResolveSent or ResolveUnsent decides without",
	OutcomeSubmitted:      "the provider has it, do not send it again: Watch finds its notices",
	OutcomeRefused:        "mend the cause, then Resend",
	OutcomeTemporary:      "Retry or Watch offers it again",
	OutcomeAuthentication: "put the right password in place, then Resume",
}

// Unwrap returns the causes.
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

// ResendError reports a recipient that may still get, or has got, the first message, or to
// whom it was already sent again. Nothing was recorded and nothing was sent.
type ResendError struct {
	MessageID string // of the first
	Recipient string // the address in question
	State     State  // of the recipient in the first
	By        string // the Message-ID of the send that already repeats it; "" for none
}

// Error implements error.
func (e *ResendError) Error() string {
	if e.By != "" {
		return fmt.Sprintf("pec: message %s was already sent again to %s: follow message %s", e.MessageID, e.Recipient, e.By)
	}
	return fmt.Sprintf("pec: message %s: %s is %s: Resend needs a recipient that is refused, rejected, bounced, expired or failed: leave it out, or wait",
		e.MessageID, e.Recipient, e.State)
}
