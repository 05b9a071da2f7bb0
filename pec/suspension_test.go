package pec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

func TestARefusedLoginSuspendsTheMailboxForEverybody(t *testing.T) {
	o := newOffice(t)
	refusal := &pec.LoginError{Server: "smtp:465", Reply: "535 no"}
	o.during = func(pec.Submission) { o.err = refusal }
	o.outcome = pec.OutcomeAuthentication
	id, err := o.Send(t.Context(), diffida(""))
	var suspended *pec.SuspendedError
	require.ErrorAs(t, err, &suspended)
	require.ErrorIs(t, err, refusal)
	require.Equal(t, pec.StateSuspended, o.state(t, id))

	o.during, o.outcome, o.err = nil, pec.OutcomeSubmitted, nil
	worker := openOffice(t, o.network, o.ports, o.store, nil)
	worker.clock.advance(2 * time.Hour)
	for name, call := range map[string]func() error{
		"send":   func() error { _, err := worker.Send(t.Context(), diffida("other")); return err },
		"wait":   func() error { return worker.Client.Wait(t.Context()) },
		"sync":   func() error { return lastError(worker.Sync(t.Context())) },
		"retry":  func() error { return lastError(worker.Retry(t.Context())) },
		"search": func() error { return lastError(worker.SearchNotices(t.Context(), id)) },
		"watch":  func() error { return lastError(worker.Watch(t.Context())) },
	} {
		require.ErrorAs(t, call(), &suspended, name)
	}
	require.Len(t, o.submitted, 1)
	require.Zero(t, o.fetches)
	other, err := worker.MessageID(t.Context(), "other")
	require.NoError(t, err, "the send is recorded all the same")
	require.Equal(t, pec.StateSuspended, worker.state(t, other))

	require.NoError(t, o.Resume(t.Context()))
	require.Equal(t, pec.StateRetrying, worker.state(t, id))
	worker.clock.advance(time.Minute)
	require.Len(t, worker.retry(t), 2)
	require.Len(t, o.submitted, 3)
	require.NoError(t, o.Resume(t.Context()), "there is nothing to resume")
	s, err := o.Suspended(t.Context())
	require.NoError(t, err)
	require.Nil(t, s)
}

func TestARefusedIMAPLoginSuspendsToo(t *testing.T) {
	o := newOffice(t)
	o.fetchErr = &pec.LoginError{Server: "imap:993", Reply: "NO"}
	var suspended *pec.SuspendedError
	require.ErrorAs(t, lastError(o.Sync(t.Context())), &suspended)
	_, err := o.Send(t.Context(), diffida(""))
	require.ErrorAs(t, err, &suspended)
	require.Empty(t, o.submitted)
}

// Suspensions are numbered from 1. Only the last one counts, and it is found in a few
// reads however many there were.
func TestTheLastSuspensionDecides(t *testing.T) {
	n := pectest.Start(t, nil)
	c, _, store := newCountingClient(t, n)
	for count := 1; count <= 40; count++ {
		for _, f := range []pec.Fact{pec.Suspension{N: count, Server: "x"}, pec.Resumption{N: count}} {
			entry, err := pec.NewEntryForTest("", f)
			require.NoError(t, err)
			_, err = store.Append(t.Context(), me, entry)
			require.NoError(t, err)
			before := store.read
			suspended, err := c.Suspended(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, store.read-before, int64(14))
			if _, ok := f.(pec.Resumption); ok {
				require.Nil(t, suspended)
			} else {
				require.Equal(t, count, suspended.N)
			}
		}
	}
}
