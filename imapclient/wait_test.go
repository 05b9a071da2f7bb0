package imapclient_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/imapclient"
	"github.com/gopec/gopec/internal/testenv"
)

func TestWait(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, three...)
	c := f.open(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	require.NoError(t, c.Wait(ctx), "nothing was read yet")
	assert.Empty(t, f.heard("IDLE"))
	_, items, err := collect(ctx, c, inbox)
	require.NoError(t, err)

	// A message arrives during IDLE. A keepalive or a change of flags does not end Wait.
	result := waiting(ctx, c)
	<-f.idling
	f.push <- "* OK still here"
	f.push <- "* 2 FETCH (FLAGS (\\Seen))"
	f.add(notice + "quattro\r\n")
	f.push <- "* 4 EXISTS"
	require.NoError(t, <-result)
	require.NoError(t, c.Wait(ctx), "not read yet: Wait returns again")
	all, items, err := collect(ctx, c, items[2].Cursor)
	require.NoError(t, err)
	require.Len(t, all, 1)

	// A message arrives between Fetch and Wait.
	f.add(notice + "cinque\r\n")
	require.NoError(t, c.Wait(ctx))
	// A loop that is left early does not count as reading the folder.
	for range c.Fetch(ctx, inbox) {
		break
	}
	require.NoError(t, c.Wait(ctx))
	_, _, err = collect(ctx, c, items[0].Cursor)
	require.NoError(t, err)

	// The end of the context keeps the connection.
	dials := f.dials
	short, stop := context.WithTimeout(ctx, 500*time.Millisecond)
	defer stop()
	require.ErrorIs(t, c.Wait(short), context.DeadlineExceeded)
	all, _, err = collect(ctx, c, inbox)
	require.NoError(t, err)
	assert.Len(t, all, 5)
	assert.Equal(t, dials, f.dials)
	c.Close()
}

// TestWaitGivesWay calls Fetch during an IDLE.
func TestWaitGivesWay(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, three...)
	c := f.open(t, nil)
	ctx := context.Background()
	_, _, err := collect(ctx, c, inbox)
	require.NoError(t, err)
	for range 5 {
		result := waiting(ctx, c)
		<-f.idling
		all, _, err := collect(ctx, c, inbox)
		require.NoError(t, err)
		assert.Len(t, all, 3)
		require.NoError(t, <-result)
	}
	assert.Equal(t, 1, f.dials)
	c.Close()
}

func TestWaitWithoutIDLE(t *testing.T) {
	for name, spoil := range map[string]func(*fake){
		"not offered": func(f *fake) { f.caps = "IMAP4rev1 AUTH=PLAIN" },
		"refused":     func(f *fake) { f.refuse["IDLE"] = "NO not today" },
	} {
		t.Run(name, func(t *testing.T) {
			testenv.NoLeak(t)
			f := newFake(t, three...)
			spoil(f)
			c := f.open(t, &imapclient.Options{PollInterval: 50 * time.Millisecond})
			_, _, err := collect(context.Background(), c, inbox)
			require.NoError(t, err)
			begin := time.Now()
			require.NoError(t, c.Wait(context.Background()))
			assert.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
			assert.Equal(t, 1, f.dials)

			c = f.open(t, &imapclient.Options{PollInterval: time.Hour})
			_, _, err = collect(context.Background(), c, inbox)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, c.Wait(ctx), context.DeadlineExceeded)
			result := waiting(context.Background(), c)
			c.Close()
			checkReason(t, <-result, imapclient.ReasonClosed)
			_, _, err = collect(context.Background(), c, inbox)
			checkReason(t, err, imapclient.ReasonClosed)
		})
	}
}

// TestKeptConnectionDies lets the server hang up, or fall silent, between two calls.
func TestKeptConnectionDies(t *testing.T) {
	for _, fault := range []string{"close", "silent"} {
		for _, stage := range []string{"EXAMINE 2", "DONE"} {
			t.Run(stage+" "+fault, func(t *testing.T) {
				testenv.NoLeak(t)
				f := newFake(t, three...)
				f.at, f.fault = stage, fault
				c := f.open(t, &imapclient.Options{Timeout: time.Second})
				_, _, err := collect(context.Background(), c, inbox)
				require.NoError(t, err)
				if stage == "DONE" {
					ctx, cancel := context.WithCancel(context.Background())
					result := waiting(ctx, c)
					<-f.idling
					cancel()
					require.ErrorIs(t, <-result, context.Canceled)
				}
				all, _, err := collect(context.Background(), c, inbox)
				require.NoError(t, err)
				assert.Len(t, all, 3)
				assert.Equal(t, 2, f.dials)
				c.Close()
			})
		}
	}
}

// TestTogether uses one Client from many goroutines.
func TestTogether(t *testing.T) {
	testenv.NoLeak(t)
	f := newFake(t, three...)
	c := f.open(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			if err := c.Wait(ctx); err != nil {
				assert.ErrorIs(t, err, context.Canceled)
			}
		}
	})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 10 {
				all, _, err := collect(ctx, c, inbox)
				assert.NoError(t, err)
				assert.Len(t, all, 3)
			}
		})
	}
	readers.Wait()
	cancel()
	group.Wait()
	assert.Equal(t, 1, f.dials)

	// A call that waits for its turn ends with its context.
	for item, err := range c.Fetch(context.Background(), inbox) {
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		require.ErrorIs(t, c.Wait(ctx), context.DeadlineExceeded)
		_, _, err = collect(ctx, c, item.Cursor)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
	c.Close()
}

// TestClose closes the Client while it is in use.
func TestClose(t *testing.T) {
	t.Run("in IDLE", func(t *testing.T) {
		testenv.NoLeak(t)
		f := newFake(t, three...)
		c := f.open(t, nil)
		_, _, err := collect(context.Background(), c, inbox)
		require.NoError(t, err)
		result := waiting(context.Background(), c)
		<-f.idling
		require.NoError(t, c.Close())
		checkReason(t, <-result, imapclient.ReasonClosed)
		checkReason(t, c.Wait(context.Background()), imapclient.ReasonClosed)
		require.NoError(t, c.Close())
	})
	t.Run("in the loop", func(t *testing.T) {
		testenv.NoLeak(t)
		f := newFake(t, three...)
		c := f.open(t, nil)
		n := 0
		for item, err := range c.Fetch(context.Background(), inbox) {
			n++
			if n == 1 {
				require.NoError(t, err)
				assert.Equal(t, uint32(1), item.Cursor.UID)
				require.NoError(t, c.Close())
				continue
			}
			if err != nil {
				checkReason(t, err, imapclient.ReasonClosed)
			}
		}
		assert.GreaterOrEqual(t, n, 2)
	})
	t.Run("says goodbye", func(t *testing.T) {
		f := newFake(t, three...)
		c := f.open(t, nil)
		_, _, err := collect(context.Background(), c, inbox)
		require.NoError(t, err)
		require.NoError(t, c.Close())
		assert.Len(t, f.heard("LOGOUT"), 1)
	})
	t.Run("to the deaf", func(t *testing.T) {
		testenv.NoLeak(t)
		f := newFake(t, three...)
		f.at, f.fault = "LOGOUT", "silent"
		c := f.open(t, nil)
		_, _, err := collect(context.Background(), c, inbox)
		require.NoError(t, err)
		begin := time.Now()
		require.NoError(t, c.Close())
		assert.Less(t, time.Since(begin), 5*time.Second)
	})
}
