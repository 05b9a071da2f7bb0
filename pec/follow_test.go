package pec_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/pec"
	"github.com/gopec/gopec/pec/pectest"
)

// Follow returns when the send is settled, also when it was settled before.
func TestFollowEndsWhenTheSendIsSettled(t *testing.T) {
	n := pectest.Start(t, nil)
	c := overSockets(t, n)
	id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
	require.NoError(t, err)
	for range 2 {
		status, err := c.Follow(t.Context(), id)
		require.NoError(t, err)
		require.True(t, status.Settled)
		require.Equal(t, pec.StateDelivered, status.Recipients[0].State)
	}
	_, err = c.Follow(t.Context(), "nobody@alfa-pec.example")
	require.ErrorIs(t, err, pec.ErrUnknownSend)
}

// When its context ends, Follow reports the status so far, and what stood in the way.
func TestFollowReportsWhatStoodInTheWay(t *testing.T) {
	n := pectest.Start(t, nil)
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("wrong host")
		p := &ports{outcome: pec.OutcomeSubmitted}
		c := newClient(t, n, p, p, nil)
		id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
		require.NoError(t, err)
		p.fetchErr = boom
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		status, err := c.Follow(ctx, id)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, boom)
		require.Equal(t, pec.StateSubmitted, status.Recipients[0].State)
	})
}
