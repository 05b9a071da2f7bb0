package pec

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrNotFound reports that a Store has nothing under the name asked for.
var ErrNotFound = errors.New("pec: not in the store")

// ErrPosition reports a Position that is no place in the log: of another Store, or of
// entries that a Store restored from a backup does not have.
var ErrPosition = errors.New("pec: no such position in the store")

// StoreError reports that a Store failed. Nothing is lost by it: the same call may be
// repeated.
type StoreError struct {
	Op  string // read or write
	Err error  // the Store's own
}

// Error implements error.
func (e *StoreError) Error() string { return "pec: store: " + e.Op + ": " + e.Err.Error() }

// Unwrap gives the Store's own error.
func (e *StoreError) Unwrap() error { return e.Err }

// Position is a place in the log of a mailbox: only its Store can read it. ""
// is the place before the first entry.
type Position string

// Entry is one fact as a Store keeps it. To the Store its Data is opaque.
type Entry struct {
	// Key is unique in the mailbox: of all that is ever appended under one Key only
	// the first is kept. At most 400 bytes, printable ASCII.
	Key string
	// Send names the send the fact is about: its Message-ID in lower case; "" for a
	// fact about the mailbox itself. At most 400 bytes, printable ASCII.
	Send string
	// At is when the fact was recorded, by the clock of who appended it.
	At time.Time
	// Data is the fact, in JSON.
	Data []byte
	// Raw is the message that belongs to the fact, as it was sent or received; nil
	// when there is none. It is for Append: what a Store gives back has no Raw, see
	// Store.Raw.
	Raw *io.SectionReader
	// Position is given by the Store.
	Position Position
}

// Store keeps the facts of mailboxes, so that no restart forgets what was sent. One
// Store serves many mailboxes, each named by its address in lower case; nothing of
// one is visible in another. NewMemory makes one that lasts as long as the process,
// package sqlstore those that outlive it, and storetest.Run tests any other.
//
// Entries are appended and never changed. All methods may be called from several
// goroutines at once and, unless the Store says otherwise, from several processes.
//
// Atomic: an Append keeps all its entries with their Raw or none, and nobody ever
// sees a part of it. Of Appends that compete for a Key exactly one wins.
//
// Durable: what Append or SetCursor has reported as done is still there after a
// crash of process and machine, and from then on every call but Changes shows it, in
// every process: a replica that lags behind is no Store. An error means that it is not
// known whether it was done; the same call may then be repeated.
//
// Ordered: the entries of a mailbox have Positions, and Changes never shows an
// entry behind a place that it has already shown, however Appends interleave. For
// that it may show an entry later than Entry and Entries do.
//
// Cancellable: when ctx ends a call returns soon, with an error that wraps ctx's;
// an Append has then been done or not, as after any error.
//
// The loop body of an iteration may call the Store. What is iterated over is as
// of the start of the iteration or later, and at most one error is yielded, as the
// last pair.
type Store interface {
	// Append adds entries, in their order, unless the Key of any of them is taken, by an
	// entry of the mailbox or by one given before it: then it adds none and added is
	// false. The Position of entries given is not looked at. Of a Raw all is kept,
	// wherever its reader stands; one that cannot be read to its Size is an error, and
	// nothing is kept.
	Append(ctx context.Context, mailbox string, entries ...Entry) (added bool, err error)

	// Entry gives the entry under a Key. Without one the error is ErrNotFound.
	Entry(ctx context.Context, mailbox, key string) (Entry, error)

	// Entries gives all entries of a send in the order of their Positions; with ""
	// those about the mailbox itself. None is no error.
	Entries(ctx context.Context, mailbox, send string) ([]Entry, error)

	// Raw opens the Raw of an entry, to be read from the start. Without one the error
	// is ErrNotFound. Bytes that are not those that were appended are an error of
	// Read, at the latest at the end.
	Raw(ctx context.Context, mailbox, key string) (io.ReadCloser, error)

	// Changes gives the entries behind a Position, in order, and ends when there are no
	// more. A Position that names no entry of the mailbox, such as one beyond the last, is
	// an error that wraps ErrPosition: what lies between would be skipped. That holds
	// although the log was restored from a backup and has grown past that place again: a
	// Position should tell its entry, and not only count.
	Changes(ctx context.Context, mailbox string, after Position) iter.Seq2[Entry, error]

	// Sends gives the names of sends, roughly those with the earliest first entry first:
	// every one for which Query.Selects its Summary, or which has no Summary, or more
	// entries than its Summary counts. It may give more: whoever asks checks each.
	Sends(ctx context.Context, mailbox string, q Query) iter.Seq2[string, error]

	// Summarize keeps the Summary of a send for Sends, unless one that counts at
	// least as many entries is there already. That of a send without entries may be
	// dropped.
	Summarize(ctx context.Context, mailbox, send string, s Summary) error

	// Cursors gives the Cursor of each folder as it was last set, in any order; none is
	// no error.
	Cursors(ctx context.Context, mailbox string) ([]Cursor, error)

	// SetCursor keeps a Cursor under its Folder.
	SetCursor(ctx context.Context, mailbox string, c Cursor) error
}

// Summary is what a Store needs to know of a send to find it: computed from its
// entries by whoever read them, and kept beside them.
type Summary struct {
	Entries    int       // how many entries it was computed from
	Begun      time.Time // the intent; of a send made elsewhere the first notice
	Open       bool      // for FilterOpen, as the next three for theirs
	Uncertain  bool
	Failed     bool
	Unverified bool
	DueAt      time.Time // from when on it is due; zero for never
	OverdueAt  time.Time // from when on it may be overdue; zero for never
	ConfirmBy  time.Time // from when on it is unconfirmed; zero for never
}
