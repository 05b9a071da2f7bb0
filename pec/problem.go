package pec

import (
	"fmt"
	"strings"
)

// ProblemReason says what is wrong with a value of a message. The set is closed.
type ProblemReason string

// The reasons.
const (
	ProblemMissing      ProblemReason = "missing"        // a required value is absent
	ProblemBadAddress   ProblemReason = "bad-address"    // not one ASCII address (RFC 5322, 3.4.1)
	ProblemDuplicate    ProblemReason = "duplicate"      // the address, or a field that there is one of, stands there more than once
	ProblemControl      ProblemReason = "control"        // a line break or another control character: header injection
	ProblemBadType      ProblemReason = "bad-type"       // not a MIME type an attachment can have
	ProblemBadReceipt   ProblemReason = "bad-receipt"    // not a kind of delivery receipt
	ProblemBadName      ProblemReason = "bad-name"       // not the name of a file: a path, "." or ".."
	ProblemBadText      ProblemReason = "bad-text"       // not UTF-8
	ProblemBadMessageID ProblemReason = "bad-message-id" // not one Message-ID (RFC 5322, 3.6.4)
	ProblemBadKey       ProblemReason = "bad-key"        // not printable ASCII
	ProblemForbidden    ProblemReason = "forbidden"      // a header field that a PEC may not have, or that is not the caller's to set
	ProblemMalformed    ProblemReason = "malformed"      // against RFC 5322 or 2045, or what two programs may read in two ways
	ProblemTooLong      ProblemReason = "too-long"       // more octets than such a value can have
	ProblemTooLarge     ProblemReason = "too-large"      // size times recipients is above Limits.Product; Err is a *LimitError
	ProblemTooMany      ProblemReason = "too-many"       // more recipients than Limits.Recipients; Err is a *LimitError
	ProblemWeakEvidence ProblemReason = "weak-evidence"  // full evidence is required, and a receipt would lack the content
	ProblemUnreadable   ProblemReason = "unreadable"     // the content could not be read

	// Of a RawMessage only.
	ProblemNotSender ProblemReason = "not-sender" // From is not the one address of the mailbox
	ProblemLineEnds  ProblemReason = "line-ends"  // a bare CR, or both CRLF and LF
	ProblemLongLine  ProblemReason = "long-line"  // a line of more than 998 octets (RFC 5322, 2.1.1)
	ProblemEightBit  ProblemReason = "eight-bit"  // an octet above 127: PEC is seven-bit (RFC 6109, 4.3)
)

// Problem is one thing wrong with a message.
type Problem struct {
	// Field is the field of Message: "To", "Subject", "Attachments"; "From" is the
	// mailbox's address and "Size" the message with all in it. About the bytes of a
	// RawMessage it is the name of a header field, "Header" or "Content".
	Field  string
	Value  string // the value at fault
	Reason ProblemReason
	Err    error // the cause beneath, where there is one
}

// ComposeError reports a message that was refused before anything was recorded
// or sent. It tells every problem at once.
type ComposeError struct {
	Problems []Problem
}

// Error implements error.
func (e *ComposeError) Error() string {
	var b strings.Builder
	b.WriteString("pec: the message cannot be sent")
	for i, p := range e.Problems {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		fmt.Fprintf(&b, "%s %.100q: %s", p.Field, p.Value, p.Reason)
		if p.Err != nil {
			fmt.Fprintf(&b, " (%v)", p.Err)
		}
	}
	return b.String()
}

// Unwrap gives the causes beneath.
func (e *ComposeError) Unwrap() []error {
	var errs []error
	for _, p := range e.Problems {
		if p.Err != nil {
			errs = append(errs, p.Err)
		}
	}
	return errs
}
