package pec

import (
	"fmt"
	"io"
	"strings"

	"github.com/gopec/gopec/receipt"
)

// Message is a PEC to be written. There is no Bcc: providers refuse it (RFC
// 6109, 3.1.1).
type Message struct {
	// To and Cc are addresses, with or without a display name: "a@pec.example" or
	// "Anna <a@pec.example>". At least one To is required, and none may appear twice.
	// Delivery receipts of Cc recipients never carry the content.
	To, Cc []string
	// ReplyTo is an address as in To; "" leaves replies to the sender.
	ReplyTo string
	// Subject may be in any script, on one line.
	Subject string
	// Text is the body, in any script, with any line ends.
	Text string
	// Attachments are attached in order.
	Attachments []Attachment
	Key         string
	// Receipt is the delivery receipt asked for, X-TipoRicevuta; "" means full.
	Receipt receipt.Detail
}

// Attachment is a file attached to a Message.
type Attachment struct {
	Name    string    // the file's name, in any script; required
	Type    string    // MIME type; "" means application/octet-stream
	Content io.Reader // read once, to its end
}

// ProblemReason says what is wrong with a value of a Message. The set is closed.
type ProblemReason string

// The reasons.
const (
	ProblemMissing    ProblemReason = "missing"     // a required value is absent
	ProblemBadAddress ProblemReason = "bad-address" // not one ASCII address (RFC 5322, 3.4.1)
	ProblemDuplicate  ProblemReason = "duplicate"   // the address stands in To and Cc more than once
	ProblemControl    ProblemReason = "control"     // a line break or another control character: header injection
	ProblemBadType    ProblemReason = "bad-type"    // not a MIME type an attachment can have
	ProblemBadReceipt ProblemReason = "bad-receipt" // not a kind of delivery receipt
	ProblemTooLong    ProblemReason = "too-long"    // more octets than a file name can have
	ProblemUnreadable ProblemReason = "unreadable"  // the content could not be read
)

// Problem is one thing wrong with a Message.
type Problem struct {
	Field  string // the field of Message: "To", "Subject", "Attachments"; "From" is the mailbox's address
	Value  string // the value at fault
	Reason ProblemReason
	Err    error // the cause beneath, where there is one
}

// ComposeError reports a Message that was refused before anything was recorded
// or sent. It tells every problem at once.
type ComposeError struct {
	Problems []Problem
}

func (e *ComposeError) Error() string {
	var b strings.Builder
	b.WriteString("pec: the message cannot be sent")
	for i, p := range e.Problems {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		fmt.Fprintf(&b, "%s %q: %s", p.Field, p.Value, p.Reason)
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
