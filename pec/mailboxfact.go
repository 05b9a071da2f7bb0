package pec

import (
	"fmt"
	"time"
)

// Suspension stops all logins to the mailbox: the provider refused one. It is a
// fact about the mailbox, as are Resumption, SetAside, Recovered and ReadTo.
type Suspension struct {
	N      int    // counts from 1
	Server string // who refused
	Reply  string // in the server's own words
	At     time.Time
}

// Resumption lifts the suspension with the same N.
type Resumption struct {
	N  int
	At time.Time
}

// SetAside is a message of the mailbox that could not be read, or was signed in the
// future. Watch and Reverify try again.
type SetAside struct {
	Cursor Cursor
	Reason string // for people
	// Until is the signing time of a message of the future; zero for any other.
	Until time.Time `json:",omitzero"`
	At    time.Time
}

// Recovered tells that a message set aside was read after all.
type Recovered struct {
	Cursor Cursor
	At     time.Time
}

// ReadTo tells that at time At nothing was left unread in any receipt folder. It is
// never stored: the Client makes it of its cursors.
type ReadTo struct {
	At time.Time
}

// Restoration says that the Store was restored from a backup, so that what happened
// since the backup is missing from it. It is a fact about the mailbox.
type Restoration struct {
	N       int       // counts from 1
	Stopped time.Time // when the last program that used the lost Store had ended
	At      time.Time
}

// FolderRead says that a folder was read to its end after Restoration N, late enough to
// find the acceptance of whatever left before. It is a fact about the mailbox.
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

func (c Cursor) place() string {
	return fmt.Sprintf("%s/%d/%d", hashName(c.Folder), c.UIDValidity, c.UID)
}
