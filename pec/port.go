package pec

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"
)

// Submission is one message on its way to the provider.
type Submission struct {
	From string   // MAIL FROM: the address of the mailbox, equal to the From header (RFC 6109, 3.1.1)
	To   []string // RCPT TO: every address of To and Cc, once
	Size int64    // the number of bytes in Body
	// Body is the exact message, with CRLF line ends. Read it at most once, and only after
	// the provider has asked for the message (the reply 354: RFC 5321, 4.1.1.4). The first
	// Read claims the attempt in the Store; from then on a crash leaves the send uncertain.
	// When a Read fails, end the attempt without the final dot: another worker may have the
	// claim.
	Body io.Reader
}

// Submitter hands messages to the provider's access point (punto di accesso). Package
// smtpclient implements it over SMTPS.
type Submitter interface {
	// Submit offers s once and returns what became of it. It never retries. A cancelled
	// ctx ends the attempt: the outcome is temporary before the final dot, and uncertain
	// after it.
	Submit(ctx context.Context, s Submission) Outcome
}

// Cursor is a place in a folder: all messages up to and including UID have been read.
type Cursor struct {
	Folder      string // as the server names it
	UIDValidity uint32 // RFC 9051, 2.3.1.1; when the server's differs, UID means nothing and reading starts over
	UID         uint32 // of the last message read; zero is the place before the first
	// ReadAt is the last time the folder was known to hold nothing after UID; zero if it
	// never was. A notice absent before this time did not arrive.
	ReadAt time.Time
}

// Item is one message of a folder.
type Item struct {
	Cursor  Cursor    // the place of this message
	Arrived time.Time // the server's INTERNALDATE: uncertified
	Size    int64     // in bytes
	Body    io.Reader // the message, valid until the next step of the iteration; nil if its header says that it is not PEC
}

// Mailbox reads the folders of a PEC mailbox and never changes them, since they are
// their owner's legal archive. Package imapclient implements it over IMAPS.
type Mailbox interface {
	// Folders returns the folders to read. Wait watches the first.
	Folders() []string
	// Fetch yields the messages of the cursor's folder that come after it, by ascending
	// UID. At most one error is yielded, as the last pair. It is a *MessageError when one
	// message cannot be read and others can. Leaving the loop early is allowed.
	Fetch(ctx context.Context, after Cursor) iter.Seq2[Item, error]
	// Search yields the messages of a folder, of any age, whose field
	// X-Riferimento-Message-ID contains one of messageIDs. It may yield others too. Lost
	// notices are found this way. The IDs have no angle brackets, and may be more than fit
	// into one request to the server. Each message comes with its Body; errors are as in
	// Fetch.
	Search(ctx context.Context, folder string, messageIDs []string) iter.Seq2[Item, error]
	// Wait returns nil once the first folder may hold something new, or the error of ctx.
	// It may return early.
	Wait(ctx context.Context) error
}

// MessageError reports one message that a Mailbox could not read. A Fetch after its
// Cursor goes on with the next message.
type MessageError struct {
	Cursor Cursor // the place of the message
	Err    error  // the cause
}

// Error implements error.
func (e *MessageError) Error() string {
	return fmt.Sprintf("pec: the message with UID %d in folder %q cannot be read: %v", e.Cursor.UID, e.Cursor.Folder, e.Err)
}

// Unwrap returns the cause.
func (e *MessageError) Unwrap() error { return e.Err }

// SentFolder keeps copies of what was sent, for the people who use the mailbox. Most
// providers keep none by themselves. Package imapclient implements it over IMAPS.
type SentFolder interface {
	// Save stores the message, of size bytes, unless the folder already has one with this
	// Message-ID. messageID has no angle brackets.
	Save(ctx context.Context, messageID string, size int64, body io.Reader) error
}
