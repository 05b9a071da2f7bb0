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
	ProblemDuplicate    ProblemReason = "duplicate"      // a recipient twice, a field twice that may occur once, or a Message-ID that is known already
	ProblemControl      ProblemReason = "control"        // a line break or another control character: header injection
	ProblemBadType      ProblemReason = "bad-type"       // not a MIME type that an attachment can have
	ProblemBadReceipt   ProblemReason = "bad-receipt"    // not a kind of delivery receipt
	ProblemBadName      ProblemReason = "bad-name"       // not the name of a file: a path, "." or ".."
	ProblemBadText      ProblemReason = "bad-text"       // not UTF-8
	ProblemBadMessageID ProblemReason = "bad-message-id" // not one Message-ID (RFC 5322, 3.6.4)
	ProblemBadKey       ProblemReason = "bad-key"        // not printable ASCII
	ProblemForbidden    ProblemReason = "forbidden"      // a header field that a PEC may not have, or that the caller may not set
	ProblemMalformed    ProblemReason = "malformed"      // violates RFC 5322 or 2045, or two programs may read it in two ways
	ProblemTooLong      ProblemReason = "too-long"       // more bytes than such a value may have
	ProblemTooLarge     ProblemReason = "too-large"      // size times recipients is above Limits.SizeTimesRecipients; Err is a *LimitError
	ProblemTooMany      ProblemReason = "too-many"       // more recipients than Limits.Recipients; Err is a *LimitError
	ProblemWeakEvidence ProblemReason = "weak-evidence"  // full evidence is required, and a receipt would lack the content
	ProblemUnreadable   ProblemReason = "unreadable"     // the content could not be read

	// Only in a RawMessage.
	ProblemNotSender ProblemReason = "not-sender" // From is not the one address of the mailbox
	ProblemLineEnds  ProblemReason = "line-ends"  // a bare CR, or both CRLF and LF
	ProblemLongLine  ProblemReason = "long-line"  // a line of more than 998 bytes (RFC 5322, 2.1.1)
	ProblemEightBit  ProblemReason = "eight-bit"  // a byte above 127: PEC is seven-bit (RFC 6109, 4.3)
)

// problemRules say, for each reason, the rule that the value breaks.
var problemRules = map[ProblemReason]string{
	ProblemMissing:      "it is required, as is Text where there is HTML",
	ProblemBadAddress:   "an address is name@domain in ASCII, at most 254 bytes",
	ProblemDuplicate:    "it may occur once: a recipient in To and Cc together, a header field in a header, a Message-ID in all messages",
	ProblemControl:      "line breaks and other control characters are not allowed",
	ProblemBadType:      "a type is a MIME type such as application/pdf, at most 60 bytes, not multipart and not message",
	ProblemBadReceipt:   "a receipt is full, brief or concise, in a raw message completa, breve or sintetica",
	ProblemBadName:      `a file name contains no / and no \, and is not . or ..`,
	ProblemBadText:      "text has to be valid UTF-8",
	ProblemBadMessageID: "a Message-ID is name@domain in ASCII, at most 250 bytes, in a raw message between angle brackets",
	ProblemBadKey:       "a key is printable ASCII, from space to ~, at most 200 bytes",
	ProblemForbidden:    "leave this header field out: a PEC may not have it, or the caller may not set it",
	ProblemMalformed:    "it violates RFC 5322 or 2045, or programs may read it in different ways",
	ProblemTooLong:      "a key has at most 200 bytes, the name of a header field 60, a file name 255, the header of a raw message 1 MiB",
	ProblemTooLarge:     "the size in bytes times the number of recipients is above Limits.SizeTimesRecipients: send less, or to fewer at a time",
	ProblemTooMany:      "To and Cc together are more than Limits.Recipients: send to fewer at a time",
	ProblemWeakEvidence: "RequireFullEvidence needs the full receipt and no Cc (RFC 6109, 3.3.2)",
	ProblemUnreadable:   "reading the content failed: repeat the call with a fresh reader",
	ProblemNotSender:    "From has to be the address of the mailbox and no other",
	ProblemLineEnds:     "end all lines with CRLF or all with LF, without a bare CR",
	ProblemLongLine:     "a line has at most 998 bytes: use quoted-printable or base64",
	ProblemEightBit:     "a message has only bytes up to 127: use quoted-printable or base64, and encoded words in the header",
}

// Problem is one thing wrong with a message.
type Problem struct {
	// Field is the field of Message: "To", "Subject", "Attachments"; "From" is the
	// mailbox's address, and "Size" is the message as a whole. In a RawMessage Field is
	// the name of a header field, "Header" or "Content".
	Field  string
	Value  string // the value at fault
	Reason ProblemReason
	Err    error // the cause; nil when the reason says all
}

// String returns field, value and reason with the rule that the value breaks.
func (p Problem) String() string { return p.text(problemRules[p.Reason]) }

func (p Problem) text(rule string) string {
	text := fmt.Sprintf("%s %.100q: %s", p.Field, p.Value, p.Reason)
	if rule != "" {
		text += ": " + rule
	}
	if p.Err != nil {
		text += fmt.Sprintf(" (%v)", p.Err)
	}
	return text
}

// ComposeError reports a message that was refused before anything was recorded or
// sent. It lists every problem at once.
type ComposeError struct {
	Problems []Problem
}

// Error implements error. It says each rule once.
func (e *ComposeError) Error() string {
	var b strings.Builder
	b.WriteString("pec: the message cannot be sent")
	said := map[ProblemReason]bool{}
	for i, p := range e.Problems {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		if said[p.Reason] {
			b.WriteString(p.text(""))
		} else {
			b.WriteString(p.String())
		}
		said[p.Reason] = true
	}
	return b.String()
}

// Unwrap returns the causes.
func (e *ComposeError) Unwrap() []error {
	var errs []error
	for _, p := range e.Problems {
		if p.Err != nil {
			errs = append(errs, p.Err)
		}
	}
	return errs
}
