package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The calls of a Store that are at the database at a time, so that a process with
// hundreds of mailboxes does not open as many connections: SQLite holds a thread in each
// that waits.
const (
	readers         = 8
	postgresWriters = 8
	sqliteWriters   = 1 // it has one at a time in any case; those that wait for it here go first come, first served
)

// BusyError reports a wait that took longer than it may. It is in an Error with
// ReasonBusy; nothing was done, and the same call can be repeated.
type BusyError struct {
	// Limit is how long a call waits: busy_timeout of SQLite, twice
	// PostgresOptions.StallTimeout of PostgreSQL.
	Limit time.Duration
	Err   error // the database's; nil when the call had to wait for others of the same Store
}

// Error implements error.
func (e *BusyError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("waited %s, as long as is allowed, for other calls of this store", e.Limit)
	}
	return fmt.Sprintf("waited as long as is allowed, %s: %v", e.Limit, e.Err)
}

// Unwrap gives the database's error.
func (e *BusyError) Unwrap() error { return e.Err }

// turns are for so many calls at a time.
type turns chan struct{}

// take waits for a turn, which ends with done.
func (t turns) take(ctx context.Context, op string, patience time.Duration) (done func(), err error) {
	done = func() { <-t }
	select {
	case t <- struct{}{}:
		return done, nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case t <- struct{}{}:
		return done, nil
	case <-ctx.Done():
		return nil, failure(ctx, op, ctx.Err())
	case <-timer.C:
		return nil, &Error{op, ReasonBusy, &BusyError{Limit: patience}}
	}
}

// read runs a query. The turn is over before the caller has his.
func (s *Store) read(ctx context.Context, op string, do func() error) error {
	done, err := s.reading.take(ctx, op, s.patience)
	if err != nil {
		return err
	}
	defer done()
	return s.failure(ctx, op, do())
}

// errEnough ends rows before their end.
var errEnough = errors.New("enough rows")

// rows runs a query and takes its rows, one by one.
func (s *Store) rows(ctx context.Context, op, query string, args []any, take func(scanner) error) error {
	return s.read(ctx, op, func() error {
		rows, err := s.db.QueryContext(ctx, s.dialect.sql(query), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := take(rows); err == errEnough {
				return nil
			} else if err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// failure is the function of that name, and says of the database being busy how long was
// waited.
func (s *Store) failure(ctx context.Context, op string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) || ctx.Err() != nil || !waited(err) {
		return failure(ctx, op, err)
	}
	return &Error{op, ReasonBusy, &BusyError{Limit: s.patience, Err: err}}
}

// waited tells whether a database gave up after waiting: SQLITE_BUSY, and
// lock_not_available of PostgreSQL.
func waited(err error) bool {
	var (
		postgres interface{ SQLState() string }
		sqlite   interface{ Code() int }
	)
	return errors.As(err, &postgres) && postgres.SQLState() == "55P03" || errors.As(err, &sqlite) && sqlite.Code() == 5
}
