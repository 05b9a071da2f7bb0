package sqlstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// While one transaction is open, others that began after it may end. A reader of Changes
// must not move past the open one.
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
	require.Len(t, entries, 3, "Entries waits for no transaction")
	release()
	require.NoError(t, <-ended)
	require.Equal(t, []string{"slow", "quick 1", "quick 2"}, feedOf(t, store, last, 3))
}

// A transaction of another program delays Changes too if it has written, until it commits
// or rolls back. One that only reads does not.
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

// After a restore into a server with lower transaction numbers, new entries come after the
// old ones.
func TestPostgresRestoredElsewhere(t *testing.T) {
	dsn := server.Database(t)
	store := postgresStore(t, dsn)
	mustAppend(t, store, fact("1", "a@x"), fact("2", "b@x"))
	// As if a server with higher transaction numbers had written both.
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

// The server ends the transaction of a worker that froze during its Append. A worker that
// waits for the same key then gets it.
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

// A call that waits too long for a running transaction gives up.
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
