package pec_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// losingStore is a Store that loses its answers to some Appends. The entries are then
// recorded, or not.
type losingStore struct {
	pec.Store
	// lose decides by the key of the first entry.
	lose func(ctx context.Context, first string) (done, lost bool)
}

var errLost = errors.New("the connection is gone")

func (s *losingStore) Append(ctx context.Context, mailbox string, entries ...pec.Entry) (bool, error) {
	done, lost := s.lose(ctx, entries[0].Key)
	if !lost {
		return s.Store.Append(ctx, mailbox, entries...)
	}
	if done {
		if _, err := s.Store.Append(context.WithoutCancel(ctx), mailbox, entries...); err != nil {
			return false, err
		}
	}
	return false, errLost
}

// The answer to the claim is lost. Not a byte has left, whether or not the claim is
// recorded, so the message is tried again.
func TestALostAnswerToTheClaimIsNotUncertain(t *testing.T) {
	for name, done := range map[string]bool{"recorded": true, "not recorded": false} {
		t.Run(name, func(t *testing.T) {
			n, clock, memory := pectest.Start(t, nil), newClock(), pec.NewMemory()
			once := false
			store := &losingStore{memory, func(_ context.Context, first string) (bool, bool) {
				lost := strings.HasPrefix(first, "attempt/1@") && !once
				once = once || lost
				return done, lost
			}}
			h := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}}
			c := newWorker(t, n, h, &ports{}, store, clock.Now)
			id, err := c.Send(t.Context(), diffida("k"))
			require.ErrorIs(t, err, errLost)
			require.Equal(t, pec.StateRetrying, stateOf(t, c, id))
			require.Zero(t, h.left())
			clock.advance(2 * time.Minute)
			for _, err := range c.Retry(t.Context()) {
				require.NoError(t, err)
			}
			require.Equal(t, 1, h.left())
			require.Equal(t, pec.StateSubmitted, stateOf(t, c, id))
		})
	}
}

// The answer to the claim is lost, and another worker has claimed the attempt. This worker
// sends nothing, and records no outcome of that attempt.
func TestALostAnswerToTheClaimOfAnotherSendsNothing(t *testing.T) {
	n, clock, memory := pectest.Start(t, nil), newClock(), pec.NewMemory()
	refusing := submitFunc(func(pec.Submission) pec.Outcome { return pec.Outcome{Kind: pec.OutcomeTemporary} })
	id, err := newWorker(t, n, refusing, &ports{}, memory, clock.Now).Send(t.Context(), diffida("k"))
	require.Error(t, err)
	once := false
	store := &losingStore{memory, func(ctx context.Context, first string) (bool, bool) {
		if strings.HasPrefix(first, "attempt/2@") && !once {
			once = true
			dying := submitFunc(func(s pec.Submission) pec.Outcome { _, _ = io.ReadAll(s.Body); panic(errEnded) })
			require.PanicsWithValue(t, errEnded, func() {
				_, _ = newWorker(t, n, dying, &ports{}, memory, clock.Now).Send(t.Context(), diffida("k"))
			})
			return false, true
		}
		return false, false
	}}
	h := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}}
	c := newWorker(t, n, h, &ports{}, store, clock.Now)
	_, err = c.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	require.Zero(t, h.left())
	require.Equal(t, pec.StateUncertain, stateOf(t, c, id))
}

// The caller's context ends while the claim is recorded.
func TestACallerThatLeavesDuringTheClaimSendsNothing(t *testing.T) {
	n, clock, memory := pectest.Start(t, nil), newClock(), pec.NewMemory()
	ctx, cancel := context.WithCancel(t.Context())
	store := &losingStore{memory, func(_ context.Context, first string) (bool, bool) {
		lost := strings.HasPrefix(first, "attempt/1@") && ctx.Err() == nil
		if lost {
			cancel()
		}
		return true, lost
	}}
	h := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}}
	c := newWorker(t, n, h, &ports{}, store, clock.Now)
	id, err := c.Send(ctx, diffida("k"))
	require.Error(t, err)
	require.Zero(t, h.left())
	require.Equal(t, pec.StateRetrying, stateOf(t, c, id))
}

