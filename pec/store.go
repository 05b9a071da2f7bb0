package pec

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrNotFound reports that a Store has nothing under the key asked for.
var ErrNotFound = errors.New("pec: not in the store")

// ErrUnknownPosition reports a Position that names no entry of the mailbox in this Store. It is
// that of another Store, or of an entry that was lost when the Store was restored from a
// backup.
var ErrUnknownPosition = errors.New("pec: the store has no such position (begin again at the empty one)")

// StoreError reports that a Store failed. Nothing is lost: the same call may be repeated.
type StoreError struct {
	Op  string // "read" or "write"
	Err error  // the error of the Store
}

// Error implements error.
func (e *StoreError) Error() string { return "pec: store: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the error of the Store.
func (e *StoreError) Unwrap() error { return e.Err }

// Position is a place in the log of a mailbox. Only its Store can interpret it. "" is the
// place before the first entry.
type Position string

// Entry is one fact as a Store keeps it.
type Entry struct {
	// Key is unique in the mailbox: only the first entry that is ever appended under a Key
	// is kept. At most 400 bytes, printable ASCII.
	Key string
	// Send names the send that the fact is about, by its Message-ID in lower case; "" for a
	// fact about the mailbox itself. At most 400 bytes, printable ASCII.
	Send string
	// At is when the fact was recorded, by the clock of the process that appended it.
	At time.Time
	// Data is the fact, in JSON. It is opaque to the Store.
	Data []byte
	// Raw is the message that belongs to the fact, as it was sent or received; nil for
	// none. Only Append uses it: entries that a Store returns have no Raw (see Store.Raw).
	Raw *io.SectionReader
	// Position is set by the Store.
	Position Position
}

// Store keeps the facts of mailboxes, so that a restart does not forget what was sent. One
// Store serves many mailboxes, each named by its address in lower case. Nothing of one
// mailbox is visible in another. NewMemory returns a Store that lasts as long as the
// process, package sqlstore has Stores that outlive it, and storetest.Run tests any other.
//
// Entries are appended and never changed. All methods may be called from several
// goroutines at once and, unless the Store says otherwise, from several processes.
//
// Atomic: an Append keeps all its entries with their Raw, or none, and nobody ever sees a
// part of it. If several Appends compete for a Key, exactly one wins.
//
// Durable: what Append or SetCursor has reported as done survives a crash of the process
// and of the machine. From then on every call shows it, in every process; only Changes may
// show it later. A replica that lags cannot be a Store. After an error it is not known
// whether the call was done; the same call may then be repeated.
//
// Ordered: the entries of a mailbox have Positions. Once Changes has shown an entry, no
// entry ever appears before it, however Appends interleave. That is why Changes may show
// an entry later than Entry and Entries do.
//
// Cancellable: when ctx ends, a call returns soon, with an error that wraps the error of
// ctx. An Append may then have been done or not, as after any error.
//
// The loop body of an iteration may call the Store. An iteration shows the state of its
// start or a later one. At most one error is yielded, as the last pair.
type Store interface {
	// Append adds the entries in their order. If the Key of any of them is taken, by an
	// entry of the mailbox or by an earlier one of the same call, it adds none, and added is
	// false. It ignores their Position. It keeps each Raw whole, wherever its reader stands.
	// If a Raw cannot be read to its Size, that is an error and nothing is kept.
	Append(ctx context.Context, mailbox string, entries ...Entry) (added bool, err error)

	// Entry returns the entry under a Key. If there is none, the error is ErrNotFound.
	Entry(ctx context.Context, mailbox, key string) (Entry, error)

	// Entries returns all entries of a send in the order of their Positions; with "" those
	// about the mailbox itself. It is no error if there are none.
	Entries(ctx context.Context, mailbox, send string) ([]Entry, error)

	// Raw opens the Raw of the entry under a Key, from the start. If there is none, the error
	// is ErrNotFound. If the bytes are not those that were appended, a Read fails, at the
	// end at the latest.
	Raw(ctx context.Context, mailbox, key string) (io.ReadCloser, error)

	// Changes yields the entries after a Position, in order, and ends when there are no
	// more. A Position that names no entry of the mailbox, such as one beyond the last, is
	// an error that wraps ErrUnknownPosition, because entries could be skipped otherwise. That
	// holds even when the log was restored from a backup and has grown past that place again.
	// Therefore a Position should identify its entry, and not only count.
	Changes(ctx context.Context, mailbox string, after Position) iter.Seq2[Entry, error]

	// Sends yields the names of sends, roughly in the order of their first entries. It
	// yields every send whose Summary q.Selects, every one without a Summary, and every one
	// that has more entries than its Summary counts. It may yield others: the caller checks
	// each.
	Sends(ctx context.Context, mailbox string, q Query) iter.Seq2[string, error]

	// Summarize keeps the Summary of a send for Sends, unless the Store already has one that
	// counts at least as many entries. The Summary of a send without entries may be dropped.
	Summarize(ctx context.Context, mailbox, send string, s Summary) error

	// Cursors returns the Cursor of each folder as it was last set, in any order. It is no
	// error if there are none.
	Cursors(ctx context.Context, mailbox string) ([]Cursor, error)

	// SetCursor keeps a Cursor under its Folder.
	SetCursor(ctx context.Context, mailbox string, c Cursor) error
}

// Summary is what a Store needs to know of a send to find it. Whoever has read the entries
// of the send computes it, and the Store keeps it beside them.
type Summary struct {
	Entries    int       // how many entries it was computed from
	Begun      time.Time // as in Status
	Open       bool      // FilterOpen selects it; the next three are for their filters
	Uncertain  bool
	Failed     bool
	Unverified bool
	DueAt      time.Time // when it becomes due; zero for never
	OverdueAt  time.Time // when it becomes overdue, or stale; zero for never
	ConfirmBy  time.Time // when it becomes unconfirmed; zero for never
}
