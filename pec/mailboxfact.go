package pec

import (
	"fmt"
	"time"
)

// Suspension stops all logins to the mailbox, because the provider refused one. It is a
// fact about the mailbox, as are all in this file.
type Suspension struct {
	N      int    // counts from 1
	Server string // the server that refused
	Reply  string // the server's own words
	At     time.Time
}

// Resumption lifts the suspension with the same N.
type Resumption struct {
	N  int
	At time.Time
}

// isSuspended reports whether the suspension with the highest N has not been lifted.
func isSuspended(suspensions, resumptions int) bool { return suspensions > resumptions }

// SetAside is a message of the mailbox that could not be read, or whose signing time lies
// in the future. Watch and Reverify try again.
type SetAside struct {
	Cursor Cursor
	Text   string `json:"Reason"` // why, for people
	// Until is the signing time if it lies in the future; zero for any other message.
	Until time.Time `json:",omitzero"`
	At    time.Time
}

// Recovered says that a message set aside was read after all.
type Recovered struct {
	Cursor Cursor
	At     time.Time
}

// ReadTo says that every folder had been read to its end at the time At. It is never
// stored: a Ledger computes it from the Cursors.
type ReadTo struct {
	At time.Time
}

// Restoration says that the Store was restored from a backup: what happened after the
// backup is missing from it.
type Restoration struct {
	N       int       // counts from 1
	Stopped time.Time // when the last program that used the lost Store ended
	At      time.Time
}

// FolderRead says that a folder was read to its end after Restoration N, late enough to
// find the acceptance of everything that left before.
type FolderRead struct {
	N      int
	Folder string
	At     time.Time
}

func (f Restoration) fact() Fact { return f }
func (f FolderRead) fact() Fact  { return f }
func (f Suspension) fact() Fact  { return f }
func (f Resumption) fact() Fact  { return f }
func (f SetAside) fact() Fact    { return f }
func (f Recovered) fact() Fact   { return f }
func (f ReadTo) fact() Fact      { return f }

func (f Restoration) key() string { return fmt.Sprintf("restoration/%d", f.N) }
func (f FolderRead) key() string  { return fmt.Sprintf("folderread/%d/%s", f.N, hashName(f.Folder)) }
func (f Suspension) key() string  { return fmt.Sprintf("suspension/%d", f.N) }
func (f Resumption) key() string  { return fmt.Sprintf("resumption/%d", f.N) }
func (f ReadTo) key() string      { return "" }
func (f SetAside) key() string    { return "aside/" + f.Cursor.place() }
func (f Recovered) key() string   { return "recovered/" + f.Cursor.place() }

// place names the message at the cursor.
func (c Cursor) place() string {
	return fmt.Sprintf("%s/%d/%d", hashName(c.Folder), c.UIDValidity, c.UID)
}
