package sqlstore_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

func TestSQLiteFull(t *testing.T) {
	store, db := oneConnection(t, filepath.Join(t.TempDir(), "pec.db"))
	mustAppend(t, store, fact("before", "a@x"))
	execute(t, db, "PRAGMA max_page_count = 100") // a disk of 400 KiB
	_, err := store.Append(t.Context(), box, fact("small", "a@x"), rawFact("big", make([]byte, 2<<20)))
	requireReason(t, err, sqlstore.ReasonFull)
	requireOnly(t, store, db, "before")
	execute(t, db, "PRAGMA max_page_count = 1000000")
	mustAppend(t, store, fact("small", "a@x"), rawFact("big", make([]byte, 2<<20)))
	requireOnly(t, store, db, "before", "small", "big")
}

func TestSQLiteLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pec.db")
	store, db := oneConnection(t, path)
	mustAppend(t, store, fact("before", "a@x"))
	stranger, err := openFile(t, path, pragmas+"&_txlock=immediate").BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer stranger.Rollback()

	execute(t, db, "PRAGMA busy_timeout = 20")
	_, err = store.Append(t.Context(), box, fact("locked", "a@x"))
	requireReason(t, err, sqlstore.ReasonBusy)
	var busy *sqlstore.BusyError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, 20*time.Second, busy.Limit, "the busy_timeout when the Store was opened")
	require.Error(t, busy.Err)
	requireReason(t, store.SetCursor(t.Context(), box, pec.Cursor{}), sqlstore.ReasonBusy)
	_, err = store.Entry(t.Context(), box, "before")
	require.NoError(t, err, "a reader does not wait for a writer")

	// A cancelled call does not wait for the lock. The driver can miss a cancellation in the
	// instant in which a statement starts: then the call is cancelled all the same, after the
	// busy_timeout.
	execute(t, db, "PRAGMA busy_timeout = 30000")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := store.Append(ctx, box, fact("locked", "a@x"))
		ended <- err
	}()
	cancel()
	err = <-ended
	requireReason(t, err, sqlstore.ReasonCanceled)
	require.ErrorIs(t, err, context.Canceled)

	require.NoError(t, stranger.Rollback())
	mustAppend(t, store, fact("locked", "a@x"))
	requireOnly(t, store, db, "before", "locked")
}

// A transaction that reads before it writes fails at once when another has written in
// between, however long the busy_timeout. An Append writes first.
func TestSQLiteWritersTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pec.db")
	one, two := sqliteStore(t, path), sqliteStore(t, path)
	release, ended := openAppend(t, one, "first")
	second := make(chan error, 1)
	go func() {
		_, err := two.Append(t.Context(), box, fact("second", "a@x"))
		second <- err
	}()
	release()
	require.NoError(t, <-ended)
	require.NoError(t, <-second)
	require.Equal(t, []string{"first", "second"}, feedOf(t, one, "", 2))
}

func TestSQLiteReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pec.db")
	mustAppend(t, sqliteStore(t, path), rawFact("before", []byte("raw")))
	store, err := sqlstore.OpenSQLite(t.Context(), openFile(t, path, pragmas+"&mode=ro"))
	require.NoError(t, err)
	_, err = store.Append(t.Context(), box, fact("after", "a@x"))
	requireReason(t, err, sqlstore.ReasonReadOnly)
	require.Equal(t, []string{"before"}, feedOf(t, store, "", 1))
}

func TestSQLiteNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pec.db")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600))
	_, err := sqlstore.OpenSQLite(t.Context(), openFile(t, path, pragmas))
	requireReason(t, err, sqlstore.ReasonCorrupt)
	_, err = sqlstore.OpenSQLite(t.Context(), openFile(t, filepath.Join(t.TempDir(), "no", "folder"), pragmas))
	requireReason(t, err, sqlstore.ReasonUnavailable)
	_, err = sqlstore.OpenSQLite(t.Context(), nil)
	requireReason(t, err, sqlstore.ReasonSettings)
}

