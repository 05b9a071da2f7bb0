package pectest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newTestClock(t *testing.T, start time.Time, speed int) *clock {
	q := newQueue()
	c := newClock(q, time.UTC, start, speed)
	t.Cleanup(func() {
		c.close()
		q.close()
	})
	return c
}

func TestClockAdvances(t *testing.T) {
	start := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
	c := newTestClock(t, start, 0)
	var order []string
	note := func(s string) func() {
		return func() { order = append(order, s+c.now().Format(" 15:04")) }
	}
	c.at(start.Add(3*time.Hour), note("d"))
	c.at(start.Add(time.Hour), func() {
		note("a")()
		c.at(start.Add(90*time.Minute), note("b")) // added while the clock advances
	})
	cancelled := c.at(start.Add(2*time.Hour), note("cancelled"))
	c.at(start.Add(2*time.Hour), note("c"))
	c.at(start.Add(25*time.Hour), note("later"))
	c.cancel(cancelled)
	c.cancel(cancelled)
	c.advance(24 * time.Hour)
	require.Equal(t, []string{"a 01:00", "b 01:30", "c 02:00", "d 03:00"}, order)
	require.WithinDuration(t, start.Add(24*time.Hour), c.now(), time.Minute)
	c.advance(-time.Hour)
	require.WithinDuration(t, start.Add(24*time.Hour), c.now(), time.Minute, "never back")
}

func TestClockRings(t *testing.T) {
	// Without Advance an event happens by itself: at this speed, 1000 hours pass in 36 ms.
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := newTestClock(t, start, 100_000_000)
	rung := make(chan time.Time)
	c.at(start.Add(1000*time.Hour), func() { rung <- c.now() })
	require.True(t, !(<-rung).Before(start.Add(1000*time.Hour)))
}

func TestClockClosed(t *testing.T) {
	c := newTestClock(t, time.Time{}, 0)
	c.at(c.now().Add(time.Hour), func() { t.Error("rung") })
	c.close()
	c.advance(2 * time.Hour)
	require.NoError(t, c.queue.idle(context.Background()))
}

func TestLegalTime(t *testing.T) {
	// Summer time ends on the last Sunday of October: 01:00 UTC is 02:00 +0100.
	start := time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC)
	n := Start(t, &Options{Start: start})
	require.Equal(t, "25/10/2026 00:00 +0200", n.Now().Format("02/01/2006 15:04 -0700"))
	n.Advance(3 * time.Hour)
	require.Equal(t, "25/10/2026 02:00 +0100", n.Now().Format("02/01/2006 15:04 -0700"))
	require.WithinDuration(t, start.Add(-time.Hour), n.Providers()[0].Leaf().NotBefore, time.Minute)
}
