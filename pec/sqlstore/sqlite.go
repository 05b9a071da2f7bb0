package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// OpenSQLite makes a Store in a SQLite database (3.37 or later), and its tables
// where they are missing. db stays the caller's, to be closed after the last use.
//
// Every connection of db must have journal_mode WAL, synchronous FULL (or EXTRA)
// and busy_timeout of at least 5000 ms. A PRAGMA reaches the one connection it is
// run on, so they belong in the DSN: with modernc.org/sqlite,
//
//	file:pec.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)
//
// Fresh connections are looked at; wrong ones are an *Error with ReasonSettings. A
// database in memory has no WAL and is refused: pec.NewMemory makes the Store for that.
// The file must be on a disk of this machine, not on a network share.
//
// However many mailboxes share the Store, it uses at most nine connections of db at a
// time, one of them to write: calls beyond these wait, for as long as busy_timeout
// says, and then fail with a *BusyError. The settings of the pool are the caller's. Let
// nine stay idle (sql.DB.SetMaxIdleConns): of more than two that are in use database/sql
// by itself closes the rest after each call. A limit of open connections
// (sql.DB.SetMaxOpenConns) is not needed; with one, nothing may hold a connection of db
// while it calls the Store.
func OpenSQLite(ctx context.Context, db *sql.DB) (*Store, error) {
	patience := time.After(openPatience)
	for {
		store, err := openSQLite(ctx, db)
		var failed *Error
		if !errors.As(err, &failed) || failed.Reason != ReasonBusy {
			return store, err
		}
		select {
		case <-time.After(openPatience / 500):
		case <-patience:
			return nil, err
		case <-ctx.Done():
			return nil, &Error{"open", ReasonCanceled, ctx.Err()}
		}
	}
}

// openPatience is how long programs that start together may be in each other's way.
// SQLite gives up at once, whatever the busy timeout, where two turn a file to WAL or one
// leaves it.
const openPatience = 5 * time.Second

func openSQLite(ctx context.Context, db *sql.DB) (*Store, error) {
	return open(ctx, db, &dialect{
		schema: "sqlite",
		tables: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'pec_schema'",
		// Writers take turns, so that the next place is one more than the last. It is
		// computed by the statement that writes: a transaction that reads first could
		// not become a writer once another has written.
		place:   "(SELECT coalesce(max(place), 0) + 1 FROM pec_entries WHERE mailbox = ?1)",
		settled: "TRUE",
		writers: sqliteWriters,
		check:   checkSQLite,
	})
}

func checkSQLite(ctx context.Context, conn *sql.Conn) (patience time.Duration, err error) {
	var (
		journal           string
		synchronous, busy int
	)
	for pragma, value := range map[string]any{"journal_mode": &journal, "synchronous": &synchronous, "busy_timeout": &busy} {
		if err := conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(value); err != nil {
			return 0, err
		}
	}
	var wrong []string
	if journal != "wal" {
		wrong = append(wrong, fmt.Sprintf("journal_mode is %s: set it to WAL", journal))
	}
	if synchronous < 2 {
		wrong = append(wrong, fmt.Sprintf("synchronous is %d: set it to FULL, or a power cut forgets what was sent", synchronous))
	}
	if busy < 5000 {
		wrong = append(wrong, fmt.Sprintf("busy_timeout is %d ms: set it to 5000 or more", busy))
	}
	if wrong == nil {
		return time.Duration(busy) * time.Millisecond, nil
	}
	return 0, &Error{"open", ReasonSettings, errors.New(strings.Join(wrong, "; ") +
		"; in the DSN, since a PRAGMA reaches one connection of the pool only")}
}
