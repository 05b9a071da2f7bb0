package bench_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// stores are the Stores that are compared.
var stores = map[string]func(testing.TB) pec.Store{
	"memory": func(testing.TB) pec.Store { return pec.NewMemory() },
	"sqlite": func(t testing.TB) pec.Store {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "pec.db")+
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		require.NoError(t, err)
		t.Cleanup(func() { db.Close() })
		store, err := sqlstore.OpenSQLite(t.Context(), db)
		require.NoError(t, err)
		return store
	},
}
