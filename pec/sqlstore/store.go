package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/gopec/gopec/pec"
)

// Store is a pec.Store in a database. Several processes may use one database. Its
// errors are *Error, and pec.ErrNotFound.
type Store struct {
	db      *sql.DB
	dialect *dialect
}

var _ pec.Store = (*Store)(nil)

func open(ctx context.Context, db *sql.DB, d *dialect) (*Store, error) {
	if db == nil {
		return nil, &Error{"open", ReasonSettings, errors.New("no database")}
	}
	s := &Store{db: db, dialect: d}
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

// check looks at the settings of as many connections at once as makes sure that
// one of them is fresh, and not one that somebody has set up by hand.
func (s *Store) check(ctx context.Context) error {
	stats := s.db.Stats()
	count := max(2, stats.Idle+1)
	if stats.MaxOpenConnections > 0 {
		count = min(count, stats.MaxOpenConnections)
	}
	for range count {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := s.dialect.check(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// write runs a transaction. What is begun is undone unless do gives nil.
func (s *Store) write(ctx context.Context, op string, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, s.dialect.tx)
	if err != nil {
		return failure(ctx, op, err)
	}
	defer tx.Rollback() // without effect after Commit
	if s.dialect.begin != "" {
		if _, err := tx.ExecContext(ctx, s.dialect.begin); err != nil {
			return failure(ctx, op, err)
		}
	}
	if err := do(tx); err != nil {
		return failure(ctx, op, err)
	}
	return failure(ctx, op, tx.Commit())
}
