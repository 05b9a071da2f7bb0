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
	"github.com/gopec/gopec/internal/netguard/netguardtest"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/sqlstore"
	"github.com/gopec/gopec/smtpclient"
)

// unread is a mailbox that nobody looks into.
type unread struct{ pec.Mailbox }

func (unread) Folders() []string { return []string{"INBOX"} }

// BenchmarkSend sends messages of 8 KB, composed and recorded, to a real Postfix over
// one connection. "x-bare" is the rate over that of a bare loop of the SMTP library that
// sends the same bytes to the same server.
func BenchmarkSend(b *testing.B) {
	id := netguardtest.NewIdentity(b)
	addr, _ := startPostfix(b, id, "discard:")
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
			client, err := pec.New(sender, submitter, unread{}, verifier, &pec.Options{Store: store()})
			require.NoError(b, err)
			message := pec.Message{To: []string{"uno@pec.example"}, Subject: "Diffida", Text: strings.Repeat("Entro dieci giorni.\r\n", 400)}
			first, err := client.Send(b.Context(), message) // connects
			require.NoError(b, err)
			same := sentBytes(b, client, first)
			var ours, theirs time.Duration
			for b.Loop() {
				start := time.Now()
				_, err := client.Send(b.Context(), message)
				ours += time.Since(start)
				require.NoError(b, err)
				start = time.Now()
				require.NoError(b, bare.SendMail(sender, message.To, bytes.NewReader(same)))
				theirs += time.Since(start)
			}
			b.ReportMetric(float64(theirs)/float64(ours), "x-bare")
			b.ReportMetric(float64(b.N)/ours.Seconds(), "messages/s")
		})
	}
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

// sentBytes is the message as it left.
func sentBytes(b *testing.B, c *pec.Client, messageID string) []byte {
	raw, err := c.Raw(b.Context(), messageID, pec.Intent{})
	require.NoError(b, err)
	defer raw.Close()
	text, err := io.ReadAll(raw)
	require.NoError(b, err)
	return text
}
