package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// PostgresOptions are the optional settings of OpenPostgres.
type PostgresOptions struct {
	// StallTimeout is how long a transaction may stand still before the server ends it,
	// so that a worker that froze holds up nobody for ever; who waits for another's
	// transaction gives up after twice as long, with ReasonBusy. Zero means 30 seconds,
	// less than a millisecond is refused.
	StallTimeout time.Duration
}

// OpenPostgres makes a Store in a PostgreSQL database (14 or later), and its tables,
// in the first schema of the search_path, where they are missing. db stays the
// caller's, to be closed after the last use. Nil opts is the zero value.
//
// Changes shows an entry only once no transaction that began to write earlier is
// still running: in the order of their numbers some may end late. So a transaction
// that has written, anywhere in the same server, and stays open holds Changes back,
// in all mailboxes. It holds back nothing else.
//
// However many mailboxes share the Store, it uses at most sixteen connections of db at a
// time, eight of them to write; calls beyond these wait, and fail with a *BusyError after
// twice PostgresOptions.StallTimeout. The settings of the pool are the caller's. Let
// sixteen stay idle (sql.DB.SetMaxIdleConns), except where db takes its connections from
// a pool below it, as stdlib.OpenDBFromPool does: there none may. The server's
// max_connections has to be enough for all processes together.
//
// A server that runs with fsync off is not durable, and is not noticed. Where
// synchronous_commit is off it is turned on for what the Store writes.
func OpenPostgres(ctx context.Context, db *sql.DB, opts *PostgresOptions) (*Store, error) {
	var o PostgresOptions
	if opts != nil {
		o = *opts
	}
	stall := cmp.Or(o.StallTimeout, 30*time.Second).Milliseconds()
	if stall <= 0 {
		return nil, &Error{"open", ReasonSettings, errors.New("less than a millisecond of StallTimeout")}
	}
	return open(ctx, db, &dialect{
		schema: "postgres",
		tables: "SELECT count(*) FROM pg_class WHERE oid = to_regclass('pec_schema')",
		begin: fmt.Sprintf(`SELECT set_config('idle_in_transaction_session_timeout', '%dms', true), set_config('lock_timeout', '%dms', true),
			set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)`,
			stall, 2*stall),
		tx:     &sql.TxOptions{Isolation: sql.LevelReadCommitted},
		rebind: numbered(),
		// Transactions are numbered when they first write, and may end in another order.
		// Below the number of the oldest that is running nothing can appear any more.
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
		return &Error{"open", ReasonSettings, fmt.Errorf("the server has version %d.%d: use PostgreSQL 14 or later", version/10000, version%10000)}
	}
	return nil
}

// shiftPlaces keeps places growing when the tables were restored into another
// server, whose transaction numbers begin elsewhere: with lower ones new entries
// would come before the old ones, where nobody looks.
func shiftPlaces(ctx context.Context, s *Store) error {
	var server string
	var known sql.NullString
	err := s.db.QueryRowContext(ctx, "SELECT system_identifier::text, (SELECT server FROM pec_feed) FROM pg_control_system()").Scan(&server, &known)
	if err != nil || known.String == server {
		return err
	}
	return s.write(ctx, "open", func(tx *sql.Tx) error {
		// Whoever is appending ends first.
		if _, err := tx.ExecContext(ctx, "LOCK TABLE pec_entries IN EXCLUSIVE MODE"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO pec_feed (id, server, shift) SELECT 1, $1, coalesce(max(place), 0) FROM pec_entries
			ON CONFLICT (id) DO UPDATE SET server = excluded.server, shift = excluded.shift WHERE pec_feed.server <> excluded.server`, server)
		return err
	})
}
