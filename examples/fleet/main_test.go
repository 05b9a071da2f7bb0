package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/stretchr/testify/require"
)

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
