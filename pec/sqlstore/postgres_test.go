package sqlstore_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
	"github.com/gopec/gopec/pec/storetest"
)

// server is the one of all tests of this package.
var server testenv.Postgres

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// openPostgres opens a database until the test ends.
func openPostgres(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// onServer is a storage of storetest.
func onServer(t *testing.T) func() pec.Store {
	dsn := server.Database(t)
	return func() pec.Store { return postgresStore(t, dsn) }
}

func postgresStore(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.OpenPostgres(t.Context(), openPostgres(t, dsn), nil)
	require.NoError(t, err)
	return store
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pec.Store { return onServer(t)() })
	storetest.RunDurable(t, onServer)
	storetest.RunShared(t, onServer)
}
