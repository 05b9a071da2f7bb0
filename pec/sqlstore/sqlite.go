package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// OpenSQLite returns a Store in a SQLite database (3.37 or later). It creates missing
// tables. The caller closes db after the last use of the Store.
//
// Every connection of db must have journal_mode WAL, synchronous FULL (or EXTRA) and a
// busy_timeout of at least 5000 ms. A PRAGMA statement reaches only the connection it
// runs on, so put these settings into the DSN. With modernc.org/sqlite:
//
//	file:pec.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)
//
// OpenSQLite checks the idle connections of db and a fresh one. Wrong settings are an
// *Error with ReasonSettings. A database in memory has no WAL and is refused: use
// pec.NewMemory instead. The file must be on a disk of this machine, not on a network
// share. A file that does not exist is created; with mode=rw in the DSN it is an *Error
// with ReasonUnavailable instead.
//
// The Store uses at most nine connections of db at a time, one of them to write, however
// many mailboxes share it. Other calls wait as long as busy_timeout, and then fail with a
// *BusyError. A call whose context ends returns at once. A driver may miss that in the
// instant in which a statement starts: then the call returns after busy_timeout.
//
// The caller sets up the pool: allow nine idle connections (sql.DB.SetMaxIdleConns), since
// database/sql by default keeps two and closes the others after each call. A limit of open
// connections (sql.DB.SetMaxOpenConns) is not needed. If you set one, do not call the Store
// while you hold a connection of db.
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

// openPatience is how long OpenSQLite tries again while programs that start together get
// in each other's way. SQLite fails at once, whatever the busy_timeout, when two programs
// switch a file to WAL at the same time, or one opens the file while the last other one
// closes it.
const openPatience = 5 * time.Second

func openSQLite(ctx context.Context, db *sql.DB) (*Store, error) {
	return open(ctx, db, &dialect{
		schema: "sqlite",
		tables: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'pec_schema'",
		// SQLite has one writer at a time, so the next place is one more than the last. The
		// INSERT itself computes it: a transaction that reads first fails when it wants to
		// write after another has written.
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
		wrong = append(wrong, fmt.Sprintf("synchronous is %d: set it to FULL, or a power cut loses the record of what was sent", synchronous))
	}
	if busy < 5000 {
		wrong = append(wrong, fmt.Sprintf("busy_timeout is %d ms: set it to 5000 or more", busy))
	}
	if wrong == nil {
		return time.Duration(busy) * time.Millisecond, nil
	}
	return 0, &Error{"open", ReasonSettings, errors.New(strings.Join(wrong, "; ") +
		"; do so in the DSN: a PRAGMA statement reaches only one connection of the pool")}
}