// However the file is damaged, Raw never returns other bytes than those appended without
// an error.
func TestSQLiteCorruptFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pec.db")
	raw := make([]byte, 1<<20)
	_, err := rand.Read(raw)
	require.NoError(t, err)
	store, db := oneConnection(t, path)
	mustAppend(t, store, rawFact("k", raw))
	execute(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	require.NoError(t, db.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	failed := 0
	for place := 100_000; place < len(whole)-4096; place += 100_000 {
		damaged := bytes.Clone(whole)
		copy(damaged[place:], make([]byte, 64))
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		db := openFile(t, path, pragmas)
		store, err := sqlstore.OpenSQLite(t.Context(), db)
		if err == nil {
			var got []byte
			if got, err = readRaw(t, store, "k"); err == nil {
				require.Equal(t, raw, got)
			}
		}
		if err != nil {
			requireReason(t, err, sqlstore.ReasonCorrupt)
			failed++
		}
		require.NoError(t, db.Close())
	}
	require.NotZero(t, failed)
}

// A Raw whose chunks were changed fails before its end.
func TestCorruptChunks(t *testing.T) {
	raw := make([]byte, 700_000) // three chunks
	_, err := rand.Read(raw)
	require.NoError(t, err)
	for name, damage := range map[string]string{
		"first changed": "UPDATE pec_chunks SET data = zeroblob(262144) WHERE n = 0 AND entry = 1",
		"last changed":  "UPDATE pec_chunks SET data = zeroblob(length(data)) WHERE n = 2 AND entry = 1",
		"longer":        "UPDATE pec_chunks SET data = CAST(data || 'x' AS BLOB) WHERE n = 2 AND entry = 1",
		"shorter":       "UPDATE pec_chunks SET data = substr(data, 2) WHERE n = 1 AND entry = 1",
		"first lost":    "DELETE FROM pec_chunks WHERE n = 0 AND entry = 1",
		"last lost":     "DELETE FROM pec_chunks WHERE n = 2 AND entry = 1",
		"of another":    "UPDATE pec_chunks SET data = (SELECT data FROM pec_chunks WHERE entry = 2 AND n = 1) WHERE n = 1 AND entry = 1",
		"out of order":  "UPDATE pec_chunks SET n = 2 - n + 10 WHERE entry = 1; UPDATE pec_chunks SET n = n - 10 WHERE entry = 1",
		"other digest":  "UPDATE pec_raws SET sha256 = zeroblob(32) WHERE entry = 1",
		"size too low":  "UPDATE pec_raws SET size = 524288 WHERE entry = 1",
		"size too high": "UPDATE pec_raws SET size = size + 1 WHERE entry = 1",
		"size zero":     "UPDATE pec_raws SET size = 0 WHERE entry = 1",
	} {
		t.Run(name, func(t *testing.T) {
			store, db := oneConnection(t, filepath.Join(t.TempDir(), "pec.db"))
			mustAppend(t, store, rawFact("k", raw))
			mustAppend(t, store, rawFact("other", bytes.Repeat([]byte("x"), 700_000)))
			execute(t, db, damage)
			got, err := readRaw(t, store, "k")
			requireReason(t, err, sqlstore.ReasonCorrupt)
			require.Less(t, len(got), len(raw), "a changed Raw was read to its end")
			_, err = readRaw(t, store, "other")
			require.NoError(t, err)
		})
	}
}

// A process is killed while it appends. All Appends that had returned are kept, and no
// Append is kept in part.
func TestSQLiteKilledProcess(t *testing.T) {
	if path := os.Getenv("SQLSTORE_APPEND_TO"); path != "" {
		store := sqliteStore(t, path)
		for i := 0; ; i++ {
			key := fmt.Sprint(i)
			mustAppend(t, store, rawFact(key+".raw", bytes.Repeat([]byte(key), 100_000)), fact(key, "a@x"))
			fmt.Println("done", key)
		}
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for range 3 {
		path := filepath.Join(t.TempDir(), "pec.db")
		cmd := exec.Command(self, "-test.run=^TestSQLiteKilledProcess$")
		cmd.Env = append(os.Environ(), "SQLSTORE_APPEND_TO="+path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var done []string
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if key, ok := strings.CutPrefix(lines.Text(), "done "); ok {
				done = append(done, key)
			}
			if len(done) == 10 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait()
		require.GreaterOrEqual(t, len(done), 10)

		store := sqliteStore(t, path)
		entries, err := store.Entries(t.Context(), box, "a@x")
		require.NoError(t, err)
		require.Zero(t, len(entries)%2, "an Append was kept in part")
		require.GreaterOrEqual(t, len(entries), 2*len(done))
		for i := range len(entries) / 2 {
			raw, err := readRaw(t, store, fmt.Sprintf("%d.raw", i))
			require.NoError(t, err)
			require.Equal(t, bytes.Repeat([]byte(fmt.Sprint(i)), 100_000), raw)
		}
	}
}

func TestSQLiteNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pec.db")
	_, db := oneConnection(t, path)
	execute(t, db, "UPDATE pec_schema SET version = 1000")
	_, err := sqlstore.OpenSQLite(t.Context(), openFile(t, path, pragmas))
	requireReason(t, err, sqlstore.ReasonSchemaNewer)
}

// Programs that start together create the tables once.
func TestOpenTogether(t *testing.T) {
	file, dsn := filepath.Join(t.TempDir(), "pec.db"), server.Database(t)
	for name, open := range map[string]func() (*sqlstore.Store, error){
		"sqlite": func() (*sqlstore.Store, error) { return sqlstore.OpenSQLite(t.Context(), openFile(t, file, pragmas)) },
		"postgres": func() (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(t.Context(), openPostgres(t, dsn), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			const programs = 8
			stores, errs := make(chan *sqlstore.Store, programs), make(chan error, programs)
			for range programs {
				go func() {
					store, err := open()
					stores <- store
					errs <- err
				}()
			}
			for range programs {
				require.NoError(t, <-errs)
			}
			mustAppend(t, <-stores, fact("k", "a@x"))
			require.Equal(t, []string{"k"}, feedOf(t, <-stores, "", 1))
		})
	}
}
