package killtest

import (
	"database/sql"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
)

// server is the PostgreSQL server of all tests in this package.
var server testenv.Postgres

func TestMain(m *testing.M) {
	if text := os.Getenv(orders); text != "" {
		live(text)
		return
	}
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// scale returns the number of random runs per database. long reports whether GOPEC_SCALE
// asks for more than a normal test run should take.
func scale(t *testing.T) (runs int, long bool) {
	t.Helper()
	text := os.Getenv("GOPEC_SCALE")
	if text == "" {
		return 30, false
	}
	runs, err := strconv.Atoi(text)
	require.NoError(t, err)
	return runs, true
}

// onEach runs a test with each database driver.
func onEach(t *testing.T, test func(*testing.T, string)) {
	for _, driver := range []string{"sqlite", "pgx"} {
		t.Run(driver, func(t *testing.T) { test(t, driver) })
	}
}

// execute runs a statement.
func execute(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}
