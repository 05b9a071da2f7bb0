package pec_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Proof of an uncertain send lies behind the cursor: only a search finds it.
func TestProofIsSearchedFor(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeUncertain
	id, err := o.Send(t.Context(), diffida(""))
	require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	o.found = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, bruna, id, ""), // the attack of a recipient
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id+"x", ""),
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, ""),
	}
	events := 0
	for e, err := range o.SearchNotices(t.Context(), id) {
		require.NoError(t, err)
		require.Equal(t, id, e.MessageID)
		events++
	}
	require.Equal(t, 1, events)
	require.Equal(t, pec.StateAccepted, o.state(t, id))
}

// uncertainOf makes a Client with uncertain sends.
func uncertainOf(t *testing.T, l *slowSearchMailbox, count int) (c *pec.Client, ids []string) {
	n := pectest.Start(t, &pectest.Options{InMemory: true})
	l.searched = map[string]int{}
	c = newClient(t, n, l, l, nil)
	for range count {
		_, err := c.Send(t.Context(), diffida(""))
		var failed *pec.SendError
		require.ErrorAs(t, err, &failed)
		ids = append(ids, failed.MessageID)
		time.Sleep(time.Millisecond)
	}
	return c, ids
}

// Searches that take long let reading go on between them, and go on in the next Watch where they
// stopped in the last.
func TestSearchesStarveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowSearchMailbox{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}, takes: 3 * time.Second}
		c, ids := uncertainOf(t, l, 301)
		time.Sleep(time.Minute)
		for range 3 {
			watchFor(t.Context(), c, 20*time.Second)
		}
		for i, id := range ids {
			require.Positive(t, l.searched[id], "send %d was not reached", i)
		}
		require.Less(t, l.searches, 20)
		for i, at := range l.read[1:] {
			if at.Before(l.last) {
				require.LessOrEqual(t, at.Sub(l.read[i]), 6*time.Second)
			}
		}
	})
}

// A search that is broken off by the end of its Watch is made again, one that was made is not.
func TestEachWatchSearchesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowSearchMailbox{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}, takes: 2 * time.Second}
		c, ids := uncertainOf(t, l, 250)
		time.Sleep(time.Minute)
		for range 5 {
			watchFor(t.Context(), c, 3*time.Second)
		}
		for _, id := range ids {
			require.Equal(t, 1, l.searched[id])
		}
	})
}

// One send with which every search fails keeps no other from being searched for.
func TestASearchThatFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowSearchMailbox{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}}
		c, ids := uncertainOf(t, l, 120)
		l.fails = ids[30]
		time.Sleep(time.Minute)
		watchFor(t.Context(), c, 3*time.Hour)
		for i, id := range ids {
			if id != l.fails {
				require.Positive(t, l.searched[id], "send %d was not reached", i)
			}
		}
	})
}

// The older a send is, the less often it is searched for.
func TestSearchesGrowRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowSearchMailbox{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}}
		c, ids := uncertainOf(t, l, 1)
		watchFor(t.Context(), c, time.Hour)
		require.Equal(t, 6, l.searched[ids[0]], "after 1, 2, 4, 8, 16 and 32 minutes")
		watchFor(t.Context(), c, 9*24*time.Hour)
		require.Equal(t, 6+5+8, l.searched[ids[0]], "doubling to 17 hours, then once a day")
	})
}

// How far searches have come says nothing about what was read.
func TestSearchesAreNoReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowSearchMailbox{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}}
		store := pec.NewMemory()
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		l.searched = map[string]int{}
		c := newClient(t, n, l, l, &pec.Options{Store: store})
		_, err := c.Send(t.Context(), diffida(""))
		require.Error(t, err)
		l.outcome = pec.OutcomeSubmitted
		id, err := c.Send(t.Context(), diffida(""))
		require.NoError(t, err)
		l.inbox = [][]byte{emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, "")}
		time.Sleep(27 * time.Hour)
		watchFor(t.Context(), c, 10*time.Second)
		require.Positive(t, l.searches)
		ledger, err := pec.NewLedger(me, store, nil)
		require.NoError(t, err)
		s, err := ledger.Status(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, []pec.Flag{pec.FlagOverdue}, s.Flags, "not stale: INBOX was read")
	})
}
