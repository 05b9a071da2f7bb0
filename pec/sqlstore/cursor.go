package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/gopec/gopec/pec"
)

// Cursor implements pec.Store.
func (s *Store) Cursor(ctx context.Context, mailbox, folder string) (pec.Cursor, error) {
	c := pec.Cursor{Folder: folder}
	var readAt string
	err := s.db.QueryRowContext(ctx, s.dialect.sql("SELECT uidvalidity, uid, read_at FROM pec_cursors WHERE mailbox = ?1 AND folder = ?2"),
		mailbox, folder).Scan(&c.UIDValidity, &c.UID, &readAt)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	if err == nil {
		c.ReadAt, err = parseTime(readAt)
	}
	return c, failure(ctx, "cursor", err)
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
