package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/gopec/gopec/pec"
)

// Store is a pec.Store in a database. Several processes may use one database. Its errors
// are pec.ErrNotFound and *Error. OpenSQLite and OpenPostgres make one; the zero value
// is not usable.
type Store struct {
	db               *sql.DB
	dialect          *dialect
	reading, writing turns
	patience         time.Duration // how long a call waits for others
}

var _ pec.Store = (*Store)(nil)

func open(ctx context.Context, db *sql.DB, d *dialect) (*Store, error) {
	if db == nil {
		return nil, &Error{"open", ReasonSettings, errors.New("db is nil: open it with sql.Open")}
	}
	s := &Store{db: db, dialect: d, reading: make(turns, readers), writing: make(turns, d.writers)}
	err := s.check(ctx)
	if err == nil {
		err = s.migrate(ctx)
	}
	if err == nil && d.prepare != nil {
		err = d.prepare(ctx, s)
	}
	if err != nil {
		return nil, failure(ctx, "open", err)
	}
	return s, nil
}

// check checks the settings of all idle connections and of a fresh one. The fresh one
// shows settings that were only made by hand on the others: they are lost when the pool
// replaces a connection.
func (s *Store) check(ctx context.Context) error {
	stats := s.db.Stats()
	for n := range stats.Idle + 1 {
		conn, err := s.connect(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		patience, err := s.dialect.check(ctx, conn)
		if err != nil {
			return err
		}
		s.patience = max(s.patience, patience)
		if n+1 == stats.Idle && stats.OpenConnections == stats.MaxOpenConnections {
			// The pool is full: it opens a fresh connection only once it drops this one.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	return nil
}

// connect tries again while others switch the same new file to WAL, for about two
// seconds. SQLite fails at once then, whatever the busy_timeout.
func (s *Store) connect(ctx context.Context) (*sql.Conn, error) {
	for pause := time.Millisecond; ; pause *= 2 {
		conn, err := s.db.Conn(ctx)
		if err == nil || reason(err) != ReasonBusy || pause > time.Second {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// write runs do in a transaction, and commits it if do returns nil.
func (s *Store) write(ctx context.Context, op string, do func(*sql.Tx) error) error {
	done, err := s.writing.take(ctx, op, s.patience)
	if err != nil {
		return err
	}
	defer done()
	tx, err := s.begin(ctx)
	if err != nil {
		return s.failure(ctx, op, err)
	}
	defer tx.Rollback() // has no effect after Commit
	if s.dialect.begin != "" {
		if _, err := tx.ExecContext(ctx, s.dialect.begin); err != nil {
			return s.failure(ctx, op, err)
		}
	}
	if err := do(tx); err != nil {
		return s.failure(ctx, op, err)
	}
	return s.failure(ctx, op, tx.Commit())
}

// begin begins a transaction. A connection of the pool may have broken while it was idle:
// then nothing was begun on it, and begin tries the next one.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	for range s.db.Stats().Idle {
		tx, err := s.db.BeginTx(ctx, s.dialect.tx)
		if err == nil || ctx.Err() != nil || reason(err) != ReasonUnavailable {
			return tx, err
		}
	}
	return s.db.BeginTx(ctx, s.dialect.tx)
}
