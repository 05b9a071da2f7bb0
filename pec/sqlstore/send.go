package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/gopec/gopec/pec"
)

// sendsRows is how many names a page of Sends has. Names are short.
const sendsRows = 2000

// conditions are the Filters as SQL. Each has an index of its own. ?5 is Query.At, and ?6
// is pec.MaxDueAhead after it.
var conditions = map[pec.Filter]string{
	pec.FilterAll:         "TRUE",
	pec.FilterOpen:        "open",
	pec.FilterDue:         "due_at IS NOT NULL AND (due_at <= ?5 OR due_at >= ?6)",
	pec.FilterOverdue:     "overdue_at IS NOT NULL AND overdue_at <= ?5",
	pec.FilterUnconfirmed: "confirm_by IS NOT NULL AND confirm_by <= ?5",
	pec.FilterUncertain:   "uncertain",
	pec.FilterFailed:      "failed",
	pec.FilterUnverified:  "unverified",
}

// sendsQuery returns the query for a page of sends after at: those that q selects, and
// those whose Summary is missing or out of date. Each part is read from its index, in
// order.
func sendsQuery(mailbox string, q pec.Query, at place) (query string, args []any) {
	args = []any{mailbox, at.append, at.n, sendsRows}
	condition, known := conditions[q.Filter]
	if !known {
		condition = "FALSE"
	}
	if strings.Contains(condition, "?5") {
		when := int64(math.MaxInt64)
		if !q.At.IsZero() {
			when = micros(q.At)
		}
		args = append(args, when)
	}
	if strings.Contains(condition, "?6") {
		far := int64(math.MaxInt64)
		if !q.At.IsZero() {
			far = micros(q.At.Add(pec.MaxDueAhead))
		}
		args = append(args, far)
	}
	order := " AND (place, n) > (?2, ?3) ORDER BY place, n LIMIT ?4"
	selected := condition + order
	if !q.Since.IsZero() {
		// With the plus signs the index on begun is used, which selects fewer rows than the
		// index on (place, n).
		args = append(args, micros(q.Since))
		selected = fmt.Sprintf("%s AND begun >= ?%d AND (+place, +n) > (?2, ?3) ORDER BY +place, +n LIMIT ?4", condition, len(args))
	}
	return `SELECT send, place, n FROM (SELECT send, place, n FROM pec_sends WHERE mailbox = ?1 AND ` + selected + `) AS selected
		UNION SELECT send, place, n FROM (SELECT send, place, n FROM pec_sends WHERE mailbox = ?1 AND entries > summarized` + order + `) AS stale
		ORDER BY place, n LIMIT ?4`, args
}

// Sends implements pec.Store.
func (s *Store) Sends(ctx context.Context, mailbox string, q pec.Query) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for at := (place{0, -1}); ; {
			page, err := s.sendsPage(ctx, mailbox, q, &at)
			if err != nil {
				yield("", err)
				return
			}
			for _, send := range page {
				if !yield(send, nil) {
					return
				}
			}
			if len(page) < sendsRows {
				return
			}
		}
	}
}

// sendsPage returns the next sends after at, and moves at to the last of them.
func (s *Store) sendsPage(ctx context.Context, mailbox string, q pec.Query, at *place) (page []string, err error) {
	query, args := sendsQuery(mailbox, q, *at)
	err = s.rows(ctx, "sends", query, args, func(row scanner) error {
		var send string
		err := row.Scan(&send, &at.append, &at.n)
		page = append(page, send)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// Summarize implements pec.Store. It drops the Summary of a send without entries.
func (s *Store) Summarize(ctx context.Context, mailbox, send string, summary pec.Summary) error {
	return s.write(ctx, "summarize", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.dialect.sql(`UPDATE pec_sends SET summarized = ?3, begun = ?4, open = ?5, uncertain = ?6, failed = ?7,
			unverified = ?8, due_at = ?9, overdue_at = ?10, confirm_by = ?11 WHERE mailbox = ?1 AND send = ?2 AND summarized < ?3`),
			mailbox, send, summary.Entries, micros(summary.Begun), summary.Open, summary.Uncertain, summary.Failed, summary.Unverified,
			instant(summary.DueAt), instant(summary.OverdueAt), instant(summary.ConfirmBy))
		return err
	})
}

// instant returns t in microseconds. The zero time is NULL.
func instant(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: micros(t), Valid: !t.IsZero()}
}

// micros returns t in microseconds since 1970, rounded down. Both sides of a comparison
// are rounded, so every send that Query.Selects is listed. A send that is selected only by
// the rounding is listed too, as pec.Store allows.
func micros(t time.Time) int64 {
	const last = math.MaxInt64 / 1_000_000
	return time.Unix(max(-last, min(last-1, t.Unix())), int64(t.Nanosecond())).UnixMicro()
}

// Mailboxes returns the names of the mailboxes that have a send or a cursor in the Store,
// in alphabetical order. pec.NewLedger takes such a name. The cost grows with the number
// of mailboxes, not with the number of their sends.
func (s *Store) Mailboxes(ctx context.Context) ([]string, error) {
	var mailboxes []string
	err := s.rows(ctx, "mailboxes", mailboxesQuery, nil, func(row scanner) error {
		var mailbox string
		err := row.Scan(&mailbox)
		mailboxes = append(mailboxes, mailbox)
		return err
	})
	if err != nil {
		return nil, err
	}
	return mailboxes, nil
}

// mailboxesQuery finds each mailbox by an index look-up of the next higher name, and so
// skips the sends in between.
const mailboxesQuery = `WITH RECURSIVE
	sending (mailbox) AS (SELECT (SELECT min(mailbox) FROM pec_sends)
		UNION ALL SELECT (SELECT min(pec_sends.mailbox) FROM pec_sends WHERE pec_sends.mailbox > sending.mailbox) FROM sending WHERE sending.mailbox IS NOT NULL),
	reading (mailbox) AS (SELECT (SELECT min(mailbox) FROM pec_cursors)
		UNION ALL SELECT (SELECT min(pec_cursors.mailbox) FROM pec_cursors WHERE pec_cursors.mailbox > reading.mailbox) FROM reading WHERE reading.mailbox IS NOT NULL)
	SELECT mailbox FROM sending WHERE mailbox IS NOT NULL UNION SELECT mailbox FROM reading WHERE mailbox IS NOT NULL ORDER BY 1`
