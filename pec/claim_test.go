package pec_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// countingAppends is a Store that notes the keys of the entries of each Append.
type countingAppends struct {
	pec.Store
	appended [][]string
}

func (s *countingAppends) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	s.appended = append(s.appended, keys)
	return s.Store.Append(ctx, mailbox, entries...)
}

// A process that ends while it connects has claimed nothing. The next process sends the
// message, and nothing is uncertain.
func TestNothingIsClaimedBeforeTheMessageIsAskedFor(t *testing.T) {
	n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
	ended, cancel := context.WithCancel(t.Context())
	h := &pausingSubmitter{}
	c := newWorker(t, n, h, &ports{}, store, clock.Now)
	h.connected = func() {
		id, err := c.MessageID(t.Context(), "k")
		require.NoError(t, err)
		require.Zero(t, countAttempts(t, c, id), "claimed while it connects")
		status, err := c.Status(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, pec.StatePending, status.Recipients[0].State)
		// From here on the process writes nothing more.
		cancel()
		panic(errEnded)
	}
	require.PanicsWithValue(t, errEnded, func() { _, _ = c.Send(ended, diffida("k")) })

	clock.advance(2 * time.Minute)
	next := newWorker(t, n, &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}}, &ports{}, store, clock.Now)
	id, err := next.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Equal(t, 1, countAttempts(t, next, id))
}

// An attempt that ends before the message is read is recorded with its outcome in one
// Append. So is the next attempt.
func TestARefusalBeforeTheMessageIsOneRecord(t *testing.T) {
	n, clock := pectest.Start(t, nil), newClock()
	store := &countingAppends{Store: pec.NewMemory()}
	refusing := submitFunc(func(pec.Submission) pec.Outcome {
		return pec.Outcome{Kind: pec.OutcomeTemporary, Reply: pec.Reply{Code: 451, Text: "later"}}
	})
	c := newWorker(t, n, refusing, &ports{}, store, clock.Now)
	id, err := c.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	require.Len(t, store.appended, 2)
	require.Len(t, store.appended[1], 2)
	require.Contains(t, store.appended[1][0], "attempt/1")
	require.Contains(t, store.appended[1][1], "outcome/1")
	clock.advance(2 * time.Minute)
	for _, err := range c.Retry(t.Context()) {
		require.NoError(t, err)
	}
	require.Equal(t, 2, countAttempts(t, c, id))
	require.Len(t, store.appended[2], 2)
}

// Two workers have logged in before one of them claims the attempt. One message leaves,
// and the other worker reads not a byte of it.
func TestTwoConnectedWorkersSendOneMessage(t *testing.T) {
	n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
	refusing := submitFunc(func(pec.Submission) pec.Outcome { return pec.Outcome{Kind: pec.OutcomeTemporary} })
	id, err := newWorker(t, n, refusing, &ports{}, store, clock.Now).Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	clock.advance(2 * time.Minute)

	var both sync.WaitGroup
	both.Add(2)
	h := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}, connected: func() { both.Done(); both.Wait() }}
	var workers sync.WaitGroup
	for range 2 {
		c := newWorker(t, n, h, &ports{}, store, clock.Now)
		workers.Go(func() {
			for _, err := range c.Retry(t.Context()) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	require.Len(t, h.bodies, 2, "both were connected")
	require.Equal(t, 1, h.left())
	for i, err := range h.errs {
		require.Equal(t, err != nil, len(h.bodies[i]) == 0, "bytes were read without the claim")
	}
	c := newWorker(t, n, h, &ports{}, store, clock.Now)
	require.Equal(t, 2, countAttempts(t, c, id))
	status, err := c.Status(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, pec.StateSubmitted, status.Recipients[0].State)
}

// The facts change while a worker logs in. A message that they now forbid does not leave.
func TestFactsThatChangeDuringTheLoginStopTheMessage(t *testing.T) {
	cases := map[string]func(*testing.T, *pec.Client, string){
		"cancelled": func(t *testing.T, c *pec.Client, id string) { require.NoError(t, c.Cancel(t.Context(), id)) },
		"sent by another": func(t *testing.T, c *pec.Client, _ string) {
			_, err := c.Send(t.Context(), diffida("k"))
			require.NoError(t, err)
		},
		"accepted after all": func(t *testing.T, c *pec.Client, _ string) {
			for _, err := range c.Sync(t.Context()) {
				require.NoError(t, err)
			}
		},
	}
	for name, meanwhile := range cases {
		t.Run(name, func(t *testing.T) {
			n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
			refusing := submitFunc(func(pec.Submission) pec.Outcome { return pec.Outcome{Kind: pec.OutcomeTemporary} })
			id, err := newWorker(t, n, refusing, &ports{}, store, clock.Now).Send(t.Context(), diffida("k"))
			require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
			clock.advance(2 * time.Minute)

			taking := &ports{outcome: pec.OutcomeSubmitted, inbox: [][]byte{emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, "")}}
			other := newWorker(t, n, taking, taking, store, clock.Now)
			h := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}, connected: func() { meanwhile(t, other, id) }}
			c := newWorker(t, n, h, &ports{}, store, clock.Now)
			for e, err := range c.Retry(t.Context()) {
				require.NoError(t, err)
				t.Errorf("an attempt was yielded that did not take place: %+v", e)
			}
			require.Len(t, h.bodies, 1, "it was connected")
			require.Zero(t, h.left())
			require.Empty(t, h.bodies[0])
		})
	}
}

// A Client does not log in for a message that it is already sending. A repeated call of
// Send waits for the outcome, and Retry skips the message.
func TestAMessageUnderWayNeedsNoSecondLogin(t *testing.T) {
	n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
	connected, goOn := make(chan struct{}), make(chan struct{})
	h := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}, connected: func() { close(connected); <-goOn }}
	c := newWorker(t, n, h, &ports{}, store, clock.Now)
	results := make(chan error, 2)
	go func() { _, err := c.Send(t.Context(), diffida("k")); results <- err }()
	<-connected
	clock.advance(2 * time.Minute)
	for range c.Retry(t.Context()) {
		t.Error("Retry sends it too")
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Send(impatient, diffida("k"))
	require.ErrorIs(t, err, context.Canceled)
	go func() { _, err := c.Send(t.Context(), diffida("k")); results <- err }()
	close(goOn)
	require.NoError(t, <-results)
	require.NoError(t, <-results)
	require.Len(t, h.bodies, 1)
}
