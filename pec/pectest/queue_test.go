package pectest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQueue(t *testing.T) {
	q := newQueue()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, q.idle(cancelled), "nothing was ever handed in")

	hand, giveBack := q.reserve(), q.reserve()
	require.ErrorIs(t, q.idle(cancelled), context.Canceled, "a reservation counts")
	var order []int
	giveBack(nil)
	hand(func() {
		order = append(order, 1)
		q.add(func() { order = append(order, 3) })
	})
	q.add(func() { order = append(order, 2) })
	require.NoError(t, q.idle(context.Background()))
	require.Len(t, order, 3)
	require.Less(t, indexOf(order, 1), indexOf(order, 2))
	require.Less(t, indexOf(order, 1), indexOf(order, 3))

	block := make(chan struct{})
	q.add(func() { <-block })
	q.add(func() { order = append(order, 4) })
	require.ErrorIs(t, q.idle(cancelled), context.Canceled)
	close(block)
	q.close()
	require.Equal(t, 4, order[3], "close runs what is queued")
	require.NoError(t, q.idle(cancelled))
}

func indexOf(list []int, want int) int {
	for i, v := range list {
		if v == want {
			return i
		}
	}
	return -1
}
