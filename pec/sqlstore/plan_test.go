package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// statements collects the statements that a Store runs, each with its last arguments.
type statements struct {
	mu   sync.Mutex
	seen map[string][]any
}

func (s *statements) add(query string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string][]any{}
	}
	s.seen[query] = args
}

// plans returns those statements that read or write a table of the Store.
func (s *statements) plans() map[string][]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	plans := map[string][]any{}
	for query, args := range s.seen {
		word, _, _ := strings.Cut(query, " ")
		if strings.Contains(query, "pec_") && (word == "SELECT" || word == "WITH" || word == "INSERT" || word == "UPDATE") {
			plans[query] = args
		}
	}
	return plans
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.add(data.SQL, data.Args)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// recorder is a driver.Connector for SQLite that collects statements.
type recorder struct {
	*statements
	dsn string
}

func (r recorder) Driver() driver.Driver { return &sqlite.Driver{} }

func (r recorder) Connect(context.Context) (driver.Conn, error) {
	conn, err := r.Driver().Open(r.dsn)
	if err != nil {
		return nil, err
	}
	return recordedConn{conn.(sqliteConn), r.statements}, nil
}

type sqliteConn interface {
	driver.Conn
	driver.QueryerContext
	driver.ExecerContext
	driver.ConnBeginTx
}

type recordedConn struct {
	sqliteConn
	seen *statements
}

func unnamed(args []driver.NamedValue) (values []any) {
	for _, arg := range args {
		values = append(values, arg.Value)
	}
	return values
}

func (c recordedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.seen.add(query, unnamed(args))
	return c.sqliteConn.QueryContext(ctx, query, args)
}

func (c recordedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.seen.add(query, unnamed(args))
	return c.sqliteConn.ExecContext(ctx, query, args)
}

// manySends fills a store with n sends of three entries each. All are settled.
func manySends(t testing.TB, s pec.Store, db *sql.DB, n int) {
	t.Helper()
	for i := 0; i < n; i += 500 {
		var batch []pec.Entry
		for j := i; j < min(i+500, n); j++ {
			send := fmt.Sprintf("%d@x", j)
			batch = append(batch, fact("intent "+send, send), fact("attempt "+send, send), fact("outcome "+send, send))
		}
		mustAppend(t, s, batch...)
	}
	execute(t, db, "UPDATE pec_sends SET summarized = entries")
}

// everything calls every method of a Store that manySends has filled.
func everything(t *testing.T, s pec.Store, n int) {
	ctx := t.Context()
	mustAppend(t, s, rawFact("raw", make([]byte, 300_000)))
	_, err := s.Append(ctx, box, fact("intent 7@x", "7@x"))
	require.NoError(t, err)
	_, err = s.Entry(ctx, box, "intent 7@x")
	require.NoError(t, err)
	entries, err := s.Entries(ctx, box, "7@x")
	require.NoError(t, err)
	require.Len(t, entries, 3)
	_, err = readRaw(t, s, "raw")
	require.NoError(t, err)
	for range s.Changes(ctx, box, entries[2].Position) {
		break
	}
	require.NoError(t, s.Summarize(ctx, box, "7@x", pec.Summary{Entries: 99}))
	for filter := range map[pec.Filter]bool{pec.FilterAll: true, pec.FilterOpen: true, pec.FilterDue: true, pec.FilterOverdue: true, pec.FilterUnconfirmed: true, pec.FilterUncertain: true, pec.FilterFailed: true, pec.FilterUnverified: true} {
		for _, q := range []pec.Query{{Filter: filter}, {Filter: filter, Since: time.Now(), At: time.Now()}} {
			if filter != pec.FilterAll || !q.Since.IsZero() {
				require.Less(t, len(listed(t, s, q)), 10)
			}
		}
	}
	require.Len(t, listed(t, s, pec.Query{}), n+1)
	require.NoError(t, s.SetCursor(ctx, box, pec.Cursor{Folder: "INBOX"}))
	_, err = s.Cursors(ctx, box)
	require.NoError(t, err)
	mailboxes, err := s.(*sqlstore.Store).Mailboxes(ctx)
	require.NoError(t, err)
	require.Contains(t, mailboxes, box)
}

