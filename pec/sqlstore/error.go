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
// call may be repeated. It succeeds once the cause is gone.
const (
	ReasonSettings    Reason = "settings"     // the settings of the connections or an option do not suit a Store; Err says what to change
	ReasonSchemaNewer Reason = "schema-newer" // a later version of this package made the tables; use that version
	ReasonBusy        Reason = "busy"         // others used the database for too long; if the call waited for them, Err is a *BusyError
	ReasonFull        Reason = "full"         // the disk or the database is full
	ReasonReadOnly    Reason = "read-only"    // the database cannot be written to
	ReasonCorrupt     Reason = "corrupt"      // the database, or a Raw in it, differs from what was written
	ReasonUnavailable Reason = "unavailable"  // there is no connection, the connection broke, or the file cannot be opened or read
	ReasonCanceled    Reason = "canceled"     // the context ended; Err is the context's error
	ReasonRaw         Reason = "raw"          // a Raw given to Append cannot be read, or ends before its size
	ReasonPosition    Reason = "position"     // the Position names no entry of this log; Err wraps pec.ErrUnknownPosition
	ReasonOther       Reason = "other"        // an error of the database that this package does not know
)

// Error is the error of all failures in this package. The one other error it returns is
// pec.ErrNotFound.
type Error struct {
	Op     string // open, or the method of Store in lower case
	Reason Reason
	Err    error // the cause
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("sqlstore: %s: %s: %v", e.Op, e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// failure returns err as an *Error with its reason. Once the context has ended, every
// error is ReasonCanceled.
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

// reason reads the code of an error through the methods that the drivers have for it.
func reason(err error) Reason {
	var (
		postgres interface{ SQLState() string }
		lite     interface{ Code() int }
		unsent   interface{ SafeToRetry() bool } // of pgx: the connection broke before anything was sent
		network  net.Error
	)
	switch {
	case errors.As(err, &postgres):
		return stateReason(postgres.SQLState())
	case errors.As(err, &lite):
		return codeReason(lite.Code())
	case errors.As(err, &unsent) && unsent.SafeToRetry(), errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return ReasonUnavailable
	default:
		return ReasonOther
	}
}

// codeReason returns the reason for a result code of SQLite. The low byte is the primary
// code.
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

// stateReason returns the reason for an SQLSTATE of PostgreSQL.
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
	case "25P03", "57P01", "57P02", "57P03", "57P05": // the server ended the session, or accepts none
		return ReasonUnavailable
	}
	switch state[:min(2, len(state))] {
	case "08", "28", "53", "58": // connection, authorization, resources, system
		return ReasonUnavailable
	default:
		return ReasonOther
	}
}
