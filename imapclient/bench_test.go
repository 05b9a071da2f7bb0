package imapclient_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/floor"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/internal/trusttest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
	"github.com/gopec/gopec/pec/sqlstore"
)

const receipts = 5000

// nobody is a Submitter that submits nothing.
type nobody struct{}

func (nobody) Submit(_ context.Context, s pec.Submission) pec.Outcome {
	_, _ = io.Copy(io.Discard, s.Body)
	return pec.Outcome{}
}

// BenchmarkSync reads 5,000 delivery receipts of 18 KB, each for a different send, from a
// real Dovecot over TLS. The floor is a bare loop of the IMAP library that reads the same
// mailbox and discards everything.
func BenchmarkSync(b *testing.B) {
	id := testenv.NewIdentity(b)
	server := testenv.StartDovecot(b, id, secret)
	network := pectest.Start(b, nil)
	texts := make([]string, receipts)
	for i := range texts {
		texts[i] = delivery(b, network, fmt.Sprintf("m%d@alfa-pec.example", i))
	}
	server.Seed(me, texts...)
	verifier := trusttest.Verifier(b, network, nil)
	stream(b, server.Addr, id) // Dovecot indexes the folder once
	for name, open := range benchStores(b) {
		b.Run(name, func(b *testing.B) {
			var ours, theirs time.Duration
			for b.Loop() {
				start := time.Now()
				stream(b, server.Addr, id)
				theirs += time.Since(start)

				mailbox, err := imapclient.New(server.Addr, pec.Password(me, secret), &imapclient.Options{TLS: id.Client})
				require.NoError(b, err)
				client, err := pec.New(me, nobody{}, mailbox, verifier, &pec.Options{Store: open()})
				require.NoError(b, err)
				start = time.Now()
				read := 0
				for e, err := range client.Sync(b.Context()) {
					require.NoError(b, err)
					require.NotEmpty(b, e.MessageID)
					read++
				}
				ours += time.Since(start)
				require.Equal(b, receipts, read)
				require.NoError(b, mailbox.Close())
			}
			floor.Report(b, b.N*receipts, theirs, ours)
		})
	}
}

// stream reads the whole mailbox with only the library.
func stream(b *testing.B, addr string, id testenv.Identity) {
	c, err := goimap.DialTLS(addr, &goimap.Options{TLSConfig: id.Client})
	require.NoError(b, err)
	defer c.Close()
	require.NoError(b, c.Login(me, secret).Wait())
	_, err = c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	require.NoError(b, err)
	all := imap.UIDSet{{Start: 1, Stop: 0}}
	fetch := c.Fetch(all, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	count := 0
	for m := fetch.Next(); m != nil; m = fetch.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			if section, ok := item.(goimap.FetchItemDataBodySection); ok {
				_, err := io.Copy(io.Discard, section.Literal)
				require.NoError(b, err)
				count++
			}
		}
	}
	require.NoError(b, fetch.Close())
	require.Equal(b, receipts, count)
}

// benchStores returns the Stores to compare.
func benchStores(b *testing.B) map[string]func() pec.Store {
	var postgres testenv.Postgres
	b.Cleanup(postgres.Stop)
	open := func(driver, dsn string) *sql.DB {
		db, err := sql.Open(driver, dsn)
		require.NoError(b, err)
		b.Cleanup(func() { db.Close() })
		return db
	}
	return map[string]func() pec.Store{
		"memory": func() pec.Store { return pec.NewMemory() },
		"sqlite": func() pec.Store {
			store, err := sqlstore.OpenSQLite(b.Context(), open("sqlite", "file:"+filepath.Join(b.TempDir(), "pec.db")+
				"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"))
			require.NoError(b, err)
			return store
		},
		"postgres": func() pec.Store {
			store, err := sqlstore.OpenPostgres(b.Context(), open("pgx", postgres.Database(b)), nil)
			require.NoError(b, err)
			return store
		},
	}
}
