package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/gopec/gopec/pec"
)

// errTaken rolls back an Append one of whose keys is taken.
var errTaken = errors.New("a key is taken")

// Append implements pec.Store. The memory it uses does not grow with the size of a Raw.
func (s *Store) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, failure(ctx, "append", err)
	}
	if len(entries) == 0 {
		return true, nil
	}
	err := s.write(ctx, "append", func(tx *sql.Tx) error {
		a := appending{ctx: ctx, tx: tx, dialect: s.dialect, mailbox: mailbox}
		return a.add(entries)
	})
	if errors.Is(err, errTaken) {
		return false, nil
	}
	return err == nil, err
}

// appending is one Append under way.
type appending struct {
	ctx     context.Context
	tx      *sql.Tx
	dialect *dialect
	mailbox string
	place   sql.NullInt64 // known once the first entry is inserted
}

// add inserts the entries sorted by key, then their sends sorted by name. Two Appends
// that compete for several rows would otherwise wait for each other.
func (a *appending) add(entries []pec.Entry) error {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(entries[i].Key, entries[j].Key) })
	for _, n := range order {
		if err := a.entry(n, entries[n]); err != nil {
			return err
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(entries[i].Send, entries[j].Send), cmp.Compare(i, j))
	})
	for _, n := range order {
		if err := a.send(n, entries[n].Send); err != nil {
			return err
		}
	}
	return nil
}

// entry inserts the n-th entry of the Append, with its Raw.
func (a *appending) entry(n int, e pec.Entry) error {
	at, err := formatTime(e.At)
	if err != nil {
		return err
	}
	data := e.Data
	if data == nil {
		data = []byte{}
	}
	var id int64
	row := a.tx.QueryRowContext(a.ctx, a.dialect.sql(`INSERT INTO pec_entries (mailbox, place, n, key, send, at, data)
		VALUES (?1, coalesce(?2, `+a.dialect.place+`), ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (mailbox, key) DO NOTHING RETURNING id, place`), a.mailbox, a.place, n, e.Key, e.Send, at, data)
	switch err := row.Scan(&id, &a.place); {
	case errors.Is(err, sql.ErrNoRows):
		return errTaken
	case err != nil:
		return err
	case e.Raw == nil:
		return nil
	}
	return a.raw(id, e.Raw)
}

// send adds the n-th entry to the count of its send.
func (a *appending) send(n int, send string) error {
	if send == "" {
		return nil
	}
	_, err := a.tx.ExecContext(a.ctx, a.dialect.sql(`INSERT INTO pec_sends (mailbox, send, place, n, entries) VALUES (?1, ?2, ?3, ?4, 1)
		ON CONFLICT (mailbox, send) DO UPDATE SET entries = pec_sends.entries + 1`), a.mailbox, send, a.place, n)
	return err
}
