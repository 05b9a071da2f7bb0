package rewindtest

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/sqlstore"
)

// server is the PostgreSQL server of all tests in this package.
var server testenv.Postgres

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// stores are functions that make an empty Store.
var stores = map[string]func(t *testing.T) pec.Store{
	"memory": func(*testing.T) pec.Store { return pec.NewMemory() },
	"sqlite": func(t *testing.T) pec.Store {
		db := open(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "pec.db")+"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		store, err := sqlstore.OpenSQLite(t.Context(), db)
		require.NoError(t, err)
		return store
	},
	"postgres": func(t *testing.T) pec.Store {
		store, err := sqlstore.OpenPostgres(t.Context(), open(t, "pgx", server.Database(t)), nil)
		require.NoError(t, err)
		return store
	},
}

// open opens a database until the test ends.
func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// world is a program with its Store and its provider.
type world struct {
	*pec.Client
	t        *testing.T
	provider *provider
	history  *history
	now      time.Time
	secret   []byte
}

// start starts the program on a Store.
func (w *world) start(store pec.Store) {
	w.t.Helper()
	w.history = &history{Store: store}
	clock := func() time.Time { return w.now }
	verifier := trusttest.Verifier(w.t, w.provider.network, &envelope.VerifierOptions{Now: clock})
	var err error
	w.Client, err = pec.New(me, w.provider, w.provider, verifier, &pec.Options{Store: w.history, KeySecret: w.secret, Now: clock})
	require.NoError(w.t, err)
}

// message returns a message to luigi.
func message(key, subject string) pec.Message {
	return pec.Message{To: []string{luigi}, Subject: subject, Text: "Entro dieci giorni.", Key: key}
}

// send sends a message under a key. It ignores the error: a restored Store refuses to send
// at first.
func (w *world) send(key string) string {
	id, _ := w.Send(w.t.Context(), message(key, "Diffida"))
	return id
}

// hour lets an hour pass, and has the program do a turn.
func (w *world) hour() {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	w.turn()
}

// turn does what one round of Watch does: Retry, then Sync.
func (w *world) turn() {
	w.t.Helper()
	for _, err := range w.Retry(w.t.Context()) {
		var held *pec.HeldError
		if !errors.As(err, &held) {
			require.NoError(w.t, err)
		}
	}
	for _, err := range w.Sync(w.t.Context()) {
		require.NoError(w.t, err)
	}
}

// life is what a program does with a send. A program whose Store was put back repeats it,
// and no further message may leave.
type life struct {
	do    func(w *world)
	again func(w *world) // what is repeated; nil for do
	most  int            // how many messages leave in all
}

var lives = map[string]life{
	"send":         {do: func(w *world) { w.send("k") }, most: 1},
	"followed":     {do: func(w *world) { w.send("k"); w.hour() }, again: func(w *world) { w.send("k") }, most: 1},
	"key repeated": {do: func(w *world) { w.send("k"); w.send("k"); w.turn(); w.send("k") }, most: 1},
	"retry": {do: func(w *world) {
		w.provider.answers = []pec.OutcomeKind{pec.OutcomeTemporary, pec.OutcomeTemporary}
		w.send("k")
		for range 2 {
			w.hour()
		}
	}, again: func(w *world) { w.send("k") }, most: 1},
	"resend": {do: func(w *world) {
		w.provider.fails = 1
		first := w.send("k")
		w.hour()
		_, _ = w.Resend(w.t.Context(), first, message("k2", "Diffida, di nuovo"))
	}, again: func(w *world) {
		first := w.send("k")
		_, _ = w.Resend(w.t.Context(), first, message("k2", "Diffida, di nuovo"))
	}, most: 2},
	// The second attempt was uncertain. A person looked, resolved the message as not sent, and
	// sent another one in its place. A Store that has lost this would send the first one again.
	"resolve": {do: func(w *world) {
		w.provider.answers = []pec.OutcomeKind{pec.OutcomeTemporary, pec.OutcomeUncertain}
		first := w.send("k")
		w.hour()
		_ = w.ResolveUnsent(w.t.Context(), first, "not in the web mail")
		_, _ = w.Resend(w.t.Context(), first, message("k2", "Diffida"))
	}, again: func(w *world) {
		if first, err := w.MessageID(w.t.Context(), "k"); err == nil {
			_, _ = w.Resend(w.t.Context(), first, message("k2", "Diffida"))
		}
	}, most: 1},
	"cancel": {do: func(w *world) {
		w.provider.answers = []pec.OutcomeKind{pec.OutcomeTemporary}
		first := w.send("k")
		_ = w.Cancel(w.t.Context(), first)
		w.send("k")
		w.turn()
	}, again: func(w *world) { w.send("k") }, most: 1},
}

// rewind does what a life does, puts the Store back to after one of its steps, and goes on.
// It does so for each step in turn. It returns the most copies of one message and the most
// messages that left in any of the runs, and how many runs there were.
func rewind(t *testing.T, l life, empty func(t *testing.T) pec.Store, secret []byte, marked bool) (copies, messages, points int) {
	network := pectest.Start(t, &pectest.Options{InMemory: true})
	for n := 0; ; n++ {
		w := &world{t: t, provider: newProvider(t, network), now: time.Now(), secret: secret}
		w.provider.now = &w.now
		w.start(pec.NewMemory())
		l.do(w)
		lost := w.history
		if n > len(lost.steps) {
			return copies, messages, n
		}
		stopped := w.now
		w.now = w.now.Add(time.Minute)
		store := empty(t)
		lost.replay(t, store, n)
		w.start(store)
		w.provider.answers = nil
		if marked {
			require.NoError(t, w.MarkRestored(t.Context(), stopped))
		}
		again := l.again
		if again == nil {
			again = l.do
		}
		again(w)
		for _, later := range []time.Duration{0, 10 * time.Minute, time.Hour, time.Hour, 2 * time.Hour} {
			w.now = w.now.Add(later)
			w.turn()
			again(w)
		}
		left := 0
		for _, c := range w.provider.copies {
			copies, left = max(copies, c), left+c
		}
		messages = max(messages, left)
		if marked && (copies > 1 || left > l.most) {
			t.Errorf("put back to step %d of %d: %d messages have left (%v), want at most %d, and one copy of each", n, len(lost.steps), left, w.provider.copies, l.most)
		}
	}
}

// However far back the Store is put, no second copy leaves.
func TestRewind(t *testing.T) {
	for kind, empty := range stores {
		for name, l := range lives {
			t.Run(kind+"/"+name, func(t *testing.T) {
				copies, messages, points := rewind(t, l, empty, bytes.Repeat([]byte("s"), 32), true)
				require.Greater(t, points, 3)
				require.Equal(t, 1, copies)
				t.Logf("%d points, %d messages", points, messages)
			})
		}
	}
}

// Without the mark and the secret, second copies do leave. Otherwise TestRewind would prove
// nothing.
func TestRewindUnmarked(t *testing.T) {
	for name, l := range lives {
		copies, messages, _ := rewind(t, l, stores["memory"], nil, false)
		if name == "cancel" {
			continue // nothing had left before, so nothing can leave twice
		}
		require.True(t, copies > 1 || messages > l.most, "%s: %d copies, %d messages", name, copies, messages)
	}
}