// No statement scans a table: its cost does not grow with the number of sends.
func TestSQLitePlans(t *testing.T) {
	for _, analyze := range []bool{false, true} {
		t.Run(fmt.Sprintf("analyze %t", analyze), func(t *testing.T) {
			var seen statements
			db := sql.OpenDB(recorder{&seen, "file:" + filepath.Join(t.TempDir(), "pec.db") + pragmas})
			defer db.Close()
			store, err := sqlstore.OpenSQLite(t.Context(), db)
			require.NoError(t, err)
			manySends(t, store, db, 1000)
			if analyze {
				execute(t, db, "ANALYZE")
			}
			seen.seen = nil
			everything(t, store, 1000)
			plans := seen.plans()
			require.Greater(t, len(plans), 20)
			for query, args := range plans {
				plan := planOf(t, db, "EXPLAIN QUERY PLAN "+query, args...)
				require.NotContains(t, plan, "SCAN pec_", query)
				// Nor does a statement scan a mailbox. The plans removed here look like it: the
				// highest place is found in one step, and a mailbox has one cursor per folder.
				plan = strings.ReplaceAll(plan, "SEARCH pec_entries USING COVERING INDEX sqlite_autoindex_pec_entries_2 (mailbox=?)\n", "")
				plan = strings.ReplaceAll(plan, "SEARCH pec_cursors USING PRIMARY KEY (mailbox=?)\n", "")
				require.NotContains(t, plan, "(mailbox=?)", query)
				if !strings.Contains(query, "AND TRUE AND (place") { // the page of FilterAll reads all sends
					require.NotContains(t, plan, "pec_sends_place", query)
				}
			}
		})
	}
}

// PostgreSQL scans no table either, once its statistics say that the tables are large.
func TestPostgresPlans(t *testing.T) {
	var seen statements
	config, err := pgx.ParseConfig(server.Database(t))
	require.NoError(t, err)
	config.Tracer = &seen
	db := stdlib.OpenDB(*config)
	defer db.Close()
	store, err := sqlstore.OpenPostgres(t.Context(), db, nil)
	require.NoError(t, err)
	const n = 5000
	manySends(t, store, db, n)
	execute(t, db, "INSERT INTO pec_raws (entry, size, sha256) SELECT id + 100000, 0, '' FROM pec_entries")
	execute(t, db, "INSERT INTO pec_chunks (entry, n, data) SELECT id + 100000, 0, '' FROM pec_entries")
	execute(t, db, "INSERT INTO pec_cursors (mailbox, folder, uidvalidity, uid, read_at) SELECT 'many', send, 0, 0, '' FROM pec_sends")
	for _, table := range []string{"pec_entries", "pec_sends", "pec_raws", "pec_chunks", "pec_cursors"} {
		execute(t, db, "ANALYZE "+table)
	}
	seen.seen = nil
	everything(t, store, n)
	plans := seen.plans()
	require.Greater(t, len(plans), 20)
	for query, args := range plans {
		plan := planOf(t, db, "EXPLAIN "+query, args...)
		for _, table := range []string{"entries", "sends", "raws", "chunks", "cursors"} {
			require.NotContains(t, plan, "Seq Scan on pec_"+table, "%s\n%s", query, plan)
		}
	}
}

// planOf returns the last column of an EXPLAIN, one line per row.
func planOf(t *testing.T, db *sql.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var plan strings.Builder
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(t, rows.Scan(targets...))
		fmt.Fprintln(&plan, values[len(values)-1])
	}
	require.NoError(t, rows.Err())
	return plan.String()
}
