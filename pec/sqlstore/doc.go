// Package sqlstore keeps the facts of PEC mailboxes in a database: a pec.Store on
// database/sql, for SQLite and for PostgreSQL. The driver is the caller's choice:
//
//	db, err := sql.Open("sqlite", "file:pec.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
//	...
//	store, err := sqlstore.OpenSQLite(ctx, db)
//
// That name is a URI: in the path of a file ? and # end it, and are written as %3f and %23.
//
// The tables are named pec_ and something, and are made and brought up to date when
// a Store is opened; programs that start together may do that at the same time.
// Nothing is ever deleted. Entries never change; messages are kept in pieces, with a
// digest that is checked whenever they are read.
//
// A store that was restored from a backup has to be marked before it is used: README.md
// says how to back up and to restore.
//
// Failures are *Error with a Reason. Known by their codes are those of
// modernc.org/sqlite and github.com/jackc/pgx/v5; with another driver the Store works
// alike, and many of its failures have ReasonOther.
package sqlstore
