package sqlstore_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/floor"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// backend is a database with the tables of a Store.
type backend struct {
	name  string
	open  func(b *testing.B) (*sqlstore.Store, *sql.DB)
	place string // a parameter
}

var backends = []backend{
	{"sqlite", func(b *testing.B) (*sqlstore.Store, *sql.DB) {
		db := openFile(b, filepath.Join(b.TempDir(), "pec.db"), pragmas)
		store, err := sqlstore.OpenSQLite(b.Context(), db)
		require.NoError(b, err)
		return store, db
	}, "?"},
	{"postgres", func(b *testing.B) (*sqlstore.Store, *sql.DB) {
		db := openPostgres(b, server.Database(b))
		store, err := sqlstore.OpenPostgres(b.Context(), db, nil)
		require.NoError(b, err)
		return store, db
	}, "$"},
}

// BenchmarkAppend appends batches of notices of 18 KB. The number in its name is the size
// of a batch. The floor inserts the same rows in one transaction, with prepared statements
// and without any check.
func BenchmarkAppend(b *testing.B) {
	raw := make([]byte, 18_000)
	for i := range raw {
		raw[i] = byte(rand.Uint32())
	}
	for _, backend := range backends {
		for _, size := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", backend.name, size), func(b *testing.B) {
				store, _ := backend.open(b)
				_, plain := backend.open(b)
				var ours, theirs time.Duration
				for n := 0; b.Loop(); n++ {
					var batch []pec.Entry
					for i := range size {
						e := rawFact(fmt.Sprintf("notice %d.%d", n, i), raw)
						e.Send = fmt.Sprintf("%d@x", n*size+i)
						e.Data = raw[:1000]
						batch = append(batch, e)
					}
					start := time.Now()
					mustAppend(b, store, batch...)
					ours += time.Since(start)
					start = time.Now()
					require.NoError(b, insert(b, plain, backend.place, n, batch, raw))
					theirs += time.Since(start)
				}
				floor.Report(b, b.N*size, theirs, ours)
			})
		}
	}
}

// insert writes the rows that an Append of the batch writes.
func insert(b *testing.B, db *sql.DB, place string, n int, batch []pec.Entry, raw []byte) error {
	tx, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var prepared []*sql.Stmt
	for _, statement := range []string{
		"INSERT INTO pec_entries (mailbox, place, n, key, send, at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
		"INSERT INTO pec_chunks (entry, n, data) VALUES (?1, 0, ?2)",
		"INSERT INTO pec_raws (entry, size, sha256) VALUES (?1, ?2, ?3)",
		"INSERT INTO pec_sends (mailbox, send, place, n, entries) VALUES (?1, ?2, ?3, ?4, 1)",
	} {
		stmt, err := tx.PrepareContext(b.Context(), strings.ReplaceAll(statement, "?", place))
		if err != nil {
			return err
		}
		defer stmt.Close()
		prepared = append(prepared, stmt)
	}
	for i, e := range batch {
		var id int64
		if err := prepared[0].QueryRow(box, n, i, e.Key, e.Send, "2026-03-01T09:30:00Z", e.Data).Scan(&id); err != nil {
			return err
		}
		digest := sha256.Sum256(raw)
		if _, err := prepared[1].Exec(id, raw); err != nil {
			return err
		}
		if _, err := prepared[2].Exec(id, len(raw), digest[:]); err != nil {
			return err
		}
		if _, err := prepared[3].Exec(box, e.Send, n, i); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// BenchmarkEntries reads the facts of one send. The number in its name is how many sends
// the store has.
func BenchmarkEntries(b *testing.B) {
	for _, backend := range backends {
		for _, sends := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", backend.name, sends), func(b *testing.B) {
				store, db := backend.open(b)
				manySends(b, store, db, sends)
				for b.Loop() {
					entries, err := store.Entries(b.Context(), box, fmt.Sprintf("%d@x", rand.IntN(sends)))
					require.NoError(b, err)
					require.Len(b, entries, 3)
				}
			})
		}
	}
}
