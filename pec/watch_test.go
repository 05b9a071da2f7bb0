package pec_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Watch runs for a day on a mailbox whose connection comes and goes.
func TestWatchGoesOnUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pectest.Start(t, &pectest.Options{InMemory: true})
		p := &ports{outcome: pec.OutcomeTemporary, waits: true}
		c := newClient(t, n, p, p, nil)
		id, err := c.Send(t.Context(), diffida(""))
		require.Error(t, err)

		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		outcomes, troubles, notices := 0, 0, 0
		var end error
		for e, err := range c.Watch(ctx) {
			switch {
			case err != nil:
				end = err
			case e.Trouble != nil:
				if troubles++; troubles == 10 {
					p.fetchErr = nil
				}
			case e.Outcome != nil:
				if outcomes++; outcomes == 3 {
					p.outcome, p.fetchErr = pec.OutcomeSubmitted, io.ErrUnexpectedEOF
				}
				if e.Outcome.Kind == pec.OutcomeSubmitted {
					p.inbox = append(p.inbox, emit(t, n.Providers()[0], pectest.KindAcceptance, me, id, ""))
				}
			default:
				notices++
			}
		}
		require.ErrorIs(t, end, context.DeadlineExceeded)
		require.Equal(t, 4, outcomes)
		require.Equal(t, 10, troubles)
		require.Equal(t, 1, notices)
		s, err := c.Status(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, pec.StateAccepted, s.Recipients[0].State)
		require.Less(t, p.fetches, 24*60+100, "it is read once a minute")
	})
}
