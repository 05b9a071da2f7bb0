package sqlstore_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// The server goes down during an Append and comes back. Nothing of the Append is kept, and
// the same Store goes on.
func TestPostgresRestart(t *testing.T) {
	var own testenv.Postgres // the tests that share server must not lose it
	t.Cleanup(own.Stop)
	db := openPostgres(t, own.Database(t))
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	mustAppend(t, store, rawFact("before", make([]byte, 700_000)))
	reader, err := store.Raw(t.Context(), box, "before")
	require.NoError(t, err)
	defer reader.Close()

	_, err = store.Append(t.Context(), box, fact("first of two", "a@x"), hookedFact("interrupted", "a@x", own.Halt))
	requireReason(t, err, sqlstore.ReasonUnavailable)
	_, err = store.Entry(t.Context(), box, "before")
	requireReason(t, err, sqlstore.ReasonUnavailable)
	for _, err := range store.Changes(t.Context(), box, "") {
		requireReason(t, err, sqlstore.ReasonUnavailable)
	}
	_, err = reader.Read(make([]byte, 10))
	requireReason(t, err, sqlstore.ReasonUnavailable)

	own.Start(t)
	requireOnly(t, store, db, "before")
	mustAppend(t, store, fact("first of two", "a@x"), rawFact("interrupted", make([]byte, 700_000)))
	requireOnly(t, store, db, "before", "first of two", "interrupted")
}

// The server restarts while the connections of the pool are idle. The next write succeeds
// all the same: otherwise the outcome of an attempt would be lost without need.
func TestPostgresRestartUnnoticed(t *testing.T) {
	var own testenv.Postgres // the tests that share server must not lose it
	t.Cleanup(own.Stop)
	db := openPostgres(t, own.Database(t))
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	idle := func() {
		var conns []*sql.Conn
		for range 2 {
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			require.NoError(t, conn.PingContext(t.Context()))
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
	}
	idle()
	own.Halt()
	_, err = store.Append(t.Context(), box, fact("1", "a@x"))
	requireReason(t, err, sqlstore.ReasonUnavailable)
	own.Start(t)
	idle()
	idle() // the driver checks a connection that it has not used for a second
	own.Halt()
	own.Start(t)
	mustAppend(t, store, fact("1", "a@x"))
	requireOnly(t, store, db, "1")
}

// The server kills the connection of an Append. The Append fails and can be repeated.
func TestPostgresConnectionKilled(t *testing.T) {
	db := openPostgres(t, server.Database(t))
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	_, err = store.Append(t.Context(), box, fact("1", "a@x"), hookedFact("2", "a@x", func() {
		execute(t, db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()")
	}))
	requireReason(t, err, sqlstore.ReasonUnavailable)
	mustAppend(t, store, fact("1", "a@x"), fact("2", "a@x"))
	requireOnly(t, store, db, "1", "2")
}

// A call that waits for another transaction can be cancelled.
func TestPostgresCancelledWaiting(t *testing.T) {
	db := openPostgres(t, server.Database(t))
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	release, ended := openAppend(t, store, "claim")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	second := make(chan error, 1)
	go func() {
		_, err := store.Append(ctx, box, fact("claim", "b@x"))
		second <- err
	}()
	for waiting := 0; waiting == 0; {
		require.NoError(t, db.QueryRowContext(t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND wait_event_type = 'Lock'").Scan(&waiting))
	}
	cancel()
	err = <-second
	requireReason(t, err, sqlstore.ReasonCanceled)
	require.ErrorIs(t, err, context.Canceled)
	release()
	require.NoError(t, <-ended)
	requireOnly(t, store, db, "claim")
}

// fullDisk makes the server answer as it does when its disk is full. Filling the disk
// itself would disturb everything else on the machine.
const fullDisk = `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;
	CREATE TRIGGER full_disk BEFORE INSERT ON pec_chunks EXECUTE FUNCTION full_disk()`

func TestPostgresFull(t *testing.T) {
	db := openPostgres(t, server.Database(t))
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	execute(t, db, fullDisk)
	_, err = store.Append(t.Context(), box, fact("1", "a@x"), rawFact("2", []byte("raw")))
	requireReason(t, err, sqlstore.ReasonFull)
	execute(t, db, "DROP TRIGGER full_disk ON pec_chunks")
	mustAppend(t, store, fact("1", "a@x"), rawFact("2", []byte("raw")))
	requireOnly(t, store, db, "1", "2")
}

func TestPostgresReadOnly(t *testing.T) {
	dsn := server.Database(t)
	mustAppend(t, postgresStore(t, dsn), fact("before", "a@x"))
	store := postgresStore(t, dsn+"&default_transaction_read_only=on")
	_, err := store.Append(t.Context(), box, fact("after", "a@x"))
	requireReason(t, err, sqlstore.ReasonReadOnly)
	require.Equal(t, []string{"before"}, feedOf(t, store, "", 1))
}

// Settings of a role or database that would weaken the Store do not affect it.
func TestPostgresDefaults(t *testing.T) {
	dsn := server.Database(t) + "&synchronous_commit=off&default_transaction_isolation=serializable"
	db := openPostgres(t, dsn)
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	execute(t, db, `CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN NEW.folder = current_setting('synchronous_commit') || ' ' || current_setting('transaction_isolation'); RETURN NEW; END $$;
		CREATE TRIGGER remember BEFORE INSERT ON pec_cursors FOR EACH ROW EXECUTE FUNCTION remember()`)
	require.NoError(t, store.SetCursor(t.Context(), box, pec.Cursor{Folder: "INBOX"}))
	var settings string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT folder FROM pec_cursors").Scan(&settings))
	require.Equal(t, "on read committed", settings)
}

func TestPostgresNewerSchema(t *testing.T) {
	dsn := server.Database(t)
	postgresStore(t, dsn)
	db := openPostgres(t, dsn)
	execute(t, db, "UPDATE pec_schema SET version = 1000")
	_, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	requireReason(t, err, sqlstore.ReasonSchemaNewer)
}

func TestPostgresNoServer(t *testing.T) {
	db, err := sql.Open("pgx", "postgres://nobody@127.0.0.1:1/none?sslmode=disable")
	require.NoError(t, err)
	defer db.Close()
	_, err = sqlstore.OpenPostgres(t.Context(), db, nil)
	requireReason(t, err, sqlstore.ReasonUnavailable)
}

func TestPostgresCorruptChunk(t *testing.T) {
	db := openPostgres(t, server.Database(t))
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	mustAppend(t, store, rawFact("k", make([]byte, 700_000)))
	execute(t, db, "UPDATE pec_chunks SET data = set_byte(data, 17, 1) WHERE n = 2")
	_, err = readRaw(t, store, "k")
	requireReason(t, err, sqlstore.ReasonCorrupt)
}
