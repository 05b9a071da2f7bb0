package sqlstore_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
)

// oldRaw is two chunks long, and compresses well.
var oldRaw = bytes.Repeat([]byte("Messaggio di posta certificata\r\n"), 9_000)

var oldCursor = pec.Cursor{Folder: "INBOX", UIDValidity: 3_000_000_000, UID: 4_000_000_000, ReadAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}

// writeOld fills a store with what TestOldFiles expects in a file of every version.
func writeOld(t *testing.T, s pec.Store) {
	mustAppend(t, s, fact("intent", "a@x"), rawFact("attempt", oldRaw))
	mustAppend(t, s, fact("mailbox", ""), rawFact("empty", nil), fact("b", "b@x"))
	require.NoError(t, s.Summarize(t.Context(), box, "a@x", pec.Summary{Entries: 3, Failed: true}))
	require.NoError(t, s.SetCursor(t.Context(), box, oldCursor))
}

// Files of all schema versions stay readable and writable. To make the file of a new
// schema:
//
//	SQLSTORE_WRITE=v1.sqlite go test -run TestOldFiles ./pec/sqlstore
func TestOldFiles(t *testing.T) {
	if name := os.Getenv("SQLSTORE_WRITE"); name != "" {
		store, db := oneConnection(t, filepath.Join("testdata", name))
		writeOld(t, store)
		execute(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
		require.NoError(t, db.Close())
	}
	files, err := filepath.Glob("testdata/v*.sqlite")
	require.NoError(t, err)
	require.Len(t, files, 1, "one file per schema version")
	for n := range files {
		name := fmt.Sprintf("v%d.sqlite", n+1)
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(path, file, 0o600))
			store := sqliteStore(t, path)

			require.Equal(t, []string{"intent", "attempt", "mailbox", "empty", "b"}, feedOf(t, store, "", 5))
			keys, _ := feed(t, store, "1.1") // a Position that a reader stored
			require.Equal(t, []string{"mailbox", "empty", "b"}, keys)
			entries, err := store.Entries(t.Context(), box, "a@x")
			require.NoError(t, err)
			require.Len(t, entries, 3)
			require.True(t, entries[0].At.Equal(fact("", "").At))
			require.Equal(t, "{}", string(entries[0].Data))
			raw, err := readRaw(t, store, "attempt")
			require.NoError(t, err)
			require.True(t, bytes.Equal(oldRaw, raw))
			raw, err = readRaw(t, store, "empty")
			require.NoError(t, err)
			require.Empty(t, raw)
			require.Equal(t, []string{"a@x", "b@x"}, listed(t, store, pec.Query{Filter: pec.FilterFailed}))
			require.Equal(t, []string{"b@x"}, listed(t, store, pec.Query{Filter: pec.FilterOpen}))
			cursors, err := store.Cursors(t.Context(), box)
			require.NoError(t, err)
			require.Equal(t, []pec.Cursor{oldCursor}, cursors)
			added, err := store.Append(t.Context(), box, fact("attempt", "a@x"))
			require.NoError(t, err)
			require.False(t, added)
			mustAppend(t, store, fact("new", "a@x"))
			require.Equal(t, []string{"new"}, feedOf(t, store, "2.2", 1))
		})
	}
}

// A Store may list more sends than the query selects. This one does so only within a
// microsecond.
func TestSendsListNoMore(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	summaries := map[string]pec.Summary{
		"open@x": {Open: true}, "uncertain@x": {Uncertain: true}, "failed@x": {Failed: true}, "unverified@x": {Unverified: true}, "old@x": {Begun: now.Add(-time.Hour)},
		"due@x": {DueAt: now}, "overdue@x": {OverdueAt: now}, "unconfirmed@x": {ConfirmBy: now}, "none@x": {},
	}
	wanted := map[pec.Filter]string{
		pec.FilterOpen: "open@x", pec.FilterUncertain: "uncertain@x", pec.FilterFailed: "failed@x", pec.FilterUnverified: "unverified@x",
		pec.FilterDue: "due@x", pec.FilterOverdue: "overdue@x", pec.FilterUnconfirmed: "unconfirmed@x",
	}
	for name, store := range map[string]pec.Store{"sqlite": inFile(t)(), "postgres": onServer(t)()} {
		t.Run(name, func(t *testing.T) {
			for name, summary := range summaries {
				mustAppend(t, store, fact(name, name))
				summary.Entries = 1
				if summary.Begun.IsZero() {
					summary.Begun = now
				}
				require.NoError(t, store.Summarize(t.Context(), box, name, summary))
			}
			for filter, name := range wanted {
				for _, since := range []time.Time{{}, now} {
					require.Equal(t, []string{name}, listed(t, store, pec.Query{Filter: filter, At: now, Since: since}))
					require.Empty(t, listed(t, store, pec.Query{Filter: filter, At: now, Since: now.Add(time.Microsecond)}))
				}
				if filter == pec.FilterDue || filter == pec.FilterOverdue || filter == pec.FilterUnconfirmed {
					require.Empty(t, listed(t, store, pec.Query{Filter: filter, At: now.Add(-time.Microsecond)}))
				}
			}
			require.Len(t, listed(t, store, pec.Query{Since: now}), len(summaries)-1)
			require.Empty(t, listed(t, store, pec.Query{Filter: "unknown"}))
		})
	}
}
