package pec_test

import (
	"context"
	"errors"
	"iter"
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

// unsearchable is ports of which no folder can be searched.
type unsearchable struct {
	*ports
	err error
}

func (u unsearchable) Search(context.Context, string, []string) iter.Seq2[pec.Item, error] {
	return func(yield func(pec.Item, error) bool) { yield(pec.Item{}, u.err) }
}

// When its context ends, Follow reports the status so far, and what stood in the way.
func TestFollowReportsWhatStoodInTheWay(t *testing.T) {
	n := pectest.Start(t, nil)
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("wrong host")
		p := &ports{outcome: pec.OutcomeSubmitted, waits: true}
		c := newClient(t, n, p, unsearchable{p, boom}, nil)
		id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		status, err := c.Follow(ctx, id)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, boom)
		require.Equal(t, pec.StateSubmitted, status.Recipients[0].State)
	})
}

// What others settle, without any news in the mailbox, ends Follow too.
func TestFollowSeesWhatOthersSettle(t *testing.T) {
	n := pectest.Start(t, nil)
	synctest.Test(t, func(t *testing.T) {
		p := &ports{outcome: pec.OutcomeTemporary, waits: true}
		c := newClient(t, n, p, p, nil)
		id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
		require.Error(t, err)
		begun := time.Now()
		time.AfterFunc(30*time.Second, func() { _ = c.Cancel(t.Context(), id) })
		status, err := c.Follow(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, pec.StateRefused, status.Recipients[0].State)
		require.LessOrEqual(t, time.Since(begun), 3*time.Minute)
	})
}

// What others sent while a send is followed is still there for Sync.
func TestFollowLosesNoEnvelope(t *testing.T) {
	n := pectest.Start(t, nil)
	n.SetFate(luigi, pectest.Fate{Reply: "Ricevuto."})
	c := overSockets(t, n)
	id, err := c.Send(t.Context(), pec.Message{To: []string{luigi}, Subject: "Diffida"})
	require.NoError(t, err)
	require.NoError(t, n.Idle(t.Context()))
	_, err = c.Follow(t.Context(), id)
	require.NoError(t, err)
	envelopes := 0
	for e, err := range c.Sync(t.Context()) {
		require.NoError(t, err)
		if e.Inbound != nil {
			envelopes++
		}
	}
	require.Equal(t, 1, envelopes)
}
