package sqlstore_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
	"github.com/gopec/gopec/pec/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pec.Store { return inFile(t)() })
	storetest.RunDurable(t, inFile)
	storetest.RunShared(t, inFile)
}

// The Store works with a single connection: it never needs a second one while it holds
// one.
func TestSQLiteOneConnection(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pec.Store {
		db := openFile(t, filepath.Join(t.TempDir(), "pec.db"), pragmas)
		db.SetMaxOpenConns(1)
		store, err := sqlstore.OpenSQLite(t.Context(), db)
		require.NoError(t, err)
		return store
	})
}

func TestSQLiteSettings(t *testing.T) {
	for name, parameters := range map[string]string{
		"none":               "",
		"no WAL":             "?_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)",
		"not synchronous":    "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)",
		"impatient":          "?_pragma=busy_timeout(4999)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",
		"in memory":          "?mode=memory&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",
		"in memory together": "?mode=memory&cache=shared&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.OpenSQLite(t.Context(), openFile(t, filepath.Join(t.TempDir(), "pec.db"), parameters))
			requireReason(t, err, sqlstore.ReasonSettings)
		})
	}
	t.Run("extra", func(t *testing.T) {
		_, err := sqlstore.OpenSQLite(t.Context(), openFile(t, filepath.Join(t.TempDir(), "pec.db"), "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(EXTRA)"))
		require.NoError(t, err)
	})
}

// Settings made by hand apply to one connection only. OpenSQLite notices that the next
// connection will not have them, even if the pool allows only one at a time.
func TestSQLiteSettingsOfFreshConnections(t *testing.T) {
	for _, limit := range []int{0, 3, 2, 1} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			db := openFile(t, filepath.Join(t.TempDir(), "pec.db"), "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
			db.SetMaxOpenConns(limit)
			var conns []*sql.Conn
			for len(conns) < 2 && len(conns) != limit {
				conn, err := db.Conn(t.Context())
				require.NoError(t, err)
				_, err = conn.ExecContext(t.Context(), "PRAGMA busy_timeout = 5000")
				require.NoError(t, err)
				conns = append(conns, conn)
			}
			for _, conn := range conns {
				require.NoError(t, conn.Close())
			}
			require.Equal(t, len(conns), db.Stats().Idle)
			_, err := sqlstore.OpenSQLite(t.Context(), db)
			requireReason(t, err, sqlstore.ReasonSettings)
		})
	}
}

// Programs that open and close a new file at the same time get in each other's way, and
// SQLite does not always wait. Opening succeeds all the same.
func TestSQLiteOpenTogether(t *testing.T) {
	const programs = 8
	for range 50 {
		path, errs := filepath.Join(t.TempDir(), "pec.db"), make(chan error, programs)
		for range programs {
			go func() {
				db, err := sql.Open("sqlite", "file:"+path+pragmas)
				if err == nil {
					_, err = sqlstore.OpenSQLite(t.Context(), db)
					db.Close()
				}
				errs <- err
			}()
		}
		for range programs {
			require.NoError(t, <-errs)
		}
	}
}
