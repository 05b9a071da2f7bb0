package killtest

import (
	"database/sql"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
)

// trouble is a fault of the database.
type trouble struct {
	begin func(*testing.T, *worker) error // called at a step; the step fails with the error it returns
	end   func(*testing.T, *worker)       // ends the fault; nil when it ends by itself
	// reason is the Reason with which the call under way fails; "" if the call may succeed.
	reason sqlstore.Reason
}

// befall begins the trouble at a step of a worker. The error of the worker must state its
// reason. Once the trouble is over, the same worker finishes its work.
func (s *scene) befall(t *testing.T, step string, prepare func(*sql.DB), x trouble) {
	r := s.newRun(t)
	struck := false
	var w *worker
	w, err := r.order.open(t.Context(), func(at string) error {
		if at != step || struck {
			return nil
		}
		struck = true
		return x.begin(t, w)
	})
	require.NoError(t, err)
	defer w.close()
	prepare(w.db)
	err = w.work(t.Context())
	require.True(t, struck, "the worker did not take the step")
	if x.reason != "" || err != nil {
		var failed *pec.StoreError
		require.ErrorAs(t, err, &failed)
		var cause *sqlstore.Error
		require.ErrorAs(t, failed, &cause)
		if x.reason != "" {
			assert.Equal(t, x.reason, cause.Reason, err)
		} else {
			assert.Equal(t, sqlstore.ReasonUnavailable, cause.Reason, err)
		}
	}
	if x.end != nil {
		x.end(t, w)
	}
	require.NoError(t, s.network.Idle(t.Context()))
	r.finish(t, w)
	assert.Zero(t, r.judge(t).uncertain)
}

// needy are the steps before which the database is used, and "half body", after which it is
// used.
var needy = []string{"before intent+key", "before attempt", "half body", "before outcome", "before notice+cert", "before notice", "before cursor", "before intent+key+resent"}

// The disk is full.
func TestSQLiteFull(t *testing.T) {
	s := newScene(t, "sqlite", len(needy))
	for _, step := range needy {
		if step == "before cursor" {
			continue // a cursor fits into a page that the file already has
		}
		t.Run(step, func(t *testing.T) {
			s.befall(t, step, func(db *sql.DB) { db.SetMaxOpenConns(1) }, trouble{
				begin:  func(t *testing.T, w *worker) error { fill(t, w); return nil },
				end:    func(t *testing.T, w *worker) { execute(t, w.db, "PRAGMA max_page_count = 1000000") },
				reason: sqlstore.ReasonFull,
			})
		})
	}
}

// fill fills the database file up to its limit of pages.
func fill(t *testing.T, w *worker) {
	t.Helper()
	store, err := openStore(t.Context(), w.Driver, w.db)
	require.NoError(t, err)
	execute(t, w.db, "PRAGMA max_page_count = 1") // SQLite raises it to the pages that the file already has
	for size, n := 2000, 0; size > 0; n++ {
		_, err := store.Append(t.Context(), w.Address+".filler", pec.Entry{Key: fmt.Sprint(n), At: time.Now(), Data: make([]byte, size)})
		if err != nil {
			size /= 10
		}
	}
}

// Another program holds the write lock of the database.
func TestSQLiteLocked(t *testing.T) {
	s := newScene(t, "sqlite", len(needy))
	for _, step := range needy {
		t.Run(step, func(t *testing.T) {
			var holder *sql.Tx
			s.befall(t, step, func(db *sql.DB) {
				db.SetMaxOpenConns(1)
				execute(t, db, "PRAGMA busy_timeout = 20")
			}, trouble{
				begin: func(t *testing.T, w *worker) error {
					other, err := sql.Open("sqlite", w.DSN+"&_txlock=immediate")
					require.NoError(t, err)
					t.Cleanup(func() { other.Close() })
					holder, err = other.BeginTx(t.Context(), nil)
					require.NoError(t, err)
					return nil
				},
				end:    func(t *testing.T, _ *worker) { require.NoError(t, holder.Rollback()) },
				reason: sqlstore.ReasonBusy,
			})
		})
	}
}

// A write is done, but its answer is lost, and the worker sees an error. It does not send
// when it does not know that its claim was recorded. When it writes again it finds its own
// entries, and nothing is uncertain.
func TestAnswerLost(t *testing.T) {
	onEach(t, func(t *testing.T, driver string) {
		s := newScene(t, driver, len(needy))
		for _, name := range []string{"intent+key", "attempt", "outcome", "notice+cert", "notice", "cursor", "intent+key+resent"} {
			t.Run(name, func(t *testing.T) {
				x := trouble{
					begin: func(*testing.T, *worker) error {
						return &sqlstore.Error{Op: "test", Reason: sqlstore.ReasonUnavailable, Err: io.ErrUnexpectedEOF}
					},
					reason: sqlstore.ReasonUnavailable,
				}
				if name == "attempt" {
					x.reason = ""
				}
				s.befall(t, "after "+name, func(*sql.DB) {}, x)
			})
		}
	})
}

// inPostgres are the steps for PostgreSQL: needy, and those within a transaction.
var inPostgres = append([]string{"within intent+key", "within notice+cert", "within notice", "within intent+key+resent", "loop begins"}, needy...)

// The server ends all connections.
func TestPostgresConnectionsKilled(t *testing.T) {
	s := newScene(t, "pgx", len(inPostgres))
	for _, step := range inPostgres {
		t.Run(step, func(t *testing.T) {
			s.befall(t, step, func(*sql.DB) {}, trouble{begin: func(t *testing.T, w *worker) error {
				execute(t, w.db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()")
				return nil
			}})
		})
	}
}

// The server stops as in a crash. It comes back after the worker has given up, or before the
// worker has noticed.
func TestPostgresRestart(t *testing.T) {
	var own testenv.Postgres // the tests that share server must not lose it
	t.Cleanup(own.Stop)
	s := newScene(t, "pgx", 2*len(inPostgres))
	s.dsn = own.Database(t)
	for _, step := range inPostgres {
		t.Run(step, func(t *testing.T) {
			s.befall(t, step, func(*sql.DB) {}, trouble{
				begin:  func(*testing.T, *worker) error { own.Halt(); return nil },
				end:    func(t *testing.T, _ *worker) { own.Start(t) },
				reason: sqlstore.ReasonUnavailable,
			})
		})
		if _, long := scale(t); !long && !slices.Contains([]string{"half body", "before outcome", "within notice", "loop begins"}, step) {
			continue
		}
		t.Run(step+", at once", func(t *testing.T) {
			s.befall(t, step, func(*sql.DB) {}, trouble{begin: func(t *testing.T, _ *worker) error {
				own.Halt()
				own.Start(t)
				return nil
			}})
		})
	}
}

// The server's disk is full.
func TestPostgresFull(t *testing.T) {
	tables := map[string]string{"before cursor": "pec_cursors"}
	s := newScene(t, "pgx", len(needy))
	for _, step := range needy {
		t.Run(step, func(t *testing.T) {
			table := tables[step]
			if table == "" {
				table = "pec_entries"
			}
			s.befall(t, step, func(*sql.DB) {}, trouble{
				begin: func(t *testing.T, w *worker) error {
					execute(t, w.db, `CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
						$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$`)
					execute(t, w.db, "CREATE TRIGGER full_disk BEFORE INSERT ON "+table+" EXECUTE FUNCTION full_disk()")
					return nil
				},
				end:    func(t *testing.T, w *worker) { execute(t, w.db, "DROP TRIGGER full_disk ON "+table) },
				reason: sqlstore.ReasonFull,
			})
		})
	}
}
