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
	// Body is the exact message, with CRLF line ends. It is read at most once, and only
	// when the provider has asked for the message (RFC 5321, 4.1.1.4: the reply 354): the
	// first Read claims the attempt in the Store, and from then on a crash leaves the send
	// uncertain. A Read that fails ends the attempt without the final dot; another worker
	// may have the claim.
	Body io.Reader
}

// Submitter hands messages to the provider's access point (punto di accesso).
// Package smtpclient has the implementation over SMTPS.
type Submitter interface {
	// Submit offers s once and tells what became of it. It never retries. A
	// cancelled ctx ends the attempt: before the final dot the outcome is
	// temporary, after it uncertain.
	Submit(ctx context.Context, s Submission) Outcome
}

// Cursor is a place in a folder: all messages up to UID have been read.
type Cursor struct {
	Folder      string // as the server names it
	UIDValidity uint32 // RFC 9051, 2.3.1.1; when the server's differs, UID means nothing and reading starts over
	UID         uint32 // of a message; zero is before the first
	// ReadAt is when all of the folder up to UID was last known to be all there was;
	// zero when it never was. It tells how far a missing notice is missing.
	ReadAt time.Time
}

// Item is one message of a folder.
type Item struct {
	Cursor  Cursor    // the place of this message
	Arrived time.Time // the server's INTERNALDATE: uncertified
	Size    int64     // in bytes
	Body    io.Reader // the message, valid until the next step of the iteration; nil when its header says that it is not PEC
}

// Mailbox reads the folders of a PEC mailbox and never changes them: it is its
// owner's legal archive. Package imapclient has the implementation over IMAPS.
type Mailbox interface {
	// Folders lists the folders to read. Wait watches the first.
	Folders() []string
	// Fetch yields the messages of the cursor's folder that come after it, by
	// ascending UID. At most one error is yielded, as the last pair: a *MessageError
	// when one message cannot be had while others can. Leaving the loop early is
	// allowed.
	Fetch(ctx context.Context, after Cursor) iter.Seq2[Item, error]
	// Search yields the messages of a folder, of any age, whose field
	// X-Riferimento-Message-ID holds one of messageIDs, which are given without angle
	// brackets, with their bodies: as Fetch does, and possibly more. It is how lost notices
	// are looked for. How many IDs fit into one request is for the Mailbox to know.
	Search(ctx context.Context, folder string, messageIDs []string) iter.Seq2[Item, error]
	// Wait returns nil once the first folder may hold something new, or ctx's
	// error. It may return early.
	Wait(ctx context.Context) error
}

// MessageError reports one message that a Mailbox could not read. A Fetch after
// its Cursor goes on behind it.
type MessageError struct {
	Cursor Cursor // the place of the message
	Err    error  // the cause
}

// Error implements error.
func (e *MessageError) Error() string {
	return fmt.Sprintf("pec: message %d in %q cannot be read: %v", e.Cursor.UID, e.Cursor.Folder, e.Err)
}

// Unwrap gives the cause.
func (e *MessageError) Unwrap() error { return e.Err }

// SentFolder keeps copies of what was sent, for the people who use the mailbox.
// Most providers keep none by themselves. Package imapclient has the
// implementation over IMAPS.
type SentFolder interface {
	// Save stores the message, of size bytes, unless the folder already has one with
	// this Message-ID, which is given without angle brackets.
	Save(ctx context.Context, messageID string, size int64, body io.Reader) error
}
