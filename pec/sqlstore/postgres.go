package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"
)

// PostgresOptions are the optional settings of OpenPostgres.
type PostgresOptions struct {
	// StallTimeout is how long a transaction may be idle before the server ends it, so
	// that a frozen process does not block the others for ever. A call that waits for a
	// transaction of another process gives up after twice as long, with ReasonBusy. Zero
	// means 30 seconds. Less than a millisecond is refused.
	StallTimeout time.Duration
}

// OpenPostgres returns a Store in a PostgreSQL database (14 or later). It creates missing
// tables in the first schema of the search_path. The caller closes db after the last use
// of the Store. Nil opts is the zero value.
//
// Changes shows an entry only once every transaction that began to write before it has
// ended, since transactions may end in another order than they began. A transaction that
// has written anything in the same server and stays open therefore delays Changes, in all
// mailboxes. It delays nothing else.
//
// The Store uses at most sixteen connections of db at a time, eight of them to write,
// however many mailboxes share it. Other calls wait, and fail with a *BusyError after
// twice PostgresOptions.StallTimeout. The caller sets up the pool: allow sixteen idle
// connections (sql.DB.SetMaxIdleConns). Allow none where db takes its connections from
// a pool below it, as with stdlib.OpenDBFromPool. The server's max_connections must be
// enough for all processes together.
//
// A server that runs with fsync off is not durable; OpenPostgres does not notice it. Where
// synchronous_commit is off, the Store turns it on for its own transactions.
func OpenPostgres(ctx context.Context, db *sql.DB, opts *PostgresOptions) (*Store, error) {
	var o PostgresOptions
	if opts != nil {
		o = *opts
	}
	stall := cmp.Or(o.StallTimeout, 30*time.Second).Milliseconds()
	if stall <= 0 {
		return nil, &Error{"open", ReasonSettings, fmt.Errorf("StallTimeout is %s: set it to 1ms or more, or to 0 for 30s", o.StallTimeout)}
	}
	return open(ctx, db, &dialect{
		schema: "postgres",
		tables: "SELECT count(*) FROM pg_class WHERE oid = to_regclass('pec_schema')",
		begin: fmt.Sprintf(`SELECT set_config('idle_in_transaction_session_timeout', '%dms', true), set_config('lock_timeout', '%dms', true),
			set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)`,
			stall, 2*stall),
		tx:     &sql.TxOptions{Isolation: sql.LevelReadCommitted},
		rebind: numbered(),
		// A transaction gets its number when it first writes. Transactions may end in
		// another order, but no new entry can appear below the number of the oldest one
		// that is still running.
		place:   "(SELECT shift FROM pec_feed) + pg_current_xact_id()::text::bigint",
		settled: "place < (SELECT shift FROM pec_feed) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
		writers: postgresWriters,
		check: func(ctx context.Context, conn *sql.Conn) (time.Duration, error) {
			return time.Duration(2*stall) * time.Millisecond, checkPostgres(ctx, conn)
		},
		prepare: shiftPlaces,
	})
}

func checkPostgres(ctx context.Context, conn *sql.Conn) error {
	var version int
	if err := conn.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return err
	}
	if version < 140000 {
		return &Error{"open", ReasonSettings, fmt.Errorf("the server is PostgreSQL %d.%d: use version 14 or later", version/10000, version%10000)}
	}
	return nil
}

// shiftPlaces keeps places growing after the tables were restored into another server.
// Transaction numbers may be lower there: without the shift, new entries would come before
// the old ones, and readers of Changes would miss them.
func shiftPlaces(ctx context.Context, s *Store) error {
	var server string
	var known sql.NullString
	err := s.db.QueryRowContext(ctx, "SELECT system_identifier::text, (SELECT server FROM pec_feed) FROM pg_control_system()").Scan(&server, &known)
	if err != nil || known.String == server {
		return err
	}
	return s.write(ctx, "open", func(tx *sql.Tx) error {
		// Wait for the Appends that are running.
		if _, err := tx.ExecContext(ctx, "LOCK TABLE pec_entries IN EXCLUSIVE MODE"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO pec_feed (id, server, shift) SELECT 1, $1, coalesce(max(place), 0) FROM pec_entries
			ON CONFLICT (id) DO UPDATE SET server = excluded.server, shift = excluded.shift WHERE pec_feed.server <> excluded.server`, server)
		return err
	})
}
