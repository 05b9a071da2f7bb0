package storetest

import (
	"math"
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
	got, err := s.Cursor(t.Context(), box, "INBOX")
	noError(t, err)
	if got != (pec.Cursor{Folder: "INBOX"}) {
		t.Errorf("the cursor that was never set is %+v", got)
	}
}

// sameCursor sets a cursor and compares what comes back.
func sameCursor(t *testing.T, s pec.Store, want pec.Cursor) {
	t.Helper()
	noError(t, s.SetCursor(t.Context(), box, want))
	got, err := s.Cursor(t.Context(), box, want.Folder)
	noError(t, err)
	if !got.ReadAt.Equal(want.ReadAt) || got.Folder != want.Folder || got.UID != want.UID || got.UIDValidity != want.UIDValidity {
		t.Errorf("the cursor is %+v; want %+v", got, want)
	}
}

// A Store does not judge: a cursor may go back, as after a change of UIDVALIDITY.
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
		c, err := s.Cursor(t.Context(), box, folder)
		noError(t, err)
		if c.UID != uint32(i+1) {
			t.Errorf("the cursor of %.60q is %d; want %d", folder, c.UID, i+1)
		}
	}
}
