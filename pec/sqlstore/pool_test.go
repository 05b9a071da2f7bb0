package sqlstore_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// Hundreds of mailboxes on one Store share a few connections, which stay open.
func TestManyMailboxesNeedFewConnections(t *testing.T) {
	const mailboxes = 300
	openers := map[string]func(t *testing.T) (*sqlstore.Store, *sql.DB, int){
		"sqlite": func(t *testing.T) (*sqlstore.Store, *sql.DB, int) {
			db := openFile(t, filepath.Join(t.TempDir(), "pec.db"), pragmas)
			db.SetMaxIdleConns(9)
			store, err := sqlstore.OpenSQLite(t.Context(), db)
			require.NoError(t, err)
			return store, db, 9
		},
		"postgres": func(t *testing.T) (*sqlstore.Store, *sql.DB, int) {
			config, err := pgx.ParseConfig(server.Database(t))
			require.NoError(t, err)
			db := stdlib.OpenDB(*config)
			t.Cleanup(func() { db.Close() })
			db.SetMaxIdleConns(16)
			store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
			require.NoError(t, err)
			return store, db, 16
		},
	}
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			store, db, most := open(t)
			var group sync.WaitGroup
			errs := make(chan error, mailboxes)
			for i := range mailboxes {
				group.Go(func() { errs <- useAll(t, store, fmt.Sprintf("m%d@x", i)) })
			}
			group.Wait()
			for range mailboxes {
				require.NoError(t, <-errs)
			}
			stats := db.Stats()
			require.LessOrEqual(t, stats.OpenConnections, most)
			require.Zero(t, stats.MaxIdleClosed, "more connections were in use than may stay idle")
		})
	}
}

// useAll calls every method of a Store.
func useAll(t *testing.T, s *sqlstore.Store, mailbox string) error {
	ctx := t.Context()
	raw := rawFact("1", make([]byte, 1000))
	if _, err := s.Append(ctx, mailbox, raw, fact("2", "a@x")); err != nil {
		return err
	}
	if err := s.SetCursor(ctx, mailbox, pec.Cursor{Folder: "INBOX"}); err != nil {
		return err
	}
	if err := s.Summarize(ctx, mailbox, "a@x", pec.Summary{Entries: 2}); err != nil {
		return err
	}
	if _, err := s.Entry(ctx, mailbox, "1"); err != nil {
		return err
	}
	if _, err := s.Entries(ctx, mailbox, "a@x"); err != nil {
		return err
	}
	if _, err := s.Cursors(ctx, mailbox); err != nil {
		return err
	}
	if _, err := s.Mailboxes(ctx); err != nil {
		return err
	}
	for _, err := range s.Sends(ctx, mailbox, pec.Query{}) {
		if err != nil {
			return err
		}
	}
	for _, err := range s.Changes(ctx, mailbox, "") {
		if err != nil {
			return err
		}
	}
	body, err := s.Raw(ctx, mailbox, "1")
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = body.Read(make([]byte, 1000))
	return err
}
