package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// box is the mailbox of most tests.
const box = "me@pec.example"

// fact returns an entry without a Raw.
func fact(key, send string) pec.Entry {
	return pec.Entry{Key: key, Send: send, At: time.Unix(1_700_000_000, 0), Data: []byte(`{}`)}
}

// hooked is a Raw of zeros that calls a function when it is read. By then its Append has
// an open transaction with rows in it.
type hooked func()

func (h hooked) ReadAt(p []byte, _ int64) (int, error) {
	h()
	clear(p)
	return len(p), nil
}

// hookedFact returns an entry with a hooked Raw.
func hookedFact(key, send string, hook func()) pec.Entry {
	e := fact(key, send)
	e.Raw = io.NewSectionReader(hooked(hook), 0, 10)
	return e
}

// openAppend begins an Append whose transaction stays open until release is called. Its
// error is sent to ended.
func openAppend(t *testing.T, s pec.Store, key string) (release func(), ended chan error) {
	t.Helper()
	open, released := make(chan struct{}), make(chan struct{})
	ended = make(chan error, 1)
	go func() {
		_, err := s.Append(t.Context(), box, hookedFact(key, "a@x", func() { close(open); <-released }))
		ended <- err
	}()
	select {
	case <-open:
	case err := <-ended:
		require.NoError(t, err)
	}
	release = sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	return release, ended
}

// feed returns the keys that one reading of Changes yields, and the last Position.
func feed(t testing.TB, s pec.Store, after pec.Position) (keys []string, last pec.Position) {
	t.Helper()
	last = after
	for e, err := range s.Changes(t.Context(), box, after) {
		require.NoError(t, err)
		keys, last = append(keys, e.Key), e.Position
	}
	return keys, last
}

// feedOf reads Changes until it has yielded n keys. It waits for transactions of other
// tests, which delay Changes.
func feedOf(t testing.TB, s pec.Store, after pec.Position, n int) (keys []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for len(keys) < n && ctx.Err() == nil {
		var page []string
		page, after = feed(t, s, after)
		keys = append(keys, page...)
	}
	require.Len(t, keys, n)
	return keys
}

// mustAppend appends entries whose keys are free.
func mustAppend(t testing.TB, s pec.Store, entries ...pec.Entry) {
	t.Helper()
	added, err := s.Append(t.Context(), box, entries...)
	require.NoError(t, err)
	require.True(t, added)
}

// server is the PostgreSQL server of all tests in this package.
var server testenv.Postgres

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// openPostgres opens a database until the test ends.
func openPostgres(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// onServer makes an empty PostgreSQL database for storetest.
func onServer(t *testing.T) func() pec.Store {
	dsn := server.Database(t)
	return func() pec.Store { return postgresStore(t, dsn) }
}

// postgresStore opens a Store in the database.
func postgresStore(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.OpenPostgres(t.Context(), openPostgres(t, dsn), nil)
	require.NoError(t, err)
	return store
}

// pragmas are the settings that OpenSQLite demands.
const pragmas = "?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

// openFile opens a database until the test ends.
func openFile(t testing.TB, path, parameters string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+parameters)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// sqliteStore opens a Store in the file.
func sqliteStore(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.OpenSQLite(t.Context(), openFile(t, path, pragmas))
	require.NoError(t, err)
	return store
}

// inFile makes a path for a SQLite database for storetest.
func inFile(t *testing.T) func() pec.Store {
	path := filepath.Join(t.TempDir(), "pec.db")
	return func() pec.Store { return sqliteStore(t, path) }
}

// requireReason requires an *sqlstore.Error with this reason.
func requireReason(t testing.TB, err error, reason sqlstore.Reason) {
	t.Helper()
	var failure *sqlstore.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, reason, failure.Reason, err)
}

// rawFact returns an entry with a Raw.
func rawFact(key string, raw []byte) pec.Entry {
	e := fact(key, "a@x")
	e.Raw = io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))
	return e
}

// oneConnection opens a Store with a single connection, so that a PRAGMA run on db applies
// to the Store.
func oneConnection(t *testing.T, path string) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := openFile(t, path, pragmas)
	db.SetMaxOpenConns(1)
	store, err := sqlstore.OpenSQLite(t.Context(), db)
	require.NoError(t, err)
	return store, db
}

// execute runs a statement.
func execute(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

// requireOnly requires that the Store has exactly these entries, and no chunks of others.
func requireOnly(t testing.TB, s pec.Store, db *sql.DB, keys ...string) {
	t.Helper()
	require.Equal(t, keys, feedOf(t, s, "", len(keys)))
	var chunks int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM pec_chunks WHERE entry NOT IN (SELECT entry FROM pec_raws)").Scan(&chunks))
	require.Zero(t, chunks, "chunks without an entry")
}

// readRaw reads a whole Raw, and returns what it had read before an error.
func readRaw(t testing.TB, s pec.Store, key string) ([]byte, error) {
	t.Helper()
	r, err := s.Raw(t.Context(), box, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// listed returns the names that Sends yields.
func listed(t testing.TB, s pec.Store, q pec.Query) (names []string) {
	t.Helper()
	for name, err := range s.Sends(t.Context(), box, q) {
		require.NoError(t, err)
		names = append(names, name)
	}
	return names
}

// stream is a mailbox whose messages are the same notices over and over. As a submitter it
// accepts everything.
type stream struct {
	pec.Mailbox
	notices [][]byte
	count   int
}

func (s *stream) Submit(_ context.Context, m pec.Submission) pec.Outcome {
	_, _ = io.Copy(io.Discard, m.Body)
	return pec.Outcome{}
}

func (s *stream) Folders() []string { return []string{"INBOX"} }

func (s *stream) Fetch(_ context.Context, after pec.Cursor) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) {
		for uid := int(after.UID) + 1; uid <= s.count; uid++ {
			cursor := pec.Cursor{Folder: after.Folder, UIDValidity: 1, UID: uint32(uid)}
			if !yield(pec.Item{Cursor: cursor, Body: bytes.NewReader(s.notices[uid%len(s.notices)])}, nil) {
				return
			}
		}
	}
}
