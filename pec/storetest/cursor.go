package storetest

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/gopec/gopec/pec"
)

var cursorChecks = []check{
	{"CursorNeverSet", cursorNeverSet},
	{"CursorRoundTrip", cursorRoundTrip},
	{"CursorHostileFolders", cursorHostile},
}

func cursorNeverSet(t *testing.T, s pec.Store) {
	got, err := s.Cursors(t.Context(), box)
	noError(t, err)
	if len(got) != 0 {
		t.Errorf("the cursors are %+v, although none was set", got)
	}
}

// mustCursor returns the one cursor of a folder.
func mustCursor(t *testing.T, s pec.Store, mailbox, folder string) pec.Cursor {
	t.Helper()
	cursors, err := s.Cursors(t.Context(), mailbox)
	noError(t, err)
	cursors = slices.DeleteFunc(cursors, func(c pec.Cursor) bool { return c.Folder != folder })
	if len(cursors) != 1 {
		t.Fatalf("%.60q has the cursors %+v; want one", folder, cursors)
	}
	return cursors[0]
}

// sameCursor sets a cursor and compares it with the one that the Store returns.
func sameCursor(t *testing.T, s pec.Store, want pec.Cursor) {
	t.Helper()
	noError(t, s.SetCursor(t.Context(), box, want))
	got := mustCursor(t, s, box, want.Folder)
	if !got.ReadAt.Equal(want.ReadAt) || got.Folder != want.Folder || got.UID != want.UID || got.UIDValidity != want.UIDValidity {
		t.Errorf("the cursor is %+v; want %+v", got, want)
	}
}

// A Store keeps any cursor, also one that goes back, as after a change of UIDVALIDITY.
func cursorRoundTrip(t *testing.T, s pec.Store) {
	read := time.Date(2026, 10, 25, 2, 30, 0, 123_456_789, time.FixedZone("CEST", 2*3600))
	for _, c := range []pec.Cursor{
		{Folder: "INBOX", UIDValidity: 1, UID: 1, ReadAt: read},
		{Folder: "INBOX", UIDValidity: math.MaxUint32, UID: math.MaxUint32, ReadAt: read.Add(1)},
		{Folder: "INBOX", UIDValidity: math.MaxInt32 + 1, UID: 0},
		{Folder: "INBOX"},
		{Folder: "INBOX", UIDValidity: 2, UID: 5, ReadAt: read.Add(-time.Hour)},
	} {
		sameCursor(t, s, c)
	}
}

func cursorHostile(t *testing.T, s pec.Store) {
	folders := append(hostile(), "", "Ricevute àèìòù €", "INBOX.受信", "inbox", "INBOX", "Posta\tin\narrivo")
	for i, folder := range folders {
		sameCursor(t, s, pec.Cursor{Folder: folder, UID: uint32(i + 1)})
	}
	for i, folder := range folders {
		if c := mustCursor(t, s, box, folder); c.UID != uint32(i+1) {
			t.Errorf("the cursor of %.60q is %d; want %d", folder, c.UID, i+1)
		}
	}
}
