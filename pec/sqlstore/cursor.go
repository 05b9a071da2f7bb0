package sqlstore

import (
	"context"
	"database/sql"

	"github.com/gopec/gopec/pec"
)

// Cursors implements pec.Store.
func (s *Store) Cursors(ctx context.Context, mailbox string) ([]pec.Cursor, error) {
	var cursors []pec.Cursor
	query := "SELECT folder, uidvalidity, uid, read_at FROM pec_cursors WHERE mailbox = ?1"
	err := s.rows(ctx, "cursors", query, []any{mailbox}, func(row scanner) error {
		var c pec.Cursor
		var readAt string
		err := row.Scan(&c.Folder, &c.UIDValidity, &c.UID, &readAt)
		if err == nil {
			c.ReadAt, err = parseTime(readAt)
		}
		cursors = append(cursors, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return cursors, nil
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
