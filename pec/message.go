package pec

import (
	"github.com/gopec/gopec/receipt"
)

// Message is a PEC to be written. There is no Bcc: providers refuse it (RFC 6109,
// 3.1.1).
type Message struct {
	// To and Cc are addresses, with or without a display name: "a@pec.example" or
	// "Anna <a@pec.example>". At least one To is required, and no address may appear
	// twice. Delivery receipts of Cc recipients never carry the content.
	To, Cc []string
	// ReplyTo is an address as in To; with "" replies go to the sender.
	ReplyTo string
	// Subject may be in any script, on one line.
	Subject string
	// Text is the body, in any script, with any line ends.
	Text string
	// HTML is the same body for programs that show HTML; "" for none. It needs Text: a
	// body in HTML alone proves less about what the recipient saw.
	HTML string
	// Attachments are attached in order.
	Attachments []Attachment
	// Receipt is the kind of delivery receipt asked for (X-TipoRicevuta); "" means full.
	Receipt receipt.Detail
	// InReplyTo is the Message-ID, or the provider's identifier (CertID), of the PEC that
	// this one answers, with or without angle brackets; "" for none. The correspondent's
	// program knows a PEC by its identifier.
	InReplyTo string
	// ExtraHeader holds further fields of the header, in order.
	ExtraHeader []HeaderField
	// Key names the request: a repeated call with the same key returns the first send
	// and makes no second PEC. At most 200 bytes of printable ASCII; "" for none.
	Key string
	// RequireFullEvidence refuses a message if some delivery receipt would not carry all
	// the content: a message with Cc recipients, or with a Receipt that is not full.
	RequireFullEvidence bool
}

// HeaderField is a field of a message's header (RFC 5322, 2.2).
type HeaderField struct {
	// Name is printable ASCII without space or colon, at most 60 bytes. Refused are fields
	// that the message already has, that providers write, and that ask for receipts of
	// ordinary mail.
	Name string
	// Value may be in any script, on one line.
	Value string
}
