package pec_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

func TestChangesReportWhatMovedWhat(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida("k"))
	require.NoError(t, err)
	o.inbox = [][]byte{
		emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, ""),
		emit(t, o.network.Providers()[1], pectest.KindDelivery, me, id, luigi),
	}
	syncAll(t, o.Client)
	var states []pec.State
	var position pec.Position
	for c, err := range o.Changes(t.Context(), "") {
		require.NoError(t, err)
		require.Equal(t, id, c.MessageID)
		for _, r := range c.Recipients() {
			states = append(states, r.State)
		}
		position = c.Position
	}
	require.Equal(t, []pec.State{pec.StatePending, pec.StateUncertain, pec.StateSubmitted, pec.StateAccepted, pec.StateDelivered}, states)
	for c, err := range o.Changes(t.Context(), position) {
		require.NoError(t, err)
		require.Fail(t, "there is no new change", "%v", c)
	}
}

// A change is what Fold makes of the facts before it and with it, in whatever order the
// facts of several sends are recorded, and wherever reading begins.
func TestAChangeIsTheFoldBeforeAndAfterItsFact(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	for range 6 {
		store := pec.NewMemory()
		queues := map[string][]pec.Fact{}
		for _, send := range []string{"m1@alfa-pec.example", "m2@alfa-pec.example", "m3@alfa-pec.example"} {
			facts := slices.DeleteFunc(noise(randomSend(random)), isAboutTheMailbox)
			if random.IntN(2) == 0 { // more than Changes keeps in memory
				facts = append(facts, pec.Resolution{N: 9, Note: strings.Repeat("x", 5<<20)})
			}
			random.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			queues[send] = facts
		}
		type step struct {
			send  string
			facts []pec.Fact // up to and including the one of this step
		}
		var steps []step
		recorded := map[string][]pec.Fact{}
		for len(queues) > 0 {
			for send, queue := range queues {
				entry, err := pec.NewEntryForTest(send, queue[0])
				require.NoError(t, err)
				added, err := store.Append(t.Context(), me, entry)
				require.NoError(t, err)
				if added {
					recorded[send] = append(recorded[send], queue[0])
					steps = append(steps, step{send, recorded[send]})
				}
				if queues[send] = queue[1:]; len(queue) == 1 {
					delete(queues, send)
				}
			}
		}
		ledger, err := pec.NewLedger(me, store, nil)
		require.NoError(t, err)
		var places []pec.Position
		follow := func(after pec.Position, steps []step) {
			i := 0
			for c, err := range ledger.Changes(t.Context(), after) {
				require.NoError(t, err)
				places = append(places, c.Position)
				facts := steps[i].facts
				require.Equal(t, facts[len(facts)-1], c.Fact)
				recordedAt := time.Time{} // as in NewEntryForTest
				require.Equal(t, pec.Fold(facts[:len(facts)-1], recordedAt), c.Before)
				require.Equal(t, pec.Fold(facts, recordedAt), c.After)
				i++
			}
			require.Len(t, steps, i)
		}
		follow("", steps)
		middle := random.IntN(len(steps))
		follow(places[middle], steps[middle+1:])
	}
}

func isAboutTheMailbox(f pec.Fact) bool {
	switch f.(type) {
	case pec.ReadTo, pec.SetAside, pec.Recovered, pec.Suspension, pec.Resumption:
		return true
	default:
		return false
	}
}
