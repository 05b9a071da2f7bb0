package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/examples/internal/account/accounttest"
	"github.com/gopec/gopec/internal/testenv"
	"github.com/gopec/gopec/pec/pectest"
)

// server is the PostgreSQL server of all tests of this package.
var server testenv.Postgres

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

// run runs a command to its end.
func (s *site) run(ctx context.Context, args ...string) (exit int, stdout, stderr string) {
	var out, trouble bytes.Buffer
	exit = run(ctx, append([]string{"-db", s.url, "-config", s.file}, args...), &out, &trouble)
	return exit, out.String(), trouble.String()
}

func TestInvoiceAndJobAreCommittedTogether(t *testing.T) {
	s := newSite(t, nil)
	f := s.open(t)
	jobs, err := river.NewClient(riverpgxv5.New(f.pool), &river.Config{})
	require.NoError(t, err)
	const recorded = "SELECT count(*) FROM fleet_invoices"
	changed := fmt.Errorf("the caller has changed its mind")
	err = pgx.BeginFunc(t.Context(), f.pool, func(tx pgx.Tx) error {
		require.NoError(t, bill("1").enqueueIn(t.Context(), tx, jobs))
		return changed
	})
	require.ErrorIs(t, err, changed)
	require.Zero(t, f.rows(t, recorded))
	require.Zero(t, f.rows(t, queued))
	f.enqueue(t, bill("1"))
	// The same invoice again is neither recorded nor sent.
	require.Error(t, pgx.BeginFunc(t.Context(), f.pool, func(tx pgx.Tx) error { return bill("1").enqueueIn(t.Context(), tx, jobs) }))
	require.Equal(t, 1, f.rows(t, recorded))
	require.Equal(t, 1, f.rows(t, queued))
}

func TestCommands(t *testing.T) {
	s := newSite(t, nil)
	exit, _, stderr := s.run(t.Context(), "enqueue", "-from", mario, "-to", luigi, "-number", "1", "-total", "5,00")
	require.Zero(t, exit, stderr)
	exit, _, stderr = s.run(t.Context(), "enqueue", "-from", mario, "-to", luigi, "-number", "1", "-total", "5,00")
	require.Equal(t, 2, exit)
	require.Contains(t, stderr, "fleet_invoices")
	for _, args := range [][]string{
		{}, {"dance"}, {"worker", "-turn", "2m"}, {"worker", "-sends", "0"}, {"worker", "-x"}, {"enqueue", "-from", mario}, {"summary", "x"},
	} {
		exit, stdout, _ := s.run(t.Context(), args...)
		require.Equal(t, 2, exit, "%v", args)
		require.Empty(t, stdout)
	}
	for _, args := range [][]string{
		{"enqueue", "-from", "nobody@alfa-pec.example", "-to", luigi, "-number", "2"},
		{"enqueue", "-from", mario, "-to", "not an address", "-number", "2"},
	} {
		exit, _, _ := s.run(t.Context(), args...)
		require.Equal(t, 2, exit, "%v", args)
	}
	f := s.open(t)
	require.Equal(t, 1, f.rows(t, queued))
	require.NoError(t, f.mailboxes[mario].send(t.Context(), bill("7").message("7")))
	exit, stdout, stderr := s.run(t.Context(), "summary")
	require.Zero(t, exit, stderr)
	require.Equal(t, "mailbox                 open  overdue  uncertain  suspended\n"+
		"mario@alfa-pec.example  1     0        0          no\n"+
		"jobs: 1 of sending are waiting or under way, 0 were given up\n", stdout)
}

// The worker sends and reads until it is interrupted, and prints nothing.
func TestWorkerSendsAndReads(t *testing.T) {
	s := newSite(t, nil)
	f := s.open(t)
	ctx, stop := context.WithCancel(t.Context())
	type end struct {
		exit           int
		stdout, stderr string
	}
	ended := make(chan end, 1)
	go func() {
		exit, stdout, stderr := s.run(ctx, "worker", "-turn", "1s")
		ended <- end{exit, stdout, stderr}
	}()
	f.enqueue(t, bill("1"), bill("2"))
	every(t, "two sends are settled", func() bool {
		settled := 0
		for status, err := range f.mailboxes[mario].Find(t.Context(), anySend) {
			require.NoError(t, err)
			if status.Settled {
				settled++
			}
		}
		return settled == 2
	})
	stop()
	require.Equal(t, end{}, <-ended)
}
