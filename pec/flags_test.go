package pec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

func TestASendIsOverdueOnlyWhenTheMailboxWasReadThatFar(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
	syncAll(t, o.Client)
	flags := func() []pec.Flag {
		s, err := o.Status(t.Context(), id)
		require.NoError(t, err)
		return s.Flags
	}
	o.clock.advance(25 * time.Hour)
	require.Empty(t, flags())
	o.clock.advance(time.Hour + time.Minute)
	require.Equal(t, []pec.Flag{pec.FlagStale}, flags())
	require.Empty(t, o.find(t, pec.FilterOverdue))
	syncAll(t, o.Client)
	require.Equal(t, []pec.Flag{pec.FlagOverdue}, flags())
	require.Equal(t, []string{id}, o.find(t, pec.FilterOverdue))
}

func TestAnUnconfirmedSendIsFound(t *testing.T) {
	o := newOffice(t)
	id, err := o.Send(t.Context(), diffida(""))
	require.NoError(t, err)
	require.Empty(t, o.find(t, pec.FilterUnconfirmed))
	o.clock.advance(time.Hour)
	require.Equal(t, []string{id}, o.find(t, pec.FilterUnconfirmed))
	o.inbox = [][]byte{emit(t, o.network.Providers()[0], pectest.KindAcceptance, me, id, "")}
	syncAll(t, o.Client)
	require.Empty(t, o.find(t, pec.FilterUnconfirmed))
}

func TestASendIsUnconfirmedAfterAnHour(t *testing.T) {
	facts := submitted(luigi)
	require.False(t, pec.Fold(facts, sentAt.Add(59*time.Minute)).Has(pec.FlagUnconfirmed))
	require.True(t, pec.Fold(facts, sentAt.Add(2*time.Hour)).Has(pec.FlagUnconfirmed))
	require.False(t, pec.Fold(append(facts, acceptance()), sentAt.Add(2*time.Hour)).Has(pec.FlagUnconfirmed))
}
