package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/gopec/gopec/pec"
)

// Changes reads in pages, so that no query is open while the body of the caller's loop
// runs. A page has at most pageRows entries, and ends early once their Data reaches
// pageBytes.
const (
	pageRows  = 500
	pageBytes = 4 << 20
)

const entryColumns = "key, send, at, data, place, n"

// scanner is a *sql.Row or the current row of a *sql.Rows.
type scanner interface{ Scan(...any) error }

func scanEntry(row scanner) (e pec.Entry, p place, err error) {
	var at string
	if err := row.Scan(&e.Key, &e.Send, &at, &e.Data, &p.append, &p.n); err != nil {
		return pec.Entry{}, place{}, err
	}
	e.Position = p.position(e.Key, at, e.Data)
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
		at, err := s.placeOf(ctx, mailbox, after)
		if err != nil {
			yield(pec.Entry{}, failure(ctx, "changes", err))
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

// changesPage returns the next entries after at, and moves at to the last of them. The
// entries returned together with an error are valid.
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

// place is where an entry stands in the log of its mailbox: the place of its append, and
// its number in that append. {0, -1} is before all entries.
type place struct{ append, n int64 }

// position returns the Position of the entry at p. It contains a digest of the entry: a
// log that was restored from a backup may have another entry at the same place.
func (p place) position(key, at string, data []byte) pec.Position {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", at, key, data))
	return pec.Position(fmt.Sprintf("%d.%d.%x", p.append, p.n, sum[:8]))
}

// placeOf returns the place that a Position names. It refuses a Position whose entry is
// not at its place. A Position without a digest, as an earlier version wrote it, is
// accepted if any entry is at its place.
func (s *Store) placeOf(ctx context.Context, mailbox string, position pec.Position) (p place, err error) {
	if position == "" {
		return place{0, -1}, nil
	}
	none := &Error{"changes", ReasonPosition, fmt.Errorf("%w: %.100q", pec.ErrUnknownPosition, position)}
	if _, err := fmt.Sscanf(string(position), "%d.%d", &p.append, &p.n); err != nil {
		return place{}, none
	}
	row := s.db.QueryRowContext(ctx, s.dialect.sql("SELECT "+entryColumns+" FROM pec_entries WHERE mailbox = ?1 AND place = ?2 AND n = ?3"), mailbox, p.append, p.n)
	e, p, err := scanEntry(row)
	switch old := pec.Position(fmt.Sprintf("%d.%d", p.append, p.n)); {
	case errors.Is(err, sql.ErrNoRows):
		return place{}, none
	case err != nil:
		return place{}, err
	case position != e.Position && position != old:
		return place{}, none
	}
	return p, nil
}

// Times are kept as text: the databases have no type for nanoseconds and the year 1.

func formatTime(t time.Time) (string, error) {
	text, err := t.UTC().MarshalText()
	return string(text), err
}

func parseTime(text string) (t time.Time, err error) {
	err = t.UnmarshalText([]byte(text))
	return t, err
}