// When another worker was faster, a repeated call returns what the facts now say, and not
// that the send is uncertain.
func TestTheResultOfTheFasterWorkerIsReturned(t *testing.T) {
	for name, reads := range map[string]bool{"before the claim": false, "at the claim": true} {
		for meanwhile, want := range map[string]pec.OutcomeKind{
			"cancelled": pec.OutcomeRefused, "sent": pec.OutcomeSubmitted, "in vain": pec.OutcomeTemporary,
		} {
			t.Run(meanwhile+" "+name, func(t *testing.T) {
				n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
				refusing := submitFunc(func(pec.Submission) pec.Outcome { return pec.Outcome{Kind: pec.OutcomeTemporary} })
				id, err := newWorker(t, n, refusing, &ports{}, store, clock.Now).Send(t.Context(), diffida("k"))
				require.Error(t, err)
				other := newWorker(t, n, &ports{outcome: want}, &ports{}, store, clock.Now)
				slow := submitFunc(func(s pec.Submission) pec.Outcome {
					if want == pec.OutcomeRefused {
						require.NoError(t, other.Cancel(t.Context(), id))
					} else {
						_, _ = other.Send(t.Context(), diffida("k"))
					}
					if reads {
						raw, err := io.ReadAll(s.Body)
						require.Empty(t, raw)
						require.Error(t, err)
					}
					return pec.Outcome{Kind: pec.OutcomeTemporary}
				})
				_, err = newWorker(t, n, slow, &ports{}, store, clock.Now).Send(t.Context(), diffida("k"))
				if want == pec.OutcomeSubmitted {
					require.NoError(t, err)
					return
				}
				require.Equal(t, want, outcomeOf(t, err))
			})
		}
	}
}

// A Submitter reads the message from another goroutine after it has returned its outcome.
// It reads nothing.
func TestABodyReadAfterTheOutcomeIsEmpty(t *testing.T) {
	n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
	said := make(chan struct{})
	var late sync.WaitGroup
	var raw []byte
	var readErr error
	leaving := submitFunc(func(s pec.Submission) pec.Outcome {
		late.Go(func() {
			<-said
			raw, readErr = io.ReadAll(s.Body)
		})
		return pec.Outcome{Kind: pec.OutcomeTemporary}
	})
	// The outcome has been returned when it is to be recorded.
	watched := &losingStore{store, func(_ context.Context, first string) (bool, bool) {
		if strings.HasPrefix(first, "attempt/1@") {
			select {
			case <-said:
			default:
				close(said)
				late.Wait()
			}
		}
		return false, false
	}}
	c := newWorker(t, n, leaving, &ports{}, watched, clock.Now)
	id, err := c.Send(t.Context(), diffida("k"))
	require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	require.Empty(t, raw)
	require.Error(t, readErr)
	require.Equal(t, pec.StateRetrying, stateOf(t, c, id))
}

// A Submitter reads from another goroutine, and returns while that may still be reading.
// The outcome is uncertain whenever a byte was read.
func TestABodyReadInTheBackgroundMakesTheOutcomeUncertain(t *testing.T) {
	n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
	var readers sync.WaitGroup
	out := 0
	leaving := submitFunc(func(s pec.Submission) pec.Outcome {
		out = 0
		readers.Go(func() {
			raw, _ := io.ReadAll(s.Body)
			out = len(raw)
		})
		return pec.Outcome{}
	})
	c := newWorker(t, n, leaving, &ports{}, store, clock.Now)
	for range 50 {
		id, err := c.Send(t.Context(), diffida(""))
		kind := outcomeOf(t, err)
		readers.Wait()
		require.Equal(t, kind == pec.OutcomeUncertain, stateOf(t, c, id) == pec.StateUncertain)
		if out > 0 {
			require.Equal(t, pec.OutcomeUncertain, kind)
		}
	}
}

// A Submitter returns no outcome, and has never read the message. The attempt is a
// temporary failure, since nothing can have left.
func TestAMessageThatWasNeverReadIsNotUncertain(t *testing.T) {
	n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
	c := newWorker(t, n, submitFunc(func(pec.Submission) pec.Outcome { return pec.Outcome{} }), &ports{}, store, clock.Now)
	id, err := c.Send(t.Context(), diffida(""))
	require.Equal(t, pec.OutcomeTemporary, outcomeOf(t, err))
	require.Equal(t, pec.StateRetrying, stateOf(t, c, id))
}

// After this worker has found a message due, and before it logs in, another worker makes
// the attempt. The pause that follows holds for both.
func TestAPauseHoldsForAllWorkers(t *testing.T) {
	n, clock, memory := pectest.Start(t, nil), newClock(), pec.NewMemory()
	refusing := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeTemporary, Reply: pec.Reply{Code: 451}}}
	other := newWorker(t, n, refusing, &ports{}, memory, clock.Now)
	id, err := other.Send(t.Context(), diffida("k"))
	require.Error(t, err)
	clock.advance(2 * time.Minute)
	reads := 0
	store := &watchedStore{Store: memory, entries: func(send string) {
		if send == "" {
			return
		}
		if reads++; reads == 2 {
			for _, err := range other.Retry(t.Context()) {
				require.NoError(t, err)
			}
		}
	}}
	c := newWorker(t, n, refusing, &ports{}, store, clock.Now)
	for range c.Retry(t.Context()) {
	}
	require.GreaterOrEqual(t, reads, 2)
	require.Equal(t, 2, countAttempts(t, other, id))
	require.Len(t, refusing.bodies, 2)
}

