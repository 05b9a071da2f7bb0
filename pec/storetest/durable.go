package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gopec/gopec/pec"
)

// RunDurable tests that a Store finds again what it kept. storage makes an empty
// storage and gives a function that opens it; each call of that is a restart: the
// Store it gave before is not used any more, and may be closed by it.
func RunDurable(t *testing.T, storage func(t *testing.T) (reopen func() pec.Store)) {
	t.Helper()
	t.Run("Durable", func(t *testing.T) { durable(t, storage(t)) })
}

// RunShared tests that several processes can use one storage at once. storage makes
// an empty storage and gives a function that opens it; all Stores it has given are
// used together.
func RunShared(t *testing.T, storage func(t *testing.T) (open func() pec.Store)) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, ...pec.Store){
		"SharedOneWins": oneWins, "SharedOneWinsOfCrossedBatches": crossedBatches, "SharedOneWinsOfBatchAndEntry": batchAndEntry,
		"SharedChangesNeverSkip": neverSkip, "SharedNobodySeesAPart": nobodySeesAPart, "SharedSummaryRace": summaryRace,
	} {
		t.Run(name, func(t *testing.T) {
			open := storage(t)
			run(t, open(), open(), open())
		})
	}
}

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
				t.Errorf("after a restart %q is at %q; was at %q", want.Key, got.Position, want.Position)
			}
		}
		if got := mustRaw(t, s, box, "2"); !bytes.Equal(got, raw) {
			t.Errorf("after a restart the Raw is %d other bytes", len(got))
		}
		if got := mustRaw(t, s, box, "empty"); len(got) != 0 {
			t.Errorf("after a restart the empty Raw has %d bytes", len(got))
		}
		if added, err := s.Append(t.Context(), box, entry("1", "c@x")); added || err != nil {
			t.Errorf("after a restart a taken Key: %t, %v", added, err)
		}
		got := mustCursor(t, s, box, "INBOX")
		if got.UID != cursor.UID || got.UIDValidity != cursor.UIDValidity || !got.ReadAt.Equal(cursor.ReadAt) {
			t.Errorf("after a restart the cursor is %+v; want %+v", got, cursor)
		}
		if listed := sends(t, s, box, pec.Query{Filter: pec.FilterOpen}); !slices.Contains(listed, "a@x") || !slices.Contains(listed, "b@x") {
			t.Errorf("after a restart the open sends, and those without a summary, are %q", listed)
		}
		// The log goes on where it was.
		key := fmt.Sprintf("restart %d", restart)
		mustAppend(t, s, box, entry(key, "a@x"))
		sameKeys(t, follow(t, s, box, before[2].Position, restart+1)[restart:], key)
		sameKeys(t, mustEntries(t, s, other, "a@x"), "elsewhere")
	}
}
