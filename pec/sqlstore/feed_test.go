package sqlstore_test

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

const box = "me@pec.example"

func fact(key, send string) pec.Entry {
	return pec.Entry{Key: key, Send: send, At: time.Unix(1_700_000_000, 0), Data: []byte(`{}`)}
}

// hooked is a Raw of zeros that calls a function when it is first read: by then
// its Append has a transaction open, and rows in it.
type hooked func()

func (h hooked) ReadAt(p []byte, _ int64) (int, error) {
	h()
	clear(p)
	return len(p), nil
}

func hookedFact(key, send string, hook func()) pec.Entry {
	e := fact(key, send)
	e.Raw = io.NewSectionReader(hooked(hook), 0, 10)
	return e
}

// openAppend begins an Append that stays open until release is called; its error
// comes from ended.
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

// feed reads the keys of Changes once.
func feed(t testing.TB, s pec.Store, after pec.Position) (keys []string, last pec.Position) {
	t.Helper()
	last = after
	for e, err := range s.Changes(t.Context(), box, after) {
		require.NoError(t, err)
		keys, last = append(keys, e.Key), e.Position
	}
	return keys, last
}

// feedOf reads Changes until there are n: other tests' transactions end first.
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

func mustAppend(t testing.TB, s pec.Store, entries ...pec.Entry) {
	t.Helper()
	added, err := s.Append(t.Context(), box, entries...)
	require.NoError(t, err)
	require.True(t, added)
}

// While one transaction is open, others that began after it have ended: who reads
// the feed in between must not go past it.
func TestPostgresFeedWaitsForTheOldest(t *testing.T) {
	store := postgresStore(t, server.Database(t))
	mustAppend(t, store, fact("before", "a@x"))
	require.Equal(t, []string{"before"}, feedOf(t, store, "", 1))
	_, last := feed(t, store, "")

	release, ended := openAppend(t, store, "slow")
	for _, key := range []string{"quick 1", "quick 2"} {
		mustAppend(t, store, fact(key, "a@x"))
	}
	keys, last := feed(t, store, last)
	require.Empty(t, keys, "shown although an earlier append is still open")
	entries, err := store.Entries(t.Context(), box, "a@x")
	require.NoError(t, err)
	require.Len(t, entries, 3, "a send's own entries wait for nothing")
	release()
	require.NoError(t, <-ended)
	require.Equal(t, []string{"slow", "quick 1", "quick 2"}, feedOf(t, store, last, 3))
}

// A transaction of somebody else that has written holds the feed back too, until it
// ends either way; one that only reads does not.
func TestPostgresFeedAndStrangers(t *testing.T) {
	dsn := server.Database(t)
	store, stranger := postgresStore(t, dsn), openPostgres(t, dsn)
	_, err := stranger.ExecContext(t.Context(), "CREATE TABLE strange (id INTEGER)")
	require.NoError(t, err)

	reading, err := stranger.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer reading.Rollback()
	_, err = reading.ExecContext(t.Context(), "SELECT * FROM strange")
	require.NoError(t, err)
	mustAppend(t, store, fact("1", "a@x"))
	require.Equal(t, []string{"1"}, feedOf(t, store, "", 1))

	writing, err := stranger.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer writing.Rollback()
	_, err = writing.ExecContext(t.Context(), "INSERT INTO strange VALUES (1)")
	require.NoError(t, err)
	mustAppend(t, store, fact("2", "a@x"))
	keys, _ := feed(t, store, "")
	require.Equal(t, []string{"1"}, keys)
	require.NoError(t, writing.Rollback())
	require.Equal(t, []string{"1", "2"}, feedOf(t, store, "", 2))
}

// Restored into another server, whose transaction numbers are lower, a log goes on
// behind its end, not before it.
func TestPostgresRestoredElsewhere(t *testing.T) {
	dsn := server.Database(t)
	store := postgresStore(t, dsn)
	mustAppend(t, store, fact("1", "a@x"), fact("2", "b@x"))
	// As if both had been written by a server that had seen many more transactions.
	_, err := openPostgres(t, dsn).ExecContext(t.Context(), "UPDATE pec_entries SET place = place + 1000000000")
	require.NoError(t, err)
	_, err = openPostgres(t, dsn).ExecContext(t.Context(), "UPDATE pec_feed SET server = 'another'")
	require.NoError(t, err)
	_, last := feed(t, store, "")
	require.Empty(t, last, "the places lie in the future of this server")

	store = postgresStore(t, dsn)
	require.Equal(t, []string{"1", "2"}, feedOf(t, store, "", 2))
	_, last = feed(t, store, "")
	mustAppend(t, store, fact("3", "a@x"))
	require.Equal(t, []string{"3"}, feedOf(t, store, last, 1))
	again := postgresStore(t, dsn)
	mustAppend(t, again, fact("4", "a@x"))
	require.Equal(t, []string{"3", "4"}, feedOf(t, again, last, 2))
}

// A worker that froze within its Append is ended by the server, and whoever waits
// for its key gets it.
func TestPostgresStalledWorker(t *testing.T) {
	db := openPostgres(t, server.Database(t))
	store, err := sqlstore.OpenPostgres(t.Context(), db, &sqlstore.PostgresOptions{StallTimeout: 200 * time.Millisecond})
	require.NoError(t, err)
	release, ended := openAppend(t, store, "claim")
	mustAppend(t, store, fact("claim", "a@x"))
	release()
	requireReason(t, <-ended, sqlstore.ReasonUnavailable)
	require.Equal(t, []string{"claim"}, feedOf(t, store, "", 1))
}

// Who waits too long for a transaction that is at work gives up.
func TestPostgresBusy(t *testing.T) {
	dsn := server.Database(t)
	store, err := sqlstore.OpenPostgres(t.Context(), openPostgres(t, dsn), &sqlstore.PostgresOptions{StallTimeout: 500 * time.Millisecond})
	require.NoError(t, err)
	mustAppend(t, store, fact("1", "a@x"))
	stranger, err := openPostgres(t, dsn).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer stranger.Rollback()
	_, err = stranger.ExecContext(t.Context(), "LOCK TABLE pec_sends, pec_cursors IN EXCLUSIVE MODE")
	require.NoError(t, err)
	_, err = store.Append(t.Context(), box, fact("2", "a@x"))
	requireReason(t, err, sqlstore.ReasonBusy)
	var busy *sqlstore.BusyError
	require.ErrorAs(t, err, &busy)
	require.Error(t, busy.Err)
	requireReason(t, store.SetCursor(t.Context(), box, pec.Cursor{Folder: "INBOX"}), sqlstore.ReasonBusy)
	requireReason(t, store.Summarize(t.Context(), box, "a@x", pec.Summary{Entries: 1}), sqlstore.ReasonBusy)
	require.NoError(t, stranger.Rollback())
	mustAppend(t, store, fact("2", "a@x"))
}
