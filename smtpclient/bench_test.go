package smtpclient_test

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/floor"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
	"github.com/gopec/gopec/smtpclient"
)

// unread is a mailbox that is never read.
type unread struct{ pec.Mailbox }

func (unread) Folders() []string { return []string{"INBOX"} }

// BenchmarkSend composes, records and sends messages of 8 KB to a real Postfix over one
// connection. The floor is a bare loop of the SMTP library that sends the same bytes to
// the same server. "commits" is the number of transactions of one send in the Store: a
// database waits for its disk that often.
func BenchmarkSend(b *testing.B) {
	id := testenv.NewIdentity(b)
	addr, _ := testenv.StartPostfix(b, id, account, "discard:")
	verifier, err := envelope.NewVerifier(envelope.BuiltinAnchors(), nil)
	require.NoError(b, err)
	for name, store := range map[string]func() pec.Store{
		"memory": func() pec.Store { return pec.NewMemory() },
		"sqlite": func() pec.Store { return openSQLite(b) },
	} {
		b.Run(name, func(b *testing.B) {
			bare, err := smtp.DialTLS(addr, id.Client)
			require.NoError(b, err)
			defer bare.Close()
			require.NoError(b, bare.Auth(sasl.NewPlainClient("", sender, secret)))
			submitter, err := smtpclient.New(addr, pec.Password(sender, secret), &smtpclient.Options{TLS: id.Client})
			require.NoError(b, err)
			defer submitter.Close()
			counted := &commits{Store: store()}
			client, err := pec.New(sender, submitter, unread{}, verifier, &pec.Options{Store: counted})
			require.NoError(b, err)
			message := pec.Message{To: []string{"uno@pec.example"}, Subject: "Diffida", Text: strings.Repeat("Entro dieci giorni.\r\n", 400)}
			first, err := client.Send(b.Context(), message) // connects
			require.NoError(b, err)
			same := sentBytes(b, client, first)
			var ours, theirs time.Duration
			counted.n = 0
			for b.Loop() {
				start := time.Now()
				_, err := client.Send(b.Context(), message)
				ours += time.Since(start)
				require.NoError(b, err)
				start = time.Now()
				require.NoError(b, bare.SendMail(sender, message.To, bytes.NewReader(same)))
				theirs += time.Since(start)
			}
			floor.Report(b, b.N, theirs, ours)
			b.ReportMetric(float64(counted.n)/float64(b.N), "commits/op")
		})
	}
}

// commits counts the writes to a Store.
type commits struct {
	pec.Store
	n int
}

func (c *commits) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	c.n++
	return c.Store.Append(ctx, mailbox, entries...)
}

func (c *commits) SetCursor(ctx context.Context, mailbox string, cursor pec.Cursor) error {
	c.n++
	return c.Store.SetCursor(ctx, mailbox, cursor)
}

func (c *commits) Summarize(ctx context.Context, mailbox, send string, s pec.Summary) error {
	c.n++
	return c.Store.Summarize(ctx, mailbox, send, s)
}

func openSQLite(b *testing.B) pec.Store {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "pec.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	require.NoError(b, err)
	b.Cleanup(func() { db.Close() })
	store, err := sqlstore.OpenSQLite(context.Background(), db)
	require.NoError(b, err)
	return store
}

// sentBytes returns the message as it was sent.
func sentBytes(b *testing.B, c *pec.Client, messageID string) []byte {
	raw, err := c.Raw(b.Context(), messageID, pec.Intent{})
	require.NoError(b, err)
	defer raw.Close()
	text, err := io.ReadAll(raw)
	require.NoError(b, err)
	return text
}
