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

// trouble is what befalls a database.
type trouble struct {
	begin func(*testing.T, *worker) error // at a step, which fails if it gives an error
	end   func(*testing.T, *worker)       // nil when it passes by itself
	// reason is how the call under way ends; "" if it may succeed in spite of it.
	reason sqlstore.Reason
}

// befall lets the trouble begin at a step of a worker. What it then says must be clear,
// and once the trouble is over the same worker brings its work to an end.
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
	require.True(t, struck, "the step is not taken")
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

// needy are steps before which the database is needed, and one after which it will be.
var needy = []string{"before intent+key", "before attempt", "half body", "before outcome", "before notice+cert", "before notice", "before cursor", "before intent+key+resent"}

func execute(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

// The disk is full.
func TestSQLiteFull(t *testing.T) {
	s := newScene(t, "sqlite", len(needy))
	for _, step := range needy {
		if step == "before cursor" {
			continue // it fits into a page that is there
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

// fill leaves no room in the file.
func fill(t *testing.T, w *worker) {
	t.Helper()
	store, err := openStore(t.Context(), w.Driver, w.db)
	require.NoError(t, err)
	execute(t, w.db, "PRAGMA max_page_count = 1") // no more than there are
	for size, n := 2000, 0; size > 0; n++ {
		_, err := store.Append(t.Context(), w.Address+".filler", pec.Entry{Key: fmt.Sprint(n), At: time.Now(), Data: make([]byte, size)})
		if err != nil {
			size /= 10
		}
	}
}

// Another program holds the database for itself.
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

// What was written is there, and the answer is lost: to the worker it has failed. A
// claim of which it does not know is never used. It finds its own again, and nothing is
// uncertain.
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

// inPostgres adds the steps within a transaction.
var inPostgres = append([]string{"within intent+key", "within notice+cert", "within notice", "within intent+key+resent", "loop begins"}, needy...)

// All connections are ended.
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

// The server goes down as in a crash, and comes back when the worker has given up, or
// before it has noticed.
func TestPostgresRestart(t *testing.T) {
	var own testenv.Postgres // others must not lose theirs
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
