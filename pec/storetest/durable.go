package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gopec/gopec/pec"
)

// durable reopens a storage several times and finds everything in it.
func durable(t *testing.T, reopen func() pec.Store) {
	raw := pattern(600_000)
	cursor := pec.Cursor{Folder: "INBOX", UIDValidity: 7, UID: 9, ReadAt: at.Add(time.Nanosecond)}
	s := reopen()
	mustAppend(t, s, box, entry("1", "a@x"), withRaw(entry("2", "b@x"), raw), withRaw(entry("empty", ""), nil))
	mustAppend(t, s, other, entry("elsewhere", "a@x"))
	noError(t, s.SetCursor(t.Context(), box, cursor))
	noError(t, s.Summarize(t.Context(), box, "a@x", pec.Summary{Entries: 1, Open: true}))
	before := follow(t, s, box, "", 3)

	for restart := range 3 {
		s = reopen()
		for _, want := range before {
			got := mustEntry(t, s, box, want.Key)
			sameEntry(t, want, got)
			if got.Position != want.Position {
				t.Errorf("after a restart %q has the Position %q; want %q", want.Key, got.Position, want.Position)
			}
		}
		if got := mustRaw(t, s, box, "2"); !bytes.Equal(got, raw) {
			t.Errorf("after a restart the Raw has %d bytes that differ from the %d appended", len(got), len(raw))
		}
		if got := mustRaw(t, s, box, "empty"); len(got) != 0 {
			t.Errorf("after a restart the empty Raw has %d bytes; want 0", len(got))
		}
		if added, err := s.Append(t.Context(), box, entry("1", "c@x")); added || err != nil {
			t.Errorf("after a restart, Append under a taken Key: %t, %v; want false and no error", added, err)
		}
		got := mustCursor(t, s, box, "INBOX")
		if got.UID != cursor.UID || got.UIDValidity != cursor.UIDValidity || !got.ReadAt.Equal(cursor.ReadAt) {
			t.Errorf("after a restart the cursor is %+v; want %+v", got, cursor)
		}
		if listed := sends(t, s, box, pec.Query{Filter: pec.FilterOpen}); !slices.Contains(listed, "a@x") || !slices.Contains(listed, "b@x") {
			t.Errorf("after a restart FilterOpen lists %q; want the open a@x and b@x, which has no Summary", listed)
		}
		// New entries come after the old ones.
		key := fmt.Sprintf("restart %d", restart)
		mustAppend(t, s, box, entry(key, "a@x"))
		sameKeys(t, follow(t, s, box, before[2].Position, restart+1)[restart:], key)
		sameKeys(t, mustEntries(t, s, other, "a@x"), "elsewhere")
	}
}
