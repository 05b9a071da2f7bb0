package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/mail"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// asProgram is the environment variable that makes the test binary run as the program, for
// tests that need processes.
const asProgram = "GOPEC_TEST_AS_FLEET"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// patience is how long any condition may take to hold. River notices after 15 seconds that a
// leader is gone, and looks for jobs of dead workers every 30.
const patience = 5 * time.Minute

const (
	mario  = "mario@alfa-pec.example"
	luigi  = "luigi@beta-pec.example"
	bruna  = "bruna@beta-pec.example"
	anna   = "anna@alfa-pec.example"
	queued = "SELECT count(*) FROM river_job WHERE kind = 'pec_send'"
)

// bill returns an invoice from mario to three recipients.
func bill(number string) invoice {
	return invoice{Sender: mario, Recipients: []string{luigi, bruna, anna}, Number: number, Total: "100,00"}
}

var anySend = pec.Query{}

// server is the PostgreSQL server of all tests of this package.
var server testenv.Postgres

// site is a network of providers and a database.
type site struct {
	network   *pectest.Network
	url, file string
}

func newSite(t *testing.T, opts *pectest.Options) *site {
	t.Helper()
	testenv.NoLeak(t)
	s := &site{url: server.Database(t), network: pectest.Start(t, opts)}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	c := config{
		CA:      file("ca.pem", s.network.TLSRootPEM()),
		Anchors: file("anchors.pem", accounttest.AnchorPEM(s.network)),
	}
	for _, p := range s.network.Providers() {
		c.Providers = append(c.Providers, providerConfig{Domain: p.Domain(), SMTP: p.SMTPAddr(), IMAP: p.IMAPAddr()})
	}
	for _, a := range s.network.Accounts() {
		c.Accounts = append(c.Accounts, login{Address: a.Address, Login: a.Login, Password: a.Password})
	}
	text, err := json.Marshal(c)
	require.NoError(t, err)
	s.file = file("fleet.json", text)
	return s
}

// open opens the fleet as a process of it does.
func (s *site) open(t *testing.T) *fleet {
	t.Helper()
	f, err := open(t.Context(), s.url, s.file)
	require.NoError(t, err)
	t.Cleanup(f.close)
	return f
}

// run runs a command to its end.
func (s *site) run(ctx context.Context, args ...string) (exit int, stdout, stderr string) {
	var out, trouble bytes.Buffer
	exit = run(ctx, append([]string{"-db", s.url, "-config", s.file}, args...), &out, &trouble)
	return exit, out.String(), trouble.String()
}

// inbox returns the headers of the messages in a mailbox.
func (s *site) inbox(t *testing.T, address string) (headers []mail.Header) {
	t.Helper()
	messages, err := s.network.ProviderOf(address).Messages(address, pectest.InboxFolder)
	require.NoError(t, err)
	for _, raw := range messages {
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		require.NoError(t, err)
		headers = append(headers, m.Header)
	}
	return headers
}

// enqueue commits invoices and their jobs in one transaction.
func (f *fleet) enqueue(t *testing.T, invoices ...invoice) {
	t.Helper()
	jobs, err := river.NewClient(riverpgxv5.New(f.pool), &river.Config{})
	require.NoError(t, err)
	require.NoError(t, pgx.BeginFunc(t.Context(), f.pool, func(tx pgx.Tx) error {
		for _, i := range invoices {
			if err := i.enqueueIn(t.Context(), tx, jobs); err != nil {
				return err
			}
		}
		return nil
	}))
}

// rows returns the number that a query returns.
func (f *fleet) rows(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, f.pool.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

// every waits until a condition holds.
func every(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
