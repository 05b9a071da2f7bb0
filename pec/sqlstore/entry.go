package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/gopec/gopec/pec"
)

// Reading goes in pages, so that no query is open while the caller has his turn: a
// page is at most so many rows, and ends early once it holds so much data.
const (
	pageRows  = 500
	pageBytes = 4 << 20
)

const entryColumns = "key, send, at, data, place, n"

// scanner is a row.
type scanner interface{ Scan(...any) error }

func scanEntry(row scanner) (e pec.Entry, p place, err error) {
	var at string
	if err := row.Scan(&e.Key, &e.Send, &at, &e.Data, &p.append, &p.n); err != nil {
		return pec.Entry{}, place{}, err
	}
	e.Position = p.position()
	e.At, err = parseTime(at)
	return e, p, err
}

// Entry implements pec.Store.
func (s *Store) Entry(ctx context.Context, mailbox, key string) (pec.Entry, error) {
	var e pec.Entry
	missing := false
	err := s.read(ctx, "entry", func() (err error) {
		row := s.db.QueryRowContext(ctx, s.dialect.sql("SELECT "+entryColumns+" FROM pec_entries WHERE mailbox = ?1 AND key = ?2"), mailbox, key)
		if e, _, err = scanEntry(row); errors.Is(err, sql.ErrNoRows) {
			missing, err = true, nil
		}
		return err
	})
	if missing {
		return pec.Entry{}, pec.ErrNotFound
	}
	return e, err
}

// Entries implements pec.Store.
func (s *Store) Entries(ctx context.Context, mailbox, send string) (entries []pec.Entry, err error) {
	query := "SELECT " + entryColumns + " FROM pec_entries WHERE mailbox = ?1 AND send = ?2 ORDER BY place, n"
	err = s.rows(ctx, "entries", query, []any{mailbox, send}, func(row scanner) error {
		e, _, err := scanEntry(row)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// Changes implements pec.Store.
func (s *Store) Changes(ctx context.Context, mailbox string, after pec.Position) iter.Seq2[pec.Entry, error] {
	return func(yield func(pec.Entry, error) bool) {
		at, err := parsePosition(after)
		if err != nil {
			yield(pec.Entry{}, &Error{"changes", ReasonPosition, err})
			return
		}
		for {
			page, err := s.changesPage(ctx, mailbox, &at)
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(pec.Entry{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
		}
	}
}

// changesPage gives the next entries behind at, and moves it. With an error what
// was read before it is good.
func (s *Store) changesPage(ctx context.Context, mailbox string, at *place) (page []pec.Entry, err error) {
	size := 0
	err = s.rows(ctx, "changes", "SELECT "+entryColumns+` FROM pec_entries
		WHERE mailbox = ?1 AND (place, n) > (?2, ?3) AND `+s.dialect.settled+" ORDER BY place, n LIMIT ?4",
		[]any{mailbox, at.append, at.n, pageRows}, func(row scanner) error {
			e, p, err := scanEntry(row)
			if err != nil {
				return err
			}
			page, *at = append(page, e), p
			if size += len(e.Data); size >= pageBytes {
				return errEnough
			}
			return nil
		})
	return page, err
}

// place is where an entry is in the log of its mailbox. Before all is {0, -1}.
type place struct{ append, n int64 }

func (p place) position() pec.Position {
	return pec.Position(fmt.Sprintf("%d.%d", p.append, p.n))
}

func parsePosition(position pec.Position) (place, error) {
	if position == "" {
		return place{0, -1}, nil
	}
	var p place
	if _, err := fmt.Sscanf(string(position), "%d.%d", &p.append, &p.n); err != nil || p.position() != position {
		return place{}, fmt.Errorf("%q is no position of this store", position)
	}
	return p, nil
}

// Times are kept as text: databases have none with nanoseconds and the year 1.

func formatTime(t time.Time) (string, error) {
	text, err := t.UTC().MarshalText()
	return string(text), err
}

func parseTime(text string) (t time.Time, err error) {
	err = t.UnmarshalText([]byte(text))
	return t, err
}
