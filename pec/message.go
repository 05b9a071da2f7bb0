package pec

import (
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
	// HTML is the body once more, for programs that show it; "" for none. It needs
	// Text beside it: a body that is only HTML proves less of what was seen.
	HTML string
	// Attachments are attached in order.
	Attachments []Attachment
	// Receipt is the delivery receipt asked for, X-TipoRicevuta; "" means full.
	Receipt receipt.Detail
	// InReplyTo is the Message-ID, or the provider's identifier (CertID), of the PEC
	// that this one answers, with or without angle brackets; "" for none. A
	// correspondent's program knows a PEC by its identifier.
	InReplyTo string
	// ExtraHeader are further fields of the header, in order.
	ExtraHeader []HeaderField
	// Key names the request: with a key, a repeated call gives the first send in the
	// place of a second PEC. At most 200 bytes of printable ASCII; "" for none.
	Key string
	// RequireFullEvidence refuses a message of which some delivery receipt would not
	// carry all the content: one with Cc recipients, or with a lesser Receipt.
	RequireFullEvidence bool
}

// HeaderField is a field of a message's header (RFC 5322, 2.2).
type HeaderField struct {
	// Name is printable ASCII without a colon, at most 60 bytes. Fields that the
	// message has already, that providers write, and that ask for other receipts
	// are refused.
	Name string
	// Value may be in any script, on one line.
	Value string
}
