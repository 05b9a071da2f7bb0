package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
)

// Reason says why a call failed. The set is closed.
type Reason string

// The reasons. After busy, full, read-only, unavailable, canceled and other the same
// call can be repeated, with success once the cause is gone.
const (
	ReasonSettings    Reason = "settings"     // connections are not set up as a Store needs; Err says what to change
	ReasonSchemaNewer Reason = "schema-newer" // the tables were made by a later version of this package
	ReasonBusy        Reason = "busy"         // others hold what is needed, for too long; after a wait Err is a *BusyError
	ReasonFull        Reason = "full"         // there is no room left for the data
	ReasonReadOnly    Reason = "read-only"    // the database cannot be written to
	ReasonCorrupt     Reason = "corrupt"      // the database, or a Raw in it, is not what was written
	ReasonUnavailable Reason = "unavailable"  // no connection, the connection broke, or the file cannot be opened or read
	ReasonCanceled    Reason = "canceled"     // the context ended; the error is the context's
	ReasonRaw         Reason = "raw"          // the Raw of an entry to append cannot be read, or ends before its size
	ReasonPosition    Reason = "position"     // a Position that names no entry here; the error wraps pec.ErrPosition
	ReasonOther       Reason = "other"        // what the database says and this package does not know
)

// Error is the error of this package; only pec.ErrNotFound comes as it is.
type Error struct {
	Op     string // what was under way: open, or the method in lower case
	Reason Reason
	Err    error // the cause
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("sqlstore: %s: %s: %v", e.Op, e.Reason, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// failure names the reason of an error. A context that has ended explains all that
// follows from it.
func failure(ctx context.Context, op string, err error) error {
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return &Error{op, ReasonCanceled, ctx.Err()}
	default:
		return &Error{op, reason(err), err}
	}
}

// reason asks an error for its code, in the ways that drivers have for it.
func reason(err error) Reason {
	var (
		postgres interface{ SQLState() string }
		sqlite   interface{ Code() int }
		unsent   interface{ SafeToRetry() bool } // of pgx: the connection was gone before
		network  net.Error
	)
	switch {
	case errors.As(err, &postgres):
		return stateReason(postgres.SQLState())
	case errors.As(err, &sqlite):
		return codeReason(sqlite.Code())
	case errors.As(err, &unsent) && unsent.SafeToRetry(), errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return ReasonUnavailable
	default:
		return ReasonOther
	}
}

// codeReason reads a result code of SQLite: the low byte is the primary one.
func codeReason(code int) Reason {
	switch code & 0xff {
	case 5, 6: // BUSY, LOCKED
		return ReasonBusy
	case 8: // READONLY
		return ReasonReadOnly
	case 13: // FULL
		return ReasonFull
	case 11, 26: // CORRUPT, NOTADB
		return ReasonCorrupt
	case 10, 14: // IOERR, CANTOPEN
		return ReasonUnavailable
	default:
		return ReasonOther
	}
}

// stateReason reads an SQLSTATE of PostgreSQL.
func stateReason(state string) Reason {
	switch state {
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return ReasonBusy
	case "25006": // read_only_sql_transaction
		return ReasonReadOnly
	case "53100": // disk_full
		return ReasonFull
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return ReasonCorrupt
	case "25P03", "57P01", "57P02", "57P03", "57P05": // the server ended the session, or lets nobody in
		return ReasonUnavailable
	}
	switch state[:min(2, len(state))] {
	case "08", "28", "53", "58": // connection, authorization, resources, system
		return ReasonUnavailable
	default:
		return ReasonOther
	}
}