// watchedStore is a Store that calls entries before it reads the entries of a send.
type watchedStore struct {
	pec.Store
	entries func(send string)
}

func (s *watchedStore) Entries(ctx context.Context, mailbox, send string) ([]pec.Entry, error) {
	s.entries(send)
	return s.Store.Entries(ctx, mailbox, send)
}

// A machine whose clock is a year ahead has recorded an intent and ended. The others do not
// wait a year.
func TestAnIntentOfTheFutureIsOffered(t *testing.T) {
	o := newOffice(t)
	w := o.withWrongClock(t, 365*24*time.Hour)
	ending := newWorker(t, o.network, submitFunc(func(pec.Submission) pec.Outcome { panic(errEnded) }), &ports{}, o.store, w.clock.Now)
	require.PanicsWithValue(t, errEnded, func() { _, _ = ending.Send(t.Context(), diffida("k")) })
	o.clock.advance(2 * time.Minute)
	require.Len(t, o.find(t, pec.FilterDue), 1)
	require.Len(t, o.retry(t), 1)
	require.Len(t, o.submitted, 1)

	// They do not wait either when its attempt had a temporary error.
	w.outcome = pec.OutcomeTemporary
	_, err := w.Send(t.Context(), diffida("l"))
	require.Error(t, err)
	w.outcome = pec.OutcomeTemporary
	require.Len(t, o.retry(t), 1)
	require.Empty(t, o.retry(t), "the pause has begun")
	o.clock.advance(3 * time.Minute)
	require.Len(t, o.retry(t), 1)
}

// A worker whose clock is a year ahead has searched for notices. The others go on searching.
func TestSearchesOfAWrongClockStopNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowSearchMailbox{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}}
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		l.searched = map[string]int{}
		store := pec.NewMemory()
		ahead := func() time.Time { return time.Now().Add(365 * 24 * time.Hour) }
		c, wrong := newWorker(t, n, l, l, store, nil), newWorker(t, n, l, l, store, ahead)
		first, err := c.Send(t.Context(), diffida(""))
		require.Error(t, err)
		second, err := wrong.Send(t.Context(), diffida(""))
		require.Error(t, err)
		time.Sleep(2 * time.Minute)
		watchFor(t.Context(), wrong, 2*time.Minute)
		clear(l.searched)
		watchFor(t.Context(), c, 25*time.Hour)
		require.Positive(t, l.searched[first])
		require.Less(t, l.searched[first], 20)
		require.Positive(t, l.searched[second])
		require.Less(t, l.searched[second], 20)
	})
}

// Many calls wait for one attempt that is under way. All of them return its outcome, so a
// provider that is down is not tried once for each call.
func TestCallsThatWaitShareTheAttempt(t *testing.T) {
	for _, kind := range []pec.OutcomeKind{pec.OutcomeTemporary, pec.OutcomeSubmitted} {
		synctest.Test(t, func(t *testing.T) {
			n, store := pectest.Start(t, &pectest.Options{InMemory: true}), pec.NewMemory()
			goOn := make(chan struct{})
			h := &pausingSubmitter{outcome: pec.Outcome{Kind: kind}, connected: func() { <-goOn }}
			c := newWorker(t, n, h, &ports{}, store, nil)
			results := make(chan error)
			for range 5 {
				go func() {
					_, err := c.Send(t.Context(), diffida("k"))
					results <- err
				}()
			}
			synctest.Wait()
			close(goOn)
			for range 5 {
				if err := <-results; kind == pec.OutcomeSubmitted {
					require.NoError(t, err)
				} else {
					require.Equal(t, kind, outcomeOf(t, err))
				}
			}
			require.Len(t, h.bodies, 1)
			_, _ = c.Send(t.Context(), diffida("k"))
			require.Equal(t, kind == pec.OutcomeTemporary, len(h.bodies) == 2, "a later call tries again")
		})
	}
}

// A Submitter panics. The same Client can try the send again.
func TestAPanicLeavesTheSendFree(t *testing.T) {
	n, clock, store := pectest.Start(t, nil), newClock(), pec.NewMemory()
	panics := true
	h := &pausingSubmitter{outcome: pec.Outcome{Kind: pec.OutcomeSubmitted}, connected: func() {
		if panics {
			panic(errEnded)
		}
	}}
	c := newWorker(t, n, h, &ports{}, store, clock.Now)
	require.PanicsWithValue(t, errEnded, func() { _, _ = c.Send(t.Context(), diffida("k")) })
	panics = false
	_, err := c.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	require.Equal(t, 1, h.left())
}
