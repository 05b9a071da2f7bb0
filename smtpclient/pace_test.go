package smtpclient

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPace sends messages as fast as pace allows, to a provider whose answers take
// different times. No minute may hold more messages than the limit.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 6
		p := pace{limit: limit}
		start := time.Now()
		var counted []time.Time // at the provider
		for i := range 20 {
			require.NoError(t, p.wait(t.Context(), nil))
			answer := time.Duration(i%3) * time.Second
			counted = append(counted, time.Now().Add(answer/2))
			time.Sleep(answer)
			p.count()
		}
		for i := limit; i < len(counted); i++ {
			assert.GreaterOrEqual(t, counted[i].Sub(counted[i-limit]), time.Minute, "message %d", i)
		}
		// 20 messages need at least three minutes; much longer would be too slow.
		assert.Less(t, time.Since(start), 3*time.Minute+30*time.Second)
		assert.LessOrEqual(t, len(p.taken), limit)
	})
}

func TestPaceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace{limit: 1}
		require.NoError(t, p.wait(t.Context(), nil))
		p.count()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.ErrorIs(t, p.wait(ctx, nil), context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, time.Since(begin))

		closed := make(chan struct{})
		time.AfterFunc(10*time.Second, func() { close(closed) })
		require.ErrorIs(t, p.wait(t.Context(), closed), errClosed)
		assert.Equal(t, 20*time.Second, time.Since(begin))

		require.NoError(t, p.wait(t.Context(), nil))
		assert.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestNoPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		begin := time.Now()
		for range 100 {
			require.NoError(t, p.wait(t.Context(), nil))
			p.count()
		}
		assert.Zero(t, time.Since(begin))
		assert.Empty(t, p.taken)
	})
}
