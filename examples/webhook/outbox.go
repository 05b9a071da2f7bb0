package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/gopec/gopec/pec"
)

// outbox keeps the changes that are not posted yet, and how far each mailbox was read, in
// tables in the store's database. Both change in one transaction, so a crash leaves nothing
// to clean up.
type outbox struct {
	db   *sql.DB
	hook string
}

// waiting is a change that the receiver has not taken.
type waiting struct {
	Mailbox   string       `json:"mailbox"`
	Position  pec.Position `json:"position"`
	MessageID string       `json:"messageID"`
	Tries     int          `json:"tries"`  // the failed tries that count
	Error     string       `json:"error"`  // the error of the last try
	Behind    int          `json:"behind"` // how many later changes of the same send wait for it
	id        int64
	body      []byte
	failed    time.Time // when it first failed; zero means never
	rounds    int       // all failed tries, including those that do not count
}

func openOutbox(ctx context.Context, db *sql.DB, hook string) (*outbox, error) {
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS webhook_position (
			hook TEXT NOT NULL, mailbox TEXT NOT NULL, position TEXT NOT NULL, PRIMARY KEY (hook, mailbox))`,
		`CREATE TABLE IF NOT EXISTS webhook_waiting (
			id INTEGER PRIMARY KEY, hook TEXT NOT NULL, mailbox TEXT NOT NULL, send TEXT NOT NULL, position TEXT NOT NULL, body BLOB NOT NULL,
			tries INTEGER NOT NULL DEFAULT 0, rounds INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', due INTEGER NOT NULL DEFAULT 0, parked INTEGER NOT NULL DEFAULT 0)`,
		`CREATE INDEX IF NOT EXISTS webhook_waiting_order ON webhook_waiting (hook, mailbox, send, id)`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	return &outbox{db: db, hook: hook}, nil
}

// position returns how far a mailbox was read; "" means not at all.
func (o *outbox) position(ctx context.Context, mailbox string) (p pec.Position, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT coalesce(max(position), '') FROM webhook_position WHERE hook = ? AND mailbox = ?`, o.hook, mailbox).Scan(&p)
	return p, err
}

// add adds changes in order, and records that the mailbox was read up to the last of them.
func (o *outbox) add(ctx context.Context, mailbox string, changes []Change) error {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, c := range changes {
		body, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO webhook_waiting (hook, mailbox, send, position, body) VALUES (?, ?, ?, ?, ?)`,
			o.hook, mailbox, c.MessageID, c.Position, body); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO webhook_position (hook, mailbox, position) VALUES (?, ?, ?)
		ON CONFLICT (hook, mailbox) DO UPDATE SET position = excluded.position`, o.hook, mailbox, changes[len(changes)-1].Position); err != nil {
		return err
	}
	return tx.Commit()
}

// first selects the earliest waiting change of each send. The others must wait for it.
const first = ` FROM webhook_waiting w WHERE hook = ? AND NOT EXISTS
	(SELECT 1 FROM webhook_waiting e WHERE e.hook = w.hook AND e.mailbox = w.mailbox AND e.send = w.send AND e.id < w.id)`

// due returns changes to post now, at most one of each send.
func (o *outbox) due(ctx context.Context, now time.Time) ([]waiting, error) {
	return o.list(ctx, `SELECT id, mailbox, position, send, tries, error, body, failed, rounds, 0`+first+` AND NOT parked AND due <= ? ORDER BY due, id LIMIT 100`,
		o.hook, now.UnixMilli())
}

// behind returns the next change of the send of a change that was taken, if it is due.
func (o *outbox) behind(ctx context.Context, w waiting, now time.Time) ([]waiting, error) {
	return o.list(ctx, `SELECT id, mailbox, position, send, tries, error, body, failed, rounds, 0 FROM webhook_waiting
		WHERE id = (SELECT min(id) FROM webhook_waiting WHERE hook = ? AND mailbox = ? AND send = ?) AND NOT parked AND due <= ?`,
		o.hook, w.Mailbox, w.MessageID, now.UnixMilli())
}

// parked returns the changes that failed too often.
func (o *outbox) parked(ctx context.Context) ([]waiting, error) {
	return o.list(ctx, `SELECT id, mailbox, position, send, tries, error, body, failed, rounds,
		(SELECT count(*) FROM webhook_waiting l WHERE l.hook = w.hook AND l.mailbox = w.mailbox AND l.send = w.send AND l.id > w.id)`+
		first+` AND parked ORDER BY id`, o.hook)
}

func (o *outbox) list(ctx context.Context, query string, args ...any) (list []waiting, err error) {
	rows, err := o.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var w waiting
		var failed int64
		if err := rows.Scan(&w.id, &w.Mailbox, &w.Position, &w.MessageID, &w.Tries, &w.Error, &w.body, &failed, &w.rounds, &w.Behind); err != nil {
			return nil, err
		}
		if failed != 0 {
			w.failed = time.UnixMilli(failed)
		}
		list = append(list, w)
	}
	return list, rows.Err()
}

// next returns when the next change is due. It returns false when all are posted or parked.
func (o *outbox) next(ctx context.Context) (at time.Time, found bool, err error) {
	var due sql.NullInt64
	err = o.db.QueryRowContext(ctx, `SELECT min(due)`+first+` AND NOT parked`, o.hook).Scan(&due)
	return time.UnixMilli(due.Int64), due.Valid, err
}

// taken removes a change that the receiver took.
func (o *outbox) taken(ctx context.Context, w waiting) error {
	_, err := o.db.ExecContext(ctx, `DELETE FROM webhook_waiting WHERE id = ?`, w.id)
	return err
}

// keep records a failed try of a change, and either its next try or that it is parked.
func (o *outbox) keep(ctx context.Context, w waiting, due time.Time, park bool) error {
	_, err := o.db.ExecContext(ctx, `UPDATE webhook_waiting SET tries = ?, rounds = ?, failed = ?, error = ?, due = ?, parked = ? WHERE id = ?`,
		w.Tries, w.rounds, w.failed.UnixMilli(), w.Error, due.UnixMilli(), park, w.id)
	return err
}

// again makes all parked changes due, as if they were new.
func (o *outbox) again(ctx context.Context) error {
	_, err := o.db.ExecContext(ctx, `UPDATE webhook_waiting SET tries = 0, rounds = 0, failed = 0, due = 0, parked = 0 WHERE hook = ? AND parked`, o.hook)
	return err
}
