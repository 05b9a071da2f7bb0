package sqlstore

import (
	"context"
	"database/sql"

	"github.com/gopec/gopec/pec"
)

// Cursors implements pec.Store.
func (s *Store) Cursors(ctx context.Context, mailbox string) ([]pec.Cursor, error) {
	rows, err := s.db.QueryContext(ctx, s.dialect.sql("SELECT folder, uidvalidity, uid, read_at FROM pec_cursors WHERE mailbox = ?1"), mailbox)
	if err != nil {
		return nil, failure(ctx, "cursors", err)
	}
	defer rows.Close()
	var cursors []pec.Cursor
	for rows.Next() {
		var c pec.Cursor
		var readAt string
		err := rows.Scan(&c.Folder, &c.UIDValidity, &c.UID, &readAt)
		if err == nil {
			c.ReadAt, err = parseTime(readAt)
		}
		if err != nil {
			return nil, failure(ctx, "cursors", err)
		}
		cursors = append(cursors, c)
	}
	return cursors, failure(ctx, "cursors", rows.Err())
}

// SetCursor implements pec.Store.
func (s *Store) SetCursor(ctx context.Context, mailbox string, c pec.Cursor) error {
	readAt, err := formatTime(c.ReadAt)
	if err != nil {
		return failure(ctx, "setcursor", err)
	}
	return s.write(ctx, "setcursor", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.dialect.sql(`INSERT INTO pec_cursors (mailbox, folder, uidvalidity, uid, read_at) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (mailbox, folder) DO UPDATE SET uidvalidity = excluded.uidvalidity, uid = excluded.uid, read_at = excluded.read_at`),
			mailbox, c.Folder, int64(c.UIDValidity), int64(c.UID), readAt)
		return err
	})
}
