package pec

import (
	"io"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/pec/inbound"
	"github.com/gopec/gopec/receipt"
)

// Event is something that happened: a message that was read, or an attempt that was
// made. Ordinary mail, which claims to be nothing of PEC, makes no event.
type Event struct {
	// Cursor is the place of the message in the mailbox; zero when none was read.
	Cursor Cursor
	// MessageID names the send the event is about; "" when it is about none of this
	// mailbox. A send made by another program counts, once a notice has told of it.
	MessageID string
	// Notice is the notice the message was proven to be; the zero value for anything
	// else.
	Notice NoticeFact
	// Repeated tells that the notice was recorded before. It need not have been yielded
	// before: the loop may have been left, or the process have ended, in between.
	// Ledger.Changes is for those who must miss none.
	Repeated bool
	// Inbound is what an envelope brought: a PEC of somebody's, or in an anomaly any
	// mail. An answer to one of our sends, or a bounce of one, has its MessageID: by what
	// its author wrote. Nil for anything else. It can be read until the next step of the
	// iteration.
	Inbound *inbound.Message
	// Message is the proven message, whatever its kind; nil when it is not proven. It is
	// closed with the next step of the iteration.
	Proven *envelope.Message
	// Unverified tells why the message, which claims to be PEC or is too large to
	// tell, is not proven; nil when it is. It moves no status.
	Unverified *envelope.VerifyError
	// Unreadable tells why the message could not be read. It was set aside, and
	// Watch and Reverify will try again.
	Unreadable error
	// Raw is the whole message, byte for byte: the evidence to keep. It is readable
	// until the next step of the iteration; nil when there is none.
	Raw *io.SectionReader
	// Outcome is what an attempt led to that Retry or Watch made, and OutcomeRefused for
	// a message that they gave up; nil for anything else.
	Outcome *Outcome
	// Trouble tells what keeps Watch from its work for now; it goes on trying.
	Trouble error

	notice receipt.Notice // what Notice was made of; nil when it is none
}

func (e *Event) close() {
	if e.Proven != nil {
		e.Proven.Close()
	}
}
