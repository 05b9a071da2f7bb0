// Package sqlstore keeps the facts of PEC mailboxes in a database. Its Store is a
// pec.Store on database/sql, for SQLite and for PostgreSQL. The caller chooses the driver:
//
//	db, err := sql.Open("sqlite", "file:pec.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
//	...
//	store, err := sqlstore.OpenSQLite(ctx, db)
//
// The data source name is a URI: write ? and # in the path of the file as %3f and %23.
//
// Opening a Store creates its tables and brings them up to date. Their names begin with
// pec_. Programs that start together may open the same database at the same time.
// Entries never change, and nothing is ever deleted. A message is kept in pieces, with a
// digest that is checked whenever the message is read.
//
// A store that was restored from a backup must be marked before it is used. README.md
// explains how to back up and restore.
//
// A failure is an *Error with a Reason. The reasons come from the error codes of
// modernc.org/sqlite and github.com/jackc/pgx/v5. The Store works with other drivers too,
// but then many failures have ReasonOther.
package sqlstore
