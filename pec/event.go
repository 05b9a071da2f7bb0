package pec

import (
	"io"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/receipt"
)

// Event is something that happened: a message was read, or an attempt was made. Ordinary
// mail, which does not claim to be PEC, makes no event.
type Event struct {
	// Cursor is the place of the message in the mailbox; zero when no message was read.
	Cursor Cursor
	// MessageID names the send of this mailbox that the event is about; "" for none. A
	// send by another program counts too, once there is a notice about it.
	MessageID string
	// Notice is the notice that the message is proven to be; the zero value when it is
	// something else.
	Notice NoticeFact
	// Repeated reports whether the notice was recorded before. It may still be yielded for
	// the first time: the loop was left, or the process ended, after it was recorded. A
	// program that must miss no notice uses Ledger.Changes.
	Repeated bool
	// Inbound is the content of an envelope: a PEC in a transport envelope, any mail in an
	// anomaly envelope. Nil for anything else. When it answers one of our sends, or is a
	// bounce of one, by what its author wrote, MessageID names that send. It can be read
	// until the next step of the iteration.
	Inbound *inbound.Message
	// Proven is the message when it is proven, whatever its kind; nil otherwise. The next
	// step of the iteration closes it.
	Proven *envelope.Message
	// Unverified says why the message is not proven, although it claims to be PEC or is too
	// large to find out. Nil otherwise. Such a message changes no status.
	Unverified *envelope.VerifyError
	// Unreadable says why the message could not be read; nil otherwise. The message is set
	// aside, and Watch and Reverify try it again.
	Unreadable error
	// Raw is the whole message, byte for byte: the evidence to keep. It can be read until
	// the next step of the iteration; nil when there is none.
	Raw *io.SectionReader
	// Outcome is the outcome of an attempt that Retry or Watch made; its Kind is
	// OutcomeRefused for a message that they gave up. Nil for anything else.
	Outcome *Outcome
	// Trouble is an error that stops part of the work of Watch for now; Watch tries again.
	// Nil for anything else.
	Trouble error

	notice receipt.Notice // from which Notice was made; nil when there is none
}

func (e *Event) close() {
	if e.Proven != nil {
		e.Proven.Close()
	}
}
