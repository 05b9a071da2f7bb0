package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How many calls of a Store may use the database at a time. Without a limit a process
// with hundreds of mailboxes would open as many connections, and SQLite blocks a thread in
// each connection that waits.
const (
	readers         = 8
	postgresWriters = 8
	sqliteWriters   = 1 // SQLite has one writer in any case; callers that wait here are served in order
)

// BusyError reports that a call waited as long as it may. An *Error with ReasonBusy wraps
// it. Nothing was done, and the same call may be repeated.
type BusyError struct {
	// Limit is how long a call waits: the busy_timeout of SQLite, or for PostgreSQL twice
	// PostgresOptions.StallTimeout.
	Limit time.Duration
	Err   error // the database's error; nil when the call waited for other calls of this Store
}

// Error implements error.
func (e *BusyError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("other calls of this store did not end within %s, the limit: repeat the call", e.Limit)
	}
	return fmt.Sprintf("the database was busy for longer than the limit of %s: repeat the call: %v", e.Limit, e.Err)
}

// Unwrap returns the database's error, or nil.
func (e *BusyError) Unwrap() error { return e.Err }

// turns is a semaphore: its capacity is how many calls may run at a time.
type turns chan struct{}

// take waits for a turn, at most as long as patience. The caller ends its turn with done.
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

// read runs a query in a turn. The turn ends before read returns, and so before any code
// of the caller runs.
func (s *Store) read(ctx context.Context, op string, do func() error) error {
	done, err := s.reading.take(ctx, op, s.patience)
	if err != nil {
		return err
	}
	defer done()
	return s.failure(ctx, op, do())
}

// errEnough makes rows stop before the last row, without an error.
var errEnough = errors.New("enough rows")

// rows runs a query and calls take for each of its rows.
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

// failure is like the function failure, but wraps the error of a database that was busy in
// a *BusyError with the limit of the wait.
func (s *Store) failure(ctx context.Context, op string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) || ctx.Err() != nil || !waited(err) {
		return failure(ctx, op, err)
	}
	return &Error{op, ReasonBusy, &BusyError{Limit: s.patience, Err: err}}
}

// waited reports whether a database gave up after it had waited: SQLITE_BUSY, or
// lock_not_available of PostgreSQL.
func waited(err error) bool {
	var (
		postgres interface{ SQLState() string }
		lite     interface{ Code() int }
	)
	return errors.As(err, &postgres) && postgres.SQLState() == "55P03" || errors.As(err, &lite) && lite.Code() == 5
}
