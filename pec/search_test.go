package pec_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// The proof of an uncertain send was passed by the cursor, so only a search finds it.
func TestSearchNoticesFindsTheProofOfAnUncertainSend(t *testing.T) {
	o := newOffice(t)
	o.outcome = pec.OutcomeUncertain
	id, err := o.Send(t.Context(), diffida(""))
	require.Equal(t, pec.OutcomeUncertain, outcomeOf(t, err))
	o.found = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, bruna, id, ""), // about a message of bruna with our Message-ID
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

// uncertainOf returns a Client with uncertain sends.
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

// Searches that take long let reading go on between them. The next Watch goes on where the
// last one stopped.
func TestSearchesDoNotStarveReading(t *testing.T) {
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

// A search that was cut short by the end of its Watch is made again in the next. A search
// that was complete is not.
func TestEachWatchGoesOnWithTheSearches(t *testing.T) {
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

// A send with which every search fails does not keep others from being searched for.
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
func TestSearchesForAnOldSendGrowRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowSearchMailbox{ports: &ports{outcome: pec.OutcomeUncertain, waits: true}}
		c, ids := uncertainOf(t, l, 1)
		watchFor(t.Context(), c, time.Hour)
		require.Equal(t, 6, l.searched[ids[0]], "after 1, 2, 4, 8, 16 and 32 minutes")
		watchFor(t.Context(), c, 9*24*time.Hour)
		require.Equal(t, 6+5+8, l.searched[ids[0]], "doubling to 17 hours, then once a day")
	})
}

// The place that searches have reached does not count as a place up to which folders were
// read.
func TestSearchesDoNotCountAsReading(t *testing.T) {
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

// A misspelt filter is refused: an empty list would look as if all were well.
func TestFindRefusesAnUnknownFilter(t *testing.T) {
	ledger, err := pec.NewLedger(me, pec.NewMemory(), nil)
	require.NoError(t, err)
	for _, filter := range []pec.Filter{"overdeu", "Open"} {
		var refused *pec.OptionError
		require.ErrorAs(t, lastError(ledger.Find(t.Context(), pec.Query{Filter: filter})), &refused)
	}
	require.NoError(t, lastError(ledger.Find(t.Context(), pec.Query{Filter: pec.FilterUnverified})))
}
