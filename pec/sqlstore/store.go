package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/gopec/gopec/pec"
)

// Store is a pec.Store in a database. Several processes may use one database. Its
// errors are *Error, and pec.ErrNotFound.
type Store struct {
	db               *sql.DB
	dialect          *dialect
	reading, writing turns
	patience         time.Duration // how long a call waits for others
}

var _ pec.Store = (*Store)(nil)

func open(ctx context.Context, db *sql.DB, d *dialect) (*Store, error) {
	if db == nil {
		return nil, &Error{"open", ReasonSettings, errors.New("no database")}
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

// check looks at the settings of all idle connections and of one that is fresh:
// what somebody has set by hand on the others is gone when the pool replaces them.
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
			// There is no room for a fresh one, unless the pool gives up this.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	return nil
}

// connect waits while others turn the same new file to WAL: SQLite fails at once
// then, whatever the busy timeout. It gives up after about two seconds.
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

// write runs a transaction. What is begun is undone unless do gives nil.
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
	defer tx.Rollback() // without effect after Commit
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

// begin begins a transaction. Connections of the pool may have broken while they were
// idle: nothing was begun on those, and the next one is tried.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	for range s.db.Stats().Idle {
		tx, err := s.db.BeginTx(ctx, s.dialect.tx)
		if err == nil || ctx.Err() != nil || reason(err) != ReasonUnavailable {
			return tx, err
		}
	}
	return s.db.BeginTx(ctx, s.dialect.tx)
}
